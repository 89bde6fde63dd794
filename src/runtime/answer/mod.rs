//! The answering backend: it stands where a tenant's site is not to be reached, and says why.
//!
//! One process of it runs beside each bench. A route chooses the answer by the port it leads to. Whatever is asked, the answer
//! is the same, but that a suspended tenant has its own message; and nothing of the request is in it.

mod messages;
mod page;
mod table;

use std::future::IntoFuture;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use futures::future::try_join_all;
use tokio::net::TcpListener;

pub use self::messages::Messages;
use super::Shutdown;
use crate::core::manifests::answer::{Answer, HEALTH_PORT};

#[derive(clap::Args, Clone, Debug)]
pub struct AnswerSettings {
    /// Address to listen on; the ports are fixed: 8403 refused, 8503 preparing, 8504 suspended, 8081 health.
    #[arg(long, env = "TENANT_OPERATOR_BIND_ADDRESS", default_value = "0.0.0.0")]
    pub bind_address: IpAddr,

    /// Folder with the messages of suspended tenants: a file for each host, of plain text. Read anew each time. A host without
    /// one gets a general text.
    #[arg(long, env = "TENANT_OPERATOR_MESSAGES")]
    pub messages: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("cannot take over SIGTERM and SIGINT")]
    Signals(#[source] io::Error),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot go on serving")]
    Serve(#[source] io::Error),
}

/// Serves all answers until the process is asked to end.
pub async fn run(settings: AnswerSettings) -> Result<(), AnswerError> {
    let shutdown = Shutdown::on_signals().map_err(AnswerError::Signals)?;
    let messages = Messages::from(settings.messages);
    let routers = Answer::ALL.map(|answer| (answer.port(), router(answer, &messages)));
    let health = Router::new().route("/livez", get(|| async { "ok\n" }));
    let mut servers = Vec::new();
    for (port, router) in routers.into_iter().chain([(HEALTH_PORT, health)]) {
        let listener = listen(SocketAddr::new(settings.bind_address, port)).await?;
        let server = axum::serve(listener, router).with_graceful_shutdown(shutdown.requested());
        servers.push(server.into_future());
    }
    tracing::info!(address = %settings.bind_address, "answering");
    try_join_all(servers).await.map_err(AnswerError::Serve)?;
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, AnswerError> {
    TcpListener::bind(address).await.map_err(|source| AnswerError::Listen { address, source })
}

/// The same answer to every method and path.
pub fn router(answer: Answer, messages: &Messages) -> Router {
    let messages = messages.clone();
    Router::new().fallback(move |uri: Uri, headers: HeaderMap| async move {
        let message = match answer {
            Answer::Refused | Answer::Preparing => None,
            Answer::Suspended => messages.find(&uri, &headers).await,
        };
        page::response(answer, &headers, message.as_deref())
    })
}
