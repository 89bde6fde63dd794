//! On which Bench a new tenant goes.

mod objects;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenant_operator::api::{Bench, BenchRef, Tenant, TenantClaim};
use tenant_operator::core::carried::Carried;
use tenant_operator::core::place::{Candidate, choose, in_use, reference};

type Change = fn(&mut Value);

fn bench(name: &str, change: Change) -> Bench {
    let mut bench = objects::bench();
    bench["metadata"]["name"] = json!(name);
    change(&mut bench);
    objects::read(bench)
}

fn tenant(wants: Option<&str>) -> Tenant {
    let mut tenant = objects::tenant("wharf", "pelican");
    if let Some(name) = wants {
        tenant["spec"]["benchRef"] = json!({"name": name, "namespace": objects::YARD});
    }
    objects::read(tenant)
}

/// The name of the chosen Bench, or the reason and the message.
fn placed(wants: Option<&str>, labels: &[(&str, &str)], benches: &[(&Bench, u32)]) -> Result<String, (String, String)> {
    let labels: BTreeMap<String, String> = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let candidates: Vec<Candidate<'_>> = benches.iter().map(|(bench, tenants)| Candidate { bench, tenants: *tenants }).collect();
    choose(&tenant(wants), &labels, &candidates).map(|at| at.name).map_err(|problem| {
        assert!(problem.passing, "a Bench may appear or change");
        (problem.reason.into_owned(), problem.message)
    })
}

fn with_room_for_ten(bench: &mut Value) {
    bench["spec"]["capacity"] = json!({"tenants": 10});
}

#[test]
fn the_bench_with_most_room_is_chosen_and_the_name_decides_between_equals() {
    let (a, b, c) = (bench("a", with_room_for_ten), bench("b", with_room_for_ten), bench("c", with_room_for_ten));
    assert_eq!(placed(None, &[], &[(&a, 5), (&b, 3), (&c, 3)]), Ok("b".to_owned()));
    assert_eq!(placed(None, &[], &[(&c, 3), (&b, 3), (&a, 5)]), Ok("b".to_owned()));
}

#[test]
fn a_bench_that_refuses_says_why() {
    let cases: [(Change, u32, &str); 4] = [
        (with_room_for_ten, 10, "is full"),
        (|bench| bench["spec"]["drain"] = json!(true), 0, "drain"),
        (|bench| bench["metadata"]["deletionTimestamp"] = json!("2026-11-21T09:00:00Z"), 0, "is being deleted"),
        (|bench| bench["spec"]["allowedTenants"]["namespaces"]["from"] = json!("Same"), 0, "namespace harbour"),
    ];
    for (change, tenants, why) in cases {
        let one = bench("a", change);
        for (wants, expected) in [(Some("a"), "BenchRefuses"), (None, "NoBench")] {
            let (reason, message) = placed(wants, &[], &[(&one, tenants)]).expect_err(why);
            assert!(reason == expected && message.contains(why), "{reason}: {message}");
        }
    }
}

#[test]
fn a_named_bench_is_taken_though_another_has_more_room() {
    let (a, b) = (bench("a", with_room_for_ten), bench("b", with_room_for_ten));
    assert_eq!(placed(Some("a"), &[], &[(&a, 9), (&b, 0)]), Ok("a".to_owned()));
    assert_eq!(placed(Some("c"), &[], &[(&a, 9), (&b, 0)]).map_err(|(reason, _)| reason), Err("BenchNotFound".to_owned()));
}

#[test]
fn without_any_bench_there_is_nowhere_to_go() {
    let (reason, message) = placed(None, &[], &[]).expect_err("nowhere");
    assert!(reason == "NoBench" && message.contains("there is none"), "{message}");
}

#[test]
fn a_selector_is_read_as_the_api_server_reads_it() {
    let expression =
        |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]});
    let cases = [
        (json!({"matchLabels": {"tier": "gold"}}), true),
        (json!({"matchLabels": {"tier": "tin"}}), false),
        (json!({"matchLabels": {"tier": "gold", "saas": "true"}}), false),
        (expression("In", &["gold", "tin"]), true),
        (expression("NotIn", &["gold"]), false),
        (expression("Exists", &[]), true),
        (expression("DoesNotExist", &[]), false),
        (json!({}), true),
    ];
    for (selector, takes) in cases {
        let mut one = objects::bench();
        one["spec"]["allowedTenants"]["namespaces"] = json!({"from": "Selector", "selector": selector});
        let one: Bench = objects::read(one);
        let reference = reference(&one).name;
        let found = placed(None, &[("tier", "gold")], &[(&one, 0)]);
        assert_eq!(found.ok(), takes.then_some(reference), "{selector}");
    }
}

#[test]
fn a_bench_that_is_still_used_says_by_whom_and_what_to_do() {
    let claim = |name: &str, phase: &str| -> Carried {
        let record = json!({
            "subdomain": "pelican", "bench": {"name": "a", "namespace": objects::YARD}, "benchPath": "/bench", "sitesClaim": "sites",
            "siteName": "api.pelican.port.test", "database": "t_7f3a9c1e5b2d4a60", "credentialsSecret": "key",
            "hosts": {"frontend": "pelican.port.test", "api": "api.pelican.port.test"},
            "createdAt": "2026-11-21T08:00:00Z", "phase": phase,
        });
        let holder = json!({"id": "7f3a9c1e5b2d4a60", "namespace": "harbour", "name": "wharf"});
        let claim: TenantClaim = objects::read(json!({
            "apiVersion": "tenancy.nexuserp.io/v1alpha1", "kind": "TenantClaim",
            "metadata": {"name": name}, "spec": {"holder": holder, "record": record},
        }));
        let elsewhere = BenchRef { name: "b".to_owned(), namespace: objects::YARD.to_owned() };
        assert_eq!(Carried::of(claim.clone(), &elsewhere), None);
        Carried::of(claim, &BenchRef { name: "a".to_owned(), ..elsewhere }).expect("it is on the Bench")
    };
    let all = [claim("site.a", "Active"), claim("site.b", "Retained"), claim("site.c", "Retained"), claim("site.d", "Abandoned")];
    let said = |carried: &[Carried]| in_use(carried).message;
    assert_eq!(said(&all[..1]), "tenants on it: 1 (delete them first); then it goes by itself");
    let kept = said(&all[1..3]);
    assert!(
        kept.starts_with("sites that stayed when their Tenants were deleted: 2 ") && kept.contains(": site.b, site.c)"),
        "{kept}"
    );
    assert!(said(&all[3..]).contains("spec.record.left") && said(&all[3..]).contains(": site.d)"));
    let many: Vec<Carried> = (0..9).map(|number| claim(&format!("site.{number}"), "Retained")).collect();
    assert!(said(&many).contains(": site.0, site.1, site.2, ...)"));
}
