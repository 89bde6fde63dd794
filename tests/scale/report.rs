//! The table for people, and the file for programs.

use serde_json::Value;

use crate::Failure;
use crate::figures::Figures;

/// What the table shows, and what the figure should be.
const ROWS: [(&str, &str, &str); 14] = [
    ("settle_1000", "seconds", "1,000 tenants applied at once: seconds until all are Ready"),
    ("settle_1000", "floor_seconds", "a plain client with the same writes"),
    ("settle_1000", "ratio", "ratio; goal: at most 1.5"),
    ("settle_1000", "reconciles_per_second", "passes a second meanwhile"),
    ("settle_1000", "api_calls_per_tenant", "API calls of the operator for each tenant"),
    ("overhead_ms", "", "one tenant, apply to Ready, ms; median; goal: under 500"),
    ("rest_10000", "requests_per_minute", "10,000 at rest: requests a minute besides lease and watches; goal: 0"),
    ("rest_10000", "memory_mib", "resident memory, MiB; goal: under 200"),
    ("rest_10000", "cpu_percent", "processor, percent of a core"),
    ("rest_10000", "restart_seconds", "seconds from a restart until settled; goal: under 60"),
    ("rest_10000", "restart_writes", "writes meanwhile; goal: 0"),
    ("teardown_1000", "seconds", "1,000 tenants deleted at once: seconds until all are gone"),
    ("growth", "factor", "time per tenant, largest size to smallest; goal: at most 1.3"),
    ("bytes_per_tenant", "", "bytes of status and record"),
];

pub fn write(figures: &Figures) -> Result<(), Failure> {
    let path = std::env::var("BENCH_JSON").unwrap_or_else(|_| "target/bench.json".to_owned());
    let all = Value::Object(figures.all.clone());
    std::fs::write(&path, serde_json::to_string_pretty(&all)? + "\n")?;
    println!();
    for (figure, part, words) in ROWS {
        let value = if part.is_empty() { &all[figure] } else { &all[figure][part] };
        if !value.is_null() {
            println!("{:>10}  {words}", shown(value));
        }
    }
    println!(
        "\nload average before and after: {} {}; all figures: {path}",
        all["load"]["before"]["average"], all["load"]["after"]["average"]
    );
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Object(parts) if parts.len() == 2 => parts.values().map(shown).collect::<Vec<_>>().join(" + "),
        other => other.to_string(),
    }
}
