//! A bench that fails in the middle: the operator tries again, and the tenant becomes Ready without anybody.

use serde_json::json;

use crate::bench::INGRESS_16;
use crate::case::{self, Company, id};
use crate::lab::CUSTOMERS;
use crate::remains;
use crate::tenant::{light_plan, tenant};

#[test]
fn a_site_that_was_killed_and_then_failed_half_made_is_made_whole() {
    case::run("fault", Company::On(INGRESS_16.namespace), async |case| {
        let place = INGRESS_16;
        let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
        let once = |what: &str| json!({"do": what, "times": 1, "site": place.api_host(&case.name)});
        let faults = json!({"new-site:after-db": once("kill"), "new-site:after-schema": once("fail")});
        case.inside(&place).set_faults(&faults);
        case.finally(move |case| case.inside(&place).set_faults(&json!({})));

        case.apply(&tenant(&case.name, CUSTOMERS, &plan, bench)).await;
        let (ready, history) = case.ready(&place, &case.name).await;
        let said = history.message("SiteReady", "CreateFailed").expect("the condition says that it failed");
        assert!(said.contains("tried"), "{said}");
        assert!(history.message("Stalled", "CreateFailed").is_none(), "this needs no person");

        case.delete(&case.name).await;
        remains::nothing(case, &place, &case.name, &id(&ready)).await;
    });
}
