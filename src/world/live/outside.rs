//! What is asked by HTTP and DNS: the bench, the public hosts, the Master. Addresses and secrets are gathered here, questions are `http`'s.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};

use super::Live;
use super::secrets::{Key, Pair};
use super::trust::{Said, Trust};
use super::values::text;
use crate::api::{EdgeType, LockdownMode, Registry, SuspendMode, VerifyMode};
use crate::core::lead::Leads;
use crate::core::manifests::routes;
use crate::core::names;
use crate::core::op::Row;
use crate::core::pace;
use crate::core::seen::{Check, DnsSeen, KeyAnswer, ProbeSeen, RegistryAnswer, RegistrySeen};
use crate::core::stages::Way;
use crate::core::stages::registry::is_written;
use crate::core::steps::Step;
use crate::core::subject::Subject;
use crate::world::Error;
use crate::world::http::bench::{Trial, try_key};
use crate::world::http::probe::{Expects, Prober, Target};
use crate::world::http::registry::{self, Master, Place};
use crate::world::http::{self, dns};

pub struct Outside {
    client: reqwest::Client,
    prober: Prober,
    /// The last probe of each tenant: a settled one is only looked at once an interval.
    probed: Mutex<HashMap<String, Probed>>,
    trust: Trust,
}

struct Probed {
    at: Instant,
    /// Of what it depends on: a change makes the next probe due at once.
    of: String,
    checks: Vec<Check>,
    failures: u32,
}

impl Outside {
    pub fn new() -> Result<Self, Error> {
        Ok(Self { client: http::client()?, prober: Prober::default(), probed: Mutex::default(), trust: Trust::default() })
    }

    pub fn forget(&self, id: &str) {
        self.probed.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.trust.end(id);
    }

    /// The tenant is gone.
    pub fn dismiss(&self, id: &str) {
        self.forget(id);
        self.trust.forget(id);
    }

    /// What an earlier process has said of the tenant.
    pub fn trust(&self, id: &str, said: impl FnOnce() -> Said) {
        self.trust.begin(id, said);
    }

    /// A pass over the tenant is over.
    pub fn seen(&self, id: &str) {
        self.trust.end(id);
    }

    /// The last probe of an earlier process, which was some time ago: for each tenant another, so that they do not all come due at once.
    fn on_trust(&self, id: &str, of: &str, interval: Duration) -> Option<ProbeSeen> {
        let checks = self.trust.probe(id)?;
        let ago = pace::part_of(interval, id);
        let at = Instant::now().checked_sub(ago)?;
        let probed = Probed { at, of: of.to_owned(), checks: checks.clone(), failures: 0 };
        self.probed.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), probed);
        Some(ProbeSeen { checks, failures: 0 })
    }

    /// How long the last probe is good for yet.
    pub fn good_for(&self, id: &str, interval: Duration) -> Option<Duration> {
        let probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
        probed.get(id).map(|last| interval.saturating_sub(last.at.elapsed()))
    }

    /// Asks the bench's web service itself: the public way is not open yet.
    pub async fn try_key(&self, who: &Subject, pair: &Pair) -> KeyAnswer {
        let web = &who.bench.spec.services.web;
        let url = format!("http://{}.{}.svc:{}", web.name, who.bench.namespace, web.port);
        let trial = Trial { path: who.bench.spec.api_user.verify.path(), user: &pair.user, key: pair.key.sendable() };
        try_key(&self.client, &url, &who.site, &trial).await
    }

    /// The last probe, while it passed and is young enough.
    fn still_good(&self, id: &str, of: &str, interval: Duration) -> Option<ProbeSeen> {
        let probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
        let last = probed.get(id).filter(|last| last.of == of && last.failures == 0 && last.at.elapsed() < interval)?;
        Some(ProbeSeen { checks: last.checks.clone(), failures: 0 })
    }

    fn keep(&self, id: &str, of: String, checks: Vec<Check>) -> ProbeSeen {
        let mut probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = probed.get(id).map_or(0, |last| last.failures);
        let failures = if checks.iter().any(|check| check.problem.is_some()) { before + 1 } else { 0 };
        probed.insert(id.to_owned(), Probed { at: Instant::now(), of, checks: checks.clone(), failures });
        ProbeSeen { checks, failures }
    }
}

impl Key {
    fn sendable(&self) -> http::Key<'_> {
        http::Key { key: &self.key, secret: &self.secret }
    }
}

impl Live {
    pub(super) async fn see_dns(&self, way: Way, who: &Subject) -> Result<DnsSeen, Error> {
        let servers = &who.bench.spec.dns.verify_with;
        if way == Way::Down || servers.is_empty() {
            return Ok(DnsSeen { lookups: vec![], edge: vec![] });
        }
        let lookups = dns::lookups(servers, [&who.hosts.frontend, &who.hosts.api]).await;
        Ok(DnsSeen { lookups, edge: self.edge(who).await? })
    }

    /// The addresses that the edge says it has, in the status of the Ingress or of the Gateway.
    async fn edge(&self, who: &Subject) -> Result<Vec<IpAddr>, Error> {
        let gateway = who.bench.spec.edge.gateway.as_ref().filter(|_| who.bench.spec.edge.type_ == EdgeType::Gateway);
        let (found, pointer, field) = match gateway {
            Some(gateway) => {
                let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "Gateway"));
                let parent = &gateway.parent_ref;
                let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &parent.namespace, &kind);
                let found = api.get_opt(&parent.name).await;
                (
                    found.map_err(|source| Error::cluster("get", "Gateway", parent.name.clone(), source))?,
                    "/status/addresses",
                    "value",
                )
            }
            None => match routes::routes(who).first() {
                Some(route) => (self.find(who, route).await?, "/status/loadBalancer/ingress", "ip"),
                None => (None, "", ""),
            },
        };
        let addresses = found.as_ref().and_then(|found| found.data.pointer(pointer)?.as_array());
        Ok(addresses.into_iter().flatten().filter_map(|address| address[field].as_str()?.parse().ok()).collect())
    }

    pub(super) async fn see_probe(&self, way: Way, who: &Subject) -> Result<ProbeSeen, Error> {
        let probe = &who.bench.spec.probe;
        if way == Way::Down || probe.mode.is_off() {
            return Ok(ProbeSeen { checks: vec![], failures: 0 });
        }
        let proof = who.receipt(Step::Proof).map(|proof| proof.at.0.to_string()).unwrap_or_default();
        let expects = expects(who);
        let of = names::digest(
            &[
                &proof,
                &who.generation.to_string(),
                &format!("{:?}", who.want.as_ref().map(|want| &want.refused)),
                &format!("{expects:?}"),
            ],
            16,
        );
        let good = || self.outside.still_good(&who.id, &of, probe.interval());
        if let Some(seen) = good().or_else(|| self.outside.on_trust(&who.id, &of, probe.interval())) {
            return Ok(seen);
        }
        let ca = match &probe.ca_secret_ref {
            None => None,
            Some(from) => Some(self.text_of(&who.bench.namespace, &from.name, &from.key).await?),
        };
        let custody = self.see_custody(who).await?;
        let verify = &who.bench.spec.api_user.verify;
        let target = Target {
            frontend: &who.hosts.frontend,
            api: &who.hosts.api,
            connect_to: probe.connect_to.as_deref(),
            ca_pem: ca.as_deref().map(str::as_bytes),
            key: custody.proven(who).filter(|_| verify.mode == VerifyMode::HTTP).map(|pair| Trial {
                path: verify.path(),
                user: &pair.user,
                key: pair.key.sendable(),
            }),
            refused: who.want.as_ref().map_or(&[], |want| &want.refused),
            locked: who.bench.spec.lockdown.mode == LockdownMode::APIOnly,
            expects,
        };
        let checks = self.outside.prober.look(&target).await;
        Ok(self.outside.keep(&who.id, of, checks))
    }

    async fn text_of(&self, namespace: &str, name: &str, key: &str) -> Result<String, Error> {
        let found = self.named_secret(namespace, name).await?;
        found.and_then(|secret| text(&secret, key)).ok_or_else(|| Error::Unusable {
            what: format!("Secret {namespace}/{name}"),
            problem: format!("it is missing, or has no key {key}: create it, or correct the Bench"),
        })
    }

    pub(super) async fn see_registry(&self, way: Way, who: &Subject) -> Result<RegistrySeen, Error> {
        let Some(registry) = &who.bench.spec.registry else { return Ok(RegistrySeen { answer: RegistryAnswer::None }) };
        let answer = match self.token(who, registry).await {
            Ok(token) => {
                let url = url(who, registry);
                let master = self.master(registry, &url, &token);
                match self.fields(registry, &master).await {
                    Ok(fields) if way == Way::Up && self.outside.trust.row(&who.id) && is_written(who, registry, &fields) => {
                        RegistryAnswer::OnTrust
                    }
                    Ok(fields) => registry::row(&master, &place(who, registry), fields).await,
                    Err(answer) => answer,
                }
            }
            Err(Error::Unusable { what, problem }) => RegistryAnswer::TokenMissing(format!("{what}: {problem}")),
            Err(error) => return Err(error),
        };
        Ok(RegistrySeen { answer })
    }

    /// What the DocType has: the same for all tenants of the Bench.
    async fn fields(&self, registry: &Registry, master: &Master<'_>) -> Result<registry::Fields, RegistryAnswer> {
        let ask = registry::fields(master, &registry.doc_type, &registry.key_field);
        if !self.shelves.listen() {
            return ask.await;
        }
        let name = (master.url.to_owned(), format!("{} {} {}", registry.site, registry.doc_type, registry.key_field));
        let found = self.fields.or_ask(name, async { ask.await.map(Some) }).await?;
        found.ok_or(RegistryAnswer::DocTypeMissing)
    }

    pub(super) async fn write_row(&self, who: &Subject, row: &Row) -> Result<(), Error> {
        let Some(registry) = &who.bench.spec.registry else { return Ok(()) };
        let token = self.token(who, registry).await?;
        let custody = self.see_custody(who).await?;
        let key = custody.proven(who).map(|pair| pair.key.sendable());
        let url = url(who, registry);
        registry::write(&self.master(registry, &url, &token), &place(who, registry), row, key).await
    }

    pub(super) async fn remove_row(&self, who: &Subject) -> Result<(), Error> {
        let Some(registry) = &who.bench.spec.registry else { return Ok(()) };
        let token = self.token(who, registry).await?;
        registry::remove(&self.master(registry, &url(who, registry), &token), &place(who, registry)).await
    }

    async fn token(&self, who: &Subject, registry: &Registry) -> Result<Key, Error> {
        let (namespace, name) = (&who.bench.namespace, &registry.token_secret_ref.name);
        Ok(Key {
            key: self.text_of(namespace, name, "api-key").await?,
            secret: self.text_of(namespace, name, "api-secret").await?,
        })
    }

    fn master<'a>(&'a self, registry: &'a Registry, url: &'a str, token: &'a Key) -> Master<'a> {
        Master { client: &self.outside.client, url, site: &registry.site, token: token.sendable() }
    }
}

/// A tenant is only looked at once its key is proven: then its hosts lead to its site, or to the page of a suspended one.
fn expects(who: &Subject) -> Expects {
    match (who.leads(), who.suspension()) {
        (Leads::Suspended, _) => Expects::Suspended,
        (Leads::Preparing | Leads::Serving, Some(SuspendMode::ReadOnly)) => Expects::ReadOnly,
        (Leads::Preparing | Leads::Serving, Some(SuspendMode::Maintenance) | None) => Expects::Serving,
    }
}

/// A Service's bare name means the one beside the Bench, as in the bench's own pods; the operator may live elsewhere.
fn url(who: &Subject, registry: &Registry) -> String {
    let url = registry.url.trim_end_matches('/');
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (host, tail) = rest.split_at(end);
    if host.contains('.') || host == "localhost" {
        return url.to_owned();
    }
    format!("{scheme}://{host}.{}.svc{tail}", who.bench.namespace)
}

fn place<'a>(who: &'a Subject, registry: &'a Registry) -> Place<'a> {
    Place {
        doc_type: &registry.doc_type,
        key_field: &registry.key_field,
        key: &who.subdomain,
        id_field: &registry.id_field,
        id: &who.id,
    }
}
