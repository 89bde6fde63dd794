//! How a tenant came to its site, and what becomes of the site in the end.

use super::steps::Step;
use super::subject::Subject;
use crate::api::{DeletionPolicy, Origin};

impl Subject {
    /// What becomes of the site: the policy as far as it can still be followed. One that we do not know to be there is archived if
    /// it is, one whose removal has begun is no longer whole, and one that was to be adopted is nobody's to drop before it is ours.
    pub fn parting(&self) -> DeletionPolicy {
        let begun = self.receipt(Step::Drop).is_some();
        let archive = self.record().is_some_and(|record| record.archive.is_some());
        match self.deletion {
            _ if self.adopts() => DeletionPolicy::Retain,
            DeletionPolicy::Delete => DeletionPolicy::Delete,
            DeletionPolicy::Archive | DeletionPolicy::Retain if begun && !archive => DeletionPolicy::Delete,
            DeletionPolicy::Archive | DeletionPolicy::Retain if begun => DeletionPolicy::Archive,
            DeletionPolicy::Retain if !self.expects_site() => DeletionPolicy::Archive,
            policy @ (DeletionPolicy::Archive | DeletionPolicy::Retain) => policy,
        }
    }

    /// Its site stays behind, with its record.
    pub fn is_kept(&self) -> bool {
        self.parting() == DeletionPolicy::Retain && !self.is_untouched()
    }

    fn origin(&self) -> Origin {
        self.record().map(|record| record.origin).unwrap_or_default()
    }

    /// The site was somebody else's before.
    pub fn is_adopted(&self) -> bool {
        self.origin() == Origin::Adopted
    }

    /// Its record was lost once.
    pub fn is_recovered(&self) -> bool {
        self.origin() == Origin::Recovered
    }

    /// The site is still to become ours.
    pub fn adopts(&self) -> bool {
        self.is_adopted() && self.receipt(Step::Adopt).is_none()
    }

    /// The adoption never came about: the last look found no marker of ours.
    pub fn is_untouched(&self) -> bool {
        let facts = self.receipt(Step::Revoke).and_then(|receipt| receipt.facts.as_ref());
        self.adopts() && facts.is_some_and(|facts| facts["foreign"] == serde_json::json!(true))
    }

    /// The site was complete before: one that is gone is never made anew.
    pub fn expects_site(&self) -> bool {
        let before = self.record().is_some_and(|record| record.first_ready_at.is_some());
        before
            || self.receipt(Step::Create).is_some()
            || match self.origin() {
                Origin::Created => false,
                Origin::Recovered => true,
                Origin::Adopted => !self.adopts(),
            }
    }

    /// An archive was made; an end may also find that there was nothing to put into one.
    pub fn archived(&self) -> bool {
        let facts = self.receipt(Step::Archive).and_then(|receipt| receipt.facts.as_ref());
        self.parting() == DeletionPolicy::Archive && facts.is_some_and(|facts| facts["directory"].is_string())
    }
}
