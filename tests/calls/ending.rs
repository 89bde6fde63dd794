//! Deletion: what goes when, what stays, and that the finalizer goes last.

use serde_json::{Value, json};

use crate::objects::{HOME, YARD};
use crate::rig::{Rig, rig};
use crate::{changes, listed, writes};

const ARCHIVED: &str = "
    delete ingresses yard/ID
    delete secrets harbour/passport
    patch tenantclaims site.*
    patch tenantclaims site.*
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-remove-*-1
    delete certificates yard/ID-tls
    delete secrets yard/ID-tls
    apply tenants/status harbour/wharf
    patch tenantclaims site.*
    delete secrets yard/ID-custody
    delete jobs yard/ID-provision-*-0
    delete jobs yard/ID-remove-*-1
    delete tenantclaims host.data.pelican.port.test
    delete tenantclaims host.pelican.port.test
    delete tenantclaims site.*
    patch tenants harbour/wharf";

const RETAINED: &str = "
    delete ingresses yard/ID
    delete secrets harbour/passport
    patch tenantclaims site.*
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-remove-*-1
    delete certificates yard/ID-tls
    delete secrets yard/ID-tls
    apply tenants/status harbour/wharf
    patch tenantclaims site.*
    delete jobs yard/ID-provision-*-0
    delete jobs yard/ID-remove-*-1
    patch tenantclaims site.*
    delete tenantclaims host.data.pelican.port.test
    delete tenantclaims host.pelican.port.test
    patch tenants harbour/wharf";

async fn settled(policy: &'static str) -> Rig {
    let rig = rig();
    rig.server.with(|store| store.edit("tenants", HOME, "wharf", |tenant| tenant["spec"]["deletionPolicy"] = json!(policy)));
    rig.settle().await;
    rig
}

/// Everything that says in its name, labels or content that it is this tenant's.
fn left(rig: &Rig, id: &str) -> Vec<String> {
    rig.server.with(|store| {
        let of = |object: &&Value| object["kind"] != "Event" && object.to_string().contains(id);
        store
            .all()
            .map(|(_, object)| object)
            .filter(of)
            .map(|object| format!("{} {}", object["kind"], object["metadata"]["name"]))
            .collect()
    })
}

#[tokio::test]
async fn custody_goes_after_the_site_and_the_finalizer_after_everything() {
    let rig = settled("Archive").await;
    let id = rig.id();
    assert_eq!(changes(&rig.teardown().await), listed(ARCHIVED));
    assert_eq!(left(&rig, &id), Vec::<String>::new());
}

#[tokio::test]
async fn while_the_job_runs_custody_and_claims_stay() {
    let rig = settled("Delete").await;
    rig.delete("wharf");
    rig.pass().await.result.expect("a pass");
    for _ in 0..3 {
        let done = changes(&rig.pass().await.calls);
        assert!(!done.iter().any(|line| line.contains("custody") || line.contains("tenantclaims")), "{done:?}");
    }
    assert!(rig.tenant("wharf").is_some());
}

#[tokio::test]
async fn a_retained_site_keeps_custody_and_record() {
    let rig = settled("Retain").await;
    let id = rig.id();
    assert_eq!(changes(&rig.teardown().await), listed(RETAINED));
    let kept = left(&rig, &id);
    assert_eq!(kept.len(), 2, "{kept:?}");
    let record = rig.server.with(|store| store.of("tenantclaims").next().cloned()).expect("the record");
    assert_eq!(record["spec"]["record"]["phase"], "Retained");
}

/// As a backup brings it back, finalizer and all, with the policy that would drop the site.
#[tokio::test]
async fn a_retained_site_survives_the_deletion_of_a_new_tenant_of_its_name() {
    let rig = settled("Retain").await;
    rig.teardown().await;
    let mut again = crate::objects::tenant("wharf", "pelican");
    again["metadata"]["finalizers"] = json!(["tenancy.nexuserp.io/teardown"]);
    again["spec"]["deletionPolicy"] = json!("Delete");
    rig.server.with(|store| store.put("tenants", again));
    rig.pass().await.result.expect("a pass");
    assert_eq!(rig.condition("Claimed"), ("False".to_owned(), "AdoptionNeeded".to_owned()));
    assert_eq!(changes(&rig.teardown().await), ["patch tenants harbour/wharf"]);
}

#[tokio::test]
async fn a_tenant_that_never_came_to_hold_anything_just_goes() {
    let rig = rig();
    rig.server.refuse("create tenantclaims", 500, "InternalError");
    rig.pass().await.result.expect("a pass");
    assert_eq!(changes(&rig.teardown().await), ["patch tenants harbour/wharf"]);
}

#[tokio::test]
async fn a_namespace_on_its_way_out_does_not_hold_its_tenants() {
    for policy in ["Archive", "Delete", "Retain"] {
        let rig = settled(policy).await;
        rig.mark_deleted("namespaces", "", HOME);
        let calls = rig.teardown().await;
        let made = calls.iter().find(|call| call.is("create") && call.key.namespace == HOME && call.key.plural != "events");
        assert!(made.is_none(), "{policy}: {made:?}");
    }
}

#[tokio::test]
async fn a_spec_that_can_no_longer_be_read_as_a_plan_blocks_no_deletion() {
    let rig = settled("Archive").await;
    rig.server.with(|store| {
        store.remove("tenantplans", "", "ferry");
        store.edit("benches", YARD, "dock", |bench| bench["spec"]["reservedSubdomains"] = json!(["pelican"]));
    });
    rig.teardown().await;
}

#[tokio::test]
async fn without_its_bench_a_tenant_waits_and_says_so() {
    let rig = settled("Archive").await;
    let bench = rig.server.with(|store| store.get("benches", YARD, "dock").cloned()).expect("a Bench");
    rig.server.with(|store| store.remove("benches", YARD, "dock"));
    rig.delete("wharf");
    assert_eq!(changes(&rig.pass().await.calls), ["apply tenants/status harbour/wharf"]);
    assert_eq!(rig.condition("Ready"), ("False".to_owned(), "BenchGone".to_owned()));
    assert!(writes(&rig.pass().await.calls).is_empty());
    rig.server.with(|store| store.put("benches", bench));
    rig.teardown().await;
}

#[tokio::test]
async fn whichever_reply_is_lost_nothing_is_left() {
    let writes = settled("Archive").await.teardown().await.iter().filter(|call| call.writes()).count();
    for lost in 0..writes {
        let rig = settled("Archive").await;
        let id = rig.id();
        rig.server.lose_reply_after(lost);
        rig.teardown().await;
        assert_eq!(left(&rig, &id), Vec::<String>::new(), "the reply to write {lost} was lost");
    }
}
