//! What all tenants of a Bench have in common and no watch tells of, asked for once for many of them. What is not there is asked for
//! each time: somebody waits for it.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub struct Recent<N, T> {
    good_for: Duration,
    kept: Mutex<HashMap<N, (Instant, T)>>,
}

impl<N: Eq + Hash, T: Clone> Recent<N, T> {
    pub fn new(good_for: Duration) -> Self {
        Self { good_for, kept: Mutex::default() }
    }

    /// The last answer while it is young, else another.
    pub async fn or_ask<E>(&self, name: N, ask: impl Future<Output = Result<Option<T>, E>>) -> Result<Option<T>, E> {
        if let Some(known) = self.known(&name) {
            return Ok(Some(known));
        }
        let answer = ask.await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Some(answer) => kept.insert(name, (Instant::now(), answer.clone())),
            None => kept.remove(&name),
        };
        Ok(answer)
    }

    fn known(&self, name: &N) -> Option<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| at.elapsed() < self.good_for);
        kept.get(name).map(|(_, known)| known.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn ask(recent: &Recent<&'static str, u32>, asked: &AtomicU32, answer: Option<u32>) -> Option<u32> {
        let question = async {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok::<_, ()>(answer)
        };
        recent.or_ask("a", question).await.expect("an answer")
    }

    #[tokio::test]
    async fn an_answer_is_good_for_a_while_and_what_is_missing_is_asked_for_again() {
        let (recent, asked) = (Recent::new(Duration::from_millis(50)), AtomicU32::new(0));
        assert_eq!(ask(&recent, &asked, None).await, None);
        assert_eq!(ask(&recent, &asked, Some(1)).await, Some(1));
        assert_eq!(ask(&recent, &asked, Some(2)).await, Some(1));
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(ask(&recent, &asked, Some(3)).await, Some(3));
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}
