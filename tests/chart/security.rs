//! What the chart does for a namespace that enforces the restricted Pod Security Standard, and for a Tenant that is protected.

use serde_yaml::Value;

use super::{Chart, of_kind, restricted, strings};

#[test]
fn the_operator_fits_the_restricted_pod_security_standard() {
    let Some(chart) = Chart::found() else { return };
    for deployment in of_kind(&chart.rendered(&[]), "Deployment") {
        let pod = serde_json::to_value(&deployment["spec"]["template"]["spec"]).unwrap();
        assert_eq!(restricted::objections(&pod), [""; 0]);
    }
}

#[test]
fn a_protected_tenant_cannot_be_deleted_and_the_refusal_names_the_fix() {
    let Some(chart) = Chart::found() else { return };
    let objects = chart.rendered(&[]);
    let policy = of_kind(&objects, "ValidatingAdmissionPolicy")[0];
    let spec = &policy["spec"];
    assert_eq!(spec["failurePolicy"], "Fail");
    let rules = spec["matchConstraints"]["resourceRules"].as_sequence().unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(strings(&rules[0]["operations"]), ["DELETE"]);
    assert_eq!(
        (strings(&rules[0]["apiGroups"]), strings(&rules[0]["resources"])),
        (vec!["tenancy.nexuserp.io"], vec!["tenants"])
    );
    let validation = &spec["validations"][0];
    for text in [&validation["message"], &validation["messageExpression"]] {
        assert!(text.as_str().unwrap().contains("remove") && text.as_str().unwrap().contains("tenancy.nexuserp.io/protect"));
    }
    let binding = of_kind(&objects, "ValidatingAdmissionPolicyBinding")[0];
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    assert_eq!(strings(&binding["spec"]["validationActions"]), ["Deny"]);
}

#[test]
fn the_protection_can_be_left_to_another_release() {
    let Some(chart) = Chart::found() else { return };
    let objects = chart.rendered(&["protect.enabled=false"]);
    let left: Vec<&Value> = objects.iter().filter(|object| object["kind"].as_str().unwrap().contains("Admission")).collect();
    assert!(left.is_empty(), "{left:?}");
}
