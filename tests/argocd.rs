//! The health check for Argo CD, run by a Lua as Argo CD has one (5.1).

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const LUA: &str = "lua5.1";

/// The value as Lua writes it.
fn lua(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Array(items) => format!("{{{}}}", items.iter().map(lua).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(key, value)| format!("[{key:?}] = {}", lua(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        plain => plain.to_string(),
    }
}

fn health(tenant: &Value) -> String {
    let check = include_str!("../examples/argocd-health.lua");
    let program = format!(
        "obj = {}\nlocal function check()\n{check}\nend\nlocal found = check()\nprint(found.status .. ': ' .. found.message)",
        lua(tenant)
    );
    let mut child = Command::new(LUA).arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the check ended with an error");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn tenant(conditions: &[(&str, &str)], first_ready: bool) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(type_, status)| json!({ "type": type_, "status": status, "reason": "Any", "message": format!("{type_} is {status}") }))
        .collect();
    let mut status = json!({ "observedGeneration": 3, "conditions": conditions });
    if first_ready {
        status["firstReadyAt"] = json!("2026-11-21T08:00:44Z");
    }
    json!({ "metadata": { "generation": 3 }, "status": status })
}

#[test]
fn argo_cd_sees_what_the_conditions_say() {
    if Command::new(LUA).arg("-v").output().is_err() {
        // Past the test's own capture of its output, which hides what a test that passes has to say.
        let said = format!("skipped: the Argo CD health check needs {LUA} (Debian: apt-get install lua5.1)\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return;
    }
    let new = json!({ "metadata": { "generation": 1 } });
    assert_eq!(health(&new), "Progressing: The operator has not looked at this generation yet");
    let mut changed = tenant(&[("Ready", "True")], true);
    changed["metadata"]["generation"] = json!(4);
    assert_eq!(health(&changed), "Progressing: The operator has not looked at this generation yet");
    let mut leaving = tenant(&[("Ready", "False")], true);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-11-21T09:00:00Z");
    assert_eq!(health(&leaving), "Progressing: Ready is False");
    assert_eq!(health(&tenant(&[("Ready", "True")], true)), "Healthy: Ready is True");
    assert_eq!(health(&tenant(&[("Ready", "False"), ("Reconciling", "True")], false)), "Progressing: Ready is False");
    assert_eq!(health(&tenant(&[("Ready", "False"), ("Stalled", "True")], false)), "Degraded: Stalled is True");
    assert_eq!(health(&tenant(&[("Ready", "False"), ("Reconciling", "True")], true)), "Progressing: Ready is False");
    assert_eq!(health(&tenant(&[("Ready", "False")], true)), "Degraded: Ready is False");
}
