//! An answer of Frappe, read up to a bound, and the little of it that may be repeated.
//!
//! Frappe's bodies hold tracebacks, and those hold names and values of its configuration. Only the type of the exception and the
//! first line of its message leave this module, with secrets taken out.

use reqwest::{Response, StatusCode};
use serde_json::Value;

const LINE: usize = 160;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    body: Vec<u8>,
    /// None where the body is no JSON, or too long.
    pub json: Option<Value>,
}

impl Answer {
    pub async fn read(mut response: Response, limit: usize) -> Result<Self, reqwest::Error> {
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            let room = limit - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                return Ok(Self { status, body, json: None });
            }
        }
        let json = serde_json::from_slice(&body).ok();
        Ok(Self { status, body, json })
    }

    /// What a method returned.
    pub fn message(&self) -> Option<&str> {
        self.json.as_ref()?.get("message")?.as_str()
    }

    /// What a resource is.
    pub fn data(&self) -> Option<&Value> {
        self.json.as_ref()?.get("data")
    }

    pub fn exc_type(&self) -> Option<&str> {
        let name = self.json.as_ref()?.get("exc_type")?.as_str()?;
        let plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
        (plain && !name.is_empty()).then_some(name)
    }

    /// Whether the body has this phrase, in whatever field.
    pub fn says(&self, phrase: &str) -> bool {
        self.body.windows(phrase.len()).any(|window| window == phrase.as_bytes())
    }

    pub fn is_pong(&self) -> bool {
        self.status == StatusCode::OK && self.message() == Some("pong")
    }

    /// The status, the type of the exception, and the first line of what Frappe says about it.
    pub fn words(&self, secrets: &[&str]) -> String {
        let what = match self.exc_type() {
            Some(type_) => format!("{} {}", self.status.as_u16(), without(type_, secrets)),
            None => self.status.to_string(),
        };
        match self.sentence().map(|text| first_line(&text, secrets)) {
            Some(line) if !line.is_empty() => format!("{what}: {line}"),
            _ => what,
        }
    }

    /// Frappe's words for its users come first, then those of the method, then those of the exception.
    fn sentence(&self) -> Option<String> {
        let json = self.json.as_ref()?;
        let for_users = || -> Option<String> {
            let list: Vec<String> = serde_json::from_str(json.get("_server_messages")?.as_str()?).ok()?;
            let first: Value = serde_json::from_str(list.first()?).ok()?;
            Some(first.get("message")?.as_str()?.to_owned())
        };
        let of_exception = || Some(json.get("exception")?.as_str()?.split_once(": ")?.1.to_owned());
        for_users().or_else(|| self.message().map(str::to_owned)).or_else(of_exception)
    }
}

/// The first line, without markup, known secrets, and whatever is assigned to a name that sounds like one.
pub fn first_line(text: &str, secrets: &[&str]) -> String {
    // Before and after: what was taken out may have stood in the middle of a secret, or a part of one have looked like markup.
    let plain = without_tags(&without(text, secrets));
    let line = plain.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line: String = line.chars().filter(|char| !char.is_control()).collect();
    let line = without(&line, secrets);
    let safe = &line[..confidential(&line).unwrap_or(line.len())];
    match safe.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None if safe.len() < line.len() => format!("{safe}…"),
        None => safe.to_owned(),
    }
}

fn without(text: &str, secrets: &[&str]) -> String {
    let known = secrets.iter().filter(|secret| !secret.is_empty());
    known.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

fn without_tags(text: &str) -> String {
    let mut depth = false;
    let keep = |char: char| {
        match char {
            '<' => depth = true,
            '>' if depth => {
                depth = false;
                return None;
            }
            _ => {}
        }
        (!depth).then_some(char)
    };
    text.chars().filter_map(keep).collect()
}

/// Where a value begins that is assigned to something called password, secret, token or key.
fn confidential(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let ends = ["password", "passwd", "secret", "token", "_key", "authorization"]
        .into_iter()
        .flat_map(|word| lower.match_indices(word).map(move |(at, _)| at + word.len()).collect::<Vec<_>>());
    ends.filter(|end| lower[*end..].trim_start_matches(['"', '\'', '`', ' ']).starts_with(['=', ':'])).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_is_repeated_and_no_markup() {
        assert_eq!(first_line("\n <b>Value</b> missing for: domain\nTraceback (most recent", &[]), "Value missing for: domain");
        assert_eq!(first_line(&"x".repeat(500), &[]).chars().count(), LINE + 1);
    }

    #[test]
    fn secrets_are_taken_out_known_or_not() {
        assert_eq!(first_line("key s3cret is bad", &["s3cret"]), "key *** is bad");
        for line in
            ["{'db_password': 'hunter2'}", "password=hunter2", "encryption_key: hunter2", "Authorization: token a:hunter2"]
        {
            assert!(!first_line(line, &[]).contains("hunter2"), "{line}");
        }
    }

    #[test]
    fn words_about_secrets_stay_readable() {
        let line = "Failed to decrypt key User.tenant-api-a@x.api_secret";
        assert_eq!(first_line(line, &[]), line);
    }
}
