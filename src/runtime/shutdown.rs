//! The wish to end: SIGTERM or SIGINT, told to everyone who waits for it.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Cheap to clone; every clone hears of the same end.
#[derive(Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Takes over the signals; must be called inside the async runtime.
    pub fn on_signals() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (end, shutdown) = Self::by_hand();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => tracing::info!("asked to end by SIGTERM"),
                _ = interrupt.recv() => tracing::info!("asked to end by SIGINT"),
            }
            end.send_replace(true);
        });
        Ok(shutdown)
    }

    /// A shutdown that comes when the sender sends true or is dropped.
    pub fn by_hand() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once the end is wished for.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.0.clone();
        async move {
            // An error means that the sender is gone, and with it the only one who could wish for the end.
            let _ = receiver.wait_for(|ended| *ended).await;
        }
    }
}
