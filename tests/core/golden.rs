//! Compares with a file of tests/golden, which is what people review. `GOLDEN=write` writes them anew.

use std::path::Path;

use serde::Serialize;

pub fn is(name: &str, object: &impl Serialize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let yaml = serde_yaml::to_string(object).expect("an object that can be written");
    // Named by the program's content, which changes without any change of the manifest.
    let yaml = yaml.replace(&tenant_operator::core::manifests::steps::name(), "tenant-operator-steps-00000000");
    if std::env::var_os("GOLDEN").is_some() {
        std::fs::write(&path, yaml).expect("a folder that can be written to");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, yaml, "{name} differs; if that is meant, run with GOLDEN=write and look at the difference");
}
