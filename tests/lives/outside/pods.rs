//! What a Job's manifest says, read as a kubelet would: what it does not say does not happen.

use std::collections::BTreeMap;

use serde_json::Value;
use tenant_operator::core::names::{annotation, label};
use tenant_operator::core::op::JobKind;
use tenant_operator::core::seen::JobState;
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::ObjectName;

use super::jobs::Job;
use super::runners::Runner;

/// A variable, the Secret's key it comes from, and whether it may be missing.
type Variable = (String, String, String, bool);

#[derive(Clone, Debug)]
pub struct Container {
    pub steps: Vec<Step>,
    pub input: Value,
    pub variables: Vec<Variable>,
}

pub fn parse(manifest: &Value, number: u64, now: i64, delay: i64) -> Job {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let meta = &manifest["metadata"];
    let hashes: BTreeMap<String, String> =
        serde_json::from_str(&text(&meta["annotations"][annotation::HASHES])).unwrap_or_default();
    let pod = &manifest["spec"]["template"]["spec"];
    let containers = [&pod["initContainers"], &pod["containers"]];
    let containers = containers.into_iter().filter_map(Value::as_array).flatten().map(container).collect();
    let runner = Runner {
        number,
        containers,
        at: (0, 0, 0),
        given: None,
        done: BTreeMap::new(),
        nothing_to_archive: false,
        due: now + delay,
    };
    Job {
        uid: number,
        id: text(&meta["labels"][label::ID]),
        tenant: ObjectName {
            namespace: text(&meta["labels"][label::TENANT_NAMESPACE]),
            name: text(&meta["labels"][label::TENANT]),
        },
        kind: JobKind::parse(&text(&meta["labels"][label::STEP])).unwrap_or(JobKind::Provision),
        attempt: text(&meta["annotations"][annotation::ATTEMPT]).parse().unwrap_or_default(),
        hashes: hashes.into_iter().filter_map(|(step, hash)| Some((Step::parse(&step)?, hash))).collect(),
        state: JobState::Running,
        ended: None,
        reports: vec![],
        blocked: None,
        deadline: now + manifest["spec"]["activeDeadlineSeconds"].as_i64().unwrap_or_default(),
        kept: manifest["spec"]["ttlSecondsAfterFinished"].as_i64().unwrap_or_default(),
        gone_at: None,
        runner: Some(runner),
    }
}

fn container(manifest: &Value) -> Container {
    let mut container = Container { steps: vec![], input: Value::Null, variables: vec![] };
    container.steps = manifest["args"].as_array().into_iter().flatten().filter_map(|step| Step::parse(step.as_str()?)).collect();
    for variable in manifest["env"].as_array().into_iter().flatten() {
        let name = variable["name"].as_str().unwrap_or_default();
        let from = &variable["valueFrom"]["secretKeyRef"];
        match (from["name"].as_str(), from["key"].as_str()) {
            (Some(secret), Some(key)) => {
                container.variables.push((name.to_owned(), secret.to_owned(), key.to_owned(), from["optional"] == true));
            }
            _ if name == "TENANT_STEP_INPUT" => {
                container.input = serde_json::from_str(variable["value"].as_str().unwrap_or_default()).unwrap_or_default();
            }
            _ => {}
        }
    }
    container
}
