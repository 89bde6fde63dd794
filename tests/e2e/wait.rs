//! Waiting, always by a watch and never for ever.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures::TryStreamExt;
use kube::api::{Api, Resource};
use kube::runtime::{WatchStreamExt, watcher};
use serde::de::DeserializeOwned;

pub async fn within<T, E: Debug>(limit: Duration, what: &str, future: impl Future<Output = Result<T, E>>) -> T {
    let done = tokio::time::timeout(limit, future).await;
    done.unwrap_or_else(|_| panic!("no {what} within {} s", limit.as_secs())).unwrap_or_else(|error| panic!("{what}: {error:?}"))
}

/// The first object with these labels that is as wanted.
pub async fn first<K>(api: Api<K>, labels: &str, what: &str, wanted: impl Fn(&K) -> bool) -> K
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let found = async {
        let mut objects = pin!(watcher(api, watcher::Config::default().labels(labels)).applied_objects());
        while let Some(object) = objects.try_next().await? {
            if wanted(&object) {
                return Ok(object);
            }
        }
        unreachable!("a watch never ends")
    };
    within::<_, watcher::Error>(Duration::from_secs(120), what, found).await
}

/// For what no watch tells of, such as the inside of a site.
pub async fn until(what: &str, limit: Duration, holds: impl AsyncFn() -> bool) {
    let end = std::time::Instant::now() + limit;
    while !holds().await {
        assert!(std::time::Instant::now() < end, "no {what} within {} s", limit.as_secs());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
