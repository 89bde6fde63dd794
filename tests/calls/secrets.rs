//! Secrets are in the bodies of Secrets and nowhere else: no address, event, status, annotation, ConfigMap, Job or log line has one.

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::objects::{HOME, MAIL_PASSWORD, YARD};
use crate::rig::{Rig, rig};
use crate::server::Call;

/// Every value of custody and of what the tenant brought, as it is and as a Secret holds it.
fn values(rig: &Rig) -> Vec<String> {
    let custody = format!("{}-custody", rig.id());
    let secrets = rig.server.with(|store| {
        [(YARD, custody.as_str()), (HOME, "mail")].map(|(namespace, name)| store.get("secrets", namespace, name).cloned())
    });
    let encoded: Vec<String> = secrets
        .iter()
        .flatten()
        .flat_map(|secret| secret["data"].as_object().expect("data").values())
        .map(|value| value.as_str().expect("text").to_owned())
        .collect();
    let decode =
        |text: &String| String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).expect("base64")).expect("text");
    let plain: Vec<String> = encoded.iter().map(decode).collect();
    assert!(plain.len() == 5 && plain.contains(&MAIL_PASSWORD.to_owned()), "{plain:?}");
    encoded.into_iter().chain(plain).collect()
}

fn check(calls: &[Call], values: &[String]) {
    for call in calls {
        let whole = format!("{} {}", call.uri, if call.key.plural == "secrets" { Value::Null } else { call.body.clone() });
        assert!(!values.iter().any(|value| whole.contains(value.as_str())), "{call} tells a secret");
    }
}

/// What is logged, at every level, by all tests of this program.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn through_a_whole_life_only_the_bodies_of_secrets_hold_them() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test logs");
    let rig = rig();
    let up = rig.settle().await;
    let values = values(&rig);
    let down = rig.teardown().await;
    check(&up, &values);
    check(&down, &values);
    let log = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    assert!(log.contains("StartJob"), "the log is not empty");
    assert!(!values.iter().any(|value| log.contains(value.as_str())), "the log tells a secret");
}

#[tokio::test]
async fn a_key_that_is_in_custody_is_never_made_anew() {
    let rig = rig();
    let calls = rig.settle().await;
    let custody = format!("{}-custody", rig.id());
    let written: Vec<&Call> = calls.iter().filter(|call| call.writes() && call.key.name == custody).collect();
    assert_eq!(written.len(), 1, "{written:?}");
}

#[tokio::test]
async fn the_password_of_the_first_admin_is_copied_for_the_job_and_the_copy_deleted() {
    let rig = rig();
    let from = serde_json::json!({"name": "mail", "key": "password"});
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["spec"]["admin"]["passwordSecretRef"] = from));
    let calls = rig.settle().await;
    let inputs = format!("{}-inputs", rig.id());
    let copied = calls.iter().find(|call| call.is("create secrets") && call.key.name == inputs).expect("a copy");
    assert!(copied.body["data"].get("TENANT_ADMIN_PASSWORD").is_some());
    assert!(rig.server.with(|store| store.get("secrets", YARD, &inputs).is_none()), "the copy is gone");
    check(&calls, &values(&rig));
}
