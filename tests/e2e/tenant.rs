//! Plans and Tenants as the tests write them.

use kube::core::ObjectMeta;
use serde_json::json;
use tenant_operator::api::{
    Admin, App, BenchRef, DeletionPolicy, Organization, Setup, SiteConfigEntry, Tenant, TenantPlan, TenantPlanSpec, TenantSpec,
};

/// What breaks shells, SQL, templates, the kubelet's own expansion and careless quoting. The API allows no control characters
/// in a name, so the line break comes with a value of the site's config.
pub const NASTY: &str = r#"Ada & Söhne "quoted" 'x'; DROP TABLE x; -- $(HOME) ${HOME} {{ 1 }} %s \n `id`"#;
pub const NASTY_LINES: &str = "first \"line\"\nsecond '; DROP TABLE x; -- $(HOME) $$(HOME) ${HOME}\n{{ 1 }}\\n";

/// Like them, and nowhere else: it goes into a Secret, and must not be found anywhere.
pub const NASTY_SECRET: &str = "zq7 \"secret\"\nline'; DROP TABLE x; -- $(HOME) ${HOME} {{ 2 }}\\n";

/// ERPNext and the setup wizard, as a customer gets it.
pub fn whole_plan(name: &str) -> TenantPlan {
    let spec = TenantPlanSpec {
        registry_value: Some("Pro".to_owned()),
        setup: Setup::Complete,
        apps: vec![App { name: "erpnext".to_owned() }],
        ..Default::default()
    };
    TenantPlan::new(name, spec)
}

/// Frappe alone: what costs the bench least, where only the operator's ways matter.
pub fn light_plan(name: &str) -> TenantPlan {
    TenantPlan::new(name, TenantPlanSpec { setup: Setup::Skip, ..Default::default() })
}

/// Name and subdomain are the same.
pub fn tenant(name: &str, namespace: &str, plan: &str, bench: BenchRef) -> Tenant {
    let spec = TenantSpec {
        subdomain: name.to_owned(),
        plan: plan.to_owned(),
        bench_ref: Some(bench),
        admin: Admin { email: format!("ada@{name}.example"), first_name: Some("Ada".to_owned()), ..Default::default() },
        organization: Some(organization("Acme GmbH")),
        deletion_policy: Some(DeletionPolicy::Delete),
        ..Default::default()
    };
    let metadata = ObjectMeta { name: Some(name.to_owned()), namespace: Some(namespace.to_owned()), ..Default::default() };
    Tenant { metadata, spec, status: None }
}

pub fn organization(name: &str) -> Organization {
    let given = json!({
        "name": name, "abbreviation": "ACME", "country": "DE", "currency": "EUR", "language": "de",
        "timeZone": "Europe/Berlin", "chartOfAccounts": "Standard", "fiscalYearStart": "01-01",
    });
    serde_json::from_value(given).expect("an organization")
}

/// Where texts go into a site, they are the worst there are.
pub fn with_nasty_texts(mut tenant: Tenant, secret: &str) -> Tenant {
    tenant.spec.organization = Some(organization(NASTY));
    tenant.spec.admin.last_name = Some(r#"O'Neil "$(HOME)" {{ 1 }}"#.to_owned());
    let plain = SiteConfigEntry { name: "mail_login".to_owned(), value: Some(json!(NASTY_LINES)), value_from: None };
    let from = json!({"name": "mail_password", "valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}});
    tenant.spec.site_config = vec![plain, serde_json::from_value(from).expect("an entry")];
    tenant
}
