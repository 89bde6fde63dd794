//! Leadership against a lease kept in memory, with the clock in the test's hands.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// One lease, as the API server keeps it: writes with an old version are refused.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    down: bool,
}

impl Server {
    fn candidate(&self, identity: &str) -> Candidate {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.answer(request).await }
        });
        Candidate::new(Client::new(service, "default"), "operators", "tenant-operator", identity)
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let method = request.method().clone();
        let body = request.into_body().collect_bytes().await.unwrap();
        let mut state = self.0.lock().unwrap();
        if state.down {
            return Err(std::io::Error::other("connection refused"));
        }
        let (code, answer) = match method {
            Method::GET => state.lease.clone().map_or_else(|| refusal(404, "NotFound"), |lease| (200, lease)),
            Method::POST if state.lease.is_some() => refusal(409, "AlreadyExists"),
            _ => state.write(serde_json::from_slice(&body).unwrap()),
        };
        let status = StatusCode::from_u16(code).unwrap();
        Ok(Response::builder().status(status).body(Body::from(answer.to_string().into_bytes())).unwrap())
    }

    fn holder(&self) -> Option<String> {
        let state = self.0.lock().unwrap();
        state.lease.as_ref()?["spec"]["holderIdentity"].as_str().map(str::to_owned)
    }

    fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    fn hand_to(&self, holder: &str) {
        let mut state = self.0.lock().unwrap();
        let mut lease = state.lease.clone().unwrap();
        lease["spec"]["holderIdentity"] = json!(holder);
        assert_eq!(state.write(lease).0, 200);
    }
}

impl State {
    fn write(&mut self, mut lease: Value) -> (u16, Value) {
        let known = self.lease.as_ref().map(|lease| lease["metadata"]["resourceVersion"].clone());
        if known.is_some_and(|known| known != lease["metadata"]["resourceVersion"]) {
            return refusal(409, "Conflict");
        }
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        (200, lease)
    }
}

fn refusal(code: u16, reason: &str) -> (u16, Value) {
    (code, json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason}))
}

#[tokio::test(start_paused = true)]
async fn a_free_lease_is_taken_and_given_back() {
    let server = Server::default();
    let leadership = server.candidate("one").acquire().await;
    assert_eq!(server.holder().as_deref(), Some("one"));
    let (give_back, asked) = oneshot::channel();
    let keeper = tokio::spawn(leadership.keep(asked));
    give_back.send(()).unwrap();
    keeper.await.unwrap().unwrap();
    assert_eq!(server.holder(), None);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_is_never_taken() {
    let server = Server::default();
    let (_keep, asked) = oneshot::channel();
    let keeper = tokio::spawn(server.candidate("one").acquire().await.keep(asked));
    let second = timeout(DURATION * 20, server.candidate("two").acquire()).await;
    assert!(second.is_err() && !keeper.is_finished());
    assert_eq!(server.holder().as_deref(), Some("one"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_left_behind_is_taken_after_its_duration() {
    let server = Server::default();
    drop(server.candidate("one").acquire().await);
    let start = Instant::now();
    server.candidate("two").acquire().await;
    assert!(start.elapsed() >= DURATION && start.elapsed() < DURATION * 2, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_restarted_process_takes_its_own_lease_at_once() {
    let server = Server::default();
    drop(server.candidate("one").acquire().await);
    let start = Instant::now();
    server.candidate("one").acquire().await;
    assert!(start.elapsed() < RETRY_EVERY);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_gives_up_before_anyone_may_take_over() {
    let server = Server::default();
    let (_keep, asked) = oneshot::channel();
    let leadership = server.candidate("one").acquire().await;
    let start = Instant::now();
    server.set_down(true);
    let lost = leadership.keep(asked).await;
    assert!(matches!(lost, Err(Lost::NotRenewed)));
    assert!(start.elapsed() < DURATION, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_survived() {
    let server = Server::default();
    let (_keep, asked) = oneshot::channel();
    let keeper = tokio::spawn(server.candidate("one").acquire().await.keep(asked));
    sleep(RENEW_EVERY - Duration::from_secs(1)).await;
    server.set_down(true);
    sleep(Duration::from_secs(4)).await;
    server.set_down(false);
    sleep(DURATION * 4).await;
    assert!(!keeper.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_lease_in_other_hands_is_lost_at_once() {
    let server = Server::default();
    let (_keep, asked) = oneshot::channel();
    let leadership = server.candidate("one").acquire().await;
    server.hand_to("two");
    let lost = leadership.keep(asked).await;
    assert!(matches!(lost, Err(Lost::Taken { holder }) if holder == "two"));
    assert_eq!(server.holder().as_deref(), Some("two"));
}
