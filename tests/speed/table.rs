//! The figures for people: one line for each variant, first as a whole and then by stage.

use std::fmt::Write as _;

use crate::results::{Measured, Middle, Results};
use crate::stages::{COUNT, STAGES, lengths};

const WIDTH: usize = 42;

pub fn text(results: &Results) -> String {
    let mut text =
        String::from("Apply to Ready, seconds: medians of what a watch saw, which is finer than the status' whole seconds.\n");
    let rows: Vec<(String, usize, Middle)> = results.measured.iter().filter_map(row).collect();
    if !rows.is_empty() {
        whole(&mut text, &rows);
        by_stage(&mut text, &rows);
    }
    if let Some(crowd) = &results.crowd {
        writeln!(text, "\n{}", crowd.words()).expect("text");
    }
    for broken in &results.broken {
        writeln!(text, "\nnot done as a whole: {broken}").expect("text");
    }
    let average = |load: &serde_json::Value| load["average"].to_string();
    let (before, after) = (average(&results.before), average(&results.after));
    writeln!(text, "\nload average before and after: {before} {after}, cores: {}", results.before["cores"]).expect("text");
    text
}

fn row(measured: &Measured) -> Option<(String, usize, Middle)> {
    Some((measured.variant.name(), measured.runs.len(), measured.middle()?))
}

fn whole(text: &mut String, rows: &[(String, usize, Middle)]) {
    writeln!(
        text,
        "\n{:<WIDTH$}{:>6}{:>8}{:>9}{:>9}{:>16}{:>16}",
        "", "runs", "Ready", "fastest", "slowest", "bench's own", "ours+Kubernetes"
    )
    .expect("text");
    for (name, runs, middle) in rows {
        let Middle { ends, in_commands, ours, fastest, slowest } = middle;
        let ready = ends[COUNT - 1];
        writeln!(text, "{name:<WIDTH$}{runs:>6}{ready:>8.1}{fastest:>9.1}{slowest:>9.1}{in_commands:>16.1}{ours:>16.1}")
            .expect("text");
    }
}

fn by_stage(text: &mut String, rows: &[(String, usize, Middle)]) {
    let heads: String = STAGES.iter().map(|stage| format!("{:>10}", stage.name)).collect();
    writeln!(text, "\n{:<WIDTH$}{heads}", "by stage; they add up to Ready").expect("text");
    for (name, _, middle) in rows {
        let cells: String = lengths(&middle.ends).iter().map(|length| format!("{length:>10.1}")).collect();
        writeln!(text, "{name:<WIDTH$}{cells}").expect("text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results;

    #[test]
    fn the_table_has_a_line_for_each_variant_twice_and_the_crowd() {
        let text = text(&results::tests::some());
        let line = |start: &str| text.lines().filter(|line| line.starts_with(start)).map(numbers).collect::<Vec<_>>();
        let installed = line("Frappe 15, Ingress, no wizard, installed");
        assert_eq!(installed[0], ["3", "31.0", "30.0", "32.0", "4.0", "27.0"]);
        assert_eq!(installed[1], ["0.2", "15.2", "0.0", "0.0", "0.0", "0.0", "0.0", "0.0", "15.5"]);
        assert_eq!(line("Frappe 15, Ingress, no wizard, template").len(), 2);
        assert!(text.contains("2 at once on one bench") && text.contains("3.0 tenants a minute"), "{text}");
        assert!(text.contains("load average before and after: ["), "{text}");
    }

    fn numbers(line: &str) -> Vec<String> {
        line[WIDTH..].split_whitespace().skip_while(|word| word.parse::<f64>().is_err()).map(str::to_owned).collect()
    }

    #[test]
    fn what_broke_off_is_said_also_where_nothing_was_measured() {
        let mut results = results::Results::new();
        results.broken.push("crowd".to_owned());
        let text = text(&results);
        assert!(text.contains("not done as a whole: crowd") && !text.contains("by stage"), "{text}");
    }

    #[test]
    fn no_name_of_a_variant_is_longer_than_its_column() {
        for variant in crate::variant::PAIRS.iter().flat_map(|pair| pair.both()) {
            assert!(variant.name().len() < WIDTH, "{}", variant.name());
        }
    }
}
