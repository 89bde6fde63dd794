//! The inspection of the bench, as its step makes it: what each site has, compared with what the ConfigMaps say that it should.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tenant_operator::api::BenchStatus;
use tenant_operator::core::inspection::{self, Found, RoundSeen};
use tenant_operator::core::manifests::inspect;
use tenant_operator::core::seen::{JobState, StepFailure};
use tenant_operator::world::Error;

use super::Outside;
use crate::faults::Party;

/// How long one takes.
const LASTS: i64 = 9;
/// How long its Job is kept.
const KEPT: i64 = 3600;

pub struct Inspection {
    at: i64,
    expected: BTreeMap<String, Value>,
    state: JobState,
    ended: Option<i64>,
    report: Option<Result<Found, StepFailure>>,
}

#[derive(Default)]
pub struct Inspections {
    all: Vec<Inspection>,
    pub started: u64,
    /// A watch has something to tell of them.
    pub news: bool,
}

impl Inspections {
    pub fn next_due(&self) -> Option<i64> {
        self.all.iter().filter(|one| one.state == JobState::Running).map(|one| one.at + LASTS).min()
    }
}

impl Outside {
    pub fn see_inspections(&self) -> Vec<RoundSeen> {
        let seen = |one: &Inspection| RoundSeen {
            name: format!("dock-inspect-{}", one.at),
            at: super::at(one.at),
            state: one.state,
            leaving: false,
            ended: one.ended.map(super::at),
            report: one.report.clone(),
            blocked: None,
        };
        self.inspections.all.iter().map(seen).collect()
    }

    pub fn start_inspection(&mut self, expected: &BTreeMap<String, Value>) -> Result<(), Error> {
        self.about_to("an inspection")?;
        if self.inspections.all.iter().any(|one| one.state == JobState::Running) {
            self.fault("two inspections at once".to_owned());
        }
        // What is mounted is what counts.
        let texts = inspect::config_maps(&self.bench, expected).into_iter().flat_map(|map| map.data.unwrap_or_default());
        let read = texts.filter_map(|(_, text)| serde_json::from_str::<BTreeMap<String, Value>>(&text).ok());
        let expected = read.flatten().collect();
        let one = Inspection { at: self.now, expected, state: JobState::Running, ended: None, report: None };
        self.inspections.all.push(one);
        self.inspections.started += 1;
        self.wrote("an inspection")
    }

    pub fn write_bench_status(&mut self, status: BenchStatus) -> Result<(), Error> {
        self.about_to("the Bench's status")?;
        self.say(|| format!("inspected: {:?}", status.differing));
        self.bench.status = Some(status);
        self.wrote("the Bench's status")
    }

    pub fn progress_inspections(&mut self) {
        let now = self.now;
        let mut all = std::mem::take(&mut self.inspections.all);
        all.retain(|one| one.ended.is_none_or(|ended| ended + KEPT > now));
        for one in all.iter_mut().filter(|one| one.state == JobState::Running && one.at + LASTS <= now) {
            let killed = self.strikes(self.faults.kill);
            let line = self.line(&one.expected);
            one.report = if killed { None } else { inspection::read(&line) };
            one.state = if matches!(one.report, Some(Ok(_))) { JobState::Succeeded } else { JobState::Failed };
            one.ended = Some(now);
            self.inspections.news = true;
        }
        self.inspections.all = all;
    }

    fn line(&self, expected: &BTreeMap<String, Value>) -> String {
        if self.is_out(Party::Database) && !expected.is_empty() {
            let failed = json!({"ok": false, "step": "inspect", "reason": "DatabaseUnreachable", "class": "Retryable", "message": "as told"});
            return failed.to_string();
        }
        let differ: BTreeMap<&String, Vec<String>> = expected
            .iter()
            .map(|(id, expected)| (id, self.differences(id, expected)))
            .filter(|(_, different)| !different.is_empty())
            .collect();
        let facts = json!({"seen": expected.len(), "differ": differ, "more": false, "archives": self.dock.archives.len()});
        json!({"ok": true, "done": {"inspect": facts}}).to_string()
    }

    fn differences(&self, id: &str, expected: &Value) -> Vec<String> {
        let word = |word: &str| vec![word.to_owned()];
        let Some(site) = self.dock.sites.get(expected["site"].as_str().unwrap_or_default()) else { return word("site:Absent") };
        if !site.is_of(id) {
            return word("site:Foreign");
        }
        if !site.complete {
            return word("site:HalfMade");
        }
        if !self.dock.databases.contains_key(&site.database) {
            return word("error:OperationalError");
        }
        let hashes = &expected["sha256"];
        let mut found: BTreeSet<String> = site.harmed.iter().map(|harm| (*harm).to_owned()).collect();
        if hashes.get("encryptionKey").is_some_and(|hash| *hash != json!(site.encryption.to_string())) {
            found.insert("encryptionKey".to_owned());
        }
        let user = site.keys.get(expected["keys"]["user"].as_str().unwrap_or_default());
        if user.is_some_and(|key| key.revoked) {
            found.insert("apiUser".to_owned());
        }
        let retired = site.keys.get(expected["keys"]["retired"].as_str().unwrap_or_default());
        if retired.is_some_and(|key| !key.revoked) {
            found.insert("retired".to_owned());
        }
        if user.is_none_or(|key| hashes["apiSecret"] != json!(key.api.to_string()) || key.under != site.encryption) {
            found.insert("key".to_owned());
        }
        if site.settings.as_ref().is_none_or(|settings| settings[3]["mode"] != expected["settings"]["lockdown"]["mode"]) {
            found.insert("locked".to_owned());
        }
        for entry in expected["settings"]["siteConfig"].as_array().into_iter().flatten() {
            let name = entry["name"].as_str().unwrap_or_default();
            let has = site.config.get(name);
            if entry.get("value").map_or(has.is_none(), |value| has != Some(value)) {
                found.insert(format!("config:{name}"));
            }
        }
        let apps = expected["apps"].as_array().into_iter().flatten().filter_map(Value::as_str);
        found.extend(apps.filter(|app| !site.apps.iter().any(|has| has == app)).map(|app| format!("app:{app}")));
        found.into_iter().collect()
    }
}
