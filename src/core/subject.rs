//! Whom a pass is about: a tenant's fixed identity, where it lies, and (on the way up) everything that its spec, plan and Bench want.
//!
//! Coming down, the identity is read from the record, so that a spec gone bad never blocks a delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::Resource;

use super::abandon::{self, Patience};
use super::expectation::{self, Doubt};
pub use super::hosts::{hosts_of, site_of};
use super::identity::{self, Begin};
pub use super::problem::Problem;
use super::steps::Step;
use super::want::want;
pub use super::want::{Config, ConfigValue, Want};
use super::{check, names, rollout, templates};
use crate::api::{Bench, BenchRef, BenchSpec, DeletionPolicy, Hosts, Origin, Phase, Record, Template, Tenant, TenantPlan};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    pub namespace: String,
    pub name: String,
}

impl ObjectName {
    pub fn of(object: &impl Resource) -> Self {
        let meta = object.meta();
        Self { namespace: meta.namespace.clone().unwrap_or_default(), name: meta.name.clone().unwrap_or_default() }
    }
}

/// The record, and the version it was read at: it is only ever changed from there.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    pub record: Record,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BenchAt {
    pub name: String,
    pub namespace: String,
    pub spec: Arc<BenchSpec>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    pub id: String,
    pub tenant: ObjectName,
    pub generation: i64,
    /// When this pass looks; the only clock that decisions have.
    /// When the pass began.
    pub began: Timestamp,
    pub now: Timestamp,
    /// When the Tenant was created: the oldest goes first through the gate.
    pub created: Timestamp,
    pub cluster: String,
    pub bench: BenchAt,
    pub subdomain: String,
    pub site: String,
    pub database: String,
    pub hosts: Hosts,
    pub credentials_secret: String,
    pub deletion: DeletionPolicy,
    /// A person's word that failed steps may be tried again from this moment on.
    pub retry_at: Option<Timestamp>,
    pub record: Option<Remembered>,
    /// What the Bench's last inspection found different in its site.
    pub doubt: Option<Doubt>,
    /// What its site can be made from.
    pub template: Option<Template>,
    /// How it begins, while it has no living record of its own.
    pub begin: Begin,
    /// What an adoption would change, as it was reported before at this generation.
    pub reported: Option<Vec<String>>,
    /// How long its end may be held up by what cannot be reached.
    pub patience: Patience,
    /// What was given up in this pass, and is left for a person.
    pub given_up: Vec<String>,
    /// What it should be; none on the way down.
    pub want: Option<Want>,
}

/// A Secret's key in the tenant's namespace, and the variable that carries it into the Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInput {
    pub secret: String,
    pub key: String,
    pub env: String,
}

/// Everything that is read before a pass can begin.
pub struct Given<'a> {
    pub tenant: &'a Tenant,
    /// The plan as it is now; what is applied of it is for [`rollout`] to say.
    pub plan: Option<&'a TenantPlan>,
    /// It is the tenant's turn to follow the plan where it was changed.
    pub turn: bool,
    pub bench: &'a Bench,
    pub id: String,
    pub record: Option<Remembered>,
    pub begin: Begin,
    pub now: Timestamp,
    pub cluster: String,
}

impl Subject {
    /// The way up: what spec, plan and Bench say together.
    ///
    /// # Errors
    /// A [`Problem`] that names the field and the fix.
    pub fn parse(given: Given<'_>) -> Result<Self, Problem> {
        let spec = &given.tenant.spec;
        let record = given.record.as_ref().map(|held| &held.record);
        let plan = rollout::applied(&spec.plan, given.plan, record, given.turn).ok_or_else(|| {
            Problem::passing(
                "PlanNotFound",
                format!("there is no TenantPlan {0:?}: create it, or name another in spec.plan", spec.plan),
            )
        })?;
        let bench = &given.bench.spec;
        check::subdomain(&spec.subdomain, bench)?;
        check::organization(spec.organization.as_ref())?;
        let new = record.is_none();
        let want = want(&given, plan)?;
        let hosts = hosts_of(spec, bench);
        check::hosts(&hosts)?;
        let site = site_of(spec, bench);
        check::site_name(&site, &hosts, new, given.tenant, given.bench)?;
        if bench.registry.as_ref().is_some_and(|registry| registry.site == site) {
            return Err(Problem::lasting("SiteProtected", format!("{site} is the Master's own site: choose another subdomain")));
        }
        let mut subject = Self::of(given, want.into());
        subject.hosts = hosts;
        subject.site = site;
        if let Some(record) = &subject.record
            && (record.record.subdomain != subject.subdomain || record.record.site_name != subject.site)
        {
            return Err(Problem::lasting(
                "Conflict",
                format!(
                    "this name has the record of the tenant {}: delete the Tenant, or give it that subdomain again",
                    record.record.subdomain
                ),
            ));
        }
        Ok(subject)
    }

    /// The way down: who the record says it is.
    pub fn remembered(given: Given<'_>) -> Self {
        let patience = abandon::patience(given.tenant);
        let mut subject = Self { patience, ..Self::of(given, None) };
        if let Some(Remembered { record, .. }) = &subject.record {
            subject.subdomain.clone_from(&record.subdomain);
            subject.site.clone_from(&record.site_name);
            subject.database.clone_from(&record.database);
            subject.hosts = record.hosts.clone();
            subject.credentials_secret.clone_from(&record.credentials_secret);
            // Whoever bears its name later has no say over a site that was to stay.
            if record.phase != Phase::Active {
                subject.deletion = DeletionPolicy::Retain;
            }
        }
        subject
    }

    /// The way down of a tenant whose object is gone already: the site that was being removed goes as its record says, and nobody's
    /// policy of today has a say in it.
    pub fn left_behind(given: Given<'_>) -> Self {
        Self { deletion: DeletionPolicy::Archive, patience: Patience::Forever, ..Self::remembered(given) }
    }

    fn of(given: Given<'_>, want: Option<Want>) -> Self {
        let meta = &given.tenant.metadata;
        let name = meta.name.clone().unwrap_or_default();
        let retry_at =
            meta.annotations.as_ref().and_then(|all| all.get(names::annotation::RETRY_AT)).and_then(|at| at.parse().ok());
        let adopted = matches!(given.begin, Begin::Adopt(_) | Begin::Report);
        let record = given.record.as_ref().map(|held| &held.record);
        let adopted_before = record.filter(|record| record.origin == Origin::Adopted);
        Self {
            database: match adopted_before {
                // Learnt from the site itself.
                Some(record) => record.database.clone(),
                None if adopted => String::new(),
                None => names::database(&given.id),
            },
            generation: meta.generation.unwrap_or_default(),
            began: given.now,
            now: given.now,
            created: meta.creation_timestamp.as_ref().map_or(given.now, |time| time.0),
            bench: BenchAt {
                name: given.bench.metadata.name.clone().unwrap_or_default(),
                namespace: given.bench.metadata.namespace.clone().unwrap_or_default(),
                spec: Arc::new(given.bench.spec.clone()),
            },
            subdomain: given.tenant.spec.subdomain.clone(),
            site: String::new(),
            hosts: Hosts { frontend: String::new(), api: String::new() },
            credentials_secret: given
                .tenant
                .spec
                .credentials
                .secret_name
                .clone()
                .unwrap_or_else(|| identity::default_secret(given.tenant)),
            deletion: match (given.tenant.spec.deletion_policy, adopted_before) {
                (None, Some(_)) => DeletionPolicy::Retain,
                _ => given.tenant.spec.deletion_policy(),
            },
            retry_at,
            doubt: expectation::doubt(given.bench.status.as_ref(), &given.id),
            template: want.as_ref().and_then(|want| templates::best(given.bench.status.as_ref(), &want.apps)).cloned(),
            reported: super::stages::reported(given.tenant),
            patience: Patience::Forever,
            given_up: vec![],
            want,
            tenant: ObjectName { namespace: meta.namespace.clone().unwrap_or_default(), name },
            id: given.id,
            record: given.record,
            begin: given.begin,
            cluster: given.cluster,
        }
    }

    /// The record as it is now, and what is read from nothing else.
    pub fn remember(&mut self, held: Remembered) {
        if held.record.origin == Origin::Adopted {
            self.database.clone_from(&held.record.database);
        }
        self.begin = Begin::New;
        self.record = Some(held);
    }

    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref().map(|remembered| &remembered.record)
    }

    pub fn receipt(&self, step: Step) -> Option<&crate::api::Receipt> {
        self.record()?.receipts.get(step.as_str())
    }

    /// Only looked at: nothing is taken, and nothing changed.
    pub fn reports(&self) -> bool {
        self.begin == Begin::Report
    }

    /// The key works and the tenant's Secret has it: the public hosts may lead to the site.
    pub fn serves(&self) -> bool {
        self.receipt(Step::Proof).is_some()
    }

    pub fn bench_ref(&self) -> BenchRef {
        BenchRef { name: self.bench.name.clone(), namespace: self.bench.namespace.clone() }
    }

    pub fn site_claim(&self) -> String {
        let spec = &self.bench.spec;
        names::site_claim(&self.bench.namespace, &spec.sites_volume.claim_name, &spec.path, &self.site)
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        [
            (names::label::ID, self.id.clone()),
            (names::label::TENANT, self.tenant.name.clone()),
            (names::label::TENANT_NAMESPACE, self.tenant.namespace.clone()),
            (names::label::BENCH, self.bench.name.clone()),
            (names::label::MANAGED_BY, names::MANAGER.to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// The Secrets of the tenant's namespace that its Jobs need.
    pub fn secret_inputs(&self) -> Vec<SecretInput> {
        let Some(want) = &self.want else { return vec![] };
        let password = want.admin.password_secret_ref.iter().map(|from| SecretInput {
            secret: from.name.clone(),
            key: from.key.clone(),
            env: names::ADMIN_PASSWORD.to_owned(),
        });
        let config = want.config.iter().enumerate().filter_map(|(index, config)| match &config.value {
            ConfigValue::Plain(_) => None,
            ConfigValue::Secret { secret, key } => {
                Some(SecretInput { secret: secret.clone(), key: key.clone(), env: format!("TENANT_SITE_CONFIG_{index}") })
            }
        });
        password.chain(config).collect()
    }
}
