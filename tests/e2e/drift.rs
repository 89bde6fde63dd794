//! What people change inside a site by hand is found by the Bench's inspection, and put right.

use serde_json::json;

use crate::bench::{GATEWAY_15, INGRESS_16, Place};
use crate::case::{self, Case, Company};
use crate::lab::CUSTOMERS;
use crate::tenant::{light_plan, tenant};
use crate::wait;

#[test]
fn a_site_that_was_changed_by_hand_is_put_right_on_frappe_15() {
    case::run("drift-a", Company::On(GATEWAY_15.namespace), async |case| put_right(case, GATEWAY_15).await);
}

#[test]
fn a_site_that_was_changed_by_hand_is_put_right_on_frappe_16() {
    case::run("drift-b", Company::On(INGRESS_16.namespace), async |case| put_right(case, INGRESS_16).await);
}

/// Lockdown, a role of the API user, a config key of ours, the encryption key.
async fn put_right(case: &Case, place: Place) {
    let (plan, bench) = (case.plan(light_plan).await, case.bench(place).await);
    let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench.clone());
    wanted.spec.site_config = serde_json::from_value(json!([{"name": "max_file_size", "value": 1000}])).expect("entries");
    case.apply(&wanted).await;
    case.ready(&place, &case.name).await;
    let site = place.api_host(&case.name);
    let inside = case.inside(&place);
    let before = inside.site_config(&site);
    let change = "frappe.db.set_single_value('System Settings', 'disable_user_pass_login', 0)\n\
        frappe.get_doc('User', given['user']).remove_roles('System Manager')\n\
        from frappe.installer import update_site_config\n\
        update_site_config('max_file_size', 1)\n\
        update_site_config('encryption_key', given['key'])\n\
        return True";
    let user = format!("tenant-api-a@{site}");
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    inside.python(&site, change, &json!({"user": user, "key": key}));
    assert_ne!(inside.site_config(&site), before);
    // Once an hour it would come by itself.
    case.inspect(&bench).await;

    let look = "return [frappe.db.get_single_value('System Settings', 'disable_user_pass_login'), \
        [row.role for row in frappe.get_doc('User', given['user']).roles]]";
    let right = async || {
        let config = inside.site_config(&site);
        let found = inside.python(&site, look, &json!({"user": user}));
        config["max_file_size"] == json!(1000)
            && config["encryption_key"] == before["encryption_key"]
            && found[0] == json!(1)
            && found[1].as_array().is_some_and(|roles| roles.contains(&json!("System Manager")))
    };
    wait::until("everything put right", case::READY, right).await;
    case.api(&place, &case.name).await.until("/api/method/frappe.auth.get_logged_user", 200).await;
}
