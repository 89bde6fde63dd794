//! Tenants that are Ready all the time, and what they said when they were not.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use kube::Api;
use kube::runtime::watcher::watch_object;
use tenant_operator::api::Tenant;
use tokio::task::JoinHandle;

use crate::case::Case;
use crate::fault::LIMIT;
use crate::history;
use crate::lab::CUSTOMERS;
use crate::scene::Guest;

#[derive(Default)]
pub struct Settled {
    pub guests: Vec<Guest>,
    lost: Arc<Mutex<Vec<Lost>>>,
    watching: Vec<JoinHandle<()>>,
}

struct Lost {
    when: Instant,
    at: usize,
    words: String,
}

impl Settled {
    pub fn follow(&mut self, case: &Case, guests: Vec<Guest>) {
        let follow = |guest: &Guest| tokio::spawn(watch(case.tenants(CUSTOMERS), guest.clone(), self.lost.clone()));
        self.watching = guests.iter().map(follow).collect();
        self.guests = guests;
    }

    /// What those said that were not Ready since then, of those that must be.
    pub fn lost_since(&self, begun: Instant, must: impl Fn(usize) -> bool) -> Vec<String> {
        let lost = self.lost.lock().unwrap();
        lost.iter().filter(|lost| lost.when >= begun && must(lost.at)).map(|lost| lost.words.clone()).collect()
    }

    pub async fn are_ready(&self, case: &Case) {
        for guest in &self.guests {
            case.until(&guest.name, "Ready again", LIMIT, history::ready).await;
        }
    }

    pub fn end(&self) {
        self.watching.iter().for_each(JoinHandle::abort);
    }
}

async fn watch(tenants: Api<Tenant>, Guest { name, at, .. }: Guest, lost: Arc<Mutex<Vec<Lost>>>) {
    let mut stream = pin!(watch_object(tenants, &name));
    loop {
        match stream.try_next().await {
            Ok(Some(tenant)) if history::ready(tenant.as_ref()) => {}
            Ok(Some(tenant)) => {
                let said = tenant.as_ref().and_then(|tenant| history::condition(tenant, "Ready"));
                let words = said.map_or("it is away".to_owned(), |said| format!("{}: {}", said.reason, said.message));
                lost.lock().unwrap().push(Lost { when: Instant::now(), at, words: format!("{name}: {words}") });
            }
            Ok(None) => return,
            // The API server is away: the stream begins anew.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
