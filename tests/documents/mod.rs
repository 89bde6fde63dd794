//! The documents of `examples/`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Every YAML document there, with the name of its file.
pub fn all() -> Vec<(String, Value)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files.iter().flat_map(|path| documents_of(path)).collect()
}

fn documents_of(path: &Path) -> Vec<(String, Value)> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let read = |document| Value::deserialize(document).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_yaml::Deserializer::from_str(&text).map(|document| (name.clone(), read(document))).collect()
}
