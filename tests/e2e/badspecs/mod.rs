//! Hundreds of bad specs for the real API server: each is refused with a message that names the field and the fix, or is stored and
//! ends in a condition that does. Another `SEED` makes others.

use std::io::Write;

use futures::{StreamExt, stream};
use kube::Error;
use serde_json::{Value, json};

use crate::bench::INGRESS_16;
use crate::case::{self, Case, Company};
use crate::lab::{CUSTOMERS, Lab};

mod generator;
mod later;

/// Fewer than these, and the generator has lost sight of something.
const LEAST: usize = 500;

#[test]
fn every_bad_spec_is_refused_with_the_fix_or_ends_in_a_condition_that_names_it() {
    case::run("bad", Company::On(INGRESS_16.namespace), async |case| {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        let restarts = case.lab.operator_restarts().await;
        let (refused, wrong) = refused(case, seed).await;
        assert!(wrong.is_empty(), "SEED={seed}: {} were not refused as they should:\n{}", wrong.len(), wrong.join("\n"));
        let later = later::all(case).await;
        assert_eq!(case.lab.operator_restarts().await, restarts, "the operator did not bear it");
        let line = format!("bad inputs: {}, refused by schema: {refused}, handled later: {later}\n", refused + later);
        // Past the test's own capture of its output.
        std::io::stderr().write_all(line.as_bytes()).expect("somebody who reads");
        assert!(refused + later >= LEAST, "{line}");
    });
}

/// How many were refused, and what was wrong with an answer.
async fn refused(case: &Case, seed: u64) -> (usize, Vec<String>) {
    let ask = async |bad: generator::Bad| {
        let answer = create(&case.lab, &bad.object).await;
        match judge(&bad, answer) {
            Ok(refused) => (usize::from(refused), None),
            Err(words) => (0, Some(format!("{} {} = {}: {words}", bad.kind, bad.path, shown(&bad)))),
        }
    };
    let answers: Vec<_> = stream::iter(generator::all(seed)).map(ask).buffer_unordered(8).collect().await;
    (answers.iter().map(|(refused, _)| refused).sum(), answers.into_iter().filter_map(|(_, wrong)| wrong).collect())
}

fn shown(bad: &generator::Bad) -> String {
    let pointer = format!("/{}", bad.path.replace('.', "/").replace('[', "/").replace(']', ""));
    let value = bad.object.pointer(&pointer).map_or_else(|| "(left out)".to_owned(), Value::to_string);
    value.chars().take(60).collect()
}

/// As kubectl sends it: strictly, without being stored.
async fn create(lab: &Lab, object: &Value) -> Result<(), Error> {
    let place = match object["kind"].as_str() {
        Some("TenantPlan") => "tenantplans".to_owned(),
        Some("Bench") => format!("namespaces/{}/benches", INGRESS_16.namespace),
        _ => format!("namespaces/{CUSTOMERS}/tenants"),
    };
    let mut object = object.clone();
    object["metadata"].as_object_mut().expect("metadata").remove("namespace");
    let address = format!("/apis/tenancy.nexuserp.io/v1alpha1/{place}?dryRun=All&fieldValidation=Strict");
    let request = http::Request::post(address).header("Content-Type", "application/json").body(object.to_string().into_bytes());
    lab.client.request::<Value>(request.expect("a request")).await.map(drop)
}

/// Whether it was refused; an error where it was not, and should have been, or where the words are no help.
fn judge(bad: &generator::Bad, answer: Result<(), Error>) -> Result<bool, String> {
    let status = match answer {
        Ok(()) if bad.free => return Ok(false),
        Ok(()) => return Err("accepted".to_owned()),
        Err(Error::Api(status)) => status,
        Err(other) => return Err(format!("the API server did not bear it: {other}")),
    };
    if !matches!(status.code, 400 | 422) {
        return Err(format!("{} {}", status.code, status.message));
    }
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let about = |field: &str| !field.is_empty() && (bad.path.starts_with(field) || field.starts_with(&bad.path));
    let mut named = causes.clone().any(|cause| about(&cause.field));
    named |= status.message.contains(&format!("\"{}", bad.path)) || status.message.contains(bad.path.as_str());
    if !named {
        return Err(format!("the field is not named: {}", status.message));
    }
    // A bare expression, or an error of the rule itself, tells nobody what to write.
    let useless = ["should match '", "failed rule", "evaluation error", "no such key", "exceed"];
    match useless.into_iter().find(|words| status.message.contains(words)) {
        Some(words) => Err(format!("no fix, but {words:?}: {}", status.message)),
        None => Ok(true),
    }
}

#[test]
fn the_generator_makes_more_than_enough_and_the_same_for_a_seed() {
    let (one, same, other) = (generator::all(1), generator::all(1), generator::all(2));
    assert!(one.len() >= LEAST, "{}", one.len());
    let objects = |bad: &[generator::Bad]| json!(bad.iter().map(|bad| &bad.object).collect::<Vec<_>>());
    assert_eq!(objects(&one), objects(&same));
    assert_ne!(objects(&one), objects(&other));
    for kind in ["Tenant", "TenantPlan", "Bench"] {
        assert!(one.iter().filter(|bad| bad.kind == kind).count() >= 100, "{kind}");
    }
}
