//! A bench or a Master that answers anything at all: nothing panics, nothing of the request is repeated, and words stay short.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::response::Response;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use tenant_operator::core::op::{Cell, Row};
use tenant_operator::core::seen::{KeyAnswer, RegistryAnswer};
use tenant_operator::world::http::bench::{Trial, try_key};
use tenant_operator::world::http::registry::{Master, Place, look, remove, write};
use tenant_operator::world::http::{Key, client};

use super::fake::Fake;

const TOKEN: Key<'_> = Key { key: "master-key-4711", secret: "master-secret-0815" };
const PUBLISHED: Key<'_> = Key { key: "tenant-key-4711", secret: "tenant-secret-0815" };
const PLACE: Place<'_> =
    Place { doc_type: "SaaS Tenant", key_field: "subdomain", key: "acme", id_field: "operator_id", id: "7f3a9c1e5b2d4a60" };

type Reply = (u16, Vec<u8>);

fn word() -> impl Strategy<Value = String> + Clone {
    let known = [
        "subdomain",
        "operator_id",
        "fieldname",
        "fieldtype",
        "data",
        "fields",
        "name",
        "message",
        "exc_type",
        "7f3a9c1e5b2d4a60",
    ];
    let ours = [TOKEN.key, TOKEN.secret, PUBLISHED.key, PUBLISHED.secret];
    let told = |word: &str| format!("{word}: not <b>allowed</b> here\nTraceback");
    prop_oneof![
        3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(ours.to_vec()).prop_map(told),
        1 => ".{0,60}",
    ]
}

fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), word().prop_map(Value::from)];
    let json = leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), btree_map(word(), inner, 0..5).prop_map(|map| json!(map))]
            .boxed()
    });
    let frappe = (word(), word())
        .prop_map(|(type_, words)| json!({"exc_type": type_, "exception": format!("x: {words}"), "message": words}));
    prop_oneof![2 => json.clone().prop_map(|data| json!({"data": data})), 1 => json, 1 => frappe]
}

fn replies() -> impl Strategy<Value = Vec<Reply>> {
    let status =
        prop_oneof![3 => Just(200u16), 1 => prop::sample::select(vec![201u16, 301, 400, 401, 403, 404, 409, 417, 429, 500, 502])];
    let bytes = prop_oneof![4 => body().prop_map(|body| body.to_string().into_bytes()), 1 => vec(any::<u8>(), 0..300)];
    vec((status, bytes), 1..5)
}

/// `sent` are the keys that went with the request: what it did not have, an answer cannot repeat.
fn harmless(words: &str, sent: &[Key<'_>]) {
    assert!(words.chars().count() <= 400 && !words.chars().any(char::is_control), "{words:?}");
    for key in sent {
        assert!(!words.contains(key.key) && !words.contains(key.secret), "{words}");
    }
}

/// Gives the replies in turn, over and over.
async fn talk(replies: Vec<Reply>) {
    let turn = Arc::new(Mutex::new(0));
    let fake = Fake::start(move |_| {
        let mut turn = turn.lock().unwrap();
        let (status, body) = replies[*turn % replies.len()].clone();
        *turn += 1;
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
    .await;
    let (client, url) = (client().unwrap(), fake.url());
    let master = Master { client: &client, url: &url, site: "master.example.com", token: TOKEN };
    match look(&master, &PLACE).await {
        RegistryAnswer::Denied(words) | RegistryAnswer::Unreachable(words) | RegistryAnswer::TokenMissing(words) => {
            harmless(&words, &[TOKEN])
        }
        RegistryAnswer::Known { fields, .. } => assert!(fields.contains_key(PLACE.key_field)),
        RegistryAnswer::None | RegistryAnswer::OnTrust | RegistryAnswer::DocTypeMissing => {}
    }
    for create in [true, false] {
        let fields = [("status".to_owned(), Cell::Text("Active".to_owned())), ("secret".to_owned(), Cell::ApiSecret)].into();
        if let Err(error) = write(&master, &PLACE, &Row { create, fields }, Some(PUBLISHED)).await {
            harmless(&error.to_string(), &[TOKEN, PUBLISHED]);
        }
    }
    if let Err(error) = remove(&master, &PLACE).await {
        harmless(&error.to_string(), &[TOKEN]);
    }
    let trial = Trial { path: "/api/method/frappe.auth.get_logged_user", user: "tenant-api-a@acme.example.com", key: PUBLISHED };
    if let KeyAnswer::Unreachable(words) = try_key(&client, &url, "acme.example.com", &trial).await {
        harmless(&words, &[PUBLISHED]);
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_answers_of_bench_and_master_are_borne(replies in replies()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(talk(replies));
    }
}
