//! What befalls a whole cluster: it is restored from a backup, with its claims or without, and the operator starts anew.

use tenant_operator::api::Phase;
use tenant_operator::core::identity;
use tenant_operator::core::subject::ObjectName;

use crate::outside::Outside;
use crate::outside::claims::Claimed;

/// Which claims a backup brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    All,
    /// Those of hosts were forgotten.
    Sites,
    /// That of the site was forgotten.
    Hosts,
    None,
}

impl Outside {
    /// Objects have new uids and no status; Jobs, routes and certificates are in no backup. What lies in the bench stays.
    pub fn restore(&mut self, claims: Claims) {
        if matches!(claims, Claims::Hosts | Claims::None) {
            self.forgotten.extend(self.claims.values().map(|claim| claim.holder.id.clone()));
        }
        self.claims.retain(|_, claim| match claims {
            Claims::All => true,
            Claims::Sites => claim.record.is_some(),
            Claims::Hosts => claim.record.is_none(),
            Claims::None => false,
        });
        for tenant in self.objects.tenants.values_mut() {
            tenant.status = None;
        }
        self.jobs.all.clear();
        self.dock.locks.clear();
        self.edge.children.clear();
        self.dead = true;
        self.stir();
    }

    /// Somebody lost the claims of one tenant.
    pub fn lose_claims(&mut self, name: &ObjectName, hosts_only: bool) {
        let lost = |holder: &tenant_operator::api::Holder, is_host: bool| {
            identity::object_name(holder) == *name && (is_host || !hosts_only)
        };
        // One that was left behind may have no site any more, and nobody can tell then whether it ever had one.
        let left = |claim: &Claimed| claim.record.as_ref().is_some_and(|record| record.phase != Phase::Active);
        if !hosts_only && self.claims.values().any(|claim| lost(&claim.holder, false) && left(claim)) {
            return;
        }
        let ids = self.claims.values().filter(|claim| claim.record.is_some() && lost(&claim.holder, false));
        self.forgotten.extend(ids.map(|claim| claim.holder.id.clone()));
        self.claims.retain(|_, claim| !lost(&claim.holder, claim.record.is_none()));
        self.stir();
    }
}
