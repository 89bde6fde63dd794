//! Lists page by page: there may be ten thousand.

use std::fmt::Debug;

use kube::api::{Api, ListParams};
use serde::de::DeserializeOwned;

/// So many are read at once.
const PAGE: u32 = 500;

/// All that are selected.
pub async fn each<K: Clone + Debug + DeserializeOwned>(
    api: &Api<K>,
    of: ListParams,
    mut take: impl FnMut(K),
) -> kube::Result<()> {
    let mut page = of.limit(PAGE);
    loop {
        let list = api.list(&page).await?;
        list.items.into_iter().for_each(&mut take);
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(()),
        }
    }
}
