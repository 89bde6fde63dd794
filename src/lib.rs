//! Runs many ERPNext/Frappe tenants on Kubernetes: a `Tenant` object becomes a working site, and leaves without a trace.
//!
//! `api` is what users write; `core` decides and never touches the outside; `world` touches the outside and decides nothing;
//! `controller` brings both together; `runtime` is the process around it.

pub mod api;
pub mod controller;
pub mod core;
pub mod runtime;
pub mod world;
