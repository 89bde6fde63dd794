//! The tenant's row in the Master site: written last, only on difference, and only while it is ours.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::work;
use crate::api::{DeletionPolicy, Receipt, Registry, RegistryOnDelete, RegistrySource};
use crate::core::op::{Cell, Change, Op, Row};
use crate::core::seen::{RegistryAnswer, RegistrySeen};
use crate::core::steps::Step;
use crate::core::subject::Subject;
use crate::core::verdict::Verdict;
use crate::core::{names, rotation};

const AGAIN: u64 = 30;
/// The hash of a receipt while the row is being written.
const BEGUN: &str = "begun";

type Fields = BTreeMap<String, String>;
type Values = BTreeMap<String, Value>;

pub fn up(who: &Subject, seen: &RegistrySeen) -> Verdict {
    let Some(registry) = &who.bench.spec.registry else {
        return Verdict::settled("NotAsked", "the Bench has no registry");
    };
    let (fields, row) = match known(who, registry, seen) {
        Ok(known) => known,
        Err(verdict) => return verdict,
    };
    if let Some(verdict) = unfit(registry, fields) {
        return verdict;
    }
    match row {
        None => {
            let all = cells(who, registry, fields, state(who), None);
            let wanted = hash(&all, who);
            write(who, Row { create: true, fields: all }, true, &wanted)
        }
        Some(row) => match owner(registry, row) {
            Owner::Us(id) if id != who.id => Verdict::stalled(
                "RegistryConflict",
                format!(
                    "{} {} in the Master belongs to another tenant ({id}): remove the row, or choose another subdomain",
                    registry.doc_type, who.subdomain
                ),
            ),
            owner => keep(who, registry, fields, row, &owner),
        },
    }
}

fn state(who: &Subject) -> &'static str {
    if who.suspend().is_some() { "Suspended" } else { "Active" }
}

/// A row that is there: in sync, or what differs is written. Frappe changes some values on their way in (it trims, rounds, cleans
/// HTML): what a write of ours came to is as good as what was written, and only a change after that is a difference.
fn keep(who: &Subject, registry: &Registry, fields: &Fields, row: &Values, owner: &Owner) -> Verdict {
    let receipt = who.receipt(Step::Row);
    let facts = receipt.and_then(|receipt| receipt.facts.clone()).unwrap_or_default();
    let wanted = hash(&cells(who, registry, fields, state(who), None), who);
    let written = receipt.is_some_and(|receipt| receipt.hash == wanted);
    let cells = cells(who, registry, fields, state(who), Some((row, written)));
    let seen = json!(digest(registry, row));
    let came_to = &facts["seen"];
    if written && (cells.is_empty() || *came_to == seen) {
        return in_sync(who, registry);
    }
    let created = facts["created"] == json!(true) && matches!(owner, Owner::Us(_));
    // Only in the pass that wrote it: what is found later may be somebody's change.
    let just_now = receipt.is_some_and(|receipt| receipt.at.0.as_second() >= who.began.as_second());
    if written && came_to.is_null() && just_now {
        return Verdict::Do(vec![remember(who, &wanted, &json!({"created": created, "seen": seen}))]);
    }
    // A row that somebody made before us is taken over, and never deleted.
    write(who, Row { create: false, fields: cells }, created, &wanted)
}

/// What the condition says of a row that is as it should be.
pub const IN_SYNC: &str = "InSync";

fn in_sync(who: &Subject, registry: &Registry) -> Verdict {
    Verdict::settled(IN_SYNC, format!("{} {}", registry.doc_type, who.subdomain))
}

/// Whether all that is wanted of the row was written.
pub fn is_written(who: &Subject, registry: &Registry, fields: &BTreeMap<String, String>) -> bool {
    let wanted = hash(&cells(who, registry, fields, state(who), None), who);
    who.receipt(Step::Row).is_some_and(|receipt| receipt.hash == wanted)
}

/// What is about to be done is remembered first: at the end only a row that we made may be deleted. And where it is not known what
/// the last write came to, its receipt ends here: what is in the row after a write whose reply was lost must not pass for it.
fn write(who: &Subject, row: Row, created: bool, wanted: &str) -> Verdict {
    let facts = json!({"created": created});
    let mut ops = vec![];
    let unsure = |receipt: &Receipt| receipt.hash != BEGUN && receipt.facts.as_ref().is_none_or(|facts| facts["seen"].is_null());
    if who.receipt(Step::Row).is_none_or(unsure) {
        ops.push(remember(who, BEGUN, &facts));
    }
    if !row.fields.is_empty() {
        ops.push(Op::WriteRow(row));
    }
    ops.push(remember(who, wanted, &facts));
    Verdict::Do(ops)
}

fn remember(who: &Subject, hash: &str, facts: &Value) -> Op {
    Op::Remember(Change::Receipts(BTreeMap::from([(Step::Row, work::receipt(who, hash, facts))])))
}

/// Of all that is wanted, and of which pair the key is: Password fields come back masked and can't be compared.
fn hash(wanted: &BTreeMap<String, Cell>, who: &Subject) -> String {
    let pair = rotation::proven(who).map(|proven| proven.serial.to_string()).unwrap_or_default();
    names::digest(&[&format!("{wanted:?}"), &pair], 16)
}

/// Of the row as it is, as far as it is ours.
fn digest(registry: &Registry, row: &Values) -> String {
    let ours = registry.fields.iter().map(|field| text(row.get(&field.name)));
    let all: Vec<String> = ours.chain([text(row.get(&registry.id_field))]).collect();
    names::digest(&all.iter().map(String::as_str).collect::<Vec<_>>(), 16)
}

pub fn down(who: &Subject, seen: &RegistrySeen) -> Verdict {
    let Some(registry) = &who.bench.spec.registry else {
        return Verdict::settled("NotAsked", "the Bench has no registry");
    };
    if who.receipt(Step::Row).is_none() || matches!(seen.answer, RegistryAnswer::DocTypeMissing) {
        return Verdict::settled("Removed", "the Master has no row of ours");
    }
    let (fields, row) = match known(who, registry, seen) {
        Ok(known) => known,
        Err(verdict) => return verdict,
    };
    let Some(row) = row.filter(|row| matches!(owner(registry, row), Owner::Us(id) if id == who.id)) else {
        return Verdict::settled("Removed", "the Master has no row of ours");
    };
    let created =
        who.receipt(Step::Row).and_then(|receipt| receipt.facts.as_ref()).is_some_and(|facts| facts["created"] == json!(true));
    if registry.on_delete == RegistryOnDelete::Delete && created && who.parting() != DeletionPolicy::Retain {
        return Verdict::Do(vec![Op::RemoveRow]);
    }
    let status = match who.parting() {
        DeletionPolicy::Archive if who.archived() => "Archived",
        DeletionPolicy::Archive | DeletionPolicy::Delete => "Deleted",
        DeletionPolicy::Retain => "Retained",
    };
    let mapped: Vec<&str> =
        registry.fields.iter().filter(|field| field.from == RegistrySource::Status).map(|field| field.name.as_str()).collect();
    let mut last: BTreeMap<String, Cell> = mapped
        .into_iter()
        .filter(|name| fields.contains_key(*name) && text(row.get(*name)) != status)
        .map(|name| (name.to_owned(), Cell::Text(status.to_owned())))
        .collect();
    if who.parting() != DeletionPolicy::Retain {
        // Nobody's from now on: the next tenant of this name would else meet it as another's, and never be Ready.
        last.insert(registry.id_field.clone(), Cell::Text(String::new()));
    }
    if last.is_empty() {
        Verdict::settled("Removed", format!("{} {} says {status}", registry.doc_type, who.subdomain))
    } else {
        Verdict::Do(vec![Op::WriteRow(Row { create: false, fields: last })])
    }
}

/// The DocType and the row, or what to do about not knowing them.
fn known<'a>(who: &Subject, registry: &Registry, seen: &'a RegistrySeen) -> Result<(&'a Fields, Option<&'a Values>), Verdict> {
    match &seen.answer {
        RegistryAnswer::Known { fields, row } => Ok((fields, row.as_ref())),
        RegistryAnswer::OnTrust => Err(in_sync(who, registry)),
        RegistryAnswer::None => Err(Verdict::settled("NotAsked", "the Bench has no registry")),
        RegistryAnswer::Unreachable(words) => {
            Err(Verdict::wait("RegistryUnreachable", format!("{}: {words}", registry.url), AGAIN))
        }
        RegistryAnswer::TokenMissing(words) => Err(Verdict::wait("RegistryTokenMissing", words, AGAIN)),
        RegistryAnswer::Denied(words) => {
            let message = format!("the Master refuses the token of Secret {}: {words}", registry.token_secret_ref.name);
            Err(Verdict::wait("RegistryDenied", message, 120))
        }
        RegistryAnswer::DocTypeMissing => {
            let message =
                format!("the Master has no DocType {:?}: create it, or correct the Bench's registry.docType", registry.doc_type);
            Err(Verdict::stalled("RegistryDocTypeMissing", message))
        }
    }
}

/// What the DocType must have for us to write to it at all.
fn unfit(registry: &Registry, fields: &Fields) -> Option<Verdict> {
    if !fields.contains_key(&registry.id_field) {
        let message = format!(
            "DocType {:?} has no field {:?}: add it (type Data), it says whose row it is (the Bench's registry.idField)",
            registry.doc_type, registry.id_field
        );
        return Some(Verdict::stalled("RegistryFieldMissing", message));
    }
    let open = registry.fields.iter().find(|field| {
        field.from == RegistrySource::APISecret && fields.get(&field.name).is_some_and(|type_| type_ != "Password")
    })?;
    let message = format!(
        "the API secret may only go into a field of type Password: change {:?} of DocType {:?}",
        open.name, registry.doc_type
    );
    Some(Verdict::stalled("RegistryFieldNotSecret", message))
}

enum Owner<'a> {
    Nobody,
    Us(&'a str),
}

fn owner<'a>(registry: &Registry, row: &'a Values) -> Owner<'a> {
    match row.get(&registry.id_field).and_then(Value::as_str) {
        None | Some("") => Owner::Nobody,
        Some(id) => Owner::Us(id),
    }
}

/// What is to be written: everything for a new row, only what differs for one that is there. Fields that the DocType does not have
/// are left out: Frappe would drop them without a word, and they would differ for ever.
fn cells(
    who: &Subject,
    registry: &Registry,
    fields: &Fields,
    status: &str,
    row: Option<(&Values, bool)>,
) -> BTreeMap<String, Cell> {
    let mapped = registry.fields.iter().map(|field| (field.name.as_str(), cell(who, field.from, status)));
    let ours = [
        (registry.key_field.as_str(), Some(Cell::Text(who.subdomain.clone()))),
        (registry.id_field.as_str(), Some(Cell::Text(who.id.clone()))),
    ];
    let all = mapped.chain(ours).filter_map(|(name, cell)| Some((name, cell?))).filter(|(name, _)| fields.contains_key(*name));
    all.filter(|(name, cell)| match (row, cell) {
        (None, _) => true,
        (Some((row, _)), Cell::Text(want)) => stored(row.get(*name), &fields[*name]) != *want,
        (Some((_, written)), Cell::ApiKey | Cell::ApiSecret) => !written,
    })
    .map(|(name, cell)| (name.to_owned(), cell))
    .collect()
}

/// As it was written: Frappe adds the fractions of a second to a moment that has none.
fn stored(value: Option<&Value>, type_: &str) -> String {
    let text = text(value);
    let moment = (type_ == "Datetime").then(|| text.strip_suffix(".000000")).flatten();
    moment.map_or(text.clone(), str::to_owned)
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn cell(who: &Subject, from: RegistrySource, status: &str) -> Option<Cell> {
    let want = who.want.as_ref();
    let text = match from {
        RegistrySource::Subdomain => who.subdomain.clone(),
        RegistrySource::OrganizationName => want?.organization.as_ref()?.name.clone()?,
        RegistrySource::AdminEmail => want?.admin.email.clone(),
        RegistrySource::Plan => want?.plan_value.clone(),
        RegistrySource::FrontendURL => format!("https://{}", who.hosts.frontend),
        RegistrySource::APIURL => format!("https://{}", who.hosts.api),
        RegistrySource::SiteName => who.site.clone(),
        RegistrySource::Status => status.to_owned(),
        RegistrySource::Id => who.id.clone(),
        RegistrySource::CreatedAt => who.record()?.created_at.0.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        RegistrySource::APIKey => return Some(Cell::ApiKey),
        RegistrySource::APISecret => return Some(Cell::ApiSecret),
    };
    Some(Cell::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_that_the_master_answers_with_fractions_is_the_one_that_was_written() {
        let answered = json!("2026-11-21 10:15:50.000000");
        assert_eq!(stored(Some(&answered), "Datetime"), "2026-11-21 10:15:50");
        assert_eq!(stored(Some(&answered), "Data"), "2026-11-21 10:15:50.000000");
        assert_eq!(stored(None, "Datetime"), "");
    }
}
