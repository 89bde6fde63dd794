//! The backend of one Bench that answers where a site must not or cannot yet: one port an answer, since a route can choose a port but no text.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, ContainerPort, HTTPGetAction, PodSecurityContext, PodSpec, PodTemplateSpec,
    Probe, ResourceRequirements, SeccompProfile, SecurityContext, Service, ServicePort, ServiceSpec, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::strings;
use crate::core::names;

/// One answer, one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 403: this path is refused on an API host.
    Refused,
    /// 503 with Retry-After: the tenant is being made ready.
    Preparing,
    /// 503: the tenant is suspended.
    Suspended,
}

impl Answer {
    pub const ALL: [Self; 3] = [Self::Refused, Self::Preparing, Self::Suspended];

    pub fn port(self) -> u16 {
        match self {
            Self::Refused => 8403,
            Self::Preparing => 8503,
            Self::Suspended => 8504,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Preparing => "preparing",
            Self::Suspended => "suspended",
        }
    }
}

/// The `exc_type` of a suspended tenant. Frappe has no such error: programs can tell it from one that is being updated.
pub const SUSPENDED: &str = "TenantSuspended";

/// Where the answering process says that it lives.
pub const HEALTH_PORT: u16 = 8081;

/// Where it finds the messages of suspended tenants, a file for each host.
const MESSAGES: &str = "/run/tenant-messages";

pub(super) fn meta(bench: &str, namespace: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(names::answer(bench)),
        namespace: Some(namespace.to_owned()),
        labels: Some(strings([(names::label::BENCH, bench), (names::label::MANAGED_BY, names::MANAGER)])),
        ..Default::default()
    }
}

fn selector(bench: &str) -> std::collections::BTreeMap<String, String> {
    strings([("app.kubernetes.io/name", "tenant-answer"), (names::label::BENCH, bench)])
}

pub fn service(bench: &str, namespace: &str) -> Service {
    let ports = Answer::ALL.map(|answer| ServicePort {
        name: Some(answer.name().to_owned()),
        port: i32::from(answer.port()),
        target_port: Some(IntOrString::Int(i32::from(answer.port()))),
        protocol: Some("TCP".to_owned()),
        ..Default::default()
    });
    Service {
        metadata: meta(bench, namespace),
        spec: Some(ServiceSpec { selector: Some(selector(bench)), ports: Some(ports.into()), ..Default::default() }),
        status: None,
    }
}

/// `image` is the operator's own: the answering backend is one of its subcommands.
pub fn deployment(bench: &str, namespace: &str, image: &str) -> Deployment {
    let pod = PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..Default::default() }),
            ..Default::default()
        }),
        containers: vec![container(image)],
        volumes: Some(vec![Volume {
            name: "messages".to_owned(),
            // It answers without them too.
            config_map: Some(ConfigMapVolumeSource { name: names::answer(bench), optional: Some(true), ..Default::default() }),
            ..Default::default()
        }]),
        ..Default::default()
    };
    Deployment {
        metadata: meta(bench, namespace),
        spec: DeploymentSpec {
            replicas: Some(1),
            selector: LabelSelector { match_labels: Some(selector(bench)), ..Default::default() },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(selector(bench)), ..Default::default() }),
                spec: Some(pod),
            },
            ..Default::default()
        },
        status: None,
    }
}

fn container(image: &str) -> Container {
    let quantities = |cpu: Option<&str>, memory: &str| {
        let cpu = cpu.map(|cpu| ("cpu".to_owned(), Quantity(cpu.to_owned())));
        Some(cpu.into_iter().chain([("memory".to_owned(), Quantity(memory.to_owned()))]).collect())
    };
    Container {
        name: "answer".to_owned(),
        image: Some(image.to_owned()),
        args: Some(vec!["answer".to_owned(), format!("--messages={MESSAGES}")]),
        volume_mounts: Some(vec![VolumeMount {
            name: "messages".to_owned(),
            mount_path: MESSAGES.to_owned(),
            read_only: Some(true),
            ..Default::default()
        }]),
        ports: Some(
            Answer::ALL
                .map(|answer| ContainerPort {
                    name: Some(answer.name().to_owned()),
                    container_port: i32::from(answer.port()),
                    ..Default::default()
                })
                .into(),
        ),
        readiness_probe: Some(Probe {
            http_get: Some(HTTPGetAction {
                path: Some("/livez".to_owned()),
                port: IntOrString::Int(i32::from(HEALTH_PORT)),
                ..Default::default()
            }),
            period_seconds: Some(2),
            ..Default::default()
        }),
        resources: Some(ResourceRequirements {
            requests: quantities(Some("5m"), "16Mi"),
            limits: quantities(None, "64Mi"),
            ..Default::default()
        }),
        security_context: Some(restricted(Some(true))),
        ..Default::default()
    }
}

/// What the restricted Pod Security Standard asks of a container.
pub fn restricted(read_only: Option<bool>) -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: read_only,
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Default::default() }),
        ..Default::default()
    }
}
