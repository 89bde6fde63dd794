//! The single checks of a probe, once there is a connection.

use futures::{StreamExt, stream};
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};

use super::answer::Answer;
use super::bench::{key_answer, unsendable};
use super::failure::Failure;
use super::probe::{Expects, Target};
use super::{LIMIT, SITE_HEADER, random_word, send};
use crate::core::manifests::answer::SUSPENDED;
use crate::core::seen::KeyAnswer;

type Seen = Result<(), String>;
type Asked = Result<Answer, Failure>;

/// How the operator's own backend begins to say that a path is closed; Frappe's 403 says something else.
const CLOSED: &str = "This path is closed";
/// What Frappe says, in English, where System Settings refuse passwords.
const LOCKED: &str = "Login with username and password is not allowed";

fn ping_request(client: &Client, api: &str) -> RequestBuilder {
    client.get(format!("https://{api}/api/method/ping")).header(ACCEPT, "application/json")
}

pub async fn ping(client: &Client, api: &str) -> Asked {
    send(ping_request(client, api), LIMIT).await
}

pub async fn front(client: &Client, frontend: &str) -> Asked {
    send(client.get(format!("https://{frontend}/")).header(ACCEPT, "text/html,*/*"), LIMIT).await
}

pub fn pong(asked: Asked) -> Seen {
    let answer = asked.map_err(|failure| failure.words)?;
    if answer.is_pong() { Ok(()) } else { Err(format!("answers {}", answer.words(&[]))) }
}

pub fn served(asked: Asked) -> Seen {
    let answer = asked.map_err(|failure| failure.words)?;
    if answer.status.is_server_error() { Err(format!("answers {}", answer.words(&[]))) } else { Ok(()) }
}

/// Each host answers with the operator's own page, and nothing of the site is reached.
pub async fn suspended(client: &Client, hosts: [&str; 2]) -> Seen {
    for host in hosts {
        let request = client.get(format!("https://{host}/api/method/ping")).header(ACCEPT, "application/json");
        let answer = send(request, LIMIT).await.map_err(|failure| failure.words)?;
        if answer.status.as_u16() != 503 || answer.exc_type() != Some(SUSPENDED) {
            return Err(format!("{host} answers {} instead of the page of a suspended tenant", answer.words(&[])));
        }
    }
    Ok(())
}

/// None where there is no key to try.
pub async fn key(client: &Client, target: &Target<'_>) -> Option<Seen> {
    let trial = target.key.as_ref()?;
    let answer = match trial.key.header() {
        None => unsendable(),
        Some(token) => {
            let url = format!("https://{}{}", target.api, trial.path);
            let request = client.get(url).header(ACCEPT, "application/json").header(AUTHORIZATION, token);
            send(request, LIMIT)
                .await
                .map_or_else(|failure| KeyAnswer::Unreachable(failure.words), |answer| key_answer(&answer, trial))
        }
    };
    Some(match answer {
        KeyAnswer::Accepted => Ok(()),
        KeyAnswer::Rejected(401) => Err("the site does not accept it (401)".to_owned()),
        KeyAnswer::Rejected(403) => {
            Err("answers 403: the edge does not pass Authorization on, or the API user's roles do not suffice".to_owned())
        }
        KeyAnswer::Rejected(status) => Err(format!("the site does not accept it ({status})")),
        KeyAnswer::Undecryptable => Err("417: the site cannot decrypt it, its encryption_key was changed".to_owned()),
        KeyAnswer::Unreachable(words) => Err(words),
    })
}

/// The edge refuses the paths, and the site refuses passwords, since `cmd=login` on any path goes past the edge.
pub async fn refusals(client: &Client, target: &Target<'_>) -> Seen {
    let asked: Vec<_> = target.refused.iter().map(|path| refused(client, target.api, &path.path)).collect();
    let asked: Vec<Seen> = stream::iter(asked).buffered(4).collect().await;
    asked.into_iter().collect::<Seen>()?;
    if target.locked { locked(client, target).await } else { Ok(()) }
}

async fn refused(client: &Client, api: &str, path: &str) -> Seen {
    let request = client.get(format!("https://{api}{path}")).header(ACCEPT, "application/json");
    let answer = send(request, LIMIT).await.map_err(|failure| format!("{path}: {}", failure.words))?;
    let closed = answer.message().is_some_and(|message| message.starts_with(CLOSED));
    match answer.status.as_u16() {
        403 if closed => Ok(()),
        403 => Err(format!("{path} is refused by the site, and reaches it: the edge should refuse it")),
        _ => Err(format!("{path} answers {} instead of 403", answer.words(&[]))),
    }
}

/// Of a locked site the message is another one than that of a wrong password.
async fn locked(client: &Client, target: &Target<'_>) -> Seen {
    // Both words need no encoding. The path is one that every edge leads to the site.
    let form = format!("cmd=login&usr={}&pwd={}", random_word(), random_word());
    let request = client
        .post(format!("https://{}/api/method/ping", target.api))
        .header(ACCEPT, "application/json")
        .header(ACCEPT_LANGUAGE, "en")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    let answer = send(request, LIMIT).await.map_err(|failure| format!("a password login: {}", failure.words))?;
    match answer.status.as_u16() {
        401 if answer.says(LOCKED) => Ok(()),
        // It comes to no login at all.
        503 if target.expects == Expects::ReadOnly && answer.exc_type() == Some("InReadOnlyMode") => Ok(()),
        401 => Err("the site still takes passwords (cmd=login): System Settings do not refuse them".to_owned()),
        _ => Err(format!("a password login answers {} instead of 401", answer.words(&[]))),
    }
}

/// A client that names another site must still get this one.
pub async fn forged_header(client: &Client, api: &str) -> Seen {
    let other = format!("{}.invalid", random_word());
    let answer = send(ping_request(client, api).header(SITE_HEADER, other), LIMIT).await.map_err(|failure| failure.words)?;
    match answer.status.as_u16() {
        _ if answer.is_pong() => Ok(()),
        404 => Err(format!("the edge passes {SITE_HEADER} on: clients could choose another tenant's site")),
        _ => Err(format!("with a forged {SITE_HEADER} ping answers {}", answer.words(&[]))),
    }
}
