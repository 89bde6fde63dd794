//! What Jobs and their pods say of themselves: states, conditions, termination messages.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::jiff::Timestamp;

use crate::core::evidence;
use crate::core::names::{annotation, label};
use crate::core::op::JobKind;
use crate::core::seen::{JobSeen, JobState, StepReport};
use crate::core::steps::Step;

/// Reasons of a waiting container that do not pass by themselves.
const BLOCKED: [&str; 5] =
    ["ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError", "ErrImageNeverPull"];

/// The oldest attempt first.
pub(super) fn in_order(jobs: &[Job], pods: &[Pod]) -> Vec<JobSeen> {
    let mut seen: Vec<JobSeen> = jobs.iter().filter_map(|job| job_seen(job, pods)).collect();
    seen.sort_by_key(|job| job.attempt);
    seen
}

/// Whether it has a pod of which each container has said its last word.
pub(super) fn has_ended(job: &Job, pods: &[Pod]) -> bool {
    let mut pods = pods.iter().filter(|pod| is_of(pod, job)).peekable();
    let silent = |container: &ContainerStatus| container.state.as_ref().is_none_or(|state| state.terminated.is_none());
    pods.peek().is_some() && pods.all(|pod| containers(pod).next().is_some() && !containers(pod).any(silent))
}

fn job_seen(job: &Job, pods: &[Pod]) -> Option<JobSeen> {
    let name = job.metadata.name.clone()?;
    let annotation = |key: &str| job.metadata.annotations.as_ref().and_then(|all| all.get(key));
    let hashes: std::collections::BTreeMap<String, String> = serde_json::from_str(annotation(annotation::HASHES)?).ok()?;
    let pods: Vec<&Pod> = pods.iter().filter(|pod| is_of(pod, job)).collect();
    Some(JobSeen {
        kind: JobKind::parse(job.metadata.labels.as_ref()?.get(label::STEP)?)?,
        attempt: annotation(annotation::ATTEMPT)?.parse().ok()?,
        hashes: hashes.into_iter().filter_map(|(step, hash)| Some((Step::parse(&step)?, hash))).collect(),
        state: state(job),
        leaving: job.metadata.deletion_timestamp.is_some(),
        ended: ended(job),
        reports: pods.iter().flat_map(|pod| reports(pod)).collect(),
        blocked: pods.iter().find_map(|pod| blocked(pod)),
        uid: job.metadata.uid.clone().unwrap_or_default(),
        name,
    })
}

/// Not by the Job's name: one of before may have had it, and its pods may still be seen.
pub(super) fn is_of(pod: &Pod, job: &Job) -> bool {
    let of = pod.metadata.labels.as_ref().and_then(|labels| labels.get("batch.kubernetes.io/controller-uid"));
    of.is_some() && of == job.metadata.uid.as_ref()
}

pub(super) fn state(job: &Job) -> JobState {
    let holds = |type_: &str| {
        let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.into_iter().flatten().any(|condition| condition.type_ == type_ && condition.status == "True")
    };
    match (holds("Complete"), holds("Failed")) {
        (true, _) => JobState::Succeeded,
        (false, true) => JobState::Failed,
        (false, false) => JobState::Running,
    }
}

pub(super) fn ended(job: &Job) -> Option<Timestamp> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let last = conditions.iter().filter(|condition| matches!(condition.type_.as_str(), "Complete" | "Failed"));
    last.filter_map(|condition| condition.last_transition_time.as_ref()).map(|time| time.0).max()
}

/// Init containers first: the order in which they ran.
fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let first = status.and_then(|status| status.init_container_statuses.as_ref()).into_iter().flatten();
    first.chain(status.and_then(|status| status.container_statuses.as_ref()).into_iter().flatten())
}

/// What the containers that have ended left to be read.
pub(super) fn messages(pod: &Pod) -> impl Iterator<Item = &str> {
    containers(pod).filter_map(|container| container.state.as_ref()?.terminated.as_ref()?.message.as_deref())
}

fn reports(pod: &Pod) -> Vec<StepReport> {
    messages(pod).filter_map(evidence::parse).collect()
}

pub(super) fn blocked(pod: &Pod) -> Option<String> {
    let waiting = containers(pod).filter_map(|container| container.state.as_ref()?.waiting.as_ref());
    let stuck = waiting.into_iter().find(|waiting| waiting.reason.as_deref().is_some_and(|reason| BLOCKED.contains(&reason)));
    if let Some(waiting) = stuck {
        return Some(format!(
            "{}: {}",
            waiting.reason.as_deref().unwrap_or_default(),
            waiting.message.as_deref().unwrap_or_default()
        ));
    }
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let unscheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    unscheduled.message.clone()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::Config;
    use serde_json::json;

    use super::*;

    fn read(annotations: &serde_json::Value, message: &str) -> Option<JobSeen> {
        let label = |name: &str| format!("tenancy.nexuserp.io/{name}");
        let job = json!({
            "metadata": {"name": "7f3a-provision-0a1b-0", "uid": "0f", "labels": {label("step"): "provision"}, "annotations": annotations},
            "status": {"conditions": [{"type": "Failed", "status": "True", "lastTransitionTime": "2026-11-21T12:00:00Z"}]},
        });
        let state = json!({"terminated": {"exitCode": 1, "message": message}});
        let pod = json!({
            "metadata": {"labels": {"batch.kubernetes.io/controller-uid": "0f"}},
            "status": {"containerStatuses": [{"name": "site", "image": "x", "imageID": "x", "ready": false, "restartCount": 0, "state": state}]},
        });
        job_seen(&serde_json::from_value(job).expect("a Job"), &[serde_json::from_value(pod).expect("a Pod")])
    }

    #[test]
    fn a_job_is_known_by_its_annotations_and_its_pods_last_words() {
        let annotations =
            json!({"tenancy.nexuserp.io/hashes": r#"{"create":"ab","later":"cd"}"#, "tenancy.nexuserp.io/attempt": "3"});
        let seen = read(&annotations, r#"{"ok":true,"done":{"create":{}}}"#).expect("a Job of ours");
        assert_eq!((seen.attempt, seen.state, seen.reports.len()), (3, JobState::Failed, 1));
        assert_eq!(seen.hashes.into_iter().collect::<Vec<_>>(), [(Step::Create, "ab".to_owned())]);
    }

    #[test]
    fn the_pods_of_an_earlier_job_of_the_same_name_say_nothing_of_it() {
        let job: Job =
            serde_json::from_value(json!({"metadata": {"name": "7f3a-provision-0a1b-0", "uid": "0f"}})).expect("a Job");
        let pod = |of: &str| -> Pod {
            let labels =
                json!({"batch.kubernetes.io/job-name": "7f3a-provision-0a1b-0", "batch.kubernetes.io/controller-uid": of});
            serde_json::from_value(json!({"metadata": {"labels": labels}})).expect("a Pod")
        };
        assert_eq!(["0f", "0e"].map(|of| is_of(&pod(of), &job)), [true, false]);
    }

    proptest! {
        #![proptest_config(Config { cases: 1000, failure_persistence: None, ..Config::default() })]

        /// Whoever may edit Jobs may write anything there: such a Job is not ours, or is one with what could be read.
        #[test]
        fn annotations_of_any_text_are_read_or_make_it_nobodys_job(
            hashes in prop_oneof![".{0,60}", "[{\\[]\"(create|apps|x)\":(\"[a-f0-9]{4}\"|5|null|\\[\\])[}\\]]"],
            attempt in prop_oneof![".{0,12}", "-?[0-9]{1,12}"],
            message in ".{0,80}",
        ) {
            let annotations = json!({"tenancy.nexuserp.io/hashes": hashes, "tenancy.nexuserp.io/attempt": attempt});
            let map: Option<std::collections::BTreeMap<String, String>> = serde_json::from_str(&hashes).ok();
            let number: Option<u32> = attempt.parse().ok();
            let seen = read(&annotations, &message);
            prop_assert_eq!(seen.is_some(), map.is_some() && number.is_some());
            prop_assert_eq!(seen.map(|seen| seen.attempt), number.filter(|_| map.is_some()));
        }
    }
}
