//! An action's `action.yml`, as the runner reads it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml::Value;

/// What the runner takes from `action.yml`.
pub struct Metadata {
    /// The program that is started.
    pub entrypoint: String,
    /// The declared inputs and their defaults.
    defaults: BTreeMap<String, String>,
}

/// The folder of an action of this repository.
fn folder(action: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../actions").join(action)
}

impl Metadata {
    /// Reads the metadata of an action of this repository.
    #[must_use]
    pub fn read(action: &str) -> Self {
        let path = folder(action).join("action.yml");
        let document: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let runs = &document["runs"];
        assert_eq!(runs["using"].as_str(), Some("docker"), "{}", path.display());
        // The context of its build is the folder of the Dockerfile.
        let dockerfile = folder(action).join(runs["image"].as_str().unwrap()).canonicalize().unwrap();
        assert_eq!(dockerfile, Path::new(env!("CARGO_MANIFEST_DIR")).join("../Dockerfile").canonicalize().unwrap());
        let inputs = document["inputs"].as_mapping().unwrap();
        let default = |input: &Value| input["default"].as_str().unwrap_or_default().to_owned();
        Self {
            entrypoint: runs["entrypoint"].as_str().unwrap().to_owned(),
            defaults: inputs.iter().map(|(name, input)| (name.as_str().unwrap().to_owned(), default(input))).collect(),
        }
    }

    /// The variables of the inputs: what is given, else the default, else nothing; what is not declared too, of which the
    /// runner only warns.
    #[must_use]
    pub fn inputs(&self, given: &BTreeMap<String, String>, token: &str) -> BTreeMap<String, String> {
        let mut values = self.defaults.clone();
        values.extend(given.clone());
        let variable = |name: &str| format!("INPUT_{}", name.replace(' ', "_").to_uppercase());
        values.into_iter().map(|(name, value)| (variable(&name), value.replace("${{ github.token }}", token))).collect()
    }
}
