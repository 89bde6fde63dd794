//! What must be true: of every status, of a tenant that is Ready, and of one that has gone.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition as MetaCondition;
use serde_json::{Value, json};
use tenant_operator::api::{Condition, Phase, RegistryOnDelete, Setup, Tenant, TenantStatus};
use tenant_operator::core::lead::Leads;
use tenant_operator::core::rotation;
use tenant_operator::core::subject::{ObjectName, Subject};

use crate::outside::Outside;
use crate::suspend;

pub fn find<'a>(status: &'a TenantStatus, condition: Condition) -> Option<&'a MetaCondition> {
    status.conditions.iter().find(|found| found.type_ == condition.type_())
}

pub fn is_true(status: Option<&TenantStatus>, condition: Condition) -> bool {
    status.and_then(|status| find(status, condition)).is_some_and(|condition| condition.status == "True")
}

/// For the trace: what kubectl would show.
pub fn line(status: &TenantStatus) -> String {
    let brief = |condition: &MetaCondition| format!("{}={}/{}", condition.type_, condition.status, condition.reason);
    status.conditions.iter().map(brief).collect::<Vec<_>>().join(" ")
}

/// Complete, explained, of this generation, and with times that change only with what they are times of.
pub fn status_is_sound(outside: &mut Outside, tenant: &Tenant, status: &TenantStatus) {
    let mut wrong = vec![];
    if status.observed_generation != tenant.metadata.generation {
        wrong.push("the status is of another generation".to_owned());
    }
    for condition in Condition::ALL {
        let found: Vec<_> = status.conditions.iter().filter(|found| found.type_ == condition.type_()).collect();
        if found.len() > 1 || found.is_empty() && !condition.only_while_true() {
            wrong.push(format!("{condition} is there {} times", found.len()));
        }
    }
    for condition in &status.conditions {
        let before = tenant.status.iter().flat_map(|old| &old.conditions).find(|old| old.type_ == condition.type_);
        let since = before.filter(|before| before.status == condition.status).map(|before| before.last_transition_time.0);
        // A change has a time of the pass that saw it.
        let now = super::outside::at(outside.began)..=outside.time();
        let said = condition.last_transition_time.0;
        if since.map_or(!now.contains(&said), |since| said != since) {
            wrong.push(format!("{} is said to be so since {:?}", condition.type_, condition.last_transition_time));
        }
        let reason = condition.reason.as_str();
        if !reason.starts_with(|first: char| first.is_ascii_uppercase())
            || !reason.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            wrong.push(format!("{} has the reason {reason:?}", condition.type_));
        }
        if condition.observed_generation != tenant.metadata.generation || condition.message.is_empty() {
            wrong.push(format!("{} is of another generation, or says nothing", condition.type_));
        }
    }
    let (ready, stalled) = (is_true(Some(status), Condition::Ready), is_true(Some(status), Condition::Stalled));
    let reconciling = is_true(Some(status), Condition::Reconciling);
    if stalled && reconciling || ready && (stalled || reconciling) || !ready && !stalled && !reconciling {
        wrong.push(format!("Ready {ready}, Stalled {stalled} and Reconciling {reconciling} do not go together"));
    }
    if ready {
        wrong.extend(published_key_works(outside, tenant, status).err());
        wrong.extend(suspend::is_as_it_says(outside, tenant, status).err());
    }
    wrong.extend(suspend::is_said_when_true(tenant, status).err());
    for what in wrong {
        outside.fault(format!("status: {what}; {}", line(status)));
    }
}

/// Whatever the network is like just now.
fn published_key_works(outside: &Outside, tenant: &Tenant, status: &TenantStatus) -> Result<(), String> {
    let passport = ObjectName {
        namespace: tenant.metadata.namespace.clone().unwrap_or_default(),
        name: tenant.spec.credentials.secret_name.clone().unwrap_or_default(),
    };
    let Some(published) = outside.secrets.published.get(&passport) else {
        // It comes back with the next try; KeysReady says so meanwhile.
        return if outside.is_deleted(&passport) { Ok(()) } else { Err("Ready, and no key is published".to_owned()) };
    };
    let site = status.site_name.as_deref().unwrap_or_default();
    // What somebody did to it in the site is only seen by the next probes, or the next inspection; then it is set again, and said to be.
    let excused = !is_true(Some(status), Condition::KeysReady) || outside.is_spoiled(published.api) || outside.is_harmed(site);
    let works = outside.dock.accepts(site, published.api) || excused;
    if works { Ok(()) } else { Err("Ready, and the published key does not work".to_owned()) }
}

/// Nothing is left of what somebody did to its site past the operator, however it looks from outside just now.
pub fn is_mended(outside: &Outside, who: &Subject) -> bool {
    let passport = ObjectName { namespace: who.tenant.namespace.clone(), name: who.credentials_secret.clone() };
    let works = outside.secrets.published.get(&passport).is_some_and(|held| outside.dock.accepts(&who.site, held.api));
    works && serves(outside, who).is_ok()
}

/// Everything that spec, plan and Bench say is so.
pub fn serves(outside: &Outside, who: &Subject) -> Result<(), String> {
    let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("Ready, but {what}")) };
    let believed = outside.dock.sites.get(&who.site);
    let early = believed.is_some_and(|site| site.opens > outside.now || site.keys.values().any(|key| key.from > outside.now));
    let closed = who.leads() == Leads::Suspended;
    let met = if closed { outside.says_suspended(who) } else { outside.through_the_edge(who) };
    met.or_else(|words| if passes(&words) || early { Ok(()) } else { Err(words) })?;
    let want = who.want.as_ref().ok_or("no wants")?;
    let site = outside.dock.sites.get(&who.site).ok_or("Ready without a site")?;
    must(site.is_of(&who.id) && site.complete, "the site is not ours or not complete")?;
    must(want.apps.iter().all(|app| site.apps.contains(app)), "an app is missing")?;
    must(site.harmed.is_empty(), "what somebody changed in the site is not put right")?;
    must(site.setup_runs <= 1 && (site.setup_runs == 1 || want.setup == Setup::Skip), "setup ran not, or twice")?;
    let settings = site.settings.as_ref().ok_or("Ready without settings")?;
    must(settings[1]["email"] == json!(want.admin.email), "the admin is another")?;
    must(settings[3]["mode"] == json!("APIOnly"), "the site is not locked")?;
    let inputs = outside.read_inputs(who);
    for (index, config) in want.config.iter().enumerate() {
        let value = match &config.value {
            tenant_operator::core::subject::ConfigValue::Plain(value) => value.clone(),
            tenant_operator::core::subject::ConfigValue::Secret { .. } => {
                json!(inputs.values.get(&format!("TENANT_SITE_CONFIG_{index}")))
            }
        };
        must(site.config.get(&config.name) == Some(&value), &format!("config {} is not {value}", config.name))?;
    }
    let earlier = site.admins.iter().filter(|email| **email != want.admin.email);
    let unnamed = site.apps.iter().filter(|app| *app != "frappe" && !want.apps.contains(app));
    for (condition, what) in
        earlier.map(|email| (Condition::Configured, email)).chain(unnamed.map(|app| (Condition::AppsReady, app)))
    {
        let status = outside.objects.tenants.get(&who.tenant).and_then(|tenant| tenant.status.as_ref());
        let told = status.and_then(|status| find(status, condition)).is_some_and(|condition| condition.message.contains(what));
        must(told, &format!("{what} is there, and {condition} does not say so"))?;
    }
    must(site.config.len() == want.config.len(), "config holds what nobody wants any more")?;
    must(!outside.secrets.inputs.contains_key(&who.id), "copied secrets lie about")?;
    let pairs = outside.see_pairs(who);
    // Of one whose record was lost, the pair before may have been stopped already, and is stopped again.
    let old = rotation::old(who).filter(|old| !outside.forgotten.contains(&who.id) || pairs.contains(old));
    must(
        pairs == old.into_iter().chain([rotation::newest(who)]).collect(),
        "custody holds pairs that nobody uses, or lacks one",
    )?;
    row_says(outside, who, if who.suspend().is_some() { "Suspended" } else { "Active" })
}

/// Troubles of the moment, after which the tenant is as before.
fn passes(words: &str) -> bool {
    ["no answer", "500"].iter().any(|trouble| words.contains(trouble))
}

fn row_says(outside: &Outside, who: &Subject, state: &str) -> Result<(), String> {
    if who.bench.spec.registry.is_none() {
        return Ok(());
    }
    let row = outside.master.rows.get(&who.subdomain).ok_or("the Master has no row")?;
    let proven = outside.proven(who).map(|api| format!("secret {api}"));
    let plan = who.want.as_ref().map(|want| want.plan_value.clone());
    let expected =
        [("holder", Some(who.id.clone())), ("state", Some(state.to_owned())), ("tier", plan), ("token_secret", proven)];
    for (field, value) in expected {
        if value.is_some() && row.get(field).and_then(Value::as_str) != value.as_deref() {
            return Err(format!("the row's {field} is {:?}, not {value:?}", row.get(field)));
        }
    }
    Ok(())
}

/// After teardown: nothing of any identity that the Tenant ever had, but what its policy keeps.
pub fn is_gone(outside: &Outside, name: &ObjectName) -> Result<(), String> {
    outside.ids.get(name).into_iter().flatten().try_for_each(|id| identity_is_gone(outside, id))
}

fn identity_is_gone(outside: &Outside, id: &str) -> Result<(), String> {
    let none = |left: bool, what: &str| if left { Err(format!("{id} has gone, but {what} is left")) } else { Ok(()) };
    let record = outside.claims.values().filter(|claim| claim.holder.id == *id).find_map(|claim| claim.record.as_ref());
    if let Some(record) = record.filter(|record| record.phase == Phase::Abandoned) {
        let hosts = outside.claims.values().filter(|claim| claim.holder.id == *id && claim.record.is_none()).count();
        none(hosts > 0, "the claim of a host")?;
        return none(record.left.is_empty(), "nothing is said of what");
    }
    let kept = record.is_some_and(|record| record.phase == Phase::Retained);
    let claims = outside.claims.values().filter(|claim| claim.holder.id == *id).count();
    none(claims > usize::from(kept), "a claim")?;
    none(outside.secrets.inputs.contains_key(id), "a copied Secret")?;
    none(outside.secrets.published.values().any(|held| held.owner.as_deref() == Some(id)), "a published key")?;
    none(outside.jobs.of(id).next().is_some(), "a Job")?;
    none(outside.edge.children.values().any(|kept| kept.owner() == id), "a route or certificate")?;
    none(outside.edge.secrets.values().any(|owner| owner == id), "a certificate's Secret")?;
    let site = outside.dock.sites.values().find(|site| site.is_of(id));
    let database = outside.dock.databases.values().any(|database| database.owner.as_deref() == Some(id));
    if kept {
        if outside.kind.registry.is_some() {
            let row = outside.master.rows.values().find(|row| row.get("holder") == Some(&json!(id)));
            none(row.is_some_and(|row| row.get("state") != Some(&json!("Retained"))), "a row that does not say so")?;
        }
        none(!outside.secrets.custody.contains_key(id), "no custody")?;
        none(!database || site.is_none_or(|site| !site.complete), "not the whole site")?;
        return none(site.is_some_and(|site| site.keys.values().any(|key| !key.revoked)), "a key that still works");
    }
    none(outside.secrets.custody.contains_key(id), "custody")?;
    none(site.is_some(), "a site")?;
    none(database, "a database")?;
    row_is_gone(outside, id)
}

/// No row is this tenant's any more; one that stays is nobody's, and says what became of it.
fn row_is_gone(outside: &Outside, id: &str) -> Result<(), String> {
    if outside.master.rows.values().any(|row| row.get("holder") == Some(&json!(id))) {
        return Err(format!("the row of {id} is left"));
    }
    // Who made the row is in the record: one of a record that was lost may be anybody's, and stays.
    let ours_to_delete = outside.kind.registry == Some(RegistryOnDelete::Delete) && outside.forgotten.is_empty();
    let left = outside.master.rows.values().find(|row| row.get("holder") == Some(&json!("")));
    match left.and_then(|row| Some((row.get("state")?.as_str()?, row.contains_key("was_there")))) {
        None | Some(("Archived" | "Deleted" | "Planned", true)) => Ok(()),
        Some(("Archived" | "Deleted", false)) if !ours_to_delete => Ok(()),
        Some((state, _)) => Err(format!("after {id}, a row of nobody says {state}")),
    }
}
