//! How a kind is listed: as a stream from API servers that have it, in pages from all others, and never a part of it for the whole.

use std::collections::VecDeque;
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

/// Status code and body. Code 0: the connection is refused. Without a reply nothing is said any more, and the connection stays.
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
                if code == 0 {
                    return Err(std::io::Error::other("refused"));
                }
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                Ok(Response::builder().status(code).body(Answer::from(text)).unwrap())
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
        Err(Error::WatchError(_)) => "too late".to_owned(),
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
    for code in [400, 422, 500] {
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
    for code in [0, 401, 403, 404, 429, 502, 503, 504] {
        let (asked, told) = told([refusal(code), (200, vec![added("a"), end()])]).await;
        assert_eq!((asked, told.join(" ")), (vec!["stream", "stream", "watch"], "no list begin a all".to_owned()), "{code}");
    }
    let (asked, told) = told([(200, vec![added("a")]), refusal(429), (200, vec![added("a"), end()])]).await;
    assert_eq!((asked, told.join(" ")), (vec!["stream", "stream", "stream", "watch"], "begin a no list begin a all".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_broke_off_goes_on_where_it_was() {
    let (asked, told) = told([(200, vec![added("a"), end()]), refusal(500), refusal(0), (200, vec![added("b")])]).await;
    assert_eq!(asked, ["stream", "watch", "watch", "watch", "watch"]);
    assert_eq!(told.join(" "), "begin a all no watch no watch +b");
}

#[tokio::test(start_paused = true)]
async fn what_must_be_listed_anew_comes_as_a_stream_again_whatever_came_of_the_last_one() {
    let all = || (200, vec![added("a"), end()]);
    let late = || (200, vec![json!({"type": "ERROR", "object": status(410)})]);
    let cases = [
        (vec![all(), late(), all()], "stream watch stream watch", "begin a all too late begin a all"),
        (
            vec![all(), late(), refusal(0), refusal(403), all()],
            "stream watch stream stream stream watch",
            "begin a all too late no list no list begin a all",
        ),
        (vec![all(), late(), refusal(422), page(&["a"])], "stream watch stream page watch", "begin a all too late begin a all"),
        (vec![refusal(422), page(&["a"]), late(), all()], "stream page watch stream watch", "begin a all too late begin a all"),
        (vec![refusal(422), refusal(500), all()], "stream page stream watch", "begin no list begin a all"),
    ];
    for (replies, questions, news) in cases {
        let (asked, told) = told(replies).await;
        assert_eq!((asked.join(" ").as_str(), told.join(" ").as_str()), (questions, news));
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_watched_any_more_is_lost_until_it_can_be_listed_again() {
    for code in [401, 403] {
        let replies = [(200, vec![added("a"), end()]), refusal(code), refusal(code), (200, vec![added("b"), end()])];
        let (asked, told) = told(replies).await;
        assert_eq!(asked, ["stream", "watch", "stream", "stream", "watch"], "{code}");
        assert_eq!(told.join(" "), "begin a all no list no list begin b all", "{code}");
    }
}
