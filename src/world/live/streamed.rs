//! The watch of a kind whose first list comes as a stream: an API server that can tells object by object from memory, where pages are
//! asked for one after the other, each made and read as a whole, and by older servers out of their store. Where a stream is refused, or
//! breaks off before its end, the list is asked for in pages, and the next one as a stream again.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists>

use std::fmt::Debug;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kube::Resource;
use kube::api::Api;
use kube::runtime::watcher::{self, Config, Error, Event, watcher};
use serde::de::DeserializeOwned;

/// These say nothing about streams, and pages would fare no better: who may not, what is not served yet, a server that is busy or away.
const NOT_OF_STREAMS: [u16; 7] = [401, 403, 404, 429, 502, 503, 504];

/// As `watcher`, but `InitialListFailed` is also a stream that can't be begun, and a watch that is not allowed any more: what it told
/// gets old.
pub fn streamed<K>(api: Api<K>, of: Config) -> impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    futures::stream::unfold(Telling::begin(api, of), |mut telling| async move {
        let event = telling.next().await?;
        Some((event, telling))
    })
}

struct Telling<K: 'static> {
    api: Api<K>,
    of: Config,
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    streams: bool,
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
    fn begin(api: Api<K>, of: Config) -> Self {
        let events = watcher(api.clone(), of.clone().streaming_lists()).boxed();
        Self { api, of, events, streams: true, at: At::Rest }
    }

    async fn next(&mut self) -> Option<watcher::Result<Event<K>>> {
        let mut event = self.events.next().await?;
        if let Some(code) = self.at.refusal(&event).filter(|_| self.streams) {
            tracing::info!(of = self.api.resource_url(), code, "a list is asked for in pages: no stream of it came to its end");
            (self.streams, self.at) = (false, At::Rest);
            self.events = watcher(self.api.clone(), self.of.clone()).boxed();
            event = self.events.next().await?;
        }
        self.at = self.at.after(&event);
        if self.at == At::Rest {
            *self = Self::begin(self.api.clone(), self.of.clone());
        }
        Some(match event {
            Err(Error::WatchStartFailed(error)) if self.at == At::Rest => Err(Error::InitialListFailed(error)),
            event => event,
        })
    }
}

impl At {
    fn after<K>(self, event: &watcher::Result<Event<K>>) -> Self {
        match event {
            Ok(Event::Init) => Self::Listing,
            Ok(Event::InitDone) => Self::Listed,
            Ok(Event::InitApply(_) | Event::Apply(_) | Event::Delete(_)) => self,
            // What there is must be asked for anew.
            Err(Error::NoResourceVersion) => Self::Rest,
            Err(Error::WatchError(status)) if status.code == 410 => Self::Rest,
            Err(Error::WatchStartFailed(kube::Error::Api(status))) if matches!(status.code, 401 | 403) => Self::Rest,
            // The list could not be had.
            Err(_) if self == Self::Listing => Self::Rest,
            Err(_) => self,
        }
    }

    /// The status code, or 0, of what says that no stream will come to its end: of what it left out nothing is known.
    fn refusal<K>(self, event: &watcher::Result<Event<K>>) -> Option<u16> {
        match (self, event) {
            (Self::Listing, Ok(Event::Init)) => Some(0),
            (Self::Rest | Self::Listing, Err(Error::WatchStartFailed(kube::Error::Api(status)))) => {
                Some(status.code).filter(|code| !NOT_OF_STREAMS.contains(code))
            }
            // The way to the server is cut.
            (_, Err(Error::WatchStartFailed(_))) => None,
            (Self::Listing, Err(Error::WatchError(status))) => Some(status.code),
            (Self::Listing, Err(_)) => Some(0),
            _ => None,
        }
    }
}
