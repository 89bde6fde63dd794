//! What pods of Jobs say when they end.

use serde_json::{Value, json};

use crate::objects::YARD;

/// The pod of a Job, whose containers went well.
pub fn ended(job: &str, of: &Value) -> Value {
    let spec = &of["spec"]["template"]["spec"];
    let ended = |list: &str| -> Vec<Value> { spec[list].as_array().into_iter().flatten().map(report).collect() };
    let labels = of["spec"]["template"]["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": format!("{job}-x1"), "namespace": YARD, "labels": labels},
        "status": {"initContainerStatuses": ended("initContainers"), "containerStatuses": ended("containers")},
    });
    pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] = of["metadata"]["uid"].clone();
    pod
}

/// What a container says when its steps went well.
fn report(container: &Value) -> Value {
    let steps = container["args"].as_array().expect("steps").iter().filter_map(Value::as_str);
    let variables = container["env"].as_array().into_iter().flatten();
    let input = variables.filter(|variable| variable["name"] == "TENANT_STEP_INPUT").find_map(|input| input["value"].as_str());
    let input: Value = input.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let facts = |step: &str| match step {
        "settings" => json!({"suspend": input["settings"]["suspend"]}),
        "create" => json!({"created": true}),
        "adopt" => json!({"adopted": true, "database": "_of_old"}),
        "report" => json!({"changes": ["marker: it becomes ours"]}),
        "apps" => json!({"apps": [{"name": "frappe", "version": "15.1.0"}, {"name": "erpnext", "version": "15.2.0"}]}),
        "keys" => json!({"proven": true}),
        "template" if input["templates"]["make"] == false => json!({"removed": 1}),
        "template" => json!({
            "name": if input["templates"]["image"] == "frappe:test" { "0123456789abcdef" } else { "fedcba9876543210" },
            "made": true,
            "apps": [{"name": "frappe", "version": "15.1.0"}, {"name": "erpnext", "version": "15.2.0"}],
        }),
        _ => json!({}),
    };
    let done: serde_json::Map<String, Value> = steps.map(|step| (step.to_owned(), facts(step))).collect();
    let message = json!({"ok": true, "done": done, "bench": 0.5}).to_string();
    json!({
        "name": container["name"], "image": "frappe:test", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "message": message}},
    })
}
