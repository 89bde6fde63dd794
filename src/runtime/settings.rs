//! What `tenant-operator run` can be told, by flag or by environment.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Name of this cluster, written into the marker of every site. Keep it when a cluster is rebuilt from a backup: it is
    /// how the operator knows its own sites again. Two clusters that share a database server must have different names.
    #[arg(long, env = "TENANT_OPERATOR_CLUSTER_NAME", default_value = "default", value_parser = cluster_name)]
    pub cluster_name: String,

    /// Image that the answering backend of each bench runs: this program's own image, as the chart passes it.
    #[arg(long, env = "TENANT_OPERATOR_IMAGE")]
    pub image: String,

    /// Namespace of the operator, where its lease is. Without it, the namespace of the service account or the kubeconfig.
    #[arg(long, env = "TENANT_OPERATOR_NAMESPACE")]
    pub namespace: Option<String>,

    /// Name of the lease that keeps a second operator from working at the same time.
    #[arg(long, env = "TENANT_OPERATOR_LEASE_NAME", default_value = "tenant-operator")]
    pub lease_name: String,

    /// Who holds the lease: the pod's name, so that a container restarted in its pod need not wait for its own lease to run
    /// out. Without it, a random name.
    #[arg(long, env = "TENANT_OPERATOR_IDENTITY")]
    pub identity: Option<String>,

    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "TENANT_OPERATOR_HEALTH_ADDRESS", default_value = "0.0.0.0:8080")]
    pub health_address: SocketAddr,

    /// How long until a settled tenant is looked at again where no watch and no probe does so earlier, for example 10h or 90m.
    #[arg(long, env = "TENANT_OPERATOR_RESYNC", default_value = "10h", value_parser = positive_duration)]
    pub resync: Duration,

    /// How often the sites of each bench are compared with what they should be, by one Job in the bench.
    #[arg(long, env = "TENANT_OPERATOR_INSPECT_INTERVAL", default_value = "1h", value_parser = positive_duration)]
    pub inspect_interval: Duration,

    /// Secrets may be read in every namespace: they are watched with one request, not namespace by namespace.
    #[arg(long, env = "TENANT_OPERATOR_CLUSTER_WIDE")]
    pub cluster_wide: bool,

    /// How many tenants are worked on at the same time. How many Jobs run on one bench is that Bench's own setting.
    #[arg(long, env = "TENANT_OPERATOR_CONCURRENCY", default_value = "8")]
    pub concurrency: NonZeroU16,
}

fn cluster_name(text: &str) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let outer = |c: char| c != '-';
    let valid = text.len() <= 63 && text.chars().all(inner) && text.starts_with(outer) && text.ends_with(outer);
    if valid {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 63 lower case letters, digits and hyphens, not beginning or ending with a hyphen".to_owned())
    }
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|error| format!("write it like 10h or 90m: {error}"))?;
    match Duration::try_from(duration) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("it must be longer than zero".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_in_go() {
        assert_eq!(positive_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert!(positive_duration("0s").is_err());
        assert!(positive_duration("-1h").is_err());
        assert!(positive_duration("10").is_err());
    }

    #[test]
    fn a_cluster_name_is_a_dns_label() {
        assert!(cluster_name("prod-eu1").is_ok());
        for refused in ["", "-prod", "prod-", "Prod", "prod.eu", &"x".repeat(64)] {
            assert!(cluster_name(refused).is_err(), "{refused} should be refused");
        }
    }
}
