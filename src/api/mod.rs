//! The four objects of `tenancy.nexuserp.io/v1alpha1`, as users write them. Types and schema only: nothing here decides or does.

pub mod bench;
pub mod claim;
pub mod conditions;
mod crds;
pub mod duration;
pub mod plan;
pub mod refs;
mod schema;
pub mod site_config;
pub mod tenant;

pub use bench::*;
pub use claim::*;
pub use conditions::Condition;
pub use crds::{crds, crds_yaml, yaml};
pub use plan::*;
pub use refs::*;
pub use site_config::*;
pub use tenant::*;
