//! Counts what is done to the outside, so that neither decisions nor the world have to.

use k8s_openapi::jiff::Timestamp;

use crate::core::op::Op;
use crate::core::seen::Seen;
use crate::core::stages::{Stage, Way};
use crate::core::subject::Subject;
use crate::runtime::Metrics;
use crate::world::{Effect, Error, World};

pub struct Metered<'a, W> {
    pub world: &'a W,
    pub metrics: &'a Metrics,
}

impl<W: World> World for Metered<'_, W> {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn observe(&self, stage: Stage, way: Way, who: &Subject) -> Result<Seen, Error> {
        self.world.observe(stage, way, who).await
    }

    async fn execute(&self, op: &Op, who: &Subject) -> Result<Effect, Error> {
        let result = self.world.execute(op, who).await;
        self.metrics.op(op.kind(), result.as_ref().map_or_else(Error::reason, |_| "Done"));
        result
    }
}
