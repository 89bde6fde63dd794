//! The objects that the benchmark begins with, and the tenants that it applies.

use serde_json::{Value, json};

use crate::cluster::CUSTOMERS;
use crate::site::MASTER;

pub fn tenant(name: &str) -> Value {
    json!({
        "apiVersion": "tenancy.nexuserp.io/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name, "namespace": CUSTOMERS},
        "spec": {
            "subdomain": name, "plan": "starter",
            "admin": {"email": format!("owner@{name}.test"), "firstName": "Ada", "lastName": "Byron"},
            "organization": {"name": format!("{name} Ltd"), "country": "DE", "currency": "EUR", "timeZone": "Europe/Berlin"},
        },
    })
}

pub fn gunicorn() -> Value {
    json!({
        "metadata": {"name": "erpnext-gunicorn"},
        "spec": {
            "selector": {"matchLabels": {"app": "gunicorn"}},
            "template": {
                "metadata": {"labels": {"app": "gunicorn"}},
                "spec": {"containers": [{"name": "web", "image": "registry.example.com/frappe/erpnext:v15.78.1"}]},
            },
        },
    })
}

/// Everything that a Bench may ask of a tenant is asked, but DNS.
pub fn bench(name: &str, edge: u16, web: u16) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "path": "/home/frappe/frappe-bench",
            "sitesVolume": {"claimName": "sites"},
            "database": {"type": "MariaDB", "host": "mariadb", "rootSecretRef": {"name": "database", "key": "password"}},
            "services": {
                "web": {"name": "web", "port": web}, "nginx": {"name": "nginx", "port": 8080},
                "frontend": {"name": "frontend", "port": 3000},
            },
            "domain": "bench.test",
            "hosts": {"frontend": "{subdomain}.{domain}", "api": "api-{subdomain}.{domain}"},
            "siteNameTemplate": "api-{subdomain}.{domain}",
            "edge": {"type": "Ingress", "ingress": {"className": "contour"}},
            "tls": {"mode": "Issuer", "issuerRef": {"kind": "ClusterIssuer", "name": "bench"}},
            "probe": {"connectTo": format!("127.0.0.1:{edge}"), "caSecretRef": {"name": "authority", "key": "ca.crt"}},
            "registry": {
                "url": format!("http://web:{web}"), "site": MASTER, "tokenSecretRef": {"name": "master-token"},
                "docType": "SaaS Tenant", "keyField": "subdomain", "idField": "operator_id",
                "fields": [
                    {"name": "site_url", "from": "APIURL"}, {"name": "plan_type", "from": "Plan"}, {"name": "status", "from": "Status"},
                ],
            },
            "jobs": {"podFrom": {"deployment": "erpnext-gunicorn"}, "concurrency": 100},
            "allowedTenants": {"namespaces": {"from": "All"}},
        },
    })
}
