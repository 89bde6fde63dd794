//! A tenant seen from outside, over its public hosts, as its users and programs see it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client};
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::answer::{Answer, first_line};
use super::bench::Trial;
use super::failure::Failure;
use super::{CONNECT_TIMEOUT, builder, checks};
use crate::api::RefusedPath;
use crate::core::seen::{Check, KEY};

/// Clients are kept for as many combinations of authority and address.
const CLIENTS: usize = 64;
/// Long enough from one question of a probe to the next, short enough that the next probe sees the certificate anew, and that those
/// of thousands of tenants do not add up.
const IDLE: Duration = Duration::from_secs(1);

/// Whom to look at, and what should be seen.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub frontend: &'a str,
    pub api: &'a str,
    /// Host and port to connect to instead of what the hosts resolve to; TLS and HTTP still speak of the hosts.
    pub connect_to: Option<&'a str>,
    /// The only authorities to trust, as PEM; the system's where absent.
    pub ca_pem: Option<&'a [u8]>,
    /// None where the key cannot be tried over HTTP.
    pub key: Option<Trial<'a>>,
    pub refused: &'a [RefusedPath],
    /// The site itself refuses passwords.
    pub locked: bool,
    pub expects: Expects,
}

/// What the public hosts should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    Serving,
    /// Serving, and the site refuses to be changed.
    ReadOnly,
    /// Both hosts say that the tenant is suspended, whatever is asked.
    Suspended,
}

/// Looks at tenants, and keeps its clients: trusting an authority takes longer than asking.
#[derive(Default)]
pub struct Prober {
    clients: Mutex<HashMap<Way, Client>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Way {
    ca_pem: Option<Vec<u8>>,
    connect_to: Option<String>,
}

impl Prober {
    /// All checks in their order; only up to the first problem where the hosts cannot be asked at all.
    pub async fn look(&self, target: &Target<'_>) -> Vec<Check> {
        let name = check("name", name(target).await);
        if name.problem.is_some() {
            return vec![name];
        }
        let client = match self.client(target) {
            Ok(client) => client,
            Err(problem) => return vec![name, check("TLS", Err(problem))],
        };
        let (ping, front) = tokio::join!(checks::ping(&client, target.api), checks::front(&client, target.frontend));
        let tls = check("TLS", connected(&[&ping, &front]));
        if tls.problem.is_some() {
            return vec![name, tls];
        }
        if target.expects == Expects::Suspended {
            return vec![name, tls, check("suspended", checks::suspended(&client, [target.frontend, target.api]).await)];
        }
        let (key, refusals, header) = tokio::join!(
            checks::key(&client, target),
            checks::refusals(&client, target),
            checks::forged_header(&client, target.api),
        );
        let key = key.map(|seen| check(KEY, seen));
        let ping = check(Check::PING, checks::pong(ping));
        let last = [check("refusals", refusals), check("header", header), check("frontend", checks::served(front))];
        [name, tls, ping].into_iter().chain(key).chain(last).collect()
    }

    fn client(&self, target: &Target<'_>) -> Result<Client, String> {
        let way = Way { ca_pem: target.ca_pem.map(<[u8]>::to_vec), connect_to: target.connect_to.map(str::to_owned) };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&way) {
            return Ok(client.clone());
        }
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        let client = build(&way)?;
        clients.insert(way, client.clone());
        Ok(client)
    }
}

fn check(name: &'static str, seen: Result<(), String>) -> Check {
    Check { name, problem: seen.err() }
}

fn build(way: &Way) -> Result<Client, String> {
    let mut client = builder().https_only(true).pool_idle_timeout(IDLE);
    if let Some(pem) = &way.ca_pem {
        let authorities = Certificate::from_pem_bundle(pem).unwrap_or_default();
        if authorities.is_empty() {
            return Err("the authority that the Bench's probe.caSecretRef names is no certificate in PEM".to_owned());
        }
        client = client.tls_certs_only(authorities);
    }
    if let Some(address) = &way.connect_to {
        client = client.dns_resolver(Arc::new(Always(with_port(address))));
    }
    client.build().map_err(|error| Failure::of(&error, "no client").words)
}

/// Leads every host to one address.
struct Always(String);

impl Resolve for Always {
    fn resolve(&self, _: Name) -> Resolving {
        let address = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host(address).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn with_port(address: &str) -> String {
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { address.to_owned() } else { format!("{address}:443") }
}

async fn name(target: &Target<'_>) -> Result<(), String> {
    match target.connect_to {
        Some(address) => {
            resolves(&with_port(address)).await.map_err(|problem| format!("{problem} (the Bench's probe.connectTo)"))
        }
        None => {
            resolves(&with_port(target.frontend)).await?;
            resolves(&with_port(target.api)).await
        }
    }
}

async fn resolves(address: &str) -> Result<(), String> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    match timeout(CONNECT_TIMEOUT, lookup_host(address)).await {
        Err(_) => Err(format!("{host} was not resolved within {} s", CONNECT_TIMEOUT.as_secs())),
        Ok(Err(error)) => Err(format!("{host} does not resolve: {}", first_line(&error.to_string(), &[]))),
        Ok(Ok(mut found)) => found.next().map(|_| ()).ok_or_else(|| format!("{host} has no address")),
    }
}

/// Whether there was a connection, with valid TLS, for each of the two hosts.
fn connected(answers: &[&Result<Answer, Failure>]) -> Result<(), String> {
    let failed = |answer: &&&Result<Answer, Failure>| answer.as_ref().is_err_and(|failure| failure.connecting);
    match answers.iter().find(failed) {
        Some(Err(failure)) => Err(failure.words.clone()),
        _ => Ok(()),
    }
}
