//! Who a Tenant is: one table of what may be found of it, and what it comes to.

use serde_json::{Value, json};
use tenant_operator::api::{Adoption, Bench, BenchRef, Holder, Phase, Tenant};
use tenant_operator::core::identity::{Begin, Custody, Facts, Handover, Held, Identity, Named, decide, named};
use tenant_operator::core::steps::Step;
use tenant_operator::core::subject::{Problem, Remembered};

use crate::manifests::{ID, noon, receipt, remember};
use crate::objects::{self, API, HOME, YARD};

const OTHER: &str = "00000000000000aa";

fn tenant(adoption: Adoption) -> Tenant {
    let mut tenant: Tenant = objects::read(objects::tenant("wharf", "pelican"));
    tenant.spec.adoption = adoption;
    tenant
}

fn bench(lists: bool, recover: bool) -> Bench {
    let mut bench = objects::bench();
    bench["spec"]["adoption"] = json!({"siteNames": if lists { vec![API] } else { vec![] }, "recover": recover});
    objects::read(bench)
}

fn holder(id: &str, namespace: &str, name: &str) -> Holder {
    Holder { id: id.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
}

/// The claim of the site, with the record in this phase.
fn site(holder: Holder, phase: Phase) -> Held {
    let mut who = objects::subject(&holder.id, objects::bench(), noon());
    remember(&mut who, &[(Step::Create, receipt("any", Value::Null)), (Step::Proof, receipt("any", Value::Null))]);
    let mut held = who.record.clone().expect("a record");
    held.record.phase = phase;
    Held { name: who.site_claim(), holder, record: Some(held) }
}

fn host(id: &str) -> Held {
    Held { name: format!("host.{API}"), holder: holder(id, HOME, "wharf"), record: None }
}

fn custody(id: &str) -> Custody {
    Custody {
        id: id.to_owned(),
        bench: BenchRef { name: "dock".to_owned(), namespace: YARD.to_owned() },
        site: API.to_owned(),
        adopted: false,
        serial: 3,
    }
}

/// What a case begins with; nothing of it is there unless it is said.
#[derive(Default)]
struct Case {
    adoption: Adoption,
    lists: bool,
    recover: bool,
    claims: Vec<Held>,
    custody: Vec<Custody>,
    site: Option<Held>,
    holder_lives: bool,
}

impl Case {
    fn decide(&self) -> Result<Identity, Problem> {
        let (tenant, bench) = (tenant(self.adoption), bench(self.lists, self.recover));
        let named = named(&self.claims, "pelican");
        let (custody, site) = (self.custody.as_slice(), self.site.as_ref());
        decide(Facts { tenant: &tenant, bench: &bench, named, custody, site, holder_lives: self.holder_lives })
    }

    fn begins(&self) -> (Option<String>, Begin) {
        let identity = self.decide().expect("an identity");
        (identity.id, identity.begin)
    }

    fn refused(&self, reason: &str, words: &[&str]) {
        let problem = self.decide().expect_err("a refusal");
        assert_eq!(problem.reason, reason, "{}", problem.message);
        for word in words {
            assert!(problem.message.contains(word), "{word}: {}", problem.message);
        }
    }
}

fn id(id: &str) -> Option<String> {
    Some(id.to_owned())
}

#[test]
fn one_of_which_nothing_is_known_begins_anew() {
    assert_eq!(Case::default().begins(), (None, Begin::New));
}

#[test]
fn a_living_record_of_its_name_and_subdomain_is_its_own_whatever_its_spec_says_of_adoption() {
    for adoption in [Adoption::Never, Adoption::Report, Adoption::TakeOver] {
        let case = Case { adoption, claims: vec![host(ID), site(holder(ID, HOME, "wharf"), Phase::Active)], ..Case::default() };
        assert_eq!(case.begins(), (id(ID), Begin::New));
        assert!(case.decide().expect("an identity").record.is_some());
    }
}

#[test]
fn an_attempt_that_took_only_hosts_goes_on() {
    assert_eq!(Case { claims: vec![host(ID)], ..Case::default() }.begins(), (id(ID), Begin::New));
}

#[test]
fn a_record_of_another_subdomain_counts_only_while_its_tenant_lives() {
    let mut other = site(holder(OTHER, HOME, "wharf"), Phase::Active);
    let subdomain = |held: &mut Held| "heron".clone_into(&mut held.record.as_mut().expect("a record").record.subdomain);
    subdomain(&mut other);
    assert!(matches!(named(&[other], "pelican"), Named::Active(id, _) if id == OTHER));
    let mut kept = site(holder(OTHER, HOME, "wharf"), Phase::Retained);
    subdomain(&mut kept);
    assert_eq!(named(&[kept], "pelican"), Named::Nobody);
}

#[test]
fn a_living_record_goes_before_one_that_was_kept() {
    let claims = [site(holder(OTHER, HOME, "wharf"), Phase::Retained), site(holder(ID, HOME, "wharf"), Phase::Active)];
    assert!(matches!(named(&claims, "pelican"), Named::Active(id, _) if id == ID));
}

#[test]
fn a_lost_record_is_found_by_the_secret_in_custody_where_the_bench_says_so() {
    let lost = |recover, claims, custody| Case { recover, claims, custody, ..Case::default() };
    assert_eq!(lost(true, vec![], vec![custody(ID)]).begins(), (id(ID), Begin::Recover(3)));
    assert_eq!(lost(true, vec![host(ID)], vec![custody(OTHER), custody(ID)]).begins(), (id(ID), Begin::Recover(3)));
    lost(false, vec![], vec![custody(ID)]).refused("AdoptionNeeded", &["adoption.recover", &format!("{ID}-custody")]);
    // The claims of hosts alone are no record either.
    lost(false, vec![host(ID)], vec![custody(ID)]).refused("AdoptionNeeded", &["TenantClaims"]);
    lost(true, vec![], vec![custody(ID), custody(OTHER)]).refused("AdoptionNeeded", &[ID, OTHER]);
}

#[test]
fn secrets_in_custody_for_another_bench_are_not_looked_at() {
    let mut elsewhere = custody(ID);
    "quay".clone_into(&mut elsewhere.bench.name);
    assert_eq!(Case { custody: vec![elsewhere], ..Case::default() }.begins(), (None, Begin::New));
}

#[test]
fn a_lost_record_of_an_adopted_site_is_adopted_again() {
    let found = Custody { adopted: true, ..custody(ID) };
    let case = |lists| Case { recover: true, lists, custody: vec![found.clone()], ..Case::default() };
    assert_eq!(case(true).begins(), (id(ID), Begin::Adopt(3)));
    case(false).refused("AdoptionNeeded", &["adoption.siteNames", API]);
}

#[test]
fn secrets_in_custody_of_another_site_are_an_earlier_tenants() {
    let other = Custody { site: "other.port.test".to_owned(), ..custody(ID) };
    for recover in [true, false] {
        assert_eq!(Case { recover, custody: vec![other.clone()], ..Case::default() }.begins(), (None, Begin::New));
    }
}

/// Of its own name, and of another's that is gone.
#[test]
fn a_record_that_was_kept_goes_over_only_by_word_of_tenant_and_bench() {
    let own = || vec![site(holder(ID, HOME, "wharf"), Phase::Retained)];
    let abroad = || Some(site(holder(ID, "cove", "galleon"), Phase::Retained));
    for (claims, site) in [(own(), None), (vec![], abroad())] {
        let case = |adoption, lists| Case { adoption, lists, claims: claims.clone(), site: site.clone(), ..Case::default() };
        case(Adoption::TakeOver, false).refused("AdoptionNeeded", &["adoption.siteNames", API]);
        assert_eq!(case(Adoption::Report, true).begins(), (id(ID), Begin::Report));
        let taken = case(Adoption::TakeOver, true).decide().expect("an identity");
        let record = taken.record.expect("the record").record;
        assert_eq!((record.phase, record.credentials_secret.as_str()), (Phase::Active, "passport"));
        assert!(!record.receipts.contains_key("proof"), "nothing is published until the key is proven again");
        assert!(matches!(taken.begin, Begin::TakeOver(Handover { from, .. }) if from.id == ID));
    }
    Case { claims: own(), ..Case::default() }.refused("AdoptionNeeded", &["TakeOver"]);
}

#[test]
fn a_tenant_that_lives_keeps_its_site_and_one_without_its_object_does_not_keep_it_from_who_is_let() {
    let case = |holder_lives| Case {
        adoption: Adoption::TakeOver,
        lists: true,
        site: Some(site(holder(ID, "cove", "galleon"), Phase::Active)),
        holder_lives,
        ..Case::default()
    };
    // The claims then say Conflict.
    assert_eq!(case(true).begins(), (None, Begin::New));
    assert!(matches!(case(false).begins(), (Some(found), Begin::TakeOver(_)) if found == ID));
}

#[test]
fn the_record_of_another_subdomain_does_not_go_over() {
    let mut kept = site(holder(ID, "cove", "galleon"), Phase::Retained);
    "heron".clone_into(&mut kept.record.as_mut().expect("a record").record.subdomain);
    let case = Case { adoption: Adoption::TakeOver, lists: true, site: Some(kept), ..Case::default() };
    case.refused("Conflict", &["heron"]);
}

#[test]
fn what_was_given_up_is_never_taken_over() {
    let mut left = site(holder(ID, HOME, "wharf"), Phase::Abandoned);
    left.record.as_mut().expect("a record").record.left = vec!["site x on volume y".to_owned()];
    let case = Case { adoption: Adoption::TakeOver, lists: true, claims: vec![left], ..Case::default() };
    case.refused("AdoptionNeeded", &["site x on volume y", "delete that claim"]);
}

#[test]
fn somebody_elses_site_is_adopted_or_reported_only_where_the_bench_lists_it() {
    let case = |adoption, lists| Case { adoption, lists, ..Case::default() };
    assert_eq!(case(Adoption::TakeOver, true).begins(), (None, Begin::Adopt(0)));
    let (reporter, begin) = case(Adoption::Report, true).begins();
    assert_eq!((reporter.map(|id| id.len()), begin), (Some(16), Begin::Report));
    case(Adoption::TakeOver, false).refused("AdoptionNeeded", &["dock", API]);
    case(Adoption::Report, false).refused("AdoptionNeeded", &["dock", API]);
}

#[test]
fn an_end_that_had_only_begun_to_revoke_its_key_is_taken_back() {
    let mut claim = site(holder(ID, HOME, "wharf"), Phase::Active);
    let held: &mut Remembered = claim.record.as_mut().expect("a record");
    held.record.receipts.insert("revoke".to_owned(), receipt("begun", Value::Null));
    let identity = Case { claims: vec![claim], ..Case::default() }.decide().expect("an identity");
    assert!(matches!(identity.begin, Begin::TakeOver(Handover { from, .. }) if from == holder(ID, HOME, "wharf")));
    assert!(!identity.record.expect("the record").record.receipts.contains_key("revoke"));
}
