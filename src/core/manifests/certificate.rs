//! One certificate for both hosts, where an issuer signs them.

use super::foreign::{Certificate, CertificateSpec, Issuer, SecretTemplate};
use super::{Child, owned_meta};
use crate::api::TlsMode;
use crate::core::names;
use crate::core::subject::Subject;

/// None where the edge's listener brings the certificate.
pub fn certificate(who: &Subject) -> Option<Child> {
    let tls = &who.bench.spec.tls;
    let issuer = match tls.mode {
        TlsMode::Issuer => tls.issuer_ref.as_ref()?,
        TlsMode::Gateway => return None,
    };
    let spec = CertificateSpec {
        secret_name: names::certificate(&who.id),
        dns_names: vec![who.hosts.frontend.clone(), who.hosts.api.clone()],
        issuer_ref: Issuer { group: "cert-manager.io".to_owned(), kind: issuer.kind.clone(), name: issuer.name.clone() },
        // So that the Secret can be found again, and be known as ours, when the tenant leaves.
        secret_template: SecretTemplate { labels: who.labels() },
    };
    Some(Child::Certificate(Certificate { metadata: owned_meta(who, names::certificate(&who.id)), spec, status: None }))
}
