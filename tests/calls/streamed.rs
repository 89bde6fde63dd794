//! How a kind is listed: as a stream from API servers that have it, in pages from all others, and never a part of it for the whole.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body as Answer;
use futures::StreamExt;
use http::{Request, Response};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use kube::client::Body;
use kube::runtime::watcher::{Config, Error, Event};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tenant_operator::world::live::streamed::streamed;
use tokio::time::timeout;

/// The clock stands still while anything is to be done.
const QUIET: Duration = Duration::from_secs(10);

/// Status code and body; without a body nothing is said any more, and the connection stays.
type Reply = (u16, Vec<Value>);

/// What was asked for, and what was told until nothing more comes.
async fn told(replies: impl IntoIterator<Item = Reply>) -> (Vec<&'static str>, Vec<String>) {
    let replies = Arc::new(Mutex::new(VecDeque::from_iter(replies)));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let server = tower::service_fn({
        let asked = asked.clone();
        move |request: Request<Body>| {
            asked.lock().unwrap().push(question(request.uri().query().unwrap_or_default()));
            let reply = replies.lock().unwrap().pop_front();
            async move {
                let Some((code, lines)) = reply else { return std::future::pending().await };
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                Ok::<_, Infallible>(Response::builder().status(code).body(Answer::from(text)).unwrap())
            }
        }
    });
    let api: Api<ConfigMap> = Api::all(Client::new(server, "default"));
    let events = streamed(api, Config::default()).map(word);
    let mut events = std::pin::pin!(events);
    let mut told = Vec::new();
    while let Ok(Some(event)) = timeout(QUIET, events.next()).await {
        told.push(event);
    }
    let asked = asked.lock().unwrap().clone();
    (asked, told)
}

fn question(query: &str) -> &'static str {
    match (query.contains("watch=true"), query.contains("sendInitialEvents=true")) {
        (true, true) => "stream",
        (true, false) => "watch",
        (false, _) => "page",
    }
}

fn word(event: Result<Event<ConfigMap>, Error>) -> String {
    match event {
        Ok(Event::Init) => "begin".to_owned(),
        Ok(Event::InitApply(map)) => map.name_any(),
        Ok(Event::InitDone) => "all".to_owned(),
        Ok(Event::Apply(map)) => format!("+{}", map.name_any()),
        Ok(Event::Delete(map)) => format!("-{}", map.name_any()),
        Err(Error::InitialListFailed(_)) => "no list".to_owned(),
        Err(Error::WatchStartFailed(_)) => "no watch".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "yard", "resourceVersion": "5"}})
}

fn added(name: &str) -> Value {
    json!({"type": "ADDED", "object": map(name)})
}

fn end() -> Value {
    let meta = json!({"resourceVersion": "7", "annotations": {"k8s.io/initial-events-end": "true"}});
    json!({"type": "BOOKMARK", "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}})
}

fn page(names: &[&str]) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| map(name)).collect();
    (200, vec![json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"resourceVersion": "7"}, "items": items})])
}

fn status(code: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "message": "no", "reason": "", "code": code})
}

fn refusal(code: u16) -> Reply {
    (code, vec![status(code)])
}

#[tokio::test(start_paused = true)]
async fn what_there_is_comes_as_a_stream_and_what_becomes_of_it_on_the_same() {
    let (asked, told) = told([(200, vec![added("a"), added("b"), end(), added("c")])]).await;
    assert_eq!((asked, told.join(" ")), (vec!["stream", "watch"], "begin a b all +c".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_without_streams_is_asked_for_pages_and_nobody_hears_of_the_refusal() {
    for code in [400, 404, 422, 504] {
        let (asked, told) = told([refusal(code), page(&["a", "b"]), (200, vec![added("c")])]).await;
        assert_eq!((asked, told.join(" ")), (vec!["stream", "page", "watch", "watch"], "begin a b all +c".to_owned()), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_before_all_was_told_is_followed_by_pages_from_the_beginning() {
    let broken = [
        vec![added("a")],
        vec![added("a"), json!({"type": "ERROR", "object": status(500)}), added("b"), end()],
        vec![added("a"), json!({"type": "ERROR", "object": status(410)})],
        vec![added("a"), json!({"type": "ADDED", "object": {"metadata": "no object"}}), end()],
    ];
    for lines in broken {
        let ends = lines.len() == 1;
        let again = if ends { vec![(200, vec![added("a")])] } else { vec![] };
        let replies = [(200, lines.clone())].into_iter().chain(again).chain([page(&["a", "b"])]);
        let (asked, told) = told(replies).await;
        assert!(asked.ends_with(&["page", "watch"]), "{lines:?}: {asked:?}");
        assert_eq!(told.join(" "), "begin a begin a b all", "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_not_list_or_not_now_asks_again_for_a_stream() {
    for code in [401, 403, 429] {
        let (asked, told) = told([refusal(code), (200, vec![added("a"), end()])]).await;
        assert_eq!((asked, told.join(" ")), (vec!["stream", "stream", "watch"], "no list begin a all".to_owned()), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_comes_too_late_begins_with_a_stream_again_and_one_that_broke_off_where_it_was() {
    let late = json!({"type": "ERROR", "object": status(410)});
    let (asked, told) =
        told([(200, vec![added("a"), end()]), refusal(500), (200, vec![late]), (200, vec![added("a"), end()])]).await;
    assert_eq!(asked, ["stream", "watch", "watch", "stream", "watch"]);
    let [begun, broken, gone, again] = ["begin a all", "no watch", "error returned by apiserver during watch", "begin a all"];
    let told = told.join(" ");
    assert!(told.starts_with(&format!("{begun} {broken} {gone}")) && told.ends_with(again), "{told}");
}
