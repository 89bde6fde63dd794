//! A Tenant that is deleted after its record was lost: what it left in custody speaks for it, and nothing is left behind without a word.

use serde_json::{Value, json};

use crate::changes;
use crate::identity::{abandon, bench, edit, lose};
use crate::objects::{API, YARD};
use crate::rig::{Rig, rig};

/// Deleted, with the claims of its hosts or without.
async fn lost(hosts_too: bool) -> (Rig, String) {
    let rig = rig();
    edit(&rig, "wharf", |tenant| tenant["spec"]["deletionPolicy"] = json!("Delete"));
    rig.settle().await;
    let id = rig.id();
    lose(&rig, "tenantclaims", |claim| hosts_too || claim["spec"].get("record").is_some());
    rig.delete("wharf");
    (Rig::started_on(&rig.server), id)
}

fn left(rig: &Rig, id: &str) -> Vec<String> {
    let of = |object: &&Value| object["kind"] != "Event" && object.to_string().contains(id);
    rig.server.with(|store| store.all().map(|(_, object)| object).filter(of).map(|object| object["kind"].to_string()).collect())
}

#[tokio::test]
async fn it_stays_and_says_so_until_the_bench_lets_it_be_recovered_and_then_goes_without_a_trace() {
    for hosts_too in [true, false] {
        let (rig, id) = lost(hosts_too).await;
        let before = left(&rig, &id);
        for _ in 0..2 {
            let done = changes(&rig.pass().await.calls);
            assert!(done.iter().all(|line| line == "apply tenants/status harbour/wharf"), "{done:?}");
        }
        assert_eq!(left(&rig, &id), before, "nothing is touched");
        assert_eq!(rig.condition("Ready"), ("False".to_owned(), "AdoptionNeeded".to_owned()));
        let said = rig.message("Ready");
        for way_out in ["adoption.recover", "tenancy.nexuserp.io/abandon-after", &format!("{YARD}/{id}-custody")] {
            assert!(said.contains(way_out), "{way_out}: {said}");
        }

        bench(&rig, |bench| bench["spec"]["adoption"] = json!({"recover": true}));
        rig.teardown().await;
        assert_eq!(left(&rig, &id), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_plan_that_is_gone_as_well_is_asked_for() {
    let (rig, _) = lost(true).await;
    bench(&rig, |bench| bench["spec"]["adoption"] = json!({"recover": true}));
    lose(&rig, "tenantplans", |_| true);
    rig.pass().await.result.expect("a pass");
    assert_eq!(rig.condition("Ready"), ("False".to_owned(), "PlanNotFound".to_owned()));
    assert!(rig.message("Ready").contains("abandon-after"), "{}", rig.message("Ready"));
}

#[tokio::test]
async fn when_nobody_waits_for_it_any_longer_it_goes_and_an_event_names_what_is_left() {
    let (rig, id) = lost(false).await;
    let before = left(&rig, &id);
    abandon(&rig, "0s");
    let done = changes(&rig.pass().await.calls);
    assert_eq!(done.last().map(String::as_str), Some("patch tenants harbour/wharf"));
    assert!(rig.tenant("wharf").is_none());
    let hosts = before.iter().filter(|kind| *kind == "\"TenantClaim\"").count();
    assert_eq!(left(&rig, &id).len(), before.len() - hosts - 1, "the hosts are free, and the Tenant is gone");
    let events = rig.server.with(|store| store.of("events").map(Value::to_string).collect::<Vec<_>>()).join("\n");
    assert!(events.contains("its record is lost") && events.contains(&format!("{YARD}/dock")), "{events}");
}

#[tokio::test]
async fn one_that_left_nothing_in_custody_goes_at_once() {
    let (rig, id) = lost(false).await;
    lose(&rig, "secrets", |secret| secret.to_string().contains(&id));
    rig.pass().await.result.expect("a pass");
    assert!(rig.tenant("wharf").is_none());
}

#[tokio::test]
async fn a_site_that_was_adopted_is_recovered_as_well() {
    let rig = rig();
    bench(&rig, |bench| bench["spec"]["adoption"] = json!({"siteNames": [API]}));
    edit(&rig, "wharf", |tenant| {
        tenant["spec"]["deletionPolicy"] = json!("Retain");
        tenant["spec"]["adoption"] = json!("TakeOver");
    });
    rig.settle().await;
    let id = rig.id();
    lose(&rig, "tenantclaims", |_| true);
    rig.delete("wharf");
    let rig = Rig::started_on(&rig.server);
    bench(&rig, |bench| bench["spec"]["adoption"]["recover"] = json!(true));
    rig.teardown().await;
    let kept = left(&rig, &id);
    assert!(kept.contains(&"\"TenantClaim\"".to_owned()), "its site was kept, with its record: {kept:?}");
}
