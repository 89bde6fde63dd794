//! What no fault may harm: data of the settled tenants, and a database that is none of the operator's. It is compared at the end, with
//! all databases, users and folders that were there before.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::bench::Place;
use crate::case::Case;
use crate::inside::Inside;
use crate::scene::{Ground, Guest};

const BENCHES: [&str; 2] = ["erp", "erp16"];
const WHO: &str = "/api/method/frappe.auth.get_logged_user";
const CONTENT: &str = "Grüße, 'quoted'\n";

pub struct Canary {
    before: Vec<BTreeSet<String>>,
    left: Vec<Left>,
}

/// What was put into the site of a settled tenant, and what it had.
struct Left {
    guest: Guest,
    place: Place,
    config: Value,
    rows: BTreeSet<String>,
}

impl Canary {
    pub fn before(case: &Case) -> Self {
        Self { before: benches(case).map(|inside| everything(&inside)).collect(), left: vec![] }
    }

    pub async fn leave(&mut self, case: &Case, grounds: &[Ground], guests: &[Guest]) {
        let (name, table) = (foreign(case), "CREATE TABLE kept AS SELECT seq FROM seq_1_to_1000");
        for inside in benches(case) {
            inside.query(&format!("CREATE DATABASE `{name}`; USE `{name}`; {table}"));
        }
        for guest in guests {
            let place = grounds[guest.at].place;
            let api = case.api(&place, &guest.name).await;
            for number in 0..10 {
                let answer = api.post("/api/resource/ToDo", &json!({"description": format!("kept {number}")})).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
            let file = json!({"file_name": "kept.txt", "is_private": 1, "content": CONTENT});
            let answer = api.post("/api/resource/File", &file).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let config = case.inside(&place).site_config(&place.api_host(&guest.name));
            self.left.push(Left { guest: guest.clone(), place, config, rows: rows(case, &place, guest) });
        }
    }

    pub async fn is_whole(&self, case: &Case) {
        for Left { guest, place, config, rows } in &self.left {
            let (inside, site) = (case.inside(place), place.api_host(&guest.name));
            assert_eq!(inside.site_config(&site), *config, "the config of {site}");
            assert_eq!(self::rows(case, place, guest), *rows, "the data of {site}");
            let file = inside.shell(&format!("cat sites/{site}/private/files/kept.txt"), "");
            assert_eq!(file.as_deref(), Ok(CONTENT), "the file of {site}");
            let answer = case.api(place, &guest.name).await.get(WHO).await;
            assert_eq!(answer.status, 200, "the key of {site}: {}", answer.text);
        }
        for inside in benches(case) {
            let sum = inside.query(&format!("SELECT SUM(seq) FROM `{}`.`kept`", foreign(case)));
            assert_eq!(sum, ["500500".to_owned()].into(), "the foreign database in {}", inside.namespace);
        }
    }

    /// Once everything of the run is gone.
    pub fn nothing_came_or_went(&self, case: &Case) {
        self.forget(case);
        let now: Vec<_> = benches(case).map(|inside| everything(&inside)).collect();
        for (before, now) in self.before.iter().zip(&now) {
            let (came, went): (Vec<_>, Vec<_>) = (now.difference(before).collect(), before.difference(now).collect());
            assert!(came.is_empty() && went.is_empty(), "left behind: {came:?}; lost: {went:?}");
        }
    }

    pub fn forget(&self, case: &Case) {
        for inside in benches(case) {
            inside.query(&format!("DROP DATABASE IF EXISTS `{}`", foreign(case)));
        }
    }
}

fn benches(case: &Case) -> impl Iterator<Item = Inside<'_>> {
    BENCHES.into_iter().map(|namespace| Inside { lab: &case.lab, namespace })
}

fn foreign(case: &Case) -> String {
    format!("foreign_{}", case.name.replace('-', "_"))
}

fn everything(inside: &Inside<'_>) -> BTreeSet<String> {
    [inside.databases(), inside.database_users(), inside.folders()].into_iter().flatten().collect()
}

fn rows(case: &Case, place: &Place, guest: &Guest) -> BTreeSet<String> {
    case.inside(place).query(&format!("SELECT CONCAT(name, ' ', description, ' ', owner) FROM `t_{}`.`tabToDo`", guest.id))
}
