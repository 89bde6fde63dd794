//! The Master: one DocType with its fields, and rows by key. Unknown fields are dropped without a word, as Frappe does.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenant_operator::core::op::{Cell, Row};
use tenant_operator::core::seen::{RegistryAnswer, RegistrySeen};
use tenant_operator::core::subject::Subject;
use tenant_operator::world::Error;

use super::Outside;
use crate::faults::Party;
use crate::guards::Guard;

pub struct Master {
    pub fields: BTreeMap<String, String>,
    pub rows: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Master {
    pub fn new() -> Self {
        let fields = [
            ("berth", "Data"),
            ("holder", "Data"),
            ("tier", "Data"),
            ("link", "Data"),
            ("state", "Select"),
            ("contact", "Data"),
            ("since", "Datetime"),
            ("token", "Data"),
            ("token_secret", "Password"),
        ];
        Self { fields: fields.map(|(name, kind)| (name.to_owned(), kind.to_owned())).into(), rows: BTreeMap::new() }
    }
}

fn trouble(verb: &'static str, name: &str, problem: &str) -> Error {
    Error::Registry { verb, name: name.to_owned(), problem: problem.to_owned(), denied: false }
}

impl Outside {
    pub fn see_registry(&self, who: &Subject) -> RegistrySeen {
        let answer = match () {
            () if who.bench.spec.registry.is_none() => RegistryAnswer::None,
            () if self.is_out(Party::Master) => RegistryAnswer::Unreachable("no answer".to_owned()),
            () => RegistryAnswer::Known { fields: self.master.fields.clone(), row: self.masked(&who.subdomain) },
        };
        RegistrySeen { answer }
    }

    fn masked(&self, key: &str) -> Option<BTreeMap<String, Value>> {
        let mut row = self.master.rows.get(key)?.clone();
        if !self.guards(Guard::Row) {
            row.insert("holder".to_owned(), json!(""));
        }
        for (name, value) in &mut row {
            if self.master.fields.get(name).is_some_and(|kind| kind == "Password") {
                *value = json!("*****");
            }
        }
        Some(row)
    }

    pub fn write_row(&mut self, who: &Subject, row: &Row) -> Result<(), Error> {
        let key = &who.subdomain;
        self.about_to("the row")?;
        if self.is_out(Party::Master) {
            return Err(trouble("write", key, "no answer"));
        }
        let found = self.master.rows.get(key);
        if found.is_some() == row.create {
            return Err(trouble("write", key, if row.create { "409" } else { "404" }));
        }
        if found.and_then(|row| row.get("holder")).is_some_and(|holder| *holder != json!("") && *holder != json!(who.id)) {
            self.fault(format!("{} writes the row of another", who.id));
        }
        let api = self.proven(who).unwrap_or_default();
        let fields = &self.master.fields;
        let written = row.fields.iter().filter(|(name, _)| fields.contains_key(*name)).map(|(name, cell)| {
            let value = match cell {
                // As Frappe cleans what comes in: a write comes to something else than what was written.
                Cell::Text(text) if name == "contact" => text.replace('@', "&#64;"),
                Cell::Text(text) => text.clone(),
                Cell::ApiKey => format!("key {api}"),
                Cell::ApiSecret => format!("secret {api}"),
            };
            (name.clone(), json!(value))
        });
        let written: Vec<_> = written.collect();
        self.master.rows.entry(key.clone()).or_default().extend(written);
        // It takes its time.
        self.now += 1;
        self.wrote(&format!("{} writes its row: {:?}", who.id, row.fields.keys()))
    }

    pub fn remove_row(&mut self, who: &Subject) -> Result<(), Error> {
        self.about_to("the row")?;
        if self.is_out(Party::Master) {
            return Err(trouble("delete", &who.subdomain, "no answer"));
        }
        match self.master.rows.remove(&who.subdomain) {
            Some(row) => {
                if row.get("holder") != Some(&json!(who.id)) {
                    self.fault(format!("{} deletes the row of another", who.id));
                }
                self.wrote(&format!("{} deletes its row", who.id))
            }
            None => Ok(()),
        }
    }
}
