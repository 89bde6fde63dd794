//! HTTP and DNS to the outside of the cluster's API: benches, the public hosts, the Master. What was answered, never what to do about it.
//!
//! Every request ends within a bound, in time and in size. No redirect is followed: where one leads was not asked about.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder};

use self::answer::Answer;
use self::failure::Failure;
use super::Error;

mod answer;
pub mod bench;
mod checks;
pub mod dns;
mod failure;
pub mod probe;
#[cfg(test)]
mod properties;
pub mod registry;

const USER_AGENT: &str = concat!("tenant-operator/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Of a body, more is never read.
const LIMIT: usize = 64 * 1024;
const SITE_HEADER: &str = "X-Frappe-Site-Name";

/// An API user's key and secret.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    pub key: &'a str,
    pub secret: &'a str,
}

impl<'a> Key<'a> {
    /// None where key or secret hold what no header can.
    fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("token {}:{}", self.key, self.secret)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// What must never appear in words.
    fn hidden(&self) -> [&'a str; 2] {
        [self.key, self.secret]
    }
}

/// For benches and Masters: one client is enough for all of them.
///
/// # Errors
/// Where the system has no certificate authorities to trust.
pub fn client() -> Result<Client, Error> {
    builder()
        .pool_idle_timeout(Duration::from_secs(60))
        .build()
        .map_err(|error| Error::Unusable { what: "the HTTP client".to_owned(), problem: Failure::of(&error, "").words })
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(ANSWER_TIMEOUT)
        .referer(false)
}

async fn send(request: RequestBuilder, limit: usize) -> Result<Answer, Failure> {
    let (client, request) = request.build_split();
    let request = request.map_err(|error| Failure::of(&error, "the URL"))?;
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let answer = async { Answer::read(client.execute(request).await?, limit).await };
    answer.await.map_err(|error| Failure::of(&error, &host))
}

/// A name or password that nobody has.
fn random_word() -> String {
    format!("probe-{:016x}", rand::random::<u64>())
}
