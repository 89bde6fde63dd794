//! A new Tenant: every call of its first pass, and every change until it is settled.

use crate::objects::YARD;
use crate::rig::rig;
use crate::{changes, lines, listed};

const FIRST_PASS: &str = "
    list tenantclaims tenant=wharf,tenant-namespace=harbour
    list benches
    list secrets yard tenant=wharf,tenant-namespace=harbour
    get namespaces harbour
    get benches yard/dock
    get tenantplans ferry
    patch tenants harbour/wharf
    get tenantclaims host.data.pelican.port.test
    get tenantclaims host.pelican.port.test
    get tenantclaims site.*
    create tenantclaims host.data.pelican.port.test
    create tenantclaims host.pelican.port.test
    create tenantclaims site.*
    get tenantclaims host.data.pelican.port.test
    get tenantclaims host.pelican.port.test
    get tenantclaims site.*
    get ingresses yard/ID
    apply ingresses yard/ID
    get ingresses yard/ID
    get certificates yard/ID-tls
    apply certificates yard/ID-tls
    get certificates yard/ID-tls
    get secrets yard/ID-custody
    get secrets harbour/mail
    list jobs yard id=ID
    get secrets yard/ID-inputs
    get deployments yard/crane-web
    get secrets harbour/passport
    get secrets yard/ID-custody
    create secrets yard/ID-custody
    get secrets yard/ID-custody
    get secrets harbour/mail
    list jobs yard id=ID
    get secrets yard/ID-inputs
    get deployments yard/crane-web
    get secrets harbour/passport
    get secrets harbour/mail
    get secrets yard/ID-inputs
    create secrets yard/ID-inputs
    get secrets yard/ID-custody
    get secrets harbour/mail
    list jobs yard id=ID
    get secrets yard/ID-inputs
    get deployments yard/crane-web
    get secrets harbour/passport
    get deployments yard/crane-web
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-provision-*-0
    get secrets yard/ID-custody
    get secrets harbour/mail
    list jobs yard id=ID
    list pods yard id=ID
    get secrets yard/ID-inputs
    get secrets harbour/passport
    apply tenants/status harbour/wharf
    create events harbour/wharf.ID
    create events harbour/wharf.ID
    create events harbour/wharf.ID";

const UNTIL_SETTLED: &str = "
    patch tenants harbour/wharf
    create tenantclaims host.data.pelican.port.test
    create tenantclaims host.pelican.port.test
    create tenantclaims site.*
    apply ingresses yard/ID
    apply certificates yard/ID-tls
    create secrets yard/ID-custody
    create secrets yard/ID-inputs
    create configmaps yard/tenant-operator-steps-*
    create jobs yard/ID-provision-*-0
    apply tenants/status harbour/wharf
    patch tenantclaims site.*
    patch tenantclaims site.*
    create secrets harbour/passport
    delete secrets yard/ID-inputs
    apply ingresses yard/ID
    patch tenantclaims site.*
    apply tenants/status harbour/wharf";

#[tokio::test]
async fn the_first_pass_holds_the_finalizer_before_it_writes_anything_else() {
    let rig = rig();
    let pass = rig.pass().await;
    pass.result.expect("a pass");
    assert_eq!(lines(&pass.calls), listed(FIRST_PASS));
    let first = pass.calls.iter().find(|call| call.writes()).expect("a write");
    assert_eq!(first.body["metadata"]["finalizers"], serde_json::json!(["tenancy.nexuserp.io/teardown"]));
}

#[tokio::test]
async fn it_is_settled_with_as_few_changes_as_there_are_things_to_make() {
    let rig = rig();
    assert_eq!(changes(&rig.settle().await), listed(UNTIL_SETTLED));
}

#[tokio::test]
async fn children_are_applied_by_one_manager_and_the_status_by_another() {
    let calls = rig().settle().await;
    for call in calls.iter().filter(|call| call.is("apply")) {
        let manager = if call.status { "tenant-operator-status" } else { "tenant-operator" };
        assert_eq!(call.manager, manager, "{call}");
    }
}

#[tokio::test]
async fn whichever_reply_is_lost_the_tenant_settles_with_one_of_each() {
    let writes = rig().settle().await.iter().filter(|call| call.writes()).count();
    for lost in 0..writes {
        let rig = rig();
        rig.server.lose_reply_after(lost);
        rig.settle().await;
        let count = |plural: &str| rig.server.with(|store| store.of(plural).count());
        // The mail Secret is the tenant's own, the Deployment the bench's.
        let made = ["tenantclaims", "ingresses", "certificates", "jobs", "configmaps", "secrets"].map(count);
        assert_eq!(made, [3, 1, 1, 1, 1, 4], "the reply to write {lost} was lost");
    }
}

#[tokio::test]
async fn an_error_of_one_stage_does_not_keep_the_others_from_going_on() {
    let rig = rig();
    rig.server.refuse("apply ingresses", 403, "Forbidden");
    rig.pass().await.result.expect("an error of a stage is told in the status");
    assert_eq!(rig.condition("RoutesReady"), ("False".to_owned(), "ClusterDenied".to_owned()));
    assert_eq!(rig.condition("CertificateReady"), ("False".to_owned(), "Issuing".to_owned()));
    assert_eq!(rig.condition("SiteReady"), ("False".to_owned(), "Creating".to_owned()));
}

#[tokio::test]
async fn what_jobs_are_copied_from_may_go_at_any_moment_and_no_job_is_made_without_it() {
    let looks = 1 + FIRST_PASS.matches("get deployments").count();
    for gone_at in 1..looks {
        let rig = rig();
        (1..gone_at).for_each(|_| rig.server.before("get deployments", |_| {}));
        rig.server.before("get deployments", |store| assert!(store.remove("deployments", YARD, "crane-web")));
        rig.pass().await.result.expect("what is missing is told in the status");
        assert_eq!(rig.server.with(|store| store.of("jobs").count()), 0, "gone before look {gone_at}");
        assert_eq!(rig.condition("SiteReady"), ("False".to_owned(), "PodSourceMissing".to_owned()), "gone before look {gone_at}");
    }
}

#[tokio::test]
async fn what_the_api_server_never_takes_stalls_and_is_tried_again_all_the_same() {
    let rig = rig();
    rig.server.refuse("apply ingresses", 422, "Invalid");
    let again = rig.pass().await.result.expect("an error of a stage is told in the status");
    assert_eq!(rig.condition("Stalled"), ("True".to_owned(), "ClusterRefused".to_owned()));
    assert_ne!(again, kube::runtime::controller::Action::await_change());
    rig.settle().await;
}
