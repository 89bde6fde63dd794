//! Brings decisions and the outside together: watches, the reconcile loop, the finalizer, the gate, status and events.

pub mod pass;
