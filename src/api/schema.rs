//! Formats that several fields share, each with the sentence that tells a user how to write it.
//!
//! A format is a CEL rule and not a `pattern`: the API server answers a pattern with the bare expression, a rule with our words.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// A text of at most `max` characters that matches `pattern`; `fix` is what a user reads otherwise.
pub(super) fn text(max: u32, pattern: &str, fix: &str) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": max,
        "x-kubernetes-validations": [{ "rule": format!("self.matches('{pattern}')"), "message": fix }],
    })
}

/// A port number.
pub(super) fn port(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 65535 })
}

/// Name of an object that must be a DNS label, such as a Service or a namespace.
pub(super) fn label(_: &mut SchemaGenerator) -> Schema {
    text(
        63,
        "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "write lower-case letters, digits and hyphens, with a letter or digit at both ends",
    )
}

/// Name of any other object, or of a host.
pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    dns_name(253)
}

/// The domain below which tenants are. Shorter than DNS allows, since subdomain and template come on top.
pub(super) fn domain(_: &mut SchemaGenerator) -> Schema {
    dns_name(100)
}

/// Name of an object of ours, which becomes a label value.
pub(super) fn short_name(_: &mut SchemaGenerator) -> Schema {
    dns_name(63)
}

fn dns_name(max: u32) -> Schema {
    text(
        max,
        "^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
        "write lower-case letters, digits, hyphens and dots, with a letter or digit at both ends of each part",
    )
}

/// Key inside a Secret.
pub(super) fn secret_key(_: &mut SchemaGenerator) -> Schema {
    text(253, "^[-._a-zA-Z0-9]+$", "write the key as it stands in the Secret: letters, digits, hyphens, dots, underscores")
}

/// Name of a Frappe app.
pub(super) fn app(_: &mut SchemaGenerator) -> Schema {
    text(64, "^[a-z][a-z0-9_]*$", "write the app's name as `bench list-apps` prints it, such as erpnext")
}

/// Name of a field of a DocType.
pub(super) fn doc_field(_: &mut SchemaGenerator) -> Schema {
    text(140, "^[a-z][a-z0-9_]*$", "write the field's name, not its label: lower-case letters, digits and underscores")
}

/// Name of a thing in Frappe that people name freely, such as a DocType or a role.
pub(super) fn title(_: &mut SchemaGenerator) -> Schema {
    const INNER: &str = "[:cntrl:]<>";
    text(
        140,
        &format!("^[^ {INNER}]([^{INNER}]*[^ {INNER}])?$"),
        "write 1 to 140 characters in one line, without < and >, and with no space at either end",
    )
}

/// An address that is fetched.
pub(super) fn url(_: &mut SchemaGenerator) -> Schema {
    text(
        2048,
        "^https?://[^ /?#@]+(/[^ ?#]*)?$",
        "write http:// or https://, a host, and a path if needed; no user, query or fragment",
    )
}

/// An address that is connected to.
pub(super) fn host_port(_: &mut SchemaGenerator) -> Schema {
    text(300, "^([a-zA-Z0-9.-]+|[[][0-9a-fA-F:.]+[]]):[1-9][0-9]{0,4}$", "write host:port, such as 10.96.0.10:53 or [::1]:443")
}

/// A path of a URL, below which nothing is encoded or left to interpretation.
pub(super) fn url_path(_: &mut SchemaGenerator) -> Schema {
    text(256, "^/[a-zA-Z0-9._~/-]*$", "write a path that begins with a slash: letters, digits and . _ ~ - / only")
}

/// A duration of at least `least`, which is a duration itself.
pub(super) fn duration(least: &str) -> Schema {
    let pattern = super::duration::PATTERN.replace(r"\.", "[.]");
    json_schema!({
        "type": "string",
        "maxLength": 16,
        "x-kubernetes-validations": [{
            "rule": format!("self.matches('{pattern}') && duration(self) >= duration('{least}')"),
            "message": format!("write a duration of at least {least}, such as 90s, 10m, 1h30m or 720h"),
        }],
    })
}

/// Facts of a step, of any shape.
pub(super) fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// `status.conditions` as the API conventions ask for them.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    let mut properties = json!({
        "type": text_of("What is spoken of.", 316),
        "status": { "type": "string", "enum": ["True", "False", "Unknown"], "description": "True, False or Unknown." },
        "reason": text_of("Why, in one word for programs.", 1024),
        "message": text_of("Why, and what to do next, for people.", 32768),
        "lastTransitionTime": { "type": "string", "format": "date-time", "description": "Since when the status is what it is." },
        "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0, "description": "Generation of the spec that is spoken of." },
    });
    properties["reason"]["minLength"] = json!(1);
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": properties,
        },
    })
}

fn text_of(description: &str, max: u32) -> Value {
    json!({ "type": "string", "maxLength": max, "description": description })
}
