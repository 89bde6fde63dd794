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

pub use bench::{Bench, BenchSpec, BenchStatus};
pub use claim::{TenantClaim, TenantClaimSpec};
pub use conditions::Condition;
pub use crds::{crds, crds_yaml};
pub use plan::{TenantPlan, TenantPlanSpec};
pub use refs::{BenchRef, NameRef, SecretKeyRef};
pub use tenant::{Tenant, TenantSpec, TenantStatus};
