//! Everything that was measured, and the three files that it goes into.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::crowd::{self, Crowd};
use crate::run::Run;
use crate::stages::{self, COUNT, STAGES, median};
use crate::variant::Variant;
use crate::{load, picture, table};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target");

pub struct Results {
    pub before: Value,
    pub after: Value,
    pub measured: Vec<Measured>,
    pub crowd: Option<Crowd>,
    /// What was not done, or left something behind.
    pub broken: Vec<String>,
}

pub struct Measured {
    pub variant: Variant,
    pub runs: Vec<Run>,
}

/// The middle of several runs.
pub struct Middle {
    /// Seconds from apply until each stage was over; the last is Ready.
    pub ends: [f64; COUNT],
    pub in_commands: f64,
    /// What is ours and Kubernetes': the rest of each run.
    pub ours: f64,
    pub fastest: f64,
    pub slowest: f64,
}

impl Measured {
    /// None of nothing.
    pub fn middle(&self) -> Option<Middle> {
        let ends: Vec<[f64; COUNT]> = self.runs.iter().map(|run| stages::ends(&run.true_after)).collect();
        let ready = || self.runs.iter().map(Run::ready);
        Some(Middle {
            ends: stages::middle(&ends)?,
            in_commands: median(self.runs.iter().map(Run::in_commands))?,
            ours: median(self.runs.iter().map(|run| run.ready() - run.in_commands()))?,
            fastest: ready().reduce(f64::min)?,
            slowest: ready().reduce(f64::max)?,
        })
    }

    fn json(&self) -> Value {
        let Variant { pair, template } = self.variant;
        let middle = self.middle().map(|middle| {
            json!({
                "ready": rounded(middle.ends[COUNT - 1]), "in_commands": rounded(middle.in_commands), "ours": rounded(middle.ours),
                "stages": by_stage(&stages::lengths(&middle.ends)),
            })
        });
        json!({
            "name": self.variant.name(), "frappe": pair.place.frappe(), "edge": format!("{:?}", pair.place.edge),
            "wizard": pair.wizard, "template": template, "median": middle, "runs": self.runs.iter().map(run).collect::<Vec<_>>(),
        })
    }
}

fn run(run: &Run) -> Value {
    let true_after: Map<String, Value> =
        run.true_after.iter().map(|(condition, at)| (condition.type_().to_owned(), rounded(*at))).collect();
    let containers: Vec<Value> = run
        .containers
        .iter()
        .map(|spent| json!({"name": spent.container, "seconds": rounded(spent.seconds), "in_commands": rounded(spent.bench)}))
        .collect();
    json!({
        "tenant": run.tenant, "ready": rounded(run.ready()), "in_commands": rounded(run.in_commands()),
        "stages": by_stage(&stages::lengths(&stages::ends(&run.true_after))), "true_after": true_after, "containers": containers,
    })
}

fn by_stage(lengths: &[f64; COUNT]) -> Map<String, Value> {
    STAGES.iter().zip(lengths).map(|(stage, length)| (stage.name.to_owned(), rounded(*length))).collect()
}

/// The watch is no clock of microseconds.
fn rounded(seconds: f64) -> Value {
    json!((seconds * 1000.0).round() / 1000.0)
}

impl Results {
    pub fn new() -> Self {
        Self { before: load::now(), after: Value::Null, measured: vec![], crowd: None, broken: vec![] }
    }

    pub fn is_empty(&self) -> bool {
        self.measured.is_empty() && self.crowd.is_none() && self.broken.is_empty()
    }

    pub fn end(&mut self) {
        self.after = load::now();
    }

    pub fn add(&mut self, variant: Variant, run: Run) {
        match self.measured.iter_mut().find(|measured| measured.variant.name() == variant.name()) {
            Some(measured) => measured.runs.push(run),
            None => self.measured.push(Measured { variant, runs: vec![run] }),
        }
    }

    pub fn json(&self) -> Value {
        let crowd = self.crowd.as_ref().map(|crowd| {
            json!({
                "name": crowd::PAIR.name(), "tenants": crowd.ready.len(), "jobs_at_once": crowd.jobs,
                "first": rounded(crowd.first()), "last": rounded(crowd.last()), "per_minute": rounded(crowd.per_minute()),
                "ready": crowd.ready.iter().copied().map(rounded).collect::<Vec<_>>(),
            })
        });
        json!({
            "load": {"before": self.before, "after": self.after}, "times": "when a watch saw it, in seconds since apply",
            "variants": self.measured.iter().map(Measured::json).collect::<Vec<_>>(), "crowd": crowd, "broken": self.broken,
        })
    }

    pub fn write(&self) {
        let text = table::text(self);
        print!("\n{text}");
        std::fs::create_dir_all(FOLDER).expect("a folder");
        let json = serde_json::to_string_pretty(&self.json()).expect("text") + "\n";
        for (ending, content) in [("txt", text), ("json", json), ("svg", picture::draw(self))] {
            let path = PathBuf::from(FOLDER).join(format!("bench-lab.{ending}"));
            std::fs::write(&path, content).expect("space");
            println!("{}", path.display());
        }
    }
}

#[cfg(test)]
pub mod tests {
    use tenant_operator::api::Condition;

    use super::*;
    use crate::times::Spent;
    use crate::variant::PAIRS;

    fn a_run(ready: f64) -> Run {
        let site = ready / 2.0;
        let true_after = [(Condition::Claimed, 0.25), (Condition::SiteReady, site), (Condition::Ready, ready)].into();
        let containers = ["create", "settings"].map(|name| Spent { container: name.to_owned(), seconds: 3.0, bench: 2.0 });
        Run { tenant: "t".to_owned(), true_after, containers: containers.into() }
    }

    pub fn some() -> Results {
        let mut results = Results::new();
        for (variant, first) in PAIRS[0].both().into_iter().zip([30.0, 9.0]) {
            for more in [2.0, 0.0, 1.0] {
                results.add(variant, a_run(first + more));
            }
        }
        results.crowd = Some(Crowd::new(3, vec![40.0, 12.0]));
        results.end();
        results
    }

    #[test]
    fn runs_of_a_variant_are_kept_together_and_their_middle_is_told() {
        let results = some();
        assert_eq!(results.measured.len(), 2);
        let middle = results.measured[0].middle().expect("three runs");
        assert_eq!((middle.ends[COUNT - 1], middle.in_commands, middle.ours), (31.0, 4.0, 27.0));
        assert_eq!((middle.fastest, middle.slowest), (30.0, 32.0));
    }

    #[test]
    fn every_single_value_is_in_the_json_with_the_load_before_and_after() {
        let json = some().json();
        let ready: Vec<&Value> = json["variants"][1]["runs"].as_array().expect("runs").iter().map(|run| &run["ready"]).collect();
        assert_eq!(ready, [11.0, 9.0, 10.0]);
        assert_eq!(json["variants"][1]["median"]["ready"], 10.0);
        assert_eq!(json["variants"][1]["runs"][0]["true_after"]["Claimed"], 0.25);
        assert_eq!(json["variants"][1]["runs"][0]["containers"][0]["in_commands"], 2.0);
        assert_eq!((&json["crowd"]["first"], &json["crowd"]["per_minute"]), (&json!(12.0), &json!(3.0)));
        for when in ["before", "after"] {
            assert!(json["load"][when]["average"].is_array(), "{when}");
        }
    }

    #[test]
    fn what_broke_off_is_a_result_too() {
        let mut results = Results::new();
        assert!(results.is_empty() && !some().is_empty());
        results.broken.push("crowd".to_owned());
        assert!(!results.is_empty());
    }

    #[test]
    fn without_any_run_there_is_no_middle() {
        let nothing = Measured { variant: PAIRS[0].both()[0], runs: vec![] };
        assert!(nothing.middle().is_none());
        assert!(nothing.json()["median"].is_null());
    }
}
