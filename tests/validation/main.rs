//! Every rule of the API, on a real API server: what it accepts, what it refuses, and the words it refuses with.
//!
//! The cases are in `tests/validation/`. Needs the lab: `TENANT_OPERATOR_LAB=1` and its KUBECONFIG. A rule without a case fails.

mod cases;
#[path = "../documents/mod.rs"]
mod documents;
mod patch;
mod rules;
mod server;

use std::collections::BTreeSet;

use cases::{Case, Cause};
use serde_json::Value;
use server::Server;

/// What is wrong, all at once, and which rules were seen to refuse.
#[derive(Default)]
struct Findings {
    wrong: Vec<String>,
    refused: BTreeSet<(String, String)>,
}

impl Findings {
    fn accepted(&mut self, case: &Case, given: &Value, answer: Result<(), Vec<Cause>>) {
        if let Err(causes) = answer {
            self.wrong.push(format!("{}: {given} should be accepted, but: {causes:?}", case.title()));
        }
    }

    fn refused(&mut self, case: &Case, given: &Value, answer: Result<(), Vec<Cause>>) {
        let causes = answer.err().unwrap_or_default();
        let hits: Vec<_> = causes.iter().filter(|cause| case.expects(cause)).collect();
        if hits.is_empty() {
            self.wrong.push(format!("{}: {given} should be refused, but: {causes:?}", case.title()));
        }
        self.refused.extend(hits.into_iter().map(|cause| (rules::path(&case.kind, &cause.field), cause.message.clone())));
    }
}

#[tokio::test]
async fn every_rule_accepts_and_refuses_what_it_should() {
    let Some(server) = Server::of_the_lab().await else { return };
    let mut findings = Findings::default();
    for file in cases::files() {
        for case in &file.create {
            let base = file.base(case.base.as_deref());
            for given in &case.accepts {
                findings.accepted(case, given, server.try_create(&case.object(&base, given)).await);
            }
            for given in &case.refuses {
                findings.refused(case, given, server.try_create(&case.object(&base, given)).await);
            }
        }
        for case in &file.update {
            let stored = server.store(&patch::merged(&file.base(case.base.as_deref()), &case.from), case.status.as_ref()).await;
            for given in &case.accepts {
                findings.accepted(case, given, server.try_update(&stored, given).await);
            }
            for given in &case.refuses {
                findings.refused(case, given, server.try_update(&stored, given).await);
            }
            server.remove(&stored).await;
        }
    }
    let untried = rules::all().into_iter().filter(|(path, fix)| {
        !findings.refused.iter().any(|(refused, message)| refused == path && message.contains(fix.as_str()))
    });
    findings.wrong.extend(untried.map(|(path, fix)| format!("no case is refused by the rule of {path}: {fix}")));
    assert!(findings.wrong.is_empty(), "{} findings:\n{}", findings.wrong.len(), findings.wrong.join("\n"));
}

#[tokio::test]
async fn every_example_is_accepted_without_a_warning() {
    let Some(server) = Server::of_the_lab().await else { return };
    for (file, document) in documents::all() {
        if let Err(causes) = server.try_apply(&document).await {
            panic!("{file}: {causes:?}");
        }
    }
}
