//! Requests of the test's own, which must not fail only because a fault strikes the API server.

use std::time::Duration;

use kube::api::{DeleteParams, PostParams};
use kube::{Api, Error};
use tenant_operator::api::Tenant;
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_secs(120);

async fn until_done(what: &str, mut ask: impl AsyncFnMut() -> Result<(), Error>) {
    let end = Instant::now() + LIMIT;
    while let Err(error) = ask().await {
        assert!(Instant::now() < end, "{what}: {error}");
        sleep(Duration::from_millis(300)).await;
    }
}

fn is(error: &Error, code: u16) -> bool {
    matches!(error, Error::Api(status) if status.code == code)
}

/// A request may have arrived although its reply was lost.
pub async fn create(api: &Api<Tenant>, tenant: &Tenant) {
    until_done("creation of a Tenant", async || match api.create(&PostParams::default(), tenant).await {
        Err(error) if !is(&error, 409) => Err(error),
        _ => Ok(()),
    })
    .await;
}

pub async fn delete(api: &Api<Tenant>, name: &str) {
    until_done("deletion of a Tenant", async || match api.delete(name, &DeleteParams::default()).await {
        Err(error) if !is(&error, 404) => Err(error),
        _ => Ok(()),
    })
    .await;
}
