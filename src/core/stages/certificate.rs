//! One certificate covers both hosts.

use super::{leave, routes};
use crate::core::manifests::Child;
use crate::core::op::Op;
use crate::core::seen::{CertificateSeen, ChildState};
use crate::core::verdict::Verdict;

pub fn up(seen: &CertificateSeen) -> Verdict {
    let Some(child) = &seen.certificate else {
        return Verdict::settled("ListenerCertificate", "the edge's own certificate, checked by the probe");
    };
    if let Some(verdict) = routes::foreign(std::slice::from_ref(child)) {
        return verdict;
    }
    match child.state {
        ChildState::Absent | ChildState::Differs => Verdict::Do(vec![Op::Apply(Box::new(child.child.clone()))]),
        ChildState::Leaving => Verdict::wait("Leaving", "a certificate of this name is still being deleted", 2),
        ChildState::Current | ChildState::NotOurs if seen.issued => {
            let until = seen.not_after.map(|until| format!(", until {}", until.strftime("%Y-%m-%d"))).unwrap_or_default();
            Verdict::settled("Issued", format!("2 names{until}"))
        }
        ChildState::Current | ChildState::NotOurs => {
            let words = if seen.message.is_empty() { "the issuer has not answered yet" } else { &seen.message };
            // Its own words do not name the issuer, which may be the one that is not there.
            let issuer = match &child.child {
                Child::Certificate(it) => format!(" ({} {:?})", it.spec.issuer_ref.kind, it.spec.issuer_ref.name),
                Child::Ingress(_) | Child::HttpRoute(_) => String::new(),
            };
            Verdict::wait("Issuing", format!("{words}{issuer}"), 30)
        }
    }
}

pub fn down(seen: &CertificateSeen) -> Verdict {
    if let Some(child) = &seen.certificate {
        let gone = leave::children(std::slice::from_ref(child), "the certificate and its key are gone");
        // cert-manager leaves the Secret behind unless it is told otherwise: it goes with the Certificate.
        if !gone.is_settled() || !seen.secret_left {
            return gone;
        }
        return Verdict::Do(vec![Op::Remove(Box::new(child.child.clone()))]);
    }
    Verdict::settled("Removed", "the certificate was the edge's own")
}
