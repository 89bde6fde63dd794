//! Finds secrets in text: in clear, base64 (alone or in the middle of something longer) and URL form.

use std::collections::HashMap;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Every pattern is known by as many of its first bytes.
const HEAD: usize = 8;

pub struct Needles {
    by_head: HashMap<[u8; HEAD], Vec<usize>>,
    /// The pattern, whose it is, and which form of it.
    patterns: Vec<(Vec<u8>, usize, &'static str)>,
}

impl Needles {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut needles = Self { by_head: HashMap::new(), patterns: vec![] };
        for (index, secret) in secrets.into_iter().enumerate() {
            for (form, pattern) in forms(secret) {
                needles.add(pattern, index, form);
            }
        }
        needles
    }

    fn add(&mut self, pattern: Vec<u8>, index: usize, form: &'static str) {
        let Some(head) = pattern.first_chunk::<HEAD>() else { return };
        self.by_head.entry(*head).or_default().push(self.patterns.len());
        self.patterns.push((pattern, index, form));
    }

    /// Which secrets are in it, and in which form.
    pub fn find(&self, text: &[u8]) -> Vec<(usize, &'static str)> {
        let mut found = vec![];
        for (at, head) in text.windows(HEAD).enumerate() {
            let Some(candidates) = <&[u8; HEAD]>::try_from(head).ok().and_then(|head| self.by_head.get(head)) else { continue };
            for (pattern, index, form) in candidates.iter().map(|candidate| &self.patterns[*candidate]) {
                if text[at..].starts_with(pattern) {
                    found.push((*index, *form));
                }
            }
        }
        found
    }
}

fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let quoted = serde_json::Value::from(secret).to_string();
    let mut forms = vec![
        ("in clear", secret.as_bytes().to_vec()),
        ("quoted", quoted[1..quoted.len() - 1].as_bytes().to_vec()),
        ("URL form", encoded(secret).into_bytes()),
        ("URL form", encoded(secret).replace("%20", "+").into_bytes()),
    ];
    // In the middle of something longer, such as "key:secret", it begins at any of three places, and its ends mix with what is beside.
    for before in 0..3 {
        let padded = [&[0; 2][..before], secret.as_bytes()].concat();
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let begin = (before * 4).div_ceil(3);
            let end = padded.len() * 8 / 6;
            forms.push(("base64", text[begin..end].as_bytes().to_vec()));
        }
    }
    // A key in PEM is found by its lines.
    let lines = secret.lines().filter(|line| secret.starts_with("-----BEGIN") && line.len() >= 40 && !line.starts_with("-----"));
    forms.extend(lines.map(|line| ("a line of it", line.as_bytes().to_vec())));
    forms.sort();
    forms.dedup_by(|one, other| one.1 == other.1);
    forms
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &str = "q7/Zk+3 \"vX\"\nw1&t=é";

    fn found(text: &str) -> bool {
        Needles::new(["another-one", SECRET]).find(text.as_bytes()).iter().any(|(index, _)| *index == 1)
    }

    #[test]
    fn a_secret_is_found_in_every_form_and_in_the_middle_of_others() {
        assert!(found(&format!("before{SECRET}after")));
        assert!(found(&serde_json::json!({"log": SECRET}).to_string()));
        assert!(found(&format!("https://x/?pwd={}&a=b", encoded(SECRET))));
        assert!(found(&format!("https://x/?pwd={}&a=b", encoded(SECRET).replace("%20", "+"))));
        for before in ["", "k", "ke", "key", "key:", "a longer name:"] {
            for after in ["", "x", "xy", "xyz"] {
                let text = format!("{before}{SECRET}{after}");
                assert!(found(&STANDARD.encode(&text)) && found(&URL_SAFE.encode(&text)), "{before} {after}");
            }
        }
    }

    #[test]
    fn what_only_looks_alike_is_not_found() {
        for text in ["", "q7/Zk+3", "another", &SECRET[..SECRET.len() - 2], &STANDARD.encode("something else, quite long enough")]
        {
            assert!(!found(text), "{text}");
        }
    }

    #[test]
    fn a_private_key_is_found_by_any_of_its_lines() {
        let line = |letter: &str| letter.repeat(64);
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----", line("a"), line("b"));
        let needles = Needles::new([key.as_str()]);
        assert!(!needles.find(format!("x {} y", line("b")).as_bytes()).is_empty());
        assert!(needles.find(b"-----BEGIN PRIVATE KEY-----").is_empty());
    }
}
