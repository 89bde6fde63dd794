//! How what people do comes about in the outside.

use tenant_operator::api::{Adoption, Phase, ProbeMode, Suspend, VerifyMode};
use tenant_operator::core::names::annotation;
use tenant_operator::core::subject::ObjectName;

use crate::acts::{Act, Edit};
use crate::given;
use crate::life::Life;
use crate::outside::secrets::Published;

impl Life<'_> {
    pub fn happens(&mut self, act: &Act) {
        let site = |who: usize| {
            let (_, _, subdomain) = self.script.people[who];
            self.sim.outside().bench.spec.site_name_template.replace("{subdomain}", subdomain).replace("{domain}", "port.test")
        };
        match act {
            Act::Apply { who, plan, policy } => {
                let (namespace, name, subdomain) = self.script.people[*who];
                let mut outside = self.sim.outside();
                let tenant = given::tenant(namespace, name, subdomain, plan, *policy, outside.time());
                outside.apply_tenant(tenant);
            }
            Act::Edit { who, edit } => self.edit(*who, edit),
            Act::Delete(who) => self.sim.outside().delete_tenant(&self.name(*who)),
            Act::Lose(who) => {
                let name = self.name(*who);
                self.sim.outside().lose_tenant(&name);
                // The watch tells of it.
                self.sim.gate().0.gone(&name);
                let now = self.sim.outside().time();
                self.sim.turns.gone(&name, now);
            }
            Act::Outage(party, seconds) => {
                let mut outside = self.sim.outside();
                let now = outside.now;
                outside.faults.outages.push((*party, now, now + seconds));
            }
            Act::Stranger(who) => {
                let site = site(*who);
                self.sim.outside().settle(&site);
            }
            Act::Passport(who) => {
                let (namespace, name, _) = self.script.people[*who];
                let mut outside = self.sim.outside();
                let theirs = Published { owner: None, api: 0, url: String::new() };
                let name = ObjectName { namespace: namespace.to_owned(), name: format!("{name}-passport") };
                outside.secrets.published.insert(name, theirs);
            }
            Act::Secret(who) => {
                let (namespace, name, _) = self.script.people[*who];
                let mut outside = self.sim.outside();
                let value = outside.fresh();
                outside.secrets.theirs.insert((namespace.to_owned(), format!("{name}-chart"), "depth".to_owned()), value);
                outside.stir();
            }
            Act::Row { who, holder } => {
                let (_, _, subdomain) = self.script.people[*who];
                let row = [("berth", subdomain), ("holder", holder), ("state", "Planned"), ("was_there", "1")];
                let row = row.map(|(name, value)| (name.to_owned(), serde_json::json!(value)));
                self.sim.outside().master.rows.insert(subdomain.to_owned(), row.into());
            }
            Act::NewApp(app) => self.sim.outside().dock.apps.push((*app).to_owned()),
            Act::EditPlan(name) => {
                let mut outside = self.sim.outside();
                if let Some(plan) = outside.plans.get_mut(*name) {
                    plan.metadata.generation = plan.metadata.generation.map(|generation| generation + 1);
                    plan.spec.site_config.push(given::plain("tide", 12));
                    plan.spec.apps.push(given::app("payments"));
                }
                outside.stir();
            }
            Act::Drift(which) => self.sim.outside().drift(*which),
            Act::Harm(who, harm) => {
                let site = site(*who);
                self.sim.outside().harm(&self.name(*who), &site, *harm);
            }
            Act::RowEdited(who) => {
                let mut outside = self.sim.outside();
                let row = outside.master.rows.get_mut(self.script.people[*who].2);
                row.into_iter().for_each(|row| drop(row.insert("tier".to_owned(), "by hand".into())));
            }
            Act::RowDeleted(who) => drop(self.sim.outside().master.rows.remove(self.script.people[*who].2)),
            Act::LoseClaims { who, hosts_only } => self.sim.outside().lose_claims(&self.name(*who), *hosts_only),
            Act::Restore(claims) => self.sim.outside().restore(*claims),
            Act::List(who) => {
                let site = site(*who);
                self.sim.outside().bench.spec.adoption.site_names.push(site);
                self.sim.outside().stir();
            }
            Act::TakeKept(who) => {
                let name = self.name(*who);
                let claims = self.sim.outside().recall(&name);
                if claims.iter().any(|claim| claim.record().is_some_and(|record| record.phase == Phase::Retained)) {
                    self.edit(*who, &Edit::Adoption(Adoption::TakeOver));
                }
            }
            Act::Recover => {
                self.sim.outside().bench.spec.adoption.recover = true;
                self.sim.outside().stir();
            }
            Act::Bench(there) => {
                self.sim.outside().bench_there = *there;
                self.sim.outside().stir();
            }
            Act::LoseCustody(who) => {
                let name = self.name(*who);
                let mut outside = self.sim.outside();
                outside.secrets.custody.retain(|_, custody| custody.holder != name);
                outside.stir();
            }
            Act::Spoil(who, what) => {
                let probed = self.script.kind.probe != ProbeMode::Off && self.script.kind.verify == VerifyMode::HTTP;
                if probed {
                    self.sim.outside().spoil(&self.name(*who), *what);
                }
            }
            Act::Unpublish(who) => self.sim.outside().unpublish(&self.name(*who)),
            Act::Ready(_) | Act::Gone(_) | Act::Says { .. } | Act::Sleep(_) | Act::Plan(_) => {}
            Act::Healed(_) | Act::Rotated(..) | Act::Repaired(_) | Act::Mended(_) | Act::Rests(_) => {}
        }
    }

    fn edit(&mut self, who: usize, edit: &Edit) {
        let name = self.name(who);
        let mut outside = self.sim.outside();
        let now = outside.time();
        outside.edit_tenant(&name, |tenant| match edit.clone() {
            Edit::Plan(plan) => plan.clone_into(&mut tenant.spec.plan),
            Edit::Apps(apps) => tenant.spec.apps = apps,
            Edit::Config(config) => tenant.spec.site_config = config,
            Edit::Email(email) => email.clone_into(&mut tenant.spec.admin.email),
            Edit::Policy(policy) => tenant.spec.deletion_policy = Some(policy),
            Edit::Adoption(adoption) => tenant.spec.adoption = adoption,
            Edit::AbandonAfter(text) => {
                let all = tenant.metadata.annotations.get_or_insert_default();
                all.insert(annotation::ABANDON_AFTER.to_owned(), text.to_owned());
            }
            Edit::Suspend(mode) => tenant.spec.suspend = Some(Suspend { mode, ..Default::default() }),
            Edit::Resume => tenant.spec.suspend = None,
            Edit::Token(token) => tenant.spec.credentials.rotate_token = Some(token.to_owned()),
            Edit::Every(every) => tenant.spec.credentials.rotate_every = every.map(str::to_owned),
            Edit::Overlap(overlap) => tenant.spec.credentials.overlap = Some(overlap.to_owned()),
            Edit::Retry => {
                let all = tenant.metadata.annotations.get_or_insert_default();
                all.insert(annotation::RETRY_AT.to_owned(), now.to_string());
            }
        });
    }
}
