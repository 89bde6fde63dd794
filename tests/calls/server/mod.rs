//! An API server in memory, behind a real `kube::Client`: it answers what the operator asks, writes every request down, and can be
//! told to meet with a mishap at one of them.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body as Answer;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::watch;

mod call;
mod patch;
mod select;
mod store;

pub use call::{Call, Verb};
pub use store::Store;

#[derive(Clone, Default)]
pub struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    store: Store,
    calls: Vec<Call>,
    mishaps: Vec<(String, Mishap)>,
    /// The reply to the write that so many others precede is lost.
    lost_after: Option<usize>,
    /// Wakes the watches.
    news: watch::Sender<()>,
}

/// What happens at the first request that begins like this; the next one goes well again.
enum Mishap {
    /// Somebody else is faster.
    Before(Box<dyn FnOnce(&mut Store) + Send>),
    Refused(u16, &'static str),
}

impl Server {
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.answer(Call::read(request).await) }
        });
        Client::new(service, "default")
    }

    /// To look at the objects, or to change them as somebody else would.
    pub fn with<T>(&self, look: impl FnOnce(&mut Store) -> T) -> T {
        let mut state = self.state();
        state.news.send_replace(());
        look(&mut state.store)
    }

    /// Changes whenever something was asked or done.
    pub fn news(&self) -> watch::Receiver<()> {
        self.state().news.subscribe()
    }

    /// The requests since they were last taken.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    pub fn before(&self, call: &str, other: impl FnOnce(&mut Store) + Send + 'static) {
        self.state().mishaps.push((call.to_owned(), Mishap::Before(Box::new(other))));
    }

    pub fn refuse(&self, call: &str, code: u16, reason: &'static str) {
        self.state().mishaps.push((call.to_owned(), Mishap::Refused(code, reason)));
    }

    /// A write is done, and nobody hears of it: so many others precede it.
    pub fn lose_reply_after(&self, writes: usize) {
        self.state().lost_after = Some(writes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics in here")
    }

    /// What happens from now on, line by line, until the client hangs up.
    fn tell(&self, call: Call) -> Answer {
        let news = self.state().news.subscribe();
        let lines = futures::stream::unfold((self.clone(), call, news, None), |(server, call, mut news, mut at)| async move {
            loop {
                let (events, next) = server.state().store.events(&call, at);
                at = Some(next);
                if !events.is_empty() {
                    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
                    return Some((Ok::<_, std::io::Error>(lines), (server, call, news, at)));
                }
                news.changed().await.ok()?;
            }
        });
        Answer::from_stream(lines)
    }

    fn answer(&self, call: Call) -> Result<Response<Answer>, std::io::Error> {
        let mut state = self.state();
        state.news.send_replace(());
        state.calls.push(call.clone());
        let mishap = state.mishaps.iter().position(|(start, _)| call.is(start));
        let mishap = mishap.map(|at| state.mishaps.remove(at).1);
        if call.verb == Verb::Watch && mishap.is_none() {
            drop(state);
            return Ok(Response::new(self.tell(call)));
        }
        let answer = match mishap {
            Some(Mishap::Refused(code, reason)) => Err((code, reason)),
            Some(Mishap::Before(other)) => {
                other(&mut state.store);
                state.store.answer(&call)
            }
            None => state.store.answer(&call),
        };
        if call.writes() && state.is_lost() {
            return Err(std::io::Error::other("the connection was lost"));
        }
        let (code, body) = answer.map_or_else(|(code, reason)| (code, refusal(&call, code, reason)), |object| (200, object));
        Ok(Response::builder().status(code).body(Answer::from(body.to_string())).expect("a response"))
    }
}

impl State {
    fn is_lost(&mut self) -> bool {
        let left = self.lost_after.take();
        self.lost_after = left.and_then(|left| left.checked_sub(1));
        left == Some(0)
    }
}

fn refusal(call: &Call, code: u16, reason: &str) -> Value {
    let message = format!("{call}: {reason}");
    json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code})
}
