//! The process around the controller: settings, logs, metrics, health, leadership and a graceful end.
//!
//! It knows nothing about tenants; it decides only whether this process may work, and says so to those who ask.

pub mod answer;
mod client;
mod crds;
mod health;
mod leader;
pub mod metrics;
mod readiness;
mod requests;
mod run;
mod settings;
mod shutdown;
pub mod telemetry;

pub use health::router as health_router;
pub use metrics::Metrics;
pub use readiness::Readiness;
pub use run::{Error, run};
pub use settings::Settings;
pub use shutdown::Shutdown;
