//! What a Job said when it ended, and what a Bench's status says of its templates.

use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;

use super::{Asked, Made, Next, next_try};
use crate::api::{BenchStatus, InstalledApp, Template, TemplateState};
use crate::core::evidence;
use crate::core::report::plain;
use crate::core::seen::StepFailure;
use crate::core::verdict::{Note, set_condition};

/// The condition of a Bench that tells of its templates. Absent where it has none and wants none.
pub const CONDITION: &str = "TemplatesReady";

const MOST_APPS: usize = 64;
const LONGEST_APP: usize = 140;

/// Reads back what the Job's container said: written inside the bench, so nothing in it is taken on trust.
pub fn read(message: &str) -> Option<Result<Made, StepFailure>> {
    #[derive(Deserialize)]
    struct Line {
        done: Done,
    }
    #[derive(Deserialize)]
    struct Done {
        template: Facts,
    }
    #[derive(Deserialize)]
    struct Facts {
        name: Option<String>,
        #[serde(default)]
        apps: Vec<InstalledApp>,
    }
    if let Some(failure) = evidence::parse(message)?.failure {
        return Some(Err(failure));
    }
    let facts = serde_json::from_str::<Line>(message.trim()).ok()?.done.template;
    let mut holds: Vec<InstalledApp> = vec![];
    for app in facts.apps {
        let app = InstalledApp { name: plain(&app.name, LONGEST_APP), version: plain(&app.version, LONGEST_APP) };
        if holds.len() < MOST_APPS && !holds.iter().any(|other| other.name == app.name) {
            holds.push(app);
        }
    }
    Some(Ok(Made { content: facts.name.filter(|name| is_name(name)), holds }))
}

/// The step takes no other for a folder's name.
fn is_name(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What is to be said of the templates that are asked for; `absent` are the plans that the Bench prewarms and that are not there.
pub struct Told<'a> {
    pub asked: &'a [Asked],
    pub absent: &'a [String],
    pub next: &'a Next,
    pub retry_at: Option<Timestamp>,
}

impl Told<'_> {
    fn note(&self, templates: &[Template]) -> Option<(&'static str, Note)> {
        if self.asked.is_empty() && self.absent.is_empty() && templates.is_empty() {
            return None;
        }
        let of = |asked: &Asked| templates.iter().find(|one| one.name == asked.name);
        let failed: Vec<&Template> = self.asked.iter().filter_map(of).filter(|one| one.failures > 0).collect();
        let ready = self.asked.iter().filter_map(of).filter(|one| one.state == TemplateState::Ready).count();
        let all = self.asked.len();
        if let Next::Running(Some(note), _) = self.next {
            return Some(("False", note.clone()));
        }
        if let Some(one) = failed.first() {
            return Some(("False", Note::new("TemplateFailed", self.failure(one))));
        }
        if !self.absent.is_empty() {
            let message = format!("there is no TenantPlan {}: create it, or correct templates.prewarm", self.absent.join(", "));
            return Some(("False", Note::new("PlanNotFound", message)));
        }
        Some(match ready == all {
            true => ("True", Note::new("Ready", format!("{all} templates; new sites with these apps are made from them"))),
            false => {
                ("False", Note::new("Building", format!("{ready} of {all} templates are there; meanwhile sites are installed")))
            }
        })
    }

    fn failure(&self, one: &Template) -> String {
        let apps = if one.apps.is_empty() { "frappe".to_owned() } else { one.apps.join(", ") };
        let message = one.message.as_deref().unwrap_or_default();
        let again = match next_try(one, self.retry_at) {
            _ if one.state != TemplateState::Failed => String::new(),
            Some(at) => format!("; tried again at {}", at.strftime("%H:%M:%SZ")),
            None => "; not tried again by itself: put it right, then set the Bench's annotation retry-at".to_owned(),
        };
        format!("{apps}: {message}; failed {} in a row{again}; sites with these apps are installed", one.failures)
    }
}

/// Puts down what is to be said.
pub fn tell(status: &mut BenchStatus, templates: Vec<Template>, told: &Told<'_>, now: Timestamp, generation: Option<i64>) {
    let note = told.note(&templates);
    status.templates = templates;
    match note {
        Some((truth, note)) => set_condition(&mut status.conditions, CONDITION, (truth, &note), now, generation),
        None => status.conditions.retain(|condition| condition.type_ != CONDITION),
    }
}
