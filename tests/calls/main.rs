//! Which calls the operator makes, exactly and in which order: the real reconcile and the real world on an API server in memory.

#[path = "../objects/mod.rs"]
mod objects;

mod bench;
mod claims;
mod drift;
mod ending;
mod identity;
mod inspection;
mod lost;
mod new;
mod ours;
mod plans;
mod pods;
mod queue;
mod rig;
mod rotation;
mod secrets;
mod server;
mod settled;
mod streamed;
mod suspend;
mod templates;
mod watched;
mod writing;

use server::Call;

/// Calls as tests write them down: with `ID` for the tenant's id and `*` for hashes.
fn lines<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Vec<String> {
    calls.into_iter().map(|call| plain(&call.to_string())).collect()
}

fn writes(calls: &[Call]) -> Vec<String> {
    lines(calls.iter().filter(|call| call.writes()))
}

/// Without Events, which are told best-effort.
fn changes(calls: &[Call]) -> Vec<String> {
    lines(calls.iter().filter(|call| call.writes() && call.key.plural != "events"))
}

/// The lines of an expectation.
fn listed(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn plain(line: &str) -> String {
    let hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let part = |part: &str| match part {
        part if hex(part, 16) => "ID".to_owned(),
        part if hex(part, 8) || hex(part, 32) => "*".to_owned(),
        part => part.to_owned(),
    };
    let mut out = String::new();
    let mut word = String::new();
    for letter in line.chars() {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
        } else {
            out.push_str(&part(&std::mem::take(&mut word)));
            out.push(letter);
        }
    }
    out + &part(&word)
}
