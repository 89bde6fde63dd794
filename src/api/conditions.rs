//! Every condition a Tenant can carry, declared once: the stages, the fold and the two that kstatus reads.

/// One condition type of a `Tenant`. The order is the order of `kubectl describe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    Ready,
    Claimed,
    SiteReady,
    AppsReady,
    Configured,
    KeysReady,
    RoutesReady,
    DNSReady,
    CertificateReady,
    Reachable,
    Registered,
    Suspended,
    Reconciling,
    Stalled,
}

impl Condition {
    pub const ALL: [Condition; 14] = [
        Condition::Ready,
        Condition::Claimed,
        Condition::SiteReady,
        Condition::AppsReady,
        Condition::Configured,
        Condition::KeysReady,
        Condition::RoutesReady,
        Condition::DNSReady,
        Condition::CertificateReady,
        Condition::Reachable,
        Condition::Registered,
        Condition::Suspended,
        Condition::Reconciling,
        Condition::Stalled,
    ];

    /// The `type` as it stands in `status.conditions`.
    pub const fn type_(self) -> &'static str {
        self.spec().0
    }

    /// What the condition says when it is True, for users.
    pub const fn help(self) -> &'static str {
        self.spec().1
    }

    /// Suspended, and Reconciling and Stalled as kstatus reads them, are there only while they are True; all others always.
    pub const fn only_while_true(self) -> bool {
        matches!(self, Condition::Suspended | Condition::Reconciling | Condition::Stalled)
    }

    const fn spec(self) -> (&'static str, &'static str) {
        match self {
            Condition::Ready => ("Ready", "The tenant serves its users, at the generation that was applied last."),
            Condition::Claimed => ("Claimed", "The tenant has its place on a Bench, and its hosts and its site are its alone."),
            Condition::SiteReady => {
                ("SiteReady", "The Frappe site exists with its own database and carries this tenant's marker.")
            }
            Condition::AppsReady => ("AppsReady", "The site has every app that the plan and the tenant name."),
            Condition::Configured => ("Configured", "Setup, scheduler, site config, admin user and lockdown are as declared."),
            Condition::KeysReady => ("KeysReady", "The API key and secret in the tenant's Secret are accepted by the site."),
            Condition::RoutesReady => ("RoutesReady", "Both hosts are published at the edge."),
            Condition::DNSReady => ("DNSReady", "Both hosts resolve to the edge, where the Bench asks for that."),
            Condition::CertificateReady => ("CertificateReady", "One valid certificate covers both hosts."),
            Condition::Reachable => ("Reachable", "From outside: names, TLS, ping, the key, and the paths that must be refused."),
            Condition::Registered => ("Registered", "The tenant's row in the Master site says what is true."),
            Condition::Suspended => ("Suspended", "The tenant is suspended as its spec says. Absent otherwise."),
            Condition::Reconciling => {
                ("Reconciling", "The operator is working on the tenant. Absent when there is nothing to do.")
            }
            Condition::Stalled => ("Stalled", "A person is needed: the message names the next step. Absent otherwise."),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_named_once_and_explained() {
        let mut names: Vec<_> = Condition::ALL.iter().map(|c| c.type_()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Condition::ALL.len());
        for condition in Condition::ALL {
            assert_eq!(condition.type_(), format!("{condition:?}"));
            assert!(condition.help().ends_with('.'), "{condition} has no full sentence");
        }
    }
}
