//! The reconcile of one Bench: the backend that answers for it, the upkeep of its archives, how many tenants it carries, and that
//! it does not go while they are on it.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as MetaCondition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use kube::core::NamespaceResourceScope;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::finalizer;
use super::tenant::Reconciler;
use crate::api::{Archive, Bench, BenchStatus, TenantClaim};
use crate::core::carried::Carried;
use crate::core::manifests::{answer, covers, steps, upkeep};
use crate::core::names::{self, label};
use crate::core::place;
use crate::core::verdict::Note;
use crate::core::{inspection, templates};
use crate::runtime::metrics::Outcome;
use crate::world::error::{Class, Error};
use crate::world::live::pages::each;

/// What errors call what a Bench has of its own.
const CHILD: &str = "child of Bench";
/// How often the upkeep is put right while there is one: it runs with the image that the bench had when it was looked at last.
const UPKEEP: Duration = Duration::from_secs(3600);

pub async fn reconcile(bench: Arc<Bench>, here: Arc<Reconciler>) -> Result<Action, Error> {
    // Right after a start each would list its claims while all are being listed.
    here.live.shelves.claims.warm().await;
    let timer = here.metrics.reconcile("bench");
    let carried = here.carried(&bench).await?;
    let tenants = u32::try_from(carried.len()).unwrap_or(u32::MAX);
    if bench.metadata.deletion_timestamp.is_some() {
        if tenants > 0 {
            let note = place::in_use(&carried);
            here.write(&bench, bench.status.clone().unwrap_or_default(), tenants, false, &note).await?;
        } else if let Some((templates, pause)) = here.templates_left(&bench).await? {
            let status = BenchStatus { templates, ..bench.status.clone().unwrap_or_default() };
            here.write(&bench, status, tenants, false, &Note::new("Leaving", "its templates are being removed")).await?;
            timer.finish(Outcome::Waiting);
            return Ok(Action::requeue(pause));
        } else {
            match here.clear(&bench).await {
                // A namespace that is being deleted may have taken our permissions away: what is in it goes all the same.
                Err(error) if error.class() == Class::Denied => {
                    tracing::warn!(bench = %bench.name_any(), %error, "left as it is")
                }
                cleared => cleared?,
            }
            finalizer::release(&here.client, bench.as_ref(), names::IN_USE).await?;
            here.close_gate(&bench);
        }
        timer.finish(Outcome::Settled);
        return Ok(Action::requeue(here.settings.resync));
    }
    finalizer::hold(&here.client, bench.as_ref(), names::IN_USE).await?;
    let (ready, note) = match here.serve(&bench, &carried).await {
        Err(Error::Unusable { what, problem }) => (false, Note::new("NotOurs", format!("{what}: {problem}"))),
        // What only a person can put right has to be seen where a person looks.
        Err(error) if error.class() == Class::Denied => (false, Note::new(error.reason(), error.to_string())),
        served => served?,
    };
    let looked = here.inspect(&bench, &carried).await;
    let mut status =
        looked.as_ref().map(|(status, _)| status.clone()).unwrap_or_else(|_| bench.status.clone().unwrap_or_default());
    let kept = here.keep_templates(&bench, &carried, &mut status).await;
    here.write(&bench, status, tenants, ready, &note).await?;
    timer.finish(if ready { Outcome::Settled } else { Outcome::Waiting });
    let resync = here.settings.resync.min(looked?.1);
    let resync = kept?.map_or(resync, |pause| resync.min(pause));
    Ok(Action::requeue(keep(&bench).map_or(resync, |_| resync.min(UPKEEP))))
}

impl Reconciler {
    /// Those whose sites are on it.
    async fn carried(&self, bench: &Bench) -> Result<Vec<Carried>, Error> {
        let here = place::reference(bench);
        if let Some(known) = self.live.known_on(&here) {
            return Ok(known);
        }
        let on_it = ListParams::default().labels(&format!("{}={}", label::BENCH, bench.name_any()));
        let mut carried = vec![];
        let claims = Api::<TenantClaim>::all(self.client.clone());
        let listed = each(&claims, on_it, |claim| carried.extend(Carried::of(claim, &here))).await;
        listed.map_err(|source| Error::cluster("list", "TenantClaim", bench.name_any(), source)).map(|()| carried)
    }

    /// The answering backend is there, and what tenants will need of the bench can be found.
    async fn serve(&self, bench: &Bench, carried: &[Carried]) -> Result<(bool, Note), Error> {
        let (name, namespace) = (bench.name_any(), bench.namespace().unwrap_or_default());
        self.ensure(&namespace, &answer::service(&name, &namespace)).await?;
        let answering = self.ensure(&namespace, &answer::deployment(&name, &namespace, &self.settings.image)).await?;
        self.say(bench, carried).await?;
        if keep(bench).is_none() {
            // Before anything can be found missing: archives that are to be kept for ever are in danger while it is there.
            self.remove::<CronJob>(&namespace, &names::upkeep(&name)).await?;
        }
        let source = self.live.pod_source_of(bench).await?;
        if let Some(from) = bench.spec.jobs.pod_from.as_ref().filter(|_| source.is_none()) {
            let message = format!("there is no Deployment {} in {namespace}: correct jobs.podFrom", from.deployment);
            return Ok((false, Note::new("PodSourceMissing", message)));
        }
        if let Some(keep) = keep(bench) {
            self.ensure(&namespace, &steps::config_map(&namespace)).await?;
            self.ensure(&namespace, &upkeep::cron_job(bench, keep, source.as_ref())).await?;
        }
        let available = answering.status.and_then(|status| status.available_replicas).unwrap_or_default() > 0;
        Ok(match available {
            true => (true, Note::new("Serving", "tenants can be placed here")),
            false => (false, Note::new("AnswerNotReady", format!("Deployment {} is not available yet", names::answer(&name)))),
        })
    }

    /// Applies a child of the Bench where it is not as it should be.
    pub(super) async fn ensure<K>(&self, namespace: &str, wanted: &K) -> Result<K, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let name = wanted.name_any();
        let found = api.get_opt(&name).await.map_err(|source| Error::cluster("get", CHILD, name.clone(), source))?;
        let same = |found: &K| match (serde_json::to_value(found), serde_json::to_value(wanted)) {
            (Ok(found), Ok(wanted)) => covers(&found, &wanted),
            _ => false,
        };
        match found {
            Some(found) if same(&found) => Ok(found),
            Some(found) if !ours(&found) => Err(Error::Unusable {
                what: format!("{} {name}", K::kind(&())),
                problem: "it is not ours: delete or rename it".to_owned(),
            }),
            _ => {
                let params = PatchParams::apply(names::MANAGER).force();
                let applied = api.patch(&name, &params, &Patch::Apply(wanted)).await;
                applied.map_err(|source| Error::cluster("apply", CHILD, name, source))
            }
        }
    }

    async fn clear(&self, bench: &Bench) -> Result<(), Error> {
        let (name, namespace) = (bench.name_any(), bench.namespace().unwrap_or_default());
        self.live.end_jobs(bench, inspection::STEP).await?;
        self.live.end_jobs(bench, templates::STEP).await?;
        self.remove_expectations(bench, 0).await?;
        self.remove::<CronJob>(&namespace, &names::upkeep(&name)).await?;
        self.remove::<Deployment>(&namespace, &names::answer(&name)).await?;
        self.remove::<ConfigMap>(&namespace, &names::answer(&name)).await?;
        self.remove::<Service>(&namespace, &names::answer(&name)).await.map(drop)
    }

    /// Deletes a child of the Bench, while it is ours; false where there was none.
    pub(super) async fn remove<K>(&self, namespace: &str, name: &str) -> Result<bool, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let found = api.get_opt(name).await.map_err(|source| Error::cluster("get", CHILD, name, source))?;
        let Some(found) = found.filter(ours) else { return Ok(false) };
        let this_one = Preconditions { uid: found.uid(), resource_version: None };
        let params = DeleteParams { preconditions: Some(this_one), ..DeleteParams::background() };
        gone(api.delete(name, &params).await).map_err(|source| Error::cluster("delete", CHILD, name, source))?;
        Ok(true)
    }

    /// `status` is the old one with what the inspection found.
    async fn write(&self, bench: &Bench, status: BenchStatus, tenants: u32, ready: bool, note: &Note) -> Result<(), Error> {
        let truth = if ready { "True" } else { "False" };
        let old = bench.status.clone().unwrap_or_default();
        let before = old.conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status == truth);
        let condition = MetaCondition {
            type_: "Ready".to_owned(),
            status: truth.to_owned(),
            reason: note.reason.to_string(),
            message: note.message.clone(),
            observed_generation: bench.metadata.generation,
            last_transition_time: before.map_or_else(|| Time(Timestamp::now()), |before| before.last_transition_time.clone()),
        };
        let others = status.conditions.iter().filter(|other| other.type_ != condition.type_).cloned();
        let conditions = std::iter::once(condition.clone()).chain(others).collect();
        let status = BenchStatus { observed_generation: bench.metadata.generation, tenants: Some(tenants), conditions, ..status };
        if status == old {
            return Ok(());
        }
        let patch = json!({
            "apiVersion": Bench::api_version(&()),
            "kind": Bench::kind(&()),
            "metadata": {"name": bench.name_any()},
            "status": status,
        });
        let api: Api<Bench> = Api::namespaced(self.client.clone(), &bench.namespace().unwrap_or_default());
        let params = PatchParams::apply(names::STATUS_MANAGER).force();
        gone(api.patch_status(&bench.name_any(), &params, &Patch::Apply(patch)).await)
            .map_err(|source| Error::cluster("patch the status of", "Bench", bench.name_any(), source))
    }
}

/// How long archives are kept; none: for ever.
fn keep(bench: &Bench) -> Option<Duration> {
    bench.spec.archive.as_ref().and_then(Archive::keep)
}

fn ours<K: Resource>(child: &K) -> bool {
    child.meta().labels.as_ref().and_then(|labels| labels.get(label::MANAGED_BY)).is_some_and(|manager| manager == names::MANAGER)
}

/// Deleted already, or by now another's of the same name.
fn gone<T>(result: kube::Result<T>) -> kube::Result<()> {
    match result {
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(()),
        other => other.map(drop),
    }
}
