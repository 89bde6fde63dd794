//! How both public hosts reach the site: an Ingress to the bench's nginx, or HTTPRoutes to its web service.
//! Until the key is proven both hosts lead to the backend that says "preparing", and while the tenant is suspended to "suspended".

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec, IngressTLS,
    ServiceBackendPort,
};

use serde_json::json;

use super::answer::Answer;
use super::foreign::{
    BackendRef, Filter, HTTPRoute, Header, HeaderModifier, HttpRouteSpec, Match, ParentReference, PathMatch, Rule,
};
use super::{Child, owned_meta};
use crate::api::{EdgeType, PathType, ServicePort, TlsMode};
use crate::core::lead::Leads;
use crate::core::names;
use crate::core::subject::Subject;

/// All route objects of the tenant, as they should be now.
pub fn routes(who: &Subject) -> Vec<Child> {
    match who.bench.spec.edge.type_ {
        EdgeType::Ingress => vec![Child::Ingress(ingress(who))],
        EdgeType::Gateway => vec![Child::HttpRoute(frontend_route(who)), Child::HttpRoute(api_route(who))],
    }
}

/// Where the API host leads in the end.
fn api_service(who: &Subject) -> &ServicePort {
    let services = &who.bench.spec.services;
    match who.bench.spec.edge.type_ {
        EdgeType::Ingress => services.nginx.as_ref().unwrap_or(&services.web),
        EdgeType::Gateway => &services.web,
    }
}

fn answers(who: &Subject, answer: Answer) -> ServicePort {
    ServicePort { name: names::answer(&who.bench.name), port: answer.port() }
}

/// The answer that both hosts give in place of the site, if any.
fn instead(who: &Subject) -> Option<ServicePort> {
    match who.leads() {
        Leads::Preparing => Some(answers(who, Answer::Preparing)),
        Leads::Suspended => Some(answers(who, Answer::Suspended)),
        Leads::Serving => None,
    }
}

fn refused(who: &Subject) -> impl Iterator<Item = (&'static str, &str)> {
    let paths = who.want.iter().flat_map(|want| &want.refused);
    paths.map(|refused| {
        let kind = match refused.type_ {
            PathType::Exact => "Exact",
            PathType::Prefix => "Prefix",
        };
        (kind, refused.path.as_str())
    })
}

fn ingress(who: &Subject) -> Ingress {
    let edge = who.bench.spec.edge.ingress.clone().unwrap_or_default();
    let (frontend, api) = if let Some(answer) = instead(who) {
        let all = vec![ingress_path("Prefix", "/", &answer)];
        (all.clone(), all)
    } else {
        let refusals = refused(who).map(|(kind, path)| ingress_path(kind, path, &answers(who, Answer::Refused)));
        (
            vec![ingress_path("Prefix", "/", &who.bench.spec.services.frontend)],
            refusals.chain([ingress_path("Prefix", "/", api_service(who))]).collect(),
        )
    };
    let hosts = vec![who.hosts.frontend.clone(), who.hosts.api.clone()];
    let tls = match who.bench.spec.tls.mode {
        TlsMode::Issuer => Some(vec![IngressTLS { hosts: Some(hosts), secret_name: Some(names::certificate(&who.id)) }]),
        TlsMode::Gateway => None,
    };
    let spec = IngressSpec {
        ingress_class_name: Some(edge.class_name),
        rules: Some(vec![ingress_rule(&who.hosts.frontend, frontend), ingress_rule(&who.hosts.api, api)]),
        tls,
        ..Default::default()
    };
    // With a digest: what is wanted no longer, an annotation of the Bench's above all, makes a difference only by it.
    let digest = names::digest(&[&json!([edge.annotations, spec]).to_string()], 16);
    let mut metadata = owned_meta(who, &who.id);
    let ours = [(names::annotation::DIGEST.to_owned(), digest)];
    metadata.annotations = Some(edge.annotations.into_iter().chain(ours).collect());
    Ingress { metadata, spec: Some(spec), status: None }
}

fn ingress_rule(host: &str, paths: Vec<HTTPIngressPath>) -> IngressRule {
    IngressRule { host: Some(host.to_owned()), http: Some(HTTPIngressRuleValue { paths }) }
}

fn ingress_path(kind: &str, path: &str, to: &ServicePort) -> HTTPIngressPath {
    HTTPIngressPath {
        path: Some(path.to_owned()),
        path_type: kind.to_owned(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: to.name.clone(),
                port: Some(ServiceBackendPort { number: Some(i32::from(to.port)), name: None }),
            }),
            resource: None,
        },
    }
}

fn frontend_route(who: &Subject) -> HTTPRoute {
    let rule = match instead(who) {
        Some(answer) => forward(&answer, None),
        // The frontend may trust this header: whatever a client sent under that name is overwritten.
        None => forward(&who.bench.spec.services.frontend, Some(("X-Tenant", &who.subdomain))),
    };
    route(who, "frontend", &who.hosts.frontend, vec![rule])
}

fn api_route(who: &Subject) -> HTTPRoute {
    if let Some(answer) = instead(who) {
        return route(who, "api", &who.hosts.api, vec![forward(&answer, None)]);
    }
    let matches: Vec<Match> = refused(who).map(|(kind, path)| path_match(kind, path)).collect();
    let refusals = (!matches.is_empty()).then(|| Rule { matches, ..forward(&answers(who, Answer::Refused), None) });
    // gunicorn chooses the site by this header: a client must never be able to.
    let site = forward(api_service(who), Some(("X-Frappe-Site-Name", &who.site)));
    route(who, "api", &who.hosts.api, refusals.into_iter().chain([site]).collect())
}

fn route(who: &Subject, suffix: &str, host: &str, rules: Vec<Rule>) -> HTTPRoute {
    let parent = who.bench.spec.edge.gateway.iter().map(|gateway| ParentReference {
        group: "gateway.networking.k8s.io".to_owned(),
        kind: "Gateway".to_owned(),
        name: gateway.parent_ref.name.clone(),
        namespace: gateway.parent_ref.namespace.clone(),
        section_name: gateway.parent_ref.section_name.clone(),
    });
    let spec = HttpRouteSpec { parent_refs: parent.collect(), hostnames: vec![host.to_owned()], rules };
    HTTPRoute { metadata: owned_meta(who, format!("{}-{suffix}", who.id)), spec, status: None }
}

/// Everything to one service, with one header overwritten.
fn forward(to: &ServicePort, header: Option<(&str, &str)>) -> Rule {
    let filter = header.map(|(name, value)| Filter {
        type_: "RequestHeaderModifier".to_owned(),
        request_header_modifier: HeaderModifier { set: vec![Header { name: name.to_owned(), value: value.to_owned() }] },
    });
    Rule {
        matches: vec![path_match("Prefix", "/")],
        filters: filter.into_iter().collect(),
        backend_refs: vec![BackendRef {
            group: String::new(),
            kind: "Service".to_owned(),
            name: to.name.clone(),
            port: i32::from(to.port),
        }],
    }
}

fn path_match(kind: &str, path: &str) -> Match {
    let type_ = if kind == "Exact" { "Exact" } else { "PathPrefix" };
    Match { path: PathMatch { type_: type_.to_owned(), value: path.to_owned() } }
}

/// For the condition's message.
pub fn summary(who: &Subject) -> String {
    let count = who.want.as_ref().map_or(0, |want| want.refused.len());
    let files = match who.bench.spec.edge.type_ {
        EdgeType::Ingress => "",
        EdgeType::Gateway => "; a Gateway edge serves no /files or /assets on the API host",
    };
    format!("2 hosts, {count} refused paths{files}")
}
