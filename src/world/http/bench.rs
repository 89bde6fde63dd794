//! A bench's web service, asked from inside the cluster.

use reqwest::Client;
use reqwest::header::{ACCEPT, AUTHORIZATION, HOST};

use super::answer::Answer;
use super::{Key, LIMIT, SITE_HEADER, send};
use crate::api::Verify;
use crate::core::seen::KeyAnswer;

/// How a key is tried, and whose it should be.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    pub path: &'a str,
    pub user: &'a str,
    pub key: Key<'a>,
}

/// Asks a site of the bench with the key. `base_url` is that of the web service, like `http://web.erp.svc:8000`.
pub async fn try_key(client: &Client, base_url: &str, site: &str, trial: &Trial<'_>) -> KeyAnswer {
    let Some(token) = trial.key.header() else { return unsendable() };
    let url = format!("{}{}", base_url.trim_end_matches('/'), trial.path);
    let request = client
        .get(url)
        .header(SITE_HEADER, site)
        .header(HOST, site)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, token);
    match send(request, LIMIT).await {
        Ok(answer) => key_answer(&answer, trial),
        Err(failure) => KeyAnswer::Unreachable(failure.words),
    }
}

pub(super) fn unsendable() -> KeyAnswer {
    KeyAnswer::Unreachable("the key has characters that cannot be sent".to_owned())
}

/// What an answer says about the key.
pub(super) fn key_answer(answer: &Answer, trial: &Trial<'_>) -> KeyAnswer {
    let unreachable = |words: &str| KeyAnswer::Unreachable(words.to_owned());
    match answer.status.as_u16() {
        // Only Frappe's own method says whose key it is.
        200 if trial.path != Verify::DEFAULT_PATH || answer.message() == Some(trial.user) => KeyAnswer::Accepted,
        200 if answer.json.is_none() => unreachable("200, but what answers is not Frappe"),
        200 => unreachable("200, but for another user than the key's"),
        status @ (401 | 403) => KeyAnswer::Rejected(status),
        417 if answer.says("Failed to decrypt") => KeyAnswer::Undecryptable,
        // Frappe says that there is no such site with a page, and everything else with JSON.
        404 if answer.json.is_none() => unreachable("404, it does not know the site"),
        _ => KeyAnswer::Unreachable(answer.words(&trial.key.hidden())),
    }
}
