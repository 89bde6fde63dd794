//! The objects that lives begin with. Every name differs from every default and from every other, so that swapped fields are noticed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tenant_operator::api::{
    Admin, AllowedTenants, ApiUser, App, Bench, BenchSpec, BenchStatus, Credentials, Database, DatabaseType, DeletionPolicy, Dns,
    DnsMode, Edge, EdgeType, GatewayEdge, Hosts, IngressEdge, IssuerRef, Jobs, Lockdown, LockdownMode, NameRef, NamespaceChoice,
    NamespacesFrom, Organization, ParentRef, PathType, PodFrom, Probe, ProbeMode, RefusedPath, Registry, RegistryField,
    RegistryOnDelete, RegistrySource, SecretKeyRef, ServicePort, Services, Setup, SiteConfigEntry, SiteConfigPolicy,
    SiteRateLimit, SitesVolume, Template, TemplateState, Tenant, TenantPlan, TenantPlanSpec, TenantSpec, Tls, TlsMode, ValueFrom,
    Verify, VerifyMode,
};

pub const BENCH_NAMESPACE: &str = "harbour";
pub const CLUSTER: &str = "lighthouse";
/// Apps that the bench has.
pub const APPS: [&str; 5] = ["frappe", "erpnext", "hrms", "payments", "crm"];

/// How the Bench of a life differs from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub edge: EdgeType,
    pub verify: VerifyMode,
    pub probe: ProbeMode,
    pub registry: Option<RegistryOnDelete>,
    pub concurrency: u32,
    /// Its status names templates; whether the bench has them, and what they are worth, it shows when they are restored.
    pub templates: bool,
}

/// A template's folder, and its apps beside frappe.
pub const TEMPLATES: [(&str, &[&str]); 2] = [("00000000000000e0", &[]), ("00000000000000e1", &["erpnext"])];

pub const INGRESS: Kind = Kind {
    edge: EdgeType::Ingress,
    verify: VerifyMode::HTTP,
    probe: ProbeMode::Edge,
    registry: Some(RegistryOnDelete::SetStatus),
    concurrency: 2,
    templates: false,
};

pub const GATEWAY: Kind = Kind {
    edge: EdgeType::Gateway,
    verify: VerifyMode::InSite,
    probe: ProbeMode::Edge,
    registry: Some(RegistryOnDelete::Delete),
    concurrency: 1,
    templates: false,
};

fn port(name: &str, port: u16) -> ServicePort {
    ServicePort { name: name.to_owned(), port }
}

fn key(name: &str, key: &str) -> SecretKeyRef {
    SecretKeyRef { name: name.to_owned(), key: key.to_owned() }
}

pub fn bench(kind: Kind) -> Bench {
    let flat = kind.edge == EdgeType::Gateway;
    let api = if flat { "data-{subdomain}.{domain}" } else { "data.{subdomain}.{domain}" };
    let spec = BenchSpec {
        path: "/srv/frappe/dock".to_owned(),
        sites_volume: SitesVolume { claim_name: "quayside".to_owned() },
        database: Database {
            type_: DatabaseType::MariaDB,
            host: Some("ledger.harbour".to_owned()),
            port: Some(3310),
            root_user: "captain".to_owned(),
            root_secret_ref: key("ledger-root", "passphrase"),
        },
        services: Services { web: port("crane", 8111), nginx: Some(port("pilot", 8222)), frontend: port("bridge", 3333) },
        domain: "port.test".to_owned(),
        hosts: Hosts { frontend: "{subdomain}.{domain}".to_owned(), api: api.to_owned() },
        site_name_template: api.to_owned(),
        reserved_subdomains: vec!["customs".to_owned()],
        edge: Edge {
            type_: kind.edge,
            ingress: (!flat).then(|| IngressEdge { class_name: "breakwater".to_owned(), ..Default::default() }),
            gateway: flat.then(|| GatewayEdge { parent_ref: parent() }),
        },
        tls: if flat { Tls { mode: TlsMode::Gateway, issuer_ref: None } } else { issuer() },
        dns: Dns { mode: DnsMode::None, verify_with: vec!["192.0.2.53:53".to_owned()] },
        probe: Probe { mode: kind.probe, failure_threshold: Some(3), ..Default::default() },
        lockdown: Lockdown { mode: LockdownMode::APIOnly, oauth_provider_url: Some("https://keys.port.test".to_owned()) },
        api_user: ApiUser { roles: vec!["Harbour Master".to_owned()], verify: Verify { mode: kind.verify, path: None } },
        site_config_policy: SiteConfigPolicy { tenant_keys: ["berths", "mail_pilot", "tide"].map(str::to_owned).into() },
        registry: kind.registry.map(registry),
        jobs: Jobs {
            pod_from: Some(PodFrom { deployment: "crane-web".to_owned() }),
            image: kind.templates.then(|| "frappe:1".to_owned()),
            concurrency: Some(kind.concurrency),
            ..Default::default()
        },
        allowed_tenants: AllowedTenants { namespaces: NamespacesFrom { from: NamespaceChoice::All, selector: None } },
        ..Default::default()
    };
    let mut bench = Bench::new("dock", spec);
    bench.metadata.namespace = Some(BENCH_NAMESPACE.to_owned());
    if kind.templates {
        let templates = TEMPLATES.into_iter().map(template).collect();
        bench.status = Some(BenchStatus { templates, ..Default::default() });
    }
    bench
}

fn template((content, apps): (&str, &[&str])) -> Template {
    Template {
        name: content.replace('e', "a"),
        apps: apps.iter().map(|app| (*app).to_owned()).collect(),
        state: TemplateState::Ready,
        at: Time(Timestamp::UNIX_EPOCH),
        image: "frappe:1".to_owned(),
        content: Some(content.to_owned()),
        holds: vec![],
        failures: 0,
        message: None,
    }
}

fn parent() -> ParentRef {
    ParentRef { name: "seagate".to_owned(), namespace: "walls".to_owned(), section_name: Some("tls".to_owned()) }
}

fn issuer() -> Tls {
    let issuer = IssuerRef { kind: "ClusterIssuer".to_owned(), name: "sealmaker".to_owned() };
    Tls { mode: TlsMode::Issuer, issuer_ref: Some(issuer) }
}

fn registry(on_delete: RegistryOnDelete) -> Registry {
    use RegistrySource as From;
    let fields = [
        ("tier", From::Plan),
        ("link", From::APIURL),
        ("state", From::Status),
        ("contact", From::AdminEmail),
        ("since", From::CreatedAt),
        ("token", From::APIKey),
        ("token_secret", From::APISecret),
        ("not_in_the_doctype", From::FrontendURL),
    ];
    Registry {
        url: "http://crane:8111".to_owned(),
        site: "office.port.test".to_owned(),
        token_secret_ref: NameRef { name: "office-token".to_owned() },
        doc_type: "Berth".to_owned(),
        key_field: "berth".to_owned(),
        id_field: "holder".to_owned(),
        fields: fields.map(|(name, from)| RegistryField { name: name.to_owned(), from }).into(),
        on_delete,
    }
}

fn entry(name: &str, value: Value) -> SiteConfigEntry {
    SiteConfigEntry { name: name.to_owned(), value: Some(value), value_from: None }
}

pub fn plain(name: &str, value: i64) -> SiteConfigEntry {
    entry(name, json!(value))
}

pub fn secret(name: &str, secret: &str, from: &str) -> SiteConfigEntry {
    let secret_key_ref = key(secret, from);
    SiteConfigEntry { name: name.to_owned(), value: None, value_from: Some(ValueFrom { secret_key_ref }) }
}

pub fn app(name: &str) -> App {
    App { name: name.to_owned() }
}

pub fn plans() -> Vec<TenantPlan> {
    let plan = |name: &str, value: &str, setup, apps: &[&str], config| {
        let spec = TenantPlanSpec {
            display_name: Some(format!("The {name}")),
            registry_value: Some(value.to_owned()),
            setup,
            apps: apps.iter().map(|name| app(name)).collect(),
            site_config: config,
            site_rate_limit: Some(SiteRateLimit { limit_seconds: 61, window_seconds: 3601 }),
            refused_paths: vec![RefusedPath { path: "/hold".to_owned(), type_: PathType::Exact }],
            rollout: Default::default(),
        };
        let mut plan = TenantPlan::new(name, spec);
        plan.metadata.generation = Some(4);
        plan
    };
    vec![
        plan("dinghy", "D", Setup::Skip, &[], vec![plain("ballast", 1)]),
        plan("ferry", "F", Setup::Complete, &["erpnext", "hrms"], vec![plain("ballast", 7), entry("horn", json!(true))]),
    ]
}

pub fn tenant(namespace: &str, name: &str, subdomain: &str, plan: &str, policy: DeletionPolicy, at: Timestamp) -> Tenant {
    let spec = TenantSpec {
        subdomain: subdomain.to_owned(),
        plan: plan.to_owned(),
        bench_ref: None,
        admin: Admin { email: format!("owner@{name}.test"), ..Default::default() },
        organization: Some(Organization {
            name: Some(format!("{name} & Sons")),
            time_zone: Some("Europe/Lisbon".to_owned()),
            ..Default::default()
        }),
        apps: vec![],
        site_config: vec![plain("berths", 3)],
        credentials: Credentials { secret_name: Some(format!("{name}-passport")), ..Default::default() },
        deletion_policy: Some(policy),
        ..Default::default()
    };
    let mut tenant = Tenant::new(name, spec);
    tenant.metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        generation: Some(1),
        creation_timestamp: Some(Time(at)),
        ..Default::default()
    };
    tenant
}
