//! The watch of a kind whose first list comes as a stream: an API server that can answers from memory, object by object, where pages
//! are read and decoded from its store; ten thousand tenants are told of in a fraction of the time. Others are asked for pages.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists>

use std::fmt::Debug;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kube::Resource;
use kube::api::Api;
use kube::runtime::watcher::{self, Config, Event, watcher};
use serde::de::DeserializeOwned;

/// As `watcher`. A list that can't be begun is `InitialListFailed` however it was asked for.
pub fn streamed<K>(api: Api<K>, of: Config) -> impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let events = watcher(api.clone(), of.clone().streaming_lists()).boxed();
    futures::stream::unfold(Telling { events, pages: Some((api, of)), at: At::Rest }, |mut telling| async move {
        let event = telling.next().await?;
        Some((event, telling))
    })
}

struct Telling<K: 'static> {
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    /// What to ask for if streams are not to be had; none once it was.
    pages: Option<(Api<K>, Config)>,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The list is to be asked for.
    Rest,
    Listing,
    Listed,
}

impl<K> Telling<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    async fn next(&mut self) -> Option<watcher::Result<Event<K>>> {
        let event = self.events.next().await?;
        if self.pages.is_none() {
            return Some(event);
        }
        if self.at.is_refused(&event) {
            return self.page().await;
        }
        self.at = self.at.after(&event);
        Some(match event {
            Err(watcher::Error::WatchStartFailed(error)) if self.at == At::Rest => Err(watcher::Error::InitialListFailed(error)),
            event => event,
        })
    }

    /// From now on in pages, and from the beginning.
    async fn page(&mut self) -> Option<watcher::Result<Event<K>>> {
        let (api, of) = self.pages.take()?;
        tracing::info!(of = api.resource_url(), "a list does not come as a stream, and is asked for in pages");
        self.events = watcher(api, of).boxed();
        self.events.next().await
    }
}

impl At {
    fn after<K>(self, event: &watcher::Result<Event<K>>) -> Self {
        match event {
            Ok(Event::Init) => Self::Listing,
            Ok(Event::InitDone) => Self::Listed,
            Ok(Event::InitApply(_) | Event::Apply(_) | Event::Delete(_)) => self,
            // What there is must be asked for anew.
            Err(watcher::Error::NoResourceVersion) => Self::Rest,
            Err(watcher::Error::WatchError(status)) if status.code == 410 => Self::Rest,
            // It could not be begun.
            Err(_) if self == Self::Listing => Self::Rest,
            Err(_) => self,
        }
    }

    /// This server has no streams, or this one broke off before its end: the next might too, and of what it left out nothing is known.
    fn is_refused<K>(self, event: &watcher::Result<Event<K>>) -> bool {
        match (self, event) {
            (Self::Listing, Ok(Event::Init)) => true,
            (Self::Rest | Self::Listing, Err(watcher::Error::WatchStartFailed(kube::Error::Api(status)))) => {
                !matches!(status.code, 401 | 403 | 429)
            }
            (Self::Rest | Self::Listing, Err(watcher::Error::WatchStartFailed(_))) => false,
            (Self::Listing, Err(_)) => true,
            _ => false,
        }
    }
}
