//! The benches that Tenants are put on: `examples/`, moved to where and how a test wants them.

use tenant_operator::api::{Bench, BenchSpec, EdgeType, NamespaceChoice, RegistryOnDelete};

/// The lab's own, which knows the names of its edge.
const DNS: &str = "10.96.0.10:53";

#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub namespace: &'static str,
    pub edge: EdgeType,
    pub on_delete: RegistryOnDelete,
    /// The namespace whose bench has the Master site. Where it is another, the one can be away and the other not.
    pub master_in: &'static str,
}

/// Both edges on both versions of Frappe (`erp` is 15, `erp16` is 16), and both ways to leave the Master.
pub const INGRESS_15: Place = place("erp", EdgeType::Ingress, RegistryOnDelete::Delete);
pub const GATEWAY_15: Place = place("erp", EdgeType::Gateway, RegistryOnDelete::SetStatus);
pub const INGRESS_16: Place = place("erp16", EdgeType::Ingress, RegistryOnDelete::SetStatus);
pub const GATEWAY_16: Place = place("erp16", EdgeType::Gateway, RegistryOnDelete::Delete);

/// With the Master site on the same bench.
const fn place(namespace: &'static str, edge: EdgeType, on_delete: RegistryOnDelete) -> Place {
    Place { namespace, edge, on_delete, master_in: namespace }
}

impl Place {
    pub fn frontend_host(&self, subdomain: &str) -> String {
        format!("{subdomain}.{}", self.domain())
    }

    /// The site's name as well.
    pub fn api_host(&self, subdomain: &str) -> String {
        match self.edge {
            EdgeType::Ingress => format!("api.{subdomain}.{}", self.domain()),
            EdgeType::Gateway => format!("api-{subdomain}.{}", self.domain()),
        }
    }

    fn domain(&self) -> &'static str {
        match self.edge {
            EdgeType::Ingress => "example.com",
            EdgeType::Gateway => "gw.example.com",
        }
    }

    pub fn master(&self) -> &'static str {
        if self.master_in == "erp" { "master.example.com" } else { "master.gw.example.com" }
    }

    pub fn frappe(&self) -> u8 {
        if self.namespace == "erp" { 15 } else { 16 }
    }

    pub fn bench(&self, name: &str) -> Bench {
        let everything = example("bench.yaml");
        let mut spec = match self.edge {
            EdgeType::Ingress => everything.clone(),
            EdgeType::Gateway => example("bench-gateway.yaml"),
        };
        let mut registry = everything.registry.expect("a registry in the example");
        registry.site = self.master().to_owned();
        registry.on_delete = self.on_delete;
        if self.master_in != self.namespace {
            registry.url = format!("http://erpnext-gunicorn.{}:8000", self.master_in);
            registry.token_secret_ref.name = token(name);
        }
        spec.registry = Some(registry);
        // Their Jobs would take slots from the tenants that tests look at.
        spec.templates = None;
        spec.site_config_policy = everything.site_config_policy;
        spec.dns.verify_with = vec![DNS.to_owned()];
        // A test on conflicts needs Tenants of two namespaces.
        spec.allowed_tenants.namespaces.from = NamespaceChoice::All;
        spec.allowed_tenants.namespaces.selector = None;
        let mut bench = Bench::new(name, spec);
        bench.metadata.namespace = Some(self.namespace.to_owned());
        bench
    }
}

/// Name of the copy of the Master's token, where the Master is on another bench than this one.
pub fn token(bench: &str) -> String {
    format!("{bench}-master")
}

fn example(file: &str) -> BenchSpec {
    let path = format!("{}/examples/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the example");
    serde_yaml::from_str::<Bench>(&text).expect("a Bench").spec
}
