//! Two Tenants of different namespaces for one host: one wins, the other says so, and comes after it.

use kube::api::DeleteParams;
use tenant_operator::api::Tenant;

use crate::bench::GATEWAY_16;
use crate::case::{self, Company, GONE, READY};
use crate::history::{self, condition, ready};
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};

#[test]
fn of_two_tenants_for_one_host_the_second_comes_after_the_first() {
    case::run("rival", Company::On(GATEWAY_16.namespace), async |case| {
        let place = GATEWAY_16;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let name = &case.name;
        let first = tenant(name, CUSTOMERS, &plan, bench.clone());
        let mut second = tenant(name, "erp", &plan, bench);
        second.metadata.name = Some(format!("{name}-2"));
        case.apply(&first).await;
        case.apply(&second).await;

        let (theirs, ours) = (case.tenants("erp"), case.tenants(CUSTOMERS));
        let decided = |tenant: Option<&Tenant>| ready(tenant) || conflict(tenant).is_some();
        let (a, _) = history::follow(&ours, name, "decided", READY, decided).await;
        let (b, _) = history::follow(&theirs, &format!("{name}-2"), "decided", READY, decided).await;
        let (winner, loser) = if ready(a.as_ref()) { ((&ours, a), (&theirs, b)) } else { ((&theirs, b), (&ours, a)) };
        let lost = loser.1.expect("a Tenant");
        let words = conflict(Some(&lost)).expect("the other one is in Conflict");
        assert!(words.contains("another namespace"), "who holds it is nobody's business elsewhere: {words}");

        let won = winner.1.expect("a Tenant");
        case.remember(&place, name, &case::id(&won));
        let won = won.metadata.name.expect("a name");
        winner.0.delete(&won, &DeleteParams::default()).await.expect("a deletion");
        history::follow(winner.0, &won, "gone", GONE, |tenant| tenant.is_none()).await;
        let lost = lost.metadata.name.expect("a name");
        let (after, _) = history::follow(loser.0, &lost, "Ready once the host is free", READY, ready).await;
        case.remember(&place, name, &case::id(&after.expect("a Tenant")));
    });
}

fn conflict(tenant: Option<&Tenant>) -> Option<&str> {
    condition(tenant?, "Claimed").filter(|said| said.reason == "Conflict").map(|said| said.message.as_str())
}
