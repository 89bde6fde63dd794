//! Which tenant a Tenant object is. It is found again by its claims, by the claim of its site or by what it left in custody, and never
//! by its uid: a restored backup and an object that was made again have new ones. What does not lead to exactly one tenant that is
//! this object's is refused in words, and nothing is touched.

use super::names;
use super::record;
use super::steps::Step;
use super::subject::{ObjectName, Problem, Remembered, hosts_of, site_of};
use crate::api::{Adoption, Bench, BenchRef, Holder, Phase, Record, Tenant};

const REASON: &str = "AdoptionNeeded";

/// A claim, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The claim object's name.
    pub name: String,
    pub holder: Holder,
    /// With the claim of a site.
    pub record: Option<Remembered>,
}

impl Held {
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref().map(|held| &held.record)
    }

    fn phase(&self) -> Option<Phase> {
        self.record().map(|record| record.phase)
    }
}

/// What the claims that bear the Tenant's name say.
#[derive(Clone, Debug, PartialEq)]
pub enum Named {
    /// It has a record, and lives.
    Active(String, Remembered),
    /// The record of an earlier Tenant of its name, whose site stayed or could not be taken away.
    Kept(Held),
    /// An attempt took hosts, and came no further.
    Hosts(String),
    Nobody,
}

/// A Secret in custody that bears the Tenant's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Custody {
    pub id: String,
    pub bench: BenchRef,
    /// Whose secrets they are.
    pub site: String,
    /// Of a site that was adopted: its database has a name of its own.
    pub adopted: bool,
    /// Number of the newest pair of the API key.
    pub serial: u32,
}

/// How a tenant begins where it has no living record of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Begin {
    /// With a site that is made for it.
    #[default]
    New,
    /// With the site that it had before its record was lost, and the newest pair of its key by number.
    Recover(u32),
    /// With a site that somebody else made, and the newest pair of its key by number, which is 0 where it had none or one.
    Adopt(u32),
    /// Not at all: it is only said what an adoption would change.
    Report,
    /// With the record of another Tenant, which is gone.
    TakeOver(Handover),
}

/// What goes over to another Tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct Handover {
    pub from: Holder,
    /// The Secret with the API key that the earlier Tenant may have left behind.
    pub secret: String,
}

/// All that a decision needs besides the Tenant's own claims.
pub struct Facts<'a> {
    pub tenant: &'a Tenant,
    pub bench: &'a Bench,
    pub named: Named,
    pub custody: &'a [Custody],
    /// The claim of the site; only looked for where an adoption is asked for.
    pub site: Option<&'a Held>,
    /// The Tenant that holds that claim is still there.
    pub holder_lives: bool,
}

/// Who it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// None: a new one is minted.
    pub id: Option<String>,
    pub record: Option<Remembered>,
    pub begin: Begin,
}

/// Reads the claims that bear a Tenant's name. Its subdomain never changes, so that a record of another one is not its own; but while
/// such a tenant lives, there are two that want one name.
pub fn named(claims: &[Held], subdomain: &str) -> Named {
    let records: Vec<&Held> = claims.iter().filter(|claim| claim.record.is_some()).collect();
    let own = |claim: &&&Held| claim.record().is_some_and(|record| record.subdomain == subdomain);
    let living = |claim: &&&Held| claim.phase() == Some(Phase::Active);
    let found = records.iter().find(|claim| own(claim) && living(claim));
    let found = found.or_else(|| records.iter().find(own)).or_else(|| records.iter().find(living));
    match found.map(|claim| (*claim, claim.record.clone())) {
        Some((claim, Some(record))) if record.record.phase == Phase::Active => Named::Active(claim.holder.id.clone(), record),
        Some((claim, _)) => Named::Kept(claim.clone()),
        None => {
            let of_record = |id: &str| records.iter().any(|claim| claim.holder.id == id);
            let host = claims.iter().find(|claim| claim.record.is_none() && !of_record(&claim.holder.id));
            host.map_or(Named::Nobody, |claim| Named::Hosts(claim.holder.id.clone()))
        }
    }
}

impl Named {
    /// Where its record says it is.
    pub fn bench(&self) -> Option<&BenchRef> {
        match self {
            Self::Active(_, held) => Some(&held.record.bench),
            Self::Kept(claim) => claim.record().map(|record| &record.bench),
            Self::Hosts(_) | Self::Nobody => None,
        }
    }

    /// There is something that the Tenant's end has to take away, whatever its spec says now.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Active(..) | Self::Hosts(_))
    }
}

/// Whether the claim of the site has to be looked at before it can be decided.
pub fn asks_for_site(tenant: &Tenant, named: &Named) -> bool {
    tenant.spec.adoption != Adoption::Never && matches!(named, Named::Hosts(_) | Named::Nobody)
}

/// The name of the claim of the site that the Tenant would have on this Bench.
pub fn site_claim(tenant: &Tenant, bench: &Bench) -> String {
    let (spec, namespace) = (&bench.spec, bench.metadata.namespace.clone().unwrap_or_default());
    names::site_claim(&namespace, &spec.sites_volume.claim_name, &spec.path, &site_of(&tenant.spec, spec))
}

/// Who the Tenant is.
///
/// # Errors
/// A [`Problem`] that says what a person may do: nothing was touched.
pub fn decide(facts: Facts<'_>) -> Result<Identity, Problem> {
    let own = match &facts.named {
        Named::Active(id, held) => return Ok(living(&facts, id, held)),
        Named::Kept(claim) => return kept(&facts, claim),
        Named::Hosts(id) => Some(id.clone()),
        Named::Nobody => None,
    };
    let asked = facts.tenant.spec.adoption != Adoption::Never;
    if let Some(claim) = facts.site.filter(|claim| asked && claim.record.is_some() && Some(&claim.holder.id) != own.as_ref()) {
        let alive = facts.holder_lives || claim.phase().is_none();
        // Another's, which is said as for every claim that is held.
        return if alive { Ok(begin(own, Begin::New)) } else { kept(&facts, claim) };
    }
    if let Some(found) = lost(&facts, own.as_deref())? {
        let id = Some(found.id.clone());
        // A site that carries no database name of ours is the Bench's to give, this time as the first.
        return if found.adopted {
            listed(&facts, || Ok(begin(id, Begin::Adopt(found.serial))))
        } else {
            Ok(begin(id, Begin::Recover(found.serial)))
        };
    }
    match facts.tenant.spec.adoption {
        Adoption::Never => Ok(begin(own, Begin::New)),
        Adoption::Report => listed(&facts, || Ok(begin(Some(reporter(facts.tenant)), Begin::Report))),
        Adoption::TakeOver => listed(&facts, || Ok(begin(own, Begin::Adopt(0)))),
    }
}

/// As it is; but where an earlier object of its name had begun to leave and its key was revoked, that is taken back.
fn living(facts: &Facts<'_>, id: &str, held: &Remembered) -> Identity {
    let own = Identity { id: Some(id.to_owned()), record: Some(held.clone()), begin: Begin::New };
    if !held.record.receipts.contains_key(Step::Revoke.as_str()) || is_leaving(&held.record) {
        return own;
    }
    let name = |part: &Option<String>| part.clone().unwrap_or_default();
    let meta = &facts.tenant.metadata;
    let from = Holder { id: id.to_owned(), namespace: name(&meta.namespace), name: name(&meta.name) };
    let secret = held.record.credentials_secret.clone();
    let record = record::taken_over(&held.record, &held.record.bench, secret.clone());
    let record = Remembered { record, version: held.version.clone() };
    Identity { record: Some(record), begin: Begin::TakeOver(Handover { from, secret }), ..own }
}

/// The removal of its site has begun: that is brought to its end, whoever bears the name by now.
pub fn is_leaving(record: &Record) -> bool {
    record.phase == Phase::Active && record.receipts.contains_key(Step::Drop.as_str())
}

fn begin(id: Option<String>, begin: Begin) -> Identity {
    Identity { id, record: None, begin }
}

/// A report takes nothing, so it has no identity to keep; but its Job has to be found again.
pub fn reporter(tenant: &Tenant) -> String {
    let meta = &tenant.metadata;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    names::digest(&["report", &part(&meta.namespace), &part(&meta.name)], 16)
}

/// A record whose Tenant is gone: it goes over only where the Tenant asks for it and the Bench lists the site.
fn kept(facts: &Facts<'_>, claim: &Held) -> Result<Identity, Problem> {
    let (Some(held), id) = (&claim.record, &claim.holder.id) else { return Ok(begin(None, Begin::New)) };
    let (record, spec) = (&held.record, &facts.tenant.spec);
    let site = &record.site_name;
    if record.phase == Phase::Abandoned {
        return Err(abandoned(claim, record));
    }
    if spec.adoption == Adoption::Never {
        return Err(needed(format!(
            "{site} was kept when its Tenant was deleted (TenantClaim {}): set spec.adoption to TakeOver and list the site in the \
             Bench's adoption.siteNames, or choose another subdomain",
            claim.name
        )));
    }
    if record.subdomain != spec.subdomain || *site != site_of(spec, &facts.bench.spec) {
        return Err(Problem::lasting(
            "Conflict",
            format!("{site} belongs to the subdomain {}: give the Tenant that subdomain, and that siteName", record.subdomain),
        ));
    }
    if record.hosts != hosts_of(spec, &facts.bench.spec) {
        return Err(Problem::lasting(
            "Conflict",
            format!("{site} has other hosts than this Bench gives: name its own Bench in benchRef"),
        ));
    }
    listed(facts, || {
        if spec.adoption == Adoption::Report {
            return Ok(begin(Some(id.clone()), Begin::Report));
        }
        let secret = spec.credentials.secret_name.clone().unwrap_or_else(|| default_secret(facts.tenant));
        let handover = Handover { from: claim.holder.clone(), secret: record.credentials_secret.clone() };
        let record = record::taken_over(record, &super::place::reference(facts.bench), secret);
        let record = Remembered { record, version: held.version.clone() };
        Ok(Identity { id: Some(id.clone()), record: Some(record), begin: Begin::TakeOver(handover) })
    })
}

pub(super) fn default_secret(tenant: &Tenant) -> String {
    format!("{}-credentials", tenant.metadata.name.as_deref().unwrap_or_default())
}

/// The Bench has the last word on every site that it did not have made for this Tenant.
fn listed(facts: &Facts<'_>, go: impl FnOnce() -> Result<Identity, Problem>) -> Result<Identity, Problem> {
    let site = site_of(&facts.tenant.spec, &facts.bench.spec);
    if facts.bench.spec.adoption.site_names.contains(&site) {
        return go();
    }
    let bench = super::place::reference(facts.bench);
    Err(needed(format!(
        "Bench {}/{} does not list {site}: add it to its adoption.siteNames, or leave spec.adoption out",
        bench.namespace, bench.name
    )))
}

/// Secrets in custody without a record: the claims were lost, and the site may well be there.
fn lost<'a>(facts: &'a Facts<'_>, own: Option<&str>) -> Result<Option<&'a Custody>, Problem> {
    let here = super::place::reference(facts.bench);
    let site = site_of(&facts.tenant.spec, &facts.bench.spec);
    // An earlier Tenant of this name may have left the secrets of another site.
    let mut found: Vec<&Custody> = facts.custody.iter().filter(|custody| custody.bench == here && custody.site == site).collect();
    // Where hosts are still held, they say which.
    if let Some(own) = own.filter(|own| found.iter().any(|custody| custody.id == *own)) {
        found.retain(|custody| custody.id == own);
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] if facts.bench.spec.adoption.recover => Ok(Some(*one)),
        [one] => Err(needed(format!(
            "the record of this tenant is lost, but its Secret {}/{} is there: restore its TenantClaims from a backup, or set the \
             Bench's adoption.recover to true; if that site is gone for good, delete the Secret",
            here.namespace,
            names::custody(&one.id)
        ))),
        many => {
            let secrets: Vec<String> = many.iter().map(|custody| names::custody(&custody.id)).collect();
            Err(needed(format!(
                "the record of this tenant is lost, and several Secrets in {} may be its own ({}): restore its TenantClaims from a \
                 backup, or delete the Secrets that are not",
                here.namespace,
                secrets.join(", ")
            )))
        }
    }
}

fn abandoned(claim: &Held, record: &Record) -> Problem {
    let left = record.left.first().map_or_else(String::new, |left| format!(" ({left})"));
    needed(format!(
        "the end of an earlier tenant with {} was given up{left}: take away what TenantClaim {} names in spec.record.left, then delete \
         that claim",
        record.site_name, claim.name
    ))
}

fn needed(message: String) -> Problem {
    Problem::lasting(REASON, message)
}

pub fn object_name(holder: &Holder) -> ObjectName {
    ObjectName { namespace: holder.namespace.clone(), name: holder.name.clone() }
}
