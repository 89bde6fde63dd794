//! Where a bench is: its volume, its database, its Services, and the templates of its tenants' names.

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::refs::SecretKeyRef;
use super::super::schema;

/// The volume that holds the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SitesVolume {
    /// Name of the PersistentVolumeClaim that is mounted at <path>/sites, in the Bench's namespace. Immutable.
    #[schemars(schema_with = "schema::name")]
    #[x_kube(validation = ("self == oldSelf", "sitesVolume.claimName is immutable, since sites are known by it: create another Bench"))]
    pub claim_name: String,
}

/// The database server of the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.host) ? has(oldSelf.host) && self.host == oldSelf.host : !has(oldSelf.host)", "database.host is immutable, since the sites' databases are there: create another Bench"))]
pub struct Database {
    /// Kind of the server. MariaDB is what Frappe runs on.
    #[serde(rename = "type")]
    pub type_: DatabaseType,
    /// Host of the server. Left out: what the bench's common_site_config.json says. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name")]
    pub host: Option<String>,
    /// Port of the server. Left out: what the bench's common_site_config.json says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::port")]
    pub port: Option<u16>,
    /// User of the server that may create databases and users.
    #[serde(default = "root")]
    #[schemars(schema_with = "user")]
    pub root_user: String,
    /// Password of that user.
    pub root_secret_ref: SecretKeyRef,
}

fn root() -> String {
    "root".to_owned()
}

fn user(_: &mut SchemaGenerator) -> Schema {
    schema::text(
        80,
        "^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$",
        "write the name of a database user: letters, digits, underscores, dots and hyphens",
    )
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
    /// The bench's gunicorn, which answers for every site by the header X-Frappe-Site-Name.
    pub web: ServicePort,
    /// The bench's nginx, which knows the site by the host. Required by edge.type Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nginx: Option<ServicePort>,
    /// What answers on a tenant's frontend host.
    pub frontend: ServicePort,
}

/// One port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServicePort {
    /// Name of the Service.
    #[schemars(schema_with = "schema::label")]
    pub name: String,
    /// Port of the Service, not of its pods.
    #[schemars(schema_with = "schema::port")]
    pub port: u16,
}

/// The two hosts of a tenant, or the templates of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hosts {
    /// Where the tenant's users go.
    #[schemars(schema_with = "schema::name")]
    pub frontend: String,
    /// Where programs go.
    #[schemars(schema_with = "schema::name")]
    pub api: String,
}

/// A name made of {subdomain} and {domain}, with literal text around the subdomain only.
pub(super) fn host_template(_: &mut SchemaGenerator) -> Schema {
    const LABEL: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
    schema::text(
        50,
        &format!("^({LABEL}[.])*([a-z0-9][a-z0-9-]*)?[{{]subdomain[}}]([a-z0-9-]*[a-z0-9])?([.]{LABEL})*[.][{{]domain[}}]$"),
        "write a host name that has {subdomain} once and ends with .{domain}, such as {subdomain}.{domain} or api.{subdomain}.{domain}",
    )
}

/// The hosts of a Bench are templates, while those of a record are names.
pub(super) fn host_templates(generator: &mut SchemaGenerator) -> Schema {
    let mut template = |description: &str| {
        let mut schema = host_template(generator);
        schema.insert("description".into(), json!(description));
        schema
    };
    let frontend = template("Where a tenant's users go, with {subdomain} and {domain}, such as {subdomain}.{domain}.");
    let api = template(
        "Where programs go, with {subdomain} and {domain}, such as api.{subdomain}.{domain}. With edge.type Gateway it is flat, as api-{subdomain}.{domain}.",
    );
    json_schema!({
        "type": "object",
        "required": ["frontend", "api"],
        "properties": { "frontend": frontend, "api": api },
        "x-kubernetes-validations": [{
            "rule": "self.frontend != self.api",
            "message": "hosts.frontend and hosts.api lead to different Services: write two different templates",
        }],
    })
}
