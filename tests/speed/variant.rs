//! What is compared: both versions of Frappe, each behind another edge, with the setup wizard and without, installed or from a template.

use tenant_operator::api::{Setup, TenantPlan};

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::tenant::whole_plan;

/// Where and what, both with a template and without.
#[derive(Clone, Copy)]
pub struct Pair {
    pub place: Place,
    pub wizard: bool,
}

#[derive(Clone, Copy)]
pub struct Variant {
    pub pair: Pair,
    pub template: bool,
}

pub const PAIRS: [Pair; 4] = [
    Pair { place: INGRESS_15, wizard: false },
    Pair { place: INGRESS_15, wizard: true },
    Pair { place: GATEWAY_16, wizard: false },
    Pair { place: GATEWAY_16, wizard: true },
];

impl Pair {
    pub fn name(&self) -> String {
        let setup = if self.wizard { "wizard" } else { "no wizard" };
        format!("Frappe {}, {:?}, {setup}", self.place.frappe(), self.place.edge)
    }

    /// Short: it begins names.
    pub fn stem(&self) -> String {
        format!("speed-{}{}", self.place.frappe(), if self.wizard { "w" } else { "" })
    }

    pub fn plan(&self) -> fn(&str) -> TenantPlan {
        if self.wizard { whole_plan } else { plan_without_wizard }
    }

    pub fn both(self) -> [Variant; 2] {
        [false, true].map(|template| Variant { pair: self, template })
    }
}

/// ERPNext all the same.
fn plan_without_wizard(name: &str) -> TenantPlan {
    let mut plan = whole_plan(name);
    plan.spec.setup = Setup::Skip;
    plan
}

impl Variant {
    pub fn name(&self) -> String {
        format!("{}, {}", self.pair.name(), if self.template { "template" } else { "installed" })
    }
}

#[test]
fn no_two_variants_are_called_the_same() {
    let mut names: Vec<String> = PAIRS.iter().flat_map(|pair| pair.both()).map(|variant| variant.name()).collect();
    let mut stems: Vec<String> = PAIRS.iter().map(Pair::stem).collect();
    names.sort();
    names.dedup();
    stems.sort();
    stems.dedup();
    assert_eq!((names.len(), stems.len()), (8, 4));
}

#[test]
fn plans_differ_in_the_wizard_alone() {
    let [without, with] = [false, true].map(|wizard| Pair { wizard, ..PAIRS[0] }.plan()("p").spec);
    assert_eq!((without.setup, with.setup), (Setup::Skip, Setup::Complete));
    assert_eq!(without.apps, with.apps);
}
