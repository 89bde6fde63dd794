//! Where a bench is: its volume, its database, its Services, and the templates of its tenants' names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::refs::SecretKeyRef;

/// The volume that holds the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SitesVolume {
    /// Name of the PersistentVolumeClaim in the Bench's namespace.
    pub claim_name: String,
}

/// The database server of the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Kind of the server.
    #[serde(rename = "type")]
    pub type_: DatabaseType,
    /// Host of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Port of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// User that may create databases and users.
    #[serde(default = "root")]
    pub root_user: String,
    /// Password of that user.
    pub root_secret_ref: SecretKeyRef,
}

fn root() -> String {
    "root".to_owned()
}

/// Kind of the database server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DatabaseType {
    #[default]
    MariaDB,
}

/// The bench's Services, all in the Bench's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Services {
    /// Gunicorn.
    pub web: ServicePort,
    /// The bench's nginx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nginx: Option<ServicePort>,
    /// The bench's socket.io server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socketio: Option<ServicePort>,
    /// What answers on the tenant's frontend host.
    pub frontend: ServicePort,
}

/// One port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServicePort {
    /// Name of the Service.
    pub name: String,
    /// Port of the Service.
    pub port: u16,
}

/// The two hosts of a tenant, or the templates of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hosts {
    /// Where users go.
    pub frontend: String,
    /// Where programs go.
    pub api: String,
}
