//! Why there was no answer, in a few words.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter::successors;

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::answer::first_line;
use super::{ANSWER_TIMEOUT, CONNECT_TIMEOUT};

#[derive(Debug)]
pub struct Failure {
    /// It failed before anything could be asked: the name, the connection or TLS.
    pub connecting: bool,
    pub words: String,
}

impl Failure {
    pub fn of(error: &reqwest::Error, host: &str) -> Self {
        Self { connecting: error.is_connect(), words: words(error, host) }
    }
}

/// Never the whole error: it would print the URL, and everything on the way to the cause.
fn words(error: &reqwest::Error, host: &str) -> String {
    if let Some(tls) = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return tls_words(tls, host);
    }
    if error.is_timeout() {
        return match error.is_connect() {
            true => format!("no connection to {host} within {} s", CONNECT_TIMEOUT.as_secs()),
            false => format!("no answer from {host} within {} s", ANSWER_TIMEOUT.as_secs()),
        };
    }
    match chain(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => format!("{host} refuses the connection"),
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
            format!("{host} closed the connection")
        }
        _ => {
            let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
            format!("{host}: {}", first_line(&cause, &[]))
        }
    }
}

/// All causes, outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| cause(error))
}

/// An `io::Error` hides the one it wraps from `source`.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn tls_words(error: &rustls::Error, host: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(problem) => certificate_words(problem, host),
        rustls::Error::AlertReceived(alert) => format!("the edge has no certificate for {host} (TLS alert {alert:?})"),
        rustls::Error::InvalidMessage(_) => format!("{host} does not speak TLS there"),
        rustls::Error::PeerIncompatible(_) => format!("{host} offers only outdated TLS"),
        other => format!("{host}: {}", first_line(&other.to_string(), &[])),
    }
}

fn certificate_words(problem: &CertificateError, host: &str) -> String {
    match problem {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate of {host} expired on {}", day(*not_after))
        }
        CertificateError::Expired => format!("the certificate of {host} has expired"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate of {host} is only valid from {}", day(*not_before))
        }
        CertificateError::NotValidYet => format!("the certificate of {host} is not valid yet"),
        CertificateError::UnknownIssuer => {
            format!("the certificate of {host} is from an unknown issuer; name its authority in the Bench's probe.caSecretRef")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("the certificate is not for {host} but for {}", names(presented))
        }
        CertificateError::NotValidForName => format!("the certificate is not for {host}"),
        CertificateError::Revoked => format!("the certificate of {host} was revoked"),
        other => format!("the certificate of {host} is not acceptable: {}", first_line(&other.to_string(), &[])),
    }
}

/// `presented` is written for people who read Rust: `DnsName("a.example.com")`.
fn names(presented: &[String]) -> String {
    let plain = presented.iter().take(3).map(|name| first_line(name.split('"').nth(1).unwrap_or(name), &[]));
    let more = if presented.len() > 3 { " and others" } else { "" };
    let names: Vec<String> = plain.collect();
    if names.is_empty() { "no name at all".to_owned() } else { format!("{}{more}", names.join(", ")) }
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| "an unreadable day".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}
