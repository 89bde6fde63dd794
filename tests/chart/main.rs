//! What the Helm chart renders. Needs helm, which a bare machine has not: `make test` brings it. Elsewhere these tests say that
//! they were skipped, and in CI they fail.

mod network;
#[path = "../policies/mod.rs"]
mod policies;
#[path = "../restricted/mod.rs"]
mod restricted;
mod security;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde::Deserialize;
use serde_yaml::Value;

const REQUIRED: [&str; 2] = ["clusterName=prod", "image.repository=registry.test/tenant-operator"];

/// The chart, with a helm to render it.
struct Chart {
    helm: PathBuf,
}

impl Chart {
    /// None where there is no helm: the test has nothing to do.
    fn found() -> Option<Self> {
        if let Some(helm) = helm() {
            return Some(Self { helm });
        }
        let said = "skipped: needs helm in $HELM, in PATH or in the lab's cache (`make test` brings it)\n";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{said}");
        // Past the test's own capture of its output, which hides what a test that passes has to say.
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        None
    }

    fn helm<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/tenant-operator");
        Command::new(&self.helm).args(arguments).arg(chart).output().unwrap()
    }

    fn template(&self, values: &[&str]) -> Output {
        let settings = values.iter().flat_map(|value| ["--set", value]);
        let fixed = ["template", "tenant-operator", "--namespace", "operators", "--kube-version", "1.33.0"];
        self.helm(fixed.into_iter().chain(settings))
    }

    /// All objects rendered with the required values and these.
    fn rendered(&self, values: &[&str]) -> Vec<Value> {
        let output = self.template(&[&REQUIRED, values].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let documents = serde_yaml::Deserializer::from_str(&text).map(|document| Value::deserialize(document).unwrap());
        documents.filter(|document| !document.is_null()).collect()
    }

    fn refusal(&self, values: &[&str]) -> String {
        let output = self.template(values);
        assert!(!output.status.success(), "{values:?} should be refused");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn helm() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let Some(named) = variable("HELM") {
        return Some(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cache = variable("TENANT_OPERATOR_CACHE").or_else(|| Some(variable("HOME")?.join(".cache/tenant-operator")));
    let folders = std::env::split_paths(&path).chain(cache.map(|cache| cache.join("bin")));
    folders.map(|folder| folder.join("helm")).find(|program| program.is_file())
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_sequence().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// Every `resource verb` that a role grants.
fn grants(role: &Value) -> Vec<String> {
    let rules = role["rules"].as_sequence().unwrap();
    let pairs = |rule: &Value| -> Vec<String> {
        let verbs = strings(&rule["verbs"]);
        strings(&rule["resources"])
            .iter()
            .flat_map(|resource| verbs.iter().map(move |verb| format!("{resource} {verb}")))
            .collect()
    };
    rules.iter().flat_map(pairs).collect()
}

#[test]
fn helm_finds_nothing_to_complain_about() {
    let Some(chart) = Chart::found() else { return };
    let output = chart.helm(["lint", "--strict", "--set", "clusterName=prod,image.repository=x"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn one_operator_runs_with_no_rights_in_its_container() {
    let Some(chart) = Chart::found() else { return };
    let objects = chart.rendered(&[]);
    let deployments = of_kind(&objects, "Deployment");
    assert_eq!(deployments.len(), 1);
    let spec = &deployments[0]["spec"];
    assert_eq!((spec["replicas"].as_i64(), spec["strategy"]["type"].as_str()), (Some(1), Some("Recreate")));
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let context = &pod["containers"][0]["securityContext"];
    assert_eq!(context["readOnlyRootFilesystem"], true);
    assert_eq!(context["allowPrivilegeEscalation"], false);
    assert_eq!(strings(&context["capabilities"]["drop"]), ["ALL"]);
}

/// The chart and the program agree on every flag: the program itself reads what the chart passes.
#[test]
fn the_program_understands_what_the_chart_passes() {
    let Some(chart) = Chart::found() else { return };
    let objects = chart.rendered(&["resync=90m", "inspectInterval=45m", "concurrency=3", "logFormat=text"]);
    let container = &of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0];
    let arguments = strings(&container["args"]);
    for expected in ["--cluster-name=prod", "--resync=90m", "--inspect-interval=45m", "--concurrency=3", "--log-format=text"] {
        assert!(arguments.contains(&expected), "{expected} is not in {arguments:?}");
    }
    let program = env!("CARGO_BIN_EXE_tenant-operator");
    let address = "--health-address=127.0.0.1:0";
    let output = Command::new(program).args(arguments).arg(address).env("KUBECONFIG", "/none").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("set KUBECONFIG"), "it should fail only for the want of a cluster: {text}");
}

#[test]
fn a_digest_wins_over_a_tag_and_the_backend_gets_the_same_image() {
    let Some(chart) = Chart::found() else { return };
    let digest = format!("sha256:{}", "a".repeat(64));
    let objects = chart.rendered(&["image.tag=1.2.3", &format!("image.digest={digest}")]);
    let container = &of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0];
    let image = format!("registry.test/tenant-operator@{digest}");
    assert_eq!(container["image"], image.as_str());
    assert!(strings(&container["args"]).contains(&format!("--image={image}").as_str()));
}

#[test]
fn secrets_and_jobs_are_granted_namespace_by_namespace() {
    let Some(chart) = Chart::found() else { return };
    let objects = chart.rendered(&["benchNamespaces={erp,erp16}", "tenantNamespaces={customers}"]);
    let bindings: Vec<_> = of_kind(&objects, "RoleBinding")
        .into_iter()
        .filter(|binding| binding["roleRef"]["kind"] == "ClusterRole")
        .map(|binding| (binding["metadata"]["namespace"].as_str().unwrap(), binding["roleRef"]["name"].as_str().unwrap()))
        .collect();
    let expected =
        [("erp", "tenant-operator-bench"), ("erp16", "tenant-operator-bench"), ("customers", "tenant-operator-tenants")];
    assert_eq!(bindings, expected);
    let wide = of_kind(&objects, "ClusterRoleBinding");
    assert_eq!(wide.len(), 1);
    let role = wide[0]["roleRef"]["name"].as_str().unwrap();
    let granted = grants(of_kind(&objects, "ClusterRole").into_iter().find(|found| found["metadata"]["name"] == role).unwrap());
    assert!(!granted.iter().any(|grant| grant.starts_with("secrets")), "{granted:?}");
    let writes = ["create", "update", "patch", "delete"];
    let foreign = |grant: &&String| !["tenant", "bench", "events"].iter().any(|ours| grant.starts_with(ours));
    let written: Vec<_> =
        granted.iter().filter(foreign).filter(|grant| writes.iter().any(|verb| grant.ends_with(verb))).collect();
    assert!(written.is_empty(), "{written:?}");
}

#[test]
fn the_whole_cluster_is_granted_only_when_asked_for() {
    let Some(chart) = Chart::found() else { return };
    let objects = chart.rendered(&["clusterWide=true", "benchNamespaces={erp}"]);
    let names: Vec<_> =
        of_kind(&objects, "ClusterRoleBinding").into_iter().map(|binding| binding["roleRef"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tenant-operator", "tenant-operator-bench", "tenant-operator-tenants"]);
}

#[test]
fn no_rule_grants_everything() {
    let Some(chart) = Chart::found() else { return };
    for role in ["ClusterRole", "Role"]
        .iter()
        .flat_map(|kind| of_kind(&chart.rendered(&[]), kind).into_iter().cloned().collect::<Vec<_>>())
    {
        assert!(!grants(&role).iter().any(|grant| grant.contains('*')), "{role:?}");
    }
}

#[test]
fn the_crds_are_those_of_the_project_and_survive_an_uninstall() {
    let Some(chart) = Chart::found() else { return };
    let objects = chart.rendered(&[]);
    let crds: Vec<CustomResourceDefinition> = of_kind(&objects, "CustomResourceDefinition")
        .into_iter()
        .map(|crd| serde_yaml::from_value(crd.clone()).unwrap())
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!((crds.len(), files.len()), (4, 4));
    for file in files {
        let expected: CustomResourceDefinition = serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let found = crds.iter().find(|crd| crd.metadata.name == expected.metadata.name);
        let found = found.unwrap_or_else(|| panic!("{} is not in the chart", file.display()));
        assert_eq!(found.metadata.annotations.as_ref().unwrap()["helm.sh/resource-policy"], "keep");
        assert!(found.spec == expected.spec, "the chart's {} differs", file.display());
    }
    assert!(of_kind(&chart.rendered(&["crds.install=false"]), "CustomResourceDefinition").is_empty());
}

#[test]
fn what_is_missing_or_wrong_is_refused_with_its_name() {
    let Some(chart) = Chart::found() else { return };
    assert!(chart.refusal(&["image.repository=x"]).contains("clusterName is required"));
    assert!(chart.refusal(&["clusterName=prod"]).contains("image.repository is required"));
    for wrong in [
        "benchNamespace={erp}",
        "concurrency=0",
        "logFormat=xml",
        "resync=soon",
        "inspectInterval=daily",
        "clusterName=Prod",
        "image.digest=abc",
    ] {
        let name = wrong.split(['=', '.']).next().unwrap();
        let text = chart.refusal(&[&REQUIRED[..], &[wrong]].concat());
        assert!(text.contains(name), "{wrong}: {text}");
    }
}
