//! Answers of any shape: what is read from them is bounded and printable, holds no secret, and never takes a refusal for a yes.

use http::Response;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::Key;
use super::answer::{Answer, first_line};
use super::bench::{Trial, key_answer};
use crate::api::Verify;
use crate::core::seen::KeyAnswer;

const LIMIT: usize = 512;
const USER: &str = "tenant-api-a@data.pelican.port.test";

fn config() -> Config {
    Config { cases: 1000, failure_persistence: None, ..Config::default() }
}

/// As `Answer::read` sees what came over a connection.
fn read(status: u16, body: Vec<u8>) -> Answer {
    let response = Response::builder().status(status).body(body).expect("a response");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(Answer::read(response.into(), LIMIT)).expect("a body in memory")
}

fn secret() -> impl Strategy<Value = String> {
    "[a-z0-9]{15}|[a-zA-Z0-9+/=_-]{8,40}"
}

/// A secret in the middle of words, also cut by markup and control characters as a hostile page might, and at any distance.
fn around(secret: &str) -> impl Strategy<Value = String> + use<> {
    let secret = secret.to_owned();
    let cut = prop::sample::select(vec!["", "<b>", "</i>", "\0", "\u{7f}", "<a href=x>"]);
    (".{0,200}", ".{0,40}", cut, 0.0..1.0f64).prop_map(move |(before, after, cut, at)| {
        let place = (0..=secret.len()).rev().find(|place| *place as f64 <= secret.len() as f64 * at).unwrap_or(0);
        format!("{before}{}{cut}{}{after}", &secret[..place], &secret[place..])
    })
}

fn frappe(words: &str) -> Vec<Value> {
    let for_users = json!([json!({"message": words}).to_string()]).to_string();
    vec![
        json!({"message": words}),
        json!({"exception": format!("frappe.exceptions.ValidationError: {words}"), "exc_type": "ValidationError"}),
        json!({"_server_messages": for_users, "exc_type": words}),
        json!({"exc_type": words, "exc": words, "data": words}),
        json!(words),
    ]
}

fn harmless(words: &str, hidden: &[&str]) {
    assert!(words.chars().count() <= 260 && !words.chars().any(char::is_control), "{words:?}");
    for secret in hidden {
        assert!(!words.contains(secret), "{secret:?} is in {words:?}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_an_answer(status in 100..600u16, body in vec(any::<u8>(), 0..2 * LIMIT)) {
        let answer = read(status, body.clone());
        harmless(&answer.words(&[]), &[]);
        prop_assert!(answer.json.is_none() || body.len() <= LIMIT, "a body that is too long is not half understood");
        prop_assert!(!answer.is_pong() || status == 200);
        answer.says("Failed to decrypt");
        answer.data();
    }

    #[test]
    fn no_secret_of_the_request_is_repeated_in_words(
        (key, word) in secret().prop_flat_map(|key| { let word = around(&key); (Just(key), word) }), status in 400..600u16,
    ) {
        for body in frappe(&word) {
            let answer = read(status, body.to_string().into_bytes());
            harmless(&answer.words(&["other-secret", &key]), &[&key]);
        }
        harmless(&first_line(&word, &[&key]), &[&key]);
    }

    #[test]
    fn only_the_right_user_with_200_is_an_accepted_key(status in 100..600u16, message in prop_oneof![Just(USER.to_owned()), ".{0,40}"], key in secret()) {
        let trial = Trial { path: Verify::DEFAULT_PATH, user: USER, key: Key { key: &key, secret: "any-secret" } };
        for body in [json!({"message": message}).to_string(), message.clone(), json!([message]).to_string()] {
            let answer = read(status, body.clone().into_bytes());
            let whose = answer.message() == Some(USER);
            match key_answer(&answer, &trial) {
                KeyAnswer::Accepted => prop_assert!(status == 200 && whose, "{status} {body}"),
                KeyAnswer::Rejected(said) => prop_assert!(said == status && matches!(status, 401 | 403)),
                KeyAnswer::Undecryptable => prop_assert!(status == 417),
                KeyAnswer::Unreachable(words) => harmless(&words, &[&key, "any-secret"]),
            }
        }
    }

    #[test]
    fn a_key_of_any_text_is_sent_whole_or_not_at_all(key in ".{0,30}", secret in ".{0,30}") {
        let pair = Key { key: &key, secret: &secret };
        if let Some(header) = pair.header() {
            prop_assert!(header.is_sensitive());
            let sent = format!("token {key}:{secret}");
            prop_assert_eq!(header.as_bytes(), sent.as_bytes());
        }
    }
}
