//! What named DNS servers say about a host: exactly those, not whom the pod would ask, and nothing from a cache.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use hickory_resolver::Resolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::answer::first_line;
use crate::core::seen::Lookup;

const ATTEMPT: Duration = Duration::from_secs(2);
const BOUND: Duration = Duration::from_secs(8);

/// Every server about every host, in this order. A server is an address or a name, with port 53 unless it says another.
pub async fn lookups(servers: &[String], hosts: [&str; 2]) -> Vec<Lookup> {
    let asked = servers.iter().flat_map(|server| hosts.map(|host| lookup(server, host)));
    join_all(asked).await
}

async fn lookup(server: &str, host: &str) -> Lookup {
    let answer = match timeout(BOUND, ask(server, host)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", BOUND.as_secs())),
    };
    Lookup { host: host.to_owned(), server: server.to_owned(), answer }
}

async fn ask(server: &str, host: &str) -> Result<Vec<IpAddr>, String> {
    let address = address(server).await?;
    let resolver = resolver(address).map_err(|error| words(&error))?;
    // With its last dot a name is complete: no search domain is tried.
    match resolver.lookup_ip(format!("{}.", host.trim_end_matches('.'))).await {
        Ok(found) => Ok(found.iter().collect::<BTreeSet<_>>().into_iter().collect()),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) if none.response_code == ResponseCode::NoError => Ok(vec![]),
        Err(error) => Err(words(&error)),
    }
}

async fn address(server: &str) -> Result<SocketAddr, String> {
    if let Ok(ip) = server.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, 53));
    }
    let has_port = server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let server = if has_port { server.to_owned() } else { format!("{server}:53") };
    let found = lookup_host(&server).await.map_err(|error| first_line(&error.to_string(), &[]))?.next();
    found.ok_or_else(|| "the server's own name has no address".to_owned())
}

fn resolver(server: SocketAddr) -> Result<Resolver<TokioRuntimeProvider>, NetError> {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
    name_server.connections = connections.into();
    let config = ResolverConfig::from_parts(None, vec![], vec![name_server]);
    let mut options = ResolverOpts::default();
    options.timeout = ATTEMPT;
    options.attempts = 2;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.try_tcp_on_error = true;
    Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options).build()
}

fn words(error: &NetError) -> String {
    match error {
        NetError::Timeout => "no answer in time".to_owned(),
        NetError::NoConnections => "not reached".to_owned(),
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NXDomain => {
            "there is no such name".to_owned()
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) => code(none.response_code),
        NetError::Dns(DnsError::ResponseCode(refused)) => code(*refused),
        other => first_line(&other.to_string(), &[]),
    }
}

fn code(code: ResponseCode) -> String {
    format!("it answers {}", first_line(&code.to_string(), &[]))
}
