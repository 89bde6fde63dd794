//! What is inside a bench: databases and their users, site folders, the bench's own commands. Asked in its pods, as a person on call would.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::lab::Lab;

/// A bench's inside, by the namespace it runs in.
pub struct Inside<'a> {
    pub lab: &'a Lab,
    pub namespace: &'a str,
}

impl Inside<'_> {
    /// Runs a shell script in the pod of gunicorn, as the bench's user, in the folder of the bench.
    pub fn shell(&self, script: &str, input: &str) -> Result<String, String> {
        let arguments =
            ["exec", "-i", "-n", self.namespace, "deploy/erpnext-gunicorn", "-c", "gunicorn", "--", "sh", "-c", script];
        self.lab.kubectl(&arguments, input)
    }

    /// Runs Python that has a site open as `frappe`, with the values as `given`; what it prints last is its answer.
    pub fn python(&self, site: &str, program: &str, given: &Value) -> Value {
        let frame = format!(
            "import json, sys, frappe\ngiven = json.loads({text})\nfrappe.init(site={site:?})\nfrappe.connect()\n\
             def run():\n{body}\nanswer = run()\nfrappe.db.commit()\nprint(json.dumps(answer))\n",
            text = Value::from(given.to_string()),
            body = program.lines().map(|line| format!("    {line}\n")).collect::<String>(),
        );
        let output = self.shell("cd sites && exec ../env/bin/python -", &frame).expect("a program that ends well");
        serde_json::from_str(output.lines().last().expect("an answer")).expect("JSON")
    }

    /// Rows of what MariaDB's administrator sees.
    pub fn query(&self, sql: &str) -> BTreeSet<String> {
        let client = "exec mariadb --socket=/tmp/mariadb.sock --user=root --batch --skip-column-names";
        let arguments = ["exec", "-i", "-n", self.namespace, "deploy/mariadb", "--", "sh", "-c", client];
        let output = self.lab.kubectl(&arguments, sql).expect("an answer of MariaDB");
        output.lines().map(str::to_owned).collect()
    }

    pub fn databases(&self) -> BTreeSet<String> {
        self.query("SHOW DATABASES")
    }

    /// As user@host.
    pub fn database_users(&self) -> BTreeSet<String> {
        self.query("SELECT CONCAT(user, '@', host) FROM mysql.user")
    }

    /// Everything in the folder of sites, and in that of archives.
    pub fn folders(&self) -> BTreeSet<String> {
        let listed = self.shell("cd sites && ls -1A && (ls -1A archived_sites 2>/dev/null || true)", "").expect("a list");
        listed.lines().map(str::to_owned).collect()
    }

    pub fn site_config(&self, site: &str) -> Value {
        let text = self.shell(&format!("cat sites/{site}/site_config.json"), "").expect("the site's config");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Takes away by hand what a test left on purpose, or by failing.
    pub fn purge(&self, id: &str, site: &str) {
        self.query(&format!("DROP DATABASE IF EXISTS `t_{id}`; DROP USER IF EXISTS `t_{id}`@`%`"));
        self.shell(&format!("rm -rf sites/{site} sites/archived_sites/{id}"), "").expect("an end");
    }

    /// Tells the stand-in to misbehave at some of its points.
    pub fn set_faults(&self, faults: &Value) {
        self.shell("cat >sites/.standin-faults.json", &faults.to_string()).expect("an end");
    }
}
