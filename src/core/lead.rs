//! Where both public hosts lead, and what a suspension means for the site itself.
//!
//! The edge follows a suspension at once, and a resumption only when the site is known to be open again. The site follows once its
//! key is proven: a tenant that is suspended from its beginning becomes ready all the same.

use serde_json::{Value, json};

use super::record::STALE;
use super::steps::Step;
use super::subject::Subject;
use crate::api::{Receipt, Suspend, SuspendMode};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// To the page that says that the tenant is being made ready.
    Preparing,
    /// To the page that says that it is suspended.
    Suspended,
    /// To the real services.
    Serving,
}

/// In the receipt of the settings step: how the site is suspended, as the step said.
const SUSPEND: &str = "suspend";
/// And that a run may have closed the site, of which nothing was heard yet.
const CLOSING: &str = "closing";
/// The run that opened the site again.
const RESUMED: &str = "resumed";

/// Frappe 16 remembers a site's config for 60 s.
const REMEMBERED: i64 = 75;

impl Subject {
    /// What the spec says.
    pub fn suspend(&self) -> Option<&Suspend> {
        self.want.as_ref()?.suspend.as_ref()
    }

    /// How the site itself is to be suspended now: what the settings step is given.
    pub fn suspension(&self) -> Option<SuspendMode> {
        self.suspend().filter(|_| self.serves()).map(|suspend| suspend.mode)
    }

    /// How the settings step left the site.
    pub fn suspended(&self) -> Option<SuspendMode> {
        serde_json::from_value(self.fact(SUSPEND)?.clone()).ok()
    }

    pub fn leads(&self) -> Leads {
        match self.suspend().map(|suspend| suspend.mode) {
            Some(SuspendMode::Maintenance) => Leads::Suspended,
            None | Some(SuspendMode::ReadOnly) if !self.serves() => Leads::Preparing,
            None | Some(SuspendMode::ReadOnly) if self.may_be_closed() => Leads::Suspended,
            None | Some(SuspendMode::ReadOnly) => Leads::Serving,
        }
    }

    /// The site answers nobody: what needs its answer waits until the tenant is resumed.
    pub fn is_closed(&self) -> bool {
        self.suspension() == Some(SuspendMode::Maintenance)
    }

    /// Just resumed: workers of the bench may still believe that the site is closed.
    pub fn is_reopening(&self) -> bool {
        let since = self.receipt(Step::Settings).map(|receipt| self.now.duration_since(receipt.at.0).as_secs());
        self.fact(RESUMED) == Some(&json!(true)) && since.is_some_and(|since| since < REMEMBERED)
    }

    fn may_be_closed(&self) -> bool {
        self.suspended() == Some(SuspendMode::Maintenance) || self.fact(CLOSING) == Some(&json!(true))
    }

    fn fact(&self, name: &str) -> Option<&Value> {
        self.receipt(Step::Settings)?.facts.as_ref()?.get(name)
    }

    /// The receipt of the settings step as it has to stand before a run that closes the site, where it does not say so yet: that run
    /// may be done and its report lost, while the tenant is resumed. It is out of date at once, so that another run has to say that
    /// the site is open.
    pub(super) fn before_closing(&self) -> Option<Receipt> {
        let mut receipt = self.receipt(Step::Settings).filter(|_| self.is_closed() && !self.may_be_closed())?.clone();
        let mut facts = receipt.facts.take().filter(Value::is_object).unwrap_or_else(|| json!({}));
        facts[CLOSING] = json!(true);
        receipt.facts = Some(facts);
        STALE.clone_into(&mut receipt.hash);
        Some(receipt)
    }
}

/// For people: that it is suspended, why, and what that means.
pub fn told(suspend: &Suspend) -> String {
    let why = suspend.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let what = match suspend.mode {
        SuspendMode::Maintenance => "both hosts answer 503",
        SuspendMode::ReadOnly => "the site can be read, and refuses every change",
    };
    format!("Suspended{why}: {what}")
}
