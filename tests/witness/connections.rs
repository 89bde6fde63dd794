//! Who talked to whom, as the pods' own tables of sockets say, and whether the chart's NetworkPolicies would have let them: the lab's
//! network enforces none.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lab::{Lab, OPERATOR};
use crate::policies::{End, Network};
use crate::{folder, say};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Who {
    Operator,
    Answer,
    Job,
}

impl Who {
    /// By its command line.
    pub fn of(words: &str) -> Option<Self> {
        if words.contains("--lease-name") {
            Some(Self::Operator)
        } else if words.contains("/tenant-operator/steps/main.py") {
            Some(Self::Job)
        } else {
            words.contains("tenant-operator answer ").then_some(Self::Answer)
        }
    }

    /// Both benches' namespaces have the same policies.
    fn pod(self) -> End {
        let (namespace, labels) = match self {
            Self::Operator => {
                (OPERATOR, json!({"app.kubernetes.io/name": "tenant-operator", "app.kubernetes.io/instance": "tenant-operator"}))
            }
            Self::Answer => ("erp", json!({"app.kubernetes.io/name": "tenant-answer"})),
            Self::Job => ("erp", json!({"app.kubernetes.io/managed-by": "tenant-operator"})),
        };
        End { namespace: namespace.to_owned(), labels }
    }
}

/// From the pod to an address, or (incoming) to a port of the pod's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Connection {
    who: Who,
    incoming: bool,
    address: Ipv4Addr,
    port: u16,
}

/// Of a process's network: what `/proc/PID/net/tcp` and `tcp6` say.
pub fn of_process(pid: u32, who: Who) -> HashSet<Connection> {
    let read = |name| fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    parse(&(read("tcp") + &read("tcp6")), who)
}

const LISTENS: &str = "0A";
/// The kernel gives a port from here on to who connects.
const EPHEMERAL: u16 = 32_768;

fn parse(table: &str, who: Who) -> HashSet<Connection> {
    let rows = || {
        table.lines().filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            Some((end(words.next()?)?, end(words.next()?)?, words.next()?))
        })
    };
    let open: HashSet<u16> = rows().filter(|(_, _, state)| *state == LISTENS).map(|((_, port), _, _)| port).collect();
    let others = rows().filter(|(_, (address, _), state)| *state != LISTENS && !address.is_loopback());
    // Also where the process that listened was killed.
    let incoming = |own: u16, port: u16| open.contains(&own) || own < EPHEMERAL && port >= EPHEMERAL;
    let connection = |((_, own), (address, port), _): ((Ipv4Addr, u16), (Ipv4Addr, u16), &str)| match incoming(own, port) {
        true => Connection { who, incoming: true, address: Ipv4Addr::UNSPECIFIED, port: own },
        false => Connection { who, incoming: false, address, port },
    };
    others.map(connection).collect()
}

/// The kernel writes an IPv4 address as a number in its own byte order; a mapped one ends an IPv6 address.
fn end(text: &str) -> Option<(Ipv4Addr, u16)> {
    let (address, port) = text.split_once(':')?;
    let last = address.get(address.len().checked_sub(8)?..)?;
    Some((Ipv4Addr::from(u32::from_str_radix(last, 16).ok()?.swap_bytes()), u16::from_str_radix(port, 16).ok()?))
}

pub fn judge(dir: &Path) {
    let text = fs::read_to_string(folder(dir).join("connections.jsonl")).expect("what was collected");
    let seen: BTreeSet<Connection> = text.lines().map(|line| serde_json::from_str(line).expect("a connection")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (network, map) = runtime.block_on(async {
        let lab = Lab::connect(dir.to_path_buf()).await;
        (policies(&lab).await, Map::of(&lab).await)
    });
    let mut refused = vec![];
    for one in &seen {
        let (peer, port) = map.resolve(one);
        let way = if one.incoming { "Ingress" } else { "Egress" };
        if !network.may(&one.who.pod(), way, &peer, port) {
            refused.push(format!("{one:?}, which is {peer:?} port {port}"));
        }
    }
    say(&format!("connections: {} kinds seen, refused by the policies: {}", seen.len(), refused.len()));
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    for who in [Who::Operator, Who::Answer, Who::Job] {
        assert!(seen.iter().any(|one| one.who == who), "{who:?} was not seen to talk to anybody");
    }
}

async fn policies(lab: &Lab) -> Network {
    let of_chart = ListParams::default().labels("app.kubernetes.io/name=tenant-operator");
    let found = Api::<NetworkPolicy>::all(lab.client.clone()).list(&of_chart).await.expect("policies").items;
    Network { policies: found.iter().map(|policy| serde_json::to_value(policy).expect("JSON")).collect() }
}

/// Addresses of Services and pods.
struct Map {
    services: HashMap<(Ipv4Addr, u16), (End, u16)>,
    pods: HashMap<Ipv4Addr, (String, Value)>,
}

impl Map {
    async fn of(lab: &Lab) -> Self {
        let all = ListParams::default();
        let services = Api::<Service>::all(lab.client.clone()).list(&all).await.expect("services").items;
        let pods = Api::<Pod>::all(lab.client.clone()).list(&all).await.expect("pods").items;
        let pods = pods.iter().filter_map(|pod| {
            let address = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
            Some((address, (pod.namespace()?, json!(pod.labels()))))
        });
        Self { services: services.iter().flat_map(targets).collect(), pods: pods.collect() }
    }

    /// A policy judges the pod behind a Service.
    fn resolve(&self, one: &Connection) -> (End, u16) {
        let copy = |end: &End| End { namespace: end.namespace.clone(), labels: end.labels.clone() };
        if let Some((end, port)) = self.services.get(&(one.address, one.port)) {
            return (copy(end), *port);
        }
        let (namespace, labels) = self.pods.get(&one.address).cloned().unwrap_or_default();
        (End { namespace, labels }, one.port)
    }
}

fn targets(service: &Service) -> Vec<((Ipv4Addr, u16), (End, u16))> {
    let spec = service.spec.clone().unwrap_or_default();
    let Some(address) = spec.cluster_ip.and_then(|address| address.parse().ok()) else { return vec![] };
    // The API server's own Service has no pods behind it.
    let namespace = spec.selector.as_ref().map(|_| service.namespace().unwrap_or_default()).unwrap_or_default();
    let labels = json!(spec.selector.unwrap_or_default());
    let target = |port: k8s_openapi::api::core::v1::ServicePort| {
        let behind = match port.target_port {
            Some(IntOrString::Int(target)) => target,
            Some(IntOrString::String(_)) | None => port.port,
        };
        let end = End { namespace: namespace.clone(), labels: labels.clone() };
        Some(((address, u16::try_from(port.port).ok()?), (end, u16::try_from(behind).ok()?)))
    };
    spec.ports.unwrap_or_default().into_iter().filter_map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read_with_its_byte_order_and_its_listeners() {
        let table = "  sl  local_address rem_address   st\n   0: 00000000:1F90 00000000:0000 0A 0:0\n   1: 0501F40A:C350 0100600A:01BB 01 0:0\n\
                     2: 0501F40A:1F90 0101F40A:9C40 06 0:0\n   3: 0100007F:1F91 0100007F:9C41 01 0:0\n\
                     4: 0000000000000000FFFF00000501F40A:C351 0000000000000000FFFF00005000600A:01BB 01 0:0\n";
        let seen = parse(table, Who::Operator);
        let out = |address: [u8; 4]| Connection { who: Who::Operator, incoming: false, address: address.into(), port: 443 };
        let into = Connection { who: Who::Operator, incoming: true, address: Ipv4Addr::UNSPECIFIED, port: 8080 };
        assert_eq!(seen, HashSet::from([out([10, 96, 0, 1]), into, out([10, 96, 0, 80])]));
    }

    #[test]
    fn a_connection_that_outlives_the_process_that_listened_came_from_outside() {
        let left = "  sl  local_address rem_address   st\n   2: 0501F40A:1F90 0101F40A:9C40 06 0:0\n";
        let into = Connection { who: Who::Operator, incoming: true, address: Ipv4Addr::UNSPECIFIED, port: 8080 };
        assert_eq!(parse(left, Who::Operator), HashSet::from([into]));
    }

    #[test]
    fn pods_of_ours_are_known_by_their_command_lines() {
        assert_eq!(
            Who::of("/usr/local/bin/tenant-operator run --cluster-name=lab --lease-name=tenant-operator "),
            Some(Who::Operator)
        );
        assert_eq!(Who::of("/usr/local/bin/tenant-operator answer --messages=/messages "), Some(Who::Answer));
        assert_eq!(
            Who::of("/home/frappe/frappe-bench/env/bin/python /tenant-operator/steps/main.py create apps "),
            Some(Who::Job)
        );
        assert_eq!(Who::of("mariadbd --user=x "), None);
    }
}
