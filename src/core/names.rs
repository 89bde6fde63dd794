//! Every name the operator gives to something outside, in one place: they are fixed for ever, since tenants are found again by them.

use k8s_openapi::jiff::Timestamp;
use sha2::{Digest, Sha256};

pub const GROUP: &str = "tenancy.nexuserp.io";
pub const FINALIZER: &str = "tenancy.nexuserp.io/teardown";
pub const IN_USE: &str = "tenancy.nexuserp.io/in-use";
pub const MANAGER: &str = "tenant-operator";
pub const STATUS_MANAGER: &str = "tenant-operator-status";

/// The variable that carries the first admin's password into a Job.
pub const ADMIN_PASSWORD: &str = "TENANT_ADMIN_PASSWORD";

pub mod label {
    pub const ID: &str = "tenancy.nexuserp.io/id";
    pub const TENANT: &str = "tenancy.nexuserp.io/tenant";
    pub const TENANT_NAMESPACE: &str = "tenancy.nexuserp.io/tenant-namespace";
    pub const BENCH: &str = "tenancy.nexuserp.io/bench";
    /// On the claims of sites.
    pub const BENCH_NAMESPACE: &str = "tenancy.nexuserp.io/bench-namespace";
    pub const STEP: &str = "tenancy.nexuserp.io/step";
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
}

pub mod annotation {
    pub const PAUSED: &str = "tenancy.nexuserp.io/paused";
    pub const RETRY_AT: &str = "tenancy.nexuserp.io/retry-at";
    pub const INSPECT_AT: &str = "tenancy.nexuserp.io/inspect-at";
    /// On a Tenant that is being deleted: after so long, what cannot be reached is given up.
    pub const ABANDON_AFTER: &str = "tenancy.nexuserp.io/abandon-after";
    /// On a Secret in custody: the site was somebody else's before, and its own key and database stay with it.
    pub const ADOPTED: &str = "tenancy.nexuserp.io/adopted";
    pub const SITE: &str = "tenancy.nexuserp.io/site";
    /// On a Job: which input hash each of its steps was started with.
    pub const HASHES: &str = "tenancy.nexuserp.io/hashes";
    /// On a Job: its number among the tenant's Jobs.
    pub const ATTEMPT: &str = "tenancy.nexuserp.io/attempt";
    /// On the Job of an inspection: when it was begun, by the operator's own clock, as receipts are dated, in whole seconds.
    pub const AT: &str = "tenancy.nexuserp.io/at";
    /// On the Job of a template: which one it makes. Without it, it only removes some.
    pub const TEMPLATE: &str = "tenancy.nexuserp.io/template";
    /// On a child: the digest of what it was made of, so that a field no longer wanted makes a difference too.
    pub const DIGEST: &str = "tenancy.nexuserp.io/digest";
}

/// The first `len` hex digits of the SHA-256 of the parts, each ended by a zero byte so that no two lists look alike.
pub fn digest(parts: &[&str], len: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digit = |half: u8| char::from_digit(u32::from(half), 16);
    hash.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().take(len).collect()
}

pub fn host_claim(host: &str) -> String {
    format!("host.{host}")
}

/// Named by where the site lies, never by the Bench: two Benches may share a volume.
pub fn site_claim(namespace: &str, volume_claim: &str, bench_path: &str, site: &str) -> String {
    format!("site.{}", digest(&[namespace, volume_claim, bench_path, site], 32))
}

pub fn database(id: &str) -> String {
    format!("t_{id}")
}

pub fn custody(id: &str) -> String {
    format!("{id}-custody")
}

/// Copies of the Secrets a tenant's spec names, for the Job's pod; deleted after it.
pub fn inputs(id: &str) -> String {
    format!("{id}-inputs")
}

pub fn certificate(id: &str) -> String {
    format!("{id}-tls")
}

/// The backend of the Bench that answers for refused paths, and for tenants that are not ready or suspended; and the ConfigMap of
/// what it says of the latter.
pub fn answer(bench: &str) -> String {
    format!("{bench}-tenant-answer")
}

/// The CronJob that takes away old archives. Its Jobs are named after it, so a CronJob's name ends at 52 characters; a Bench's at 40.
pub fn upkeep(bench: &str) -> String {
    format!("{bench}-upkeep")
}

/// The Job of one inspection of all sites. A Bench's name ends at 40 characters, a Job's at 63.
pub fn inspection(bench: &str, at: Timestamp) -> String {
    format!("{bench}-inspect-{}", at.as_second())
}

/// The Job that makes a template of a site, or removes some.
pub fn template_job(bench: &str, at: Timestamp) -> String {
    format!("{bench}-template-{}", at.as_second())
}

/// What the sites of a Bench should have: so many ConfigMaps as it takes.
pub fn expectations(bench: &str, number: usize) -> String {
    format!("{bench}-inspect-{number}")
}

/// The service user of a pair. Frappe user names are e-mail addresses.
pub fn api_user(site: &str, serial: u32) -> String {
    format!("tenant-api-{}@{site}", slot(serial).to_lowercase())
}

/// Which of the two service users has a pair.
pub fn slot(serial: u32) -> &'static str {
    if serial.is_multiple_of(2) { "A" } else { "B" }
}

/// Where custody holds a pair: its key and its secret.
pub fn pair(serial: u32) -> [String; 2] {
    [format!("api-key-{serial}"), format!("api-secret-{serial}")]
}

/// The pair whose key lies under this name.
pub fn pair_of(name: &str) -> Option<u32> {
    name.strip_prefix("api-key-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_of_a_site_depends_on_where_it_lies_and_on_nothing_else() {
        let one = site_claim("erp", "sites", "/bench", "api.acme.example.com");
        assert_eq!(one, site_claim("erp", "sites", "/bench", "api.acme.example.com"));
        assert_ne!(one, site_claim("erp", "sites", "/bench2", "api.acme.example.com"));
        assert_eq!(one.len(), "site.".len() + 32);
    }

    #[test]
    fn parts_that_only_join_alike_have_different_digests() {
        assert_ne!(digest(&["ab", "c"], 32), digest(&["a", "bc"], 32));
    }
}
