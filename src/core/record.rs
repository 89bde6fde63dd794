//! The durable record of a tenant: how it begins, and each change that can be made to it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::identity::Begin;
use super::steps::Step;
use super::subject::Subject;
use crate::api::{BenchRef, Origin, Phase, PlanCopy, Receipt, Record, Rotation};

/// The hash of a receipt whose step has to run again, whatever its inputs are: it began, or what it left in the site is in doubt.
pub const STALE: &str = "stale";

/// One change of the durable record.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Receipts(BTreeMap<Step, Receipt>),
    /// The steps have to run again; what they reported last is still known.
    Stale(Vec<Step>),
    Forget(Step),
    FirstReady(Timestamp),
    /// Where the archive of the site will lie, relative to the bench's sites folder.
    Archive(String),
    Phase(Phase),
    /// The plan as it is to be applied from now on.
    Plan(Box<PlanCopy>),
    Rotation(Rotation),
    /// The database that an adopted site has.
    Database(String),
    /// What is given up, one line each.
    Left(Vec<String>),
}

/// The record that a tenant begins with.
pub fn first(who: &Subject) -> Record {
    Record {
        subdomain: who.subdomain.clone(),
        bench: who.bench_ref(),
        bench_path: who.bench.spec.path.clone(),
        sites_claim: who.bench.spec.sites_volume.claim_name.clone(),
        site_name: who.site.clone(),
        database: who.database.clone(),
        hosts: who.hosts.clone(),
        credentials_secret: who.credentials_secret.clone(),
        created_at: Time(who.now),
        first_ready_at: None,
        phase: Phase::Active,
        origin: match who.begin {
            Begin::New | Begin::Report | Begin::TakeOver(_) => Origin::Created,
            Begin::Recover(_) => Origin::Recovered,
            Begin::Adopt(_) => Origin::Adopted,
        },
        plan: who.want.as_ref().map(|want| (*want.copy).clone()),
        // The first pair is made for the token that is there from the beginning.
        rotation: Rotation {
            serial: match who.begin {
                // Of a tenant whose record was lost: its newest pair is set and proven again, and the one before it stopped.
                Begin::Recover(serial) | Begin::Adopt(serial) => serial,
                Begin::New | Begin::Report | Begin::TakeOver(_) => 0,
            },
            token: who.want.as_ref().and_then(|want| want.credentials.rotate_token.clone()),
            ..Default::default()
        },
        receipts: Default::default(),
        archive: None,
        left: vec![],
    }
}

/// A record that goes over to another Tenant, or to a new one of the same name: the site is as it was left, and its key was revoked.
pub fn taken_over(record: &Record, bench: &BenchRef, secret: String) -> Record {
    let mut record = record.clone();
    record.bench = bench.clone();
    record.credentials_secret = secret;
    record.phase = Phase::Active;
    record.receipts.remove(Step::Revoke.as_str());
    // Nothing is published any more: the hosts say that they are prepared until the key works again.
    record.receipts.remove(Step::Proof.as_str());
    changed(&record, &Change::Stale(vec![Step::Settings, Step::Keys]))
}

/// The record after the change.
pub fn changed(record: &Record, change: &Change) -> Record {
    let mut record = record.clone();
    match change {
        Change::Receipts(receipts) => {
            record.receipts.extend(receipts.iter().map(|(step, receipt)| (step.as_str().to_owned(), receipt.clone())));
        }
        Change::Stale(steps) => {
            for step in steps {
                if let Some(receipt) = record.receipts.get_mut(step.as_str()) {
                    STALE.clone_into(&mut receipt.hash);
                }
            }
        }
        Change::Forget(step) => drop(record.receipts.remove(step.as_str())),
        Change::FirstReady(at) => record.first_ready_at = Some(Time(*at)),
        Change::Archive(folder) => record.archive = Some(folder.clone()),
        Change::Phase(phase) => record.phase = *phase,
        Change::Plan(plan) => record.plan = Some((**plan).clone()),
        Change::Rotation(rotation) => record.rotation = rotation.clone(),
        Change::Database(name) => record.database.clone_from(name),
        Change::Left(left) => record.left.clone_from(left),
    }
    record
}
