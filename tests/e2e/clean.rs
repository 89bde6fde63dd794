//! Taking away what a test made: the ordinary way first, by hand what is left on purpose or by a failure.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use tenant_operator::api::{Bench, TenantClaim, TenantPlan};

use crate::case::{Case, all};
use crate::inside::Inside;
use crate::{master, remains};

impl Case {
    pub async fn clean(&self) {
        let mut complaints = vec![];
        let last = std::mem::take(&mut *self.last.lock().unwrap());
        for undo in last {
            undo(self);
        }
        let tenants = all(&self.tenants);
        complaints.extend(self.clean_tenants(&tenants, |_| true).await);
        for (bench, place) in all(&self.benches) {
            let benches = Api::<Bench>::namespaced(self.lab.client.clone(), place.namespace);
            complaints.extend(gone(&benches, &bench).await);
        }
        for plan in all(&self.plans) {
            complaints.extend(gone(&Api::<TenantPlan>::all(self.lab.client.clone()), &plan).await);
        }
        for (namespace, name) in all(&self.secrets) {
            let secrets = Api::<Secret>::namespaced(self.lab.client.clone(), &namespace);
            complaints.extend(gone(&secrets, &name).await);
        }
        assert!(complaints.is_empty(), "left behind: {}", complaints.join("; "));
    }

    /// These tenants, each as namespace and name, and the sites that are theirs.
    pub async fn clean_tenants(&self, tenants: &[(String, String)], theirs: impl Fn(&str) -> bool) -> Vec<String> {
        let mut complaints = vec![];
        for (namespace, name) in tenants {
            self.note_claimed(namespace, name).await;
            complaints.extend(self.remove_tenant(namespace, name).await);
        }
        let ids = self.ids.lock().unwrap().clone();
        for (id, namespace, site) in ids.into_iter().filter(|(_, _, site)| theirs(site)) {
            for left in remains::listed(&self.lab.client, &id).await {
                let (kind, place) = left.split_once(' ').expect("kind and place");
                let (namespace, name) = place.split_once('/').expect("namespace and name");
                let _ = self.lab.kubectl(&["delete", kind, name, "-n", namespace, "--wait=false", "--ignore-not-found"], "");
            }
            Inside { lab: &self.lab, namespace }.purge(&id, &site);
        }
        for (_, place) in all(&self.benches) {
            for (_, name) in tenants {
                master::remove(&self.lab, &place, name).await;
            }
        }
        complaints
    }

    /// Of a tenant that was seen to be gone without a trace there is nothing to clean.
    #[allow(dead_code, reason = "only the faults clean as they go")]
    pub fn forget(&self, name: &str, id: &str) {
        self.tenants.lock().unwrap().retain(|(_, other)| other != name);
        self.ids.lock().unwrap().retain(|(other, ..)| other != id);
    }

    /// Also of tenants that never came far enough to be remembered.
    async fn note_claimed(&self, namespace: &str, name: &str) {
        let of_tenant = format!("tenancy.nexuserp.io/tenant={name},tenancy.nexuserp.io/tenant-namespace={namespace}");
        let claims = Api::<TenantClaim>::all(self.lab.client.clone())
            .list(&ListParams::default().labels(&of_tenant))
            .await
            .expect("claims");
        for claim in claims {
            let Some(record) = &claim.spec.record else { continue };
            let places = all(&self.benches);
            if let Some((_, place)) = places.iter().find(|(bench, _)| *bench == record.bench.name) {
                let mut ids = self.ids.lock().unwrap();
                ids.insert((claim.spec.holder.id.clone(), place.namespace, record.site_name.clone()));
            }
        }
    }

    async fn remove_tenant(&self, namespace: &str, name: &str) -> Option<String> {
        let api = self.tenants(namespace);
        let policy = json!({"spec": {"deletionPolicy": "Delete"}});
        let _ = api.patch(name, &PatchParams::default(), &Patch::Merge(policy)).await;
        let complaint = gone(&api, name).await?;
        let free = json!({"metadata": {"finalizers": null}});
        let _ = api.patch(name, &PatchParams::default(), &Patch::Merge(free)).await;
        Some(complaint)
    }
}

/// Deletes an object and waits until it is gone; a complaint where it does not go.
async fn gone<K>(api: &Api<K>, name: &str) -> Option<String>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let uid = api.get_opt(name).await.expect("an answer")?.uid()?;
    let _ = api.delete(name, &DeleteParams::default()).await;
    let left =
        tokio::time::timeout(Duration::from_secs(90), await_condition(api.clone(), name, conditions::is_deleted(&uid))).await;
    left.is_err().then(|| format!("{} {name} did not go within 90 s", K::kind(&())))
}
