//! The edge: routes and certificates as they were applied, an issuer that takes its time, names, and a probe that really looks.

use std::collections::BTreeMap;

use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};
use tenant_operator::api::{ProbeMode, VerifyMode};
use tenant_operator::core::lead::Leads;
use tenant_operator::core::manifests::{Child, certificate, routes};
use tenant_operator::core::names::{self, label};
use tenant_operator::core::seen::{CertificateSeen, Check, ChildSeen, ChildState, DnsSeen, KEY, Lookup, RoutesSeen};
use tenant_operator::core::stages::Way;
use tenant_operator::core::subject::{ObjectName, Subject};
use tenant_operator::world::Error;

use super::Outside;
use crate::faults::Party;

const EDGE: [u8; 4] = [198, 51, 100, 7];
/// How long the edge takes to serve what was applied.
const PROGRAMMING: i64 = 2;

#[derive(Clone, Debug)]
pub struct Kept {
    pub child: Child,
    /// As the API server has it.
    json: Value,
    pub gone_at: Option<i64>,
    pub applied: i64,
    /// When the issuer signs, for a certificate.
    signs_at: i64,
    pub issued: Option<i64>,
}

#[derive(Default)]
pub struct Edge {
    pub children: BTreeMap<(&'static str, String), Kept>,
    /// Secrets of certificates, by name: whose.
    pub secrets: BTreeMap<String, String>,
}

impl Kept {
    pub fn owner(&self) -> &str {
        self.label(label::ID)
    }

    fn tenant(&self) -> ObjectName {
        let (namespace, name) = (self.label(label::TENANT_NAMESPACE), self.label(label::TENANT));
        ObjectName { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn label(&self, name: &str) -> &str {
        self.child.meta().labels.as_ref().and_then(|labels| labels.get(name)).map_or("", String::as_str)
    }
}

impl Edge {
    pub fn next_due(&self, outside: &Outside) -> Option<i64> {
        let served = self.children.values().map(|kept| kept.applied + PROGRAMMING).filter(|at| *at > outside.now);
        let gone = self.children.values().filter_map(|kept| kept.gone_at);
        let signs = self.children.values().filter(|kept| kept.issued.is_none()).map(|kept| kept.signs_at);
        served.chain(gone).chain(signs.filter(|at| *at > outside.now)).min()
    }
}

fn key(child: &Child) -> (&'static str, String) {
    (child.kind(), child.name().to_owned())
}

impl Outside {
    pub fn progress_edge(&mut self) {
        let gone = |kept: &Kept| kept.gone_at.is_some_and(|gone| gone <= self.now);
        let leaving: Vec<_> = self.edge.children.iter().filter(|(_, kept)| gone(kept)).map(|(key, _)| key.clone()).collect();
        for key in leaving {
            let Some(kept) = self.edge.children.remove(&key) else { continue };
            self.say(|| format!("{key:?} is gone"));
            self.stir_of(&kept.tenant());
        }
        let issuing = !self.is_out(Party::Issuer);
        let (now, mut signed) = (self.now, vec![]);
        for ((kind, name), kept) in &mut self.edge.children {
            if *kind == "Certificate" && kept.issued.is_none() && kept.gone_at.is_none() && kept.signs_at <= now && issuing {
                kept.issued = Some(now);
                signed.push((name.clone(), kept.owner().to_owned(), kept.tenant()));
            }
        }
        for (name, owner, tenant) in signed {
            self.say(|| format!("certificate {name} is issued"));
            self.edge.secrets.insert(name, owner);
            self.stir_of(&tenant);
        }
    }

    /// Somebody edits or deletes a route or a certificate by hand.
    pub fn drift(&mut self, which: u64) {
        let keys: Vec<_> = self.edge.children.keys().cloned().collect();
        let Some(key) = keys.get(usize::try_from(which / 2).unwrap_or(0) % keys.len().max(1)) else { return };
        if which % 2 == 0 {
            self.edge.children.remove(key);
        } else if let Some(kept) = self.edge.children.get_mut(key) {
            match &mut kept.child {
                Child::Ingress(child) => child.spec = None,
                Child::HttpRoute(child) => child.spec.rules.clear(),
                Child::Certificate(child) => child.spec.dns_names.clear(),
            }
            kept.json = json(&kept.child);
        }
        self.say(|| format!("by hand: {key:?}"));
        self.stir();
    }

    fn state(&self, who: &Subject, child: &Child) -> ChildState {
        match self.edge.children.get(&key(child)) {
            None => ChildState::Absent,
            Some(kept) if kept.owner() != who.id => ChildState::NotOurs,
            Some(kept) if kept.gone_at.is_some() => ChildState::Leaving,
            Some(kept) if kept.child == *child => ChildState::Current,
            Some(_) => ChildState::Differs,
        }
    }

    pub fn see_routes(&self, who: &Subject) -> RoutesSeen {
        let seen = |child: Child| ChildSeen { state: self.state(who, &child), child };
        let refused = self.is_out(Party::Edge).then(|| "NotAllowedByListeners: as told".to_owned());
        RoutesSeen { children: routes::routes(who).into_iter().map(seen).collect(), refused }
    }

    pub fn see_certificate(&self, way: Way, who: &Subject) -> CertificateSeen {
        let mut seen =
            CertificateSeen { certificate: None, issued: false, message: String::new(), not_after: None, secret_left: false };
        let Some(child) = certificate::certificate(who) else { return seen };
        if let Some(kept) = self.edge.children.get(&key(&child)) {
            seen.issued = kept.issued.is_some();
            seen.not_after = kept.issued.and_then(|at| super::at(at).checked_add(SignedDuration::from_hours(24 * 90)).ok());
        } else {
            seen.secret_left = way == Way::Down && self.edge.secrets.get(child.name()) == Some(&who.id);
        }
        seen.certificate = Some(ChildSeen { state: self.state(who, &child), child });
        seen
    }

    pub fn see_dns(&self, who: &Subject) -> DnsSeen {
        let answer = || if self.is_out(Party::Dns) { Err("SERVFAIL".to_owned()) } else { Ok(vec![EDGE.into()]) };
        let lookups = [&who.hosts.frontend, &who.hosts.api].into_iter().flat_map(|host| {
            let servers = who.bench.spec.dns.verify_with.iter();
            servers.map(move |server| Lookup { host: host.clone(), server: server.clone(), answer: answer() })
        });
        DnsSeen { lookups: lookups.collect(), edge: vec![EDGE.into()] }
    }

    pub fn apply_child(&mut self, who: &Subject, child: &Child) -> Result<(), Error> {
        self.about_to(child.name())?;
        let found = self.edge.children.get(&key(child));
        if found.is_some_and(|kept| kept.owner() != who.id) {
            self.fault(format!("{} takes {:?} from somebody else", who.id, key(child)));
        }
        let is_route = !matches!(child, Child::Certificate(_));
        if is_route && who.leads() == Leads::Serving && self.dock.sites.get(&who.site).is_some_and(super::dock::Site::is_closed) {
            self.fault(format!("the hosts of {} lead to a site that is closed", who.id));
        }
        let leaving = self.edge.children.get(&key(child)).and_then(|kept| kept.gone_at);
        let issued = self.edge.secrets.contains_key(child.name()).then_some(self.now);
        let signs_at = self.now + self.chance.between(3, 40);
        let kept = Kept { child: child.clone(), json: json(child), gone_at: leaving, applied: self.now, signs_at, issued };
        self.edge.children.insert(key(child), kept);
        self.stir_of(&who.tenant);
        self.wrote(&format!("{} applies {} {}", who.id, child.kind(), child.name()))
    }

    pub fn remove_child(&mut self, who: &Subject, child: &Child) -> Result<(), Error> {
        self.about_to(child.name())?;
        let gone_at = self.now + self.chance.between(0, 2);
        match (self.edge.children.get_mut(&key(child)), child) {
            (Some(kept), _) if kept.owner() == who.id => {
                kept.gone_at.get_or_insert(gone_at);
                self.stir_of(&who.tenant);
                self.wrote(&format!("{} deletes {} {}", who.id, child.kind(), child.name()))?;
                self.progress_edge();
                Ok(())
            }
            (None, Child::Certificate(_)) if self.edge.secrets.get(child.name()) == Some(&who.id) => {
                self.edge.secrets.remove(child.name());
                self.wrote(&format!("{} deletes Secret {}", who.id, child.name()))
            }
            _ => Ok(()),
        }
    }

    pub fn probe(&self, who: &Subject) -> Vec<Check> {
        if who.bench.spec.probe.mode == ProbeMode::Off {
            return vec![];
        }
        let problem = |problem: Option<&str>| problem.map(str::to_owned);
        let edge = self.is_out(Party::Edge).then_some("no connection");
        let name = self.is_out(Party::Dns).then_some("no address");
        let tls = self.edge_has_certificate(who);
        let (what, answer) = match who.leads() {
            Leads::Suspended => ("suspended", self.says_suspended(who).err()),
            Leads::Preparing | Leads::Serving => ("ping, refusals", self.through_the_edge(who).err()),
        };
        let no_site = answer.as_deref() == Some("404");
        let (key, other): (Option<String>, Option<String>) = match answer {
            Some(words) if ["401", "417"].contains(&words.as_str()) => (Some(words), None),
            other => (None, other),
        };
        let mut checks = vec![
            Check { name: Check::PING, problem: problem(no_site.then_some("answers 404 Not Found")) },
            Check { name: "name", problem: problem(name.or(edge)) },
            Check { name: "TLS", problem: problem((!tls).then_some("the certificate does not cover the host")) },
            Check { name: what, problem: other },
        ];
        if who.bench.spec.api_user.verify.mode == VerifyMode::HTTP && who.leads() != Leads::Suspended {
            checks.push(Check { name: KEY, problem: key });
        }
        checks
    }

    fn edge_has_certificate(&self, who: &Subject) -> bool {
        certificate::certificate(who).is_none() || self.edge.secrets.get(&names::certificate(&who.id)) == Some(&who.id)
    }

    /// Whatever is asked of either host, the answer is that the tenant is suspended.
    pub fn says_suspended(&self, who: &Subject) -> Result<(), String> {
        for (host, path) in [&who.hosts.frontend, &who.hosts.api].into_iter().flat_map(|host| [(host, "/"), (host, "/login")]) {
            let service = self.leads(host, path)?.0;
            if service != "dock-tenant-answer:8504" {
                return Err(format!("{host}{path} leads to {service}"));
            }
        }
        Ok(())
    }

    /// What a client meets who knows the hosts and the published key, and nothing else.
    pub fn through_the_edge(&self, who: &Subject) -> Result<(), String> {
        let frontend = self.leads(&who.hosts.frontend, "/")?;
        if frontend.0 != "bridge:3333" {
            return Err(format!("the frontend's host leads to {}", frontend.0));
        }
        for path in ["/login", "/signup", "/api/method/login", "/hold"] {
            let service = self.leads(&who.hosts.api, path)?.0;
            if service != "dock-tenant-answer:8403" {
                return Err(format!("{path} leads to {service}"));
            }
        }
        let (service, header) = self.leads(&who.hosts.api, "/")?;
        let site = match (service.as_str(), header) {
            ("pilot:8222", _) => who.hosts.api.clone(),
            ("crane:8111", Some(site)) => site,
            (service, _) => return Err(format!("the API's host leads to {service}")),
        };
        let passport = ObjectName { namespace: who.tenant.namespace.clone(), name: who.credentials_secret.clone() };
        let published = self.secrets.published.get(&passport).ok_or("no key is published")?;
        self.web(&site, published.api)
    }

    /// What the bench's web service says to a key.
    pub fn web(&self, site: &str, api: u64) -> Result<(), String> {
        let found = self.dock.sites.get(site).ok_or("404")?;
        let key = found.keys.values().find(|key| key.api == api && !key.revoked);
        match () {
            () if self.is_out(Party::Web) => Err("no answer".to_owned()),
            () if self.is_out(Party::Database) => Err("500".to_owned()),
            () if found.is_closed() || found.opens > self.now => Err("503".to_owned()),
            () if key.is_some_and(|key| key.under != found.encryption) => Err("417".to_owned()),
            () if key.is_none_or(|key| key.from > self.now) || !self.dock.accepts(site, api) => Err("401".to_owned()),
            () => Ok(()),
        }
    }

    /// The service that a path of a host leads to, and the site's name that the edge writes into the header.
    fn leads(&self, host: &str, path: &str) -> Result<(String, Option<String>), String> {
        let served = self.edge.children.values().filter(|kept| kept.applied + PROGRAMMING <= self.now);
        let found = served.filter_map(|kept| match &kept.child {
            Child::Ingress(_) => ingress(&kept.json, host, path),
            Child::HttpRoute(_) => http_route(&kept.json, host, path),
            Child::Certificate(_) => None,
        });
        let found: Vec<_> = found.collect();
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(format!("{host}{path} leads nowhere")),
            _ => Err(format!("{host}{path} leads to two places")),
        }
    }
}

fn json(child: &Child) -> Value {
    let json = match child {
        Child::Ingress(child) => serde_json::to_value(child),
        Child::HttpRoute(child) => serde_json::to_value(child),
        Child::Certificate(child) => serde_json::to_value(child),
    };
    json.unwrap_or_default()
}

fn matches(kind: &Value, wanted: &Value, path: &str) -> Option<usize> {
    let wanted = wanted.as_str()?;
    let hit = if kind == &json!("Exact") { path == wanted } else { path.starts_with(wanted) };
    hit.then_some(wanted.len())
}

fn ingress(child: &Value, host: &str, path: &str) -> Option<(String, Option<String>)> {
    let rule = child["spec"]["rules"].as_array()?.iter().find(|rule| rule["host"] == json!(host))?;
    let paths = rule["http"]["paths"].as_array()?.iter();
    let best = paths.filter_map(|rule| Some((matches(&rule["pathType"], &rule["path"], path)?, rule)));
    let service = &best.max_by_key(|(length, _)| *length)?.1["backend"]["service"];
    Some((format!("{}:{}", service["name"].as_str()?, service["port"]["number"]), None))
}

fn http_route(child: &Value, host: &str, path: &str) -> Option<(String, Option<String>)> {
    child["spec"]["hostnames"].as_array()?.contains(&json!(host)).then_some(())?;
    let rules = child["spec"]["rules"].as_array()?.iter();
    let best = rules.filter_map(|rule| {
        let all = rule["matches"].as_array()?.iter();
        Some((all.filter_map(|one| matches(&one["path"]["type"], &one["path"]["value"], path)).max()?, rule))
    });
    let rule = best.max_by_key(|(length, _)| *length)?.1;
    let backend = &rule["backendRefs"][0];
    let set = rule["filters"][0]["requestHeaderModifier"]["set"][0].clone();
    let site = (set["name"] == json!("X-Frappe-Site-Name")).then(|| set["value"].as_str().map(str::to_owned)).flatten();
    Some((format!("{}:{}", backend["name"].as_str()?, backend["port"]), site))
}
