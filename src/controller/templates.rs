//! Keeps a Bench's templates: reads what is asked for, starts a Job where one is due and a slot is free. What is decided is the core's.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use super::tenant::Reconciler;
use crate::api::{Bench, BenchStatus, Template, TenantPlan};
use crate::core::carried::Carried;
use crate::core::manifests::pod::BenchPod;
use crate::core::manifests::{steps, template};
use crate::core::names::annotation;
use crate::core::place;
use crate::core::templates::{self, Asked, Given, Next, Order, Told};
use crate::core::verdict::Note;
use crate::world::error::{Class, Error};

/// Beyond its deadline a Job is ended; the kubelet's patience, and a cache that lags, come on top.
const GRACE: Duration = Duration::from_secs(300);
/// After what only a person can put right.
const DENIED: Duration = Duration::from_secs(300);

impl Reconciler {
    /// Puts into the status what is new of the templates; how long until this has to be looked at again.
    pub(super) async fn keep_templates(
        &self,
        bench: &Bench,
        carried: &[Carried],
        status: &mut BenchStatus,
    ) -> Result<Option<Duration>, Error> {
        if status.templates.is_empty() && bench.spec.templates.as_ref().is_none_or(|templates| !templates.enabled) {
            templates::tell(
                status,
                vec![],
                &told(&[], &[], &Next::Rest(None), bench),
                Timestamp::now(),
                bench.metadata.generation,
            );
            return Ok(None);
        }
        let Some(image) = self.image(bench).await? else {
            // The Bench says so already, and goes on once it is there.
            return Ok(None);
        };
        let (asked, absent) = templates::asked(&bench.spec, &image, &self.plans_for(bench).await?, carried);
        let distrusted = templates::distrusted(carried);
        let known = status.templates.clone();
        let given = Given { grace: bench.spec.jobs.deadline() + GRACE, ..given(bench, &asked, &distrusted, &known) };
        let (kept, next) = match self.advance(bench, given).await {
            Err(error) if error.class() != Class::Transient => {
                let note = Note::new(error.reason(), format!("templates cannot be made: {error}"));
                (known.clone(), Next::Running(Some(note), DENIED))
            }
            course => course?,
        };
        templates::tell(status, kept, &told(&asked, &absent, &next, bench), Timestamp::now(), bench.metadata.generation);
        Ok(templates::pause(&next))
    }

    /// Where even that is refused, they are left.
    pub(super) async fn templates_left(&self, bench: &Bench) -> Result<Option<(Vec<Template>, Duration)>, Error> {
        match self.remove_templates(bench).await {
            Err(error) if error.class() != Class::Transient => {
                tracing::warn!(bench = %bench.name_any(), %error, "its templates are left on the sites volume");
                Ok(None)
            }
            left => left,
        }
    }

    /// Before a Bench goes: its templates are removed, as far as that can be done. What is left of them; none where it may go.
    async fn remove_templates(&self, bench: &Bench) -> Result<Option<(Vec<Template>, Duration)>, Error> {
        let known = bench.status.clone().unwrap_or_default().templates;
        if known.is_empty() || self.image(bench).await?.is_none() {
            return Ok(None);
        }
        // Nobody is on it: no Job can be reading.
        let (left, next) = self.advance(bench, Given { grace: Duration::ZERO, ..given(bench, &[], &[], &known) }).await?;
        match next {
            Next::Rest(None) if left.is_empty() => Ok(None),
            Next::Rest(_) | Next::Running(Some(_), _) => {
                tracing::warn!(bench = %bench.name_any(), "its templates could not be removed, and are left on the sites volume");
                Ok(None)
            }
            Next::Running(None, _) | Next::Start(_) => Ok(Some((left, Duration::from_secs(5)))),
        }
    }

    async fn advance(&self, bench: &Bench, given: Given<'_>) -> Result<(Vec<Template>, Next), Error> {
        // At rest nothing is asked of the API server.
        if let (same, Next::Rest(pause)) = templates::course(&given)
            && same == given.templates
        {
            return Ok((same, Next::Rest(pause)));
        }
        let rounds = self.live.see_templates(bench).await?;
        let (mut kept, next) = templates::course(&Given { rounds: &rounds, ..given });
        if !matches!(next, Next::Running(..)) {
            self.live.gate.leave(&self.template_site(bench));
        }
        let Next::Start(order) = next else { return Ok((kept, next)) };
        if !self.start_template(bench, &order, given.now).await? {
            return Ok((kept, Next::Start(order)));
        }
        templates::begun(&mut kept, &order, given.now);
        Ok((kept, Next::Running(None, Duration::from_secs(60))))
    }

    /// False where tenants need all slots, which come first, or where what the Job is copied from has gone meanwhile.
    async fn start_template(&self, bench: &Bench, order: &Order, now: Timestamp) -> Result<bool, Error> {
        let at = place::reference(bench);
        let source = self.live.pod_source_of(bench).await?;
        if bench.spec.jobs.lack(source.as_ref()) {
            return Ok(false);
        }
        if !self.live.gate.enter_spare(&at, bench.spec.jobs.concurrency(), &self.template_site(bench)) {
            return Ok(false);
        }
        self.ensure(&at.namespace, &steps::config_map(&at.namespace)).await?;
        let job = template::job(bench, &self.settings.cluster_name, order, now, source.as_ref());
        self.live.start_template(bench, &job).await?;
        Ok(true)
    }

    pub(super) fn template_site(&self, bench: &Bench) -> String {
        templates::site_id(&templates::owner(&self.settings.cluster_name, &place::reference(bench)))
    }

    /// The image of the bench's Jobs; none where the Deployment that says it is not there.
    async fn image(&self, bench: &Bench) -> Result<Option<String>, Error> {
        let source = self.live.pod_source_of(bench).await?;
        Ok(BenchPod::new(&bench.spec, source.as_ref()).image().filter(|_| !bench.spec.jobs.lack(source.as_ref())))
    }

    async fn plans_for(&self, bench: &Bench) -> Result<BTreeMap<String, TenantPlan>, Error> {
        if bench.spec.templates.as_ref().is_none_or(|templates| !templates.enabled) {
            return Ok(BTreeMap::new());
        }
        Ok(self.plans().await?.iter().map(|plan| (plan.name_any(), plan.clone())).collect())
    }
}

fn retry_at(bench: &Bench) -> Option<Timestamp> {
    bench.annotations().get(annotation::RETRY_AT).and_then(|at| at.parse().ok())
}

fn given<'a>(bench: &Bench, asked: &'a [Asked], distrusted: &'a [(String, Timestamp)], known: &'a [Template]) -> Given<'a> {
    let (now, retry_at) = (Timestamp::now(), retry_at(bench));
    Given { now, templates: known, asked, distrusted, retry_at, grace: GRACE, rounds: &[] }
}

fn told<'a>(asked: &'a [Asked], absent: &'a [String], next: &'a Next, bench: &Bench) -> Told<'a> {
    Told { asked, absent, next, retry_at: retry_at(bench) }
}
