//! Cases, as `tests/validation/*.yaml` holds them.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{documents, patch};

/// One reason of the server's for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub field: String,
    pub message: String,
}

/// The cases of one kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    kind: String,
    /// The example to begin from, or the object itself where no example has one of this kind.
    example: Option<String>,
    object: Option<Value>,
    #[serde(default)]
    pub create: Vec<Case>,
    #[serde(default)]
    pub update: Vec<Case>,
}

/// What one rule accepts and refuses: values of the field `at`, or without it, merge patches of the whole object. An update is
/// always a patch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(skip)]
    pub kind: String,
    pub at: Option<String>,
    /// What the server must say.
    pub says: String,
    /// Where the server must say it; `at` where this is left out.
    pub field: Option<String>,
    /// Another example to begin from.
    #[serde(default)]
    pub base: Option<String>,
    /// For an update: a merge patch that makes of the base what is stored.
    #[serde(default = "unchanged")]
    pub from: Value,
    /// For an update: the status that is stored.
    pub status: Option<Value>,
    #[serde(default)]
    pub accepts: Vec<Value>,
    pub refuses: Vec<Value>,
}

fn unchanged() -> Value {
    json!({})
}

pub fn files() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validation");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> File {
    let text = std::fs::read_to_string(path).unwrap();
    let parsed = serde_yaml::from_str(&text).and_then(|mut document: serde_yaml::Value| {
        document.apply_merge()?;
        serde_yaml::from_value(document)
    });
    let mut file: File = parsed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for case in file.create.iter_mut().chain(&mut file.update) {
        case.kind.clone_from(&file.kind);
    }
    file
}

impl File {
    /// The object that a case begins from, under a name that nobody else uses.
    pub fn base(&self, example: Option<&str>) -> Value {
        if let Some(object) = &self.object {
            return object.clone();
        }
        let example = example.or(self.example.as_deref()).expect("an example or an object");
        let of_kind = |(file, document): &(String, Value)| file == example && document["kind"] == self.kind.as_str();
        let found = documents::all().into_iter().find(of_kind);
        let (_, mut object) = found.unwrap_or_else(|| panic!("{example} has no {}", self.kind));
        object["metadata"]["name"] = json!("validation");
        object
    }
}

impl Case {
    pub fn title(&self) -> String {
        format!("{} {}", self.kind, self.at.as_deref().unwrap_or(&self.says))
    }

    /// What is tried.
    pub fn object(&self, base: &Value, given: &Value) -> Value {
        match &self.at {
            Some(path) => patch::with(base, path, given),
            None => patch::merged(base, given),
        }
    }

    pub fn expects(&self, cause: &Cause) -> bool {
        let field = self.field.as_ref().or(self.at.as_ref());
        cause.message.contains(&self.says) && field.is_none_or(|field| *field == cause.field)
    }
}
