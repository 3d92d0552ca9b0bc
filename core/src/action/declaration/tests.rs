use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// Where the actions are, and the version their READMEs show.
const USES: (&str, &str) = ("chartflow/chartflow/actions", "v1");

fn folder(verb: Verb) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../actions").join(verb.as_str())
}

fn regenerate() -> bool {
    std::env::var_os("CHARTFLOW_REGENERATE").is_some()
}

#[test]
fn the_files_of_the_actions_are_what_the_declarations_say() {
    for verb in Verb::ALL {
        let declaration = verb.declaration();
        for (name, text) in [("action.yml", action_yml(&declaration)), ("README.md", readme(&declaration, USES.0, USES.1))] {
            let path = folder(verb).join(name);
            if regenerate() {
                std::fs::create_dir_all(folder(verb)).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == text, "{} is not what the declaration says; run this test with CHARTFLOW_REGENERATE=1 and commit the file", path.display());
        }
    }
}

#[test]
fn every_action_is_a_folder_and_every_folder_an_action() {
    let folders: BTreeSet<String> =
        std::fs::read_dir(folder(Verb::Detect).parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, Verb::ALL.iter().map(|verb| verb.as_str().to_owned()).collect());
}

#[test]
fn action_files_are_yaml_in_the_runner_s_grammar() {
    for verb in Verb::ALL {
        let declaration = verb.declaration();
        let document: serde_yaml::Value = serde_yaml::from_str(&action_yml(&declaration)).unwrap();
        let keys = |key: &str| document[key].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(keys("inputs"), declaration.inputs.iter().map(|input| input.name.to_owned()).collect::<Vec<_>>(), "{verb:?}");
        assert_eq!(keys("outputs"), declaration.outputs.iter().map(|output| output.name.to_owned()).collect::<Vec<_>>(), "{verb:?}");
        assert_eq!(document["runs"]["entrypoint"].as_str(), Some(format!("/{}", verb.as_str()).as_str()));
        // An id begins with a letter or `_` and goes on with letters, digits, `-` and `_` ("Metadata syntax").
        for name in keys("inputs").into_iter().chain(keys("outputs")) {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-') && name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
        }
        for input in &declaration.inputs {
            assert!(!input.required || input.default.is_empty(), "{verb:?}: {}", input.name);
            assert_eq!(input.kind == Kind::Secret, ["token", "private-key", "signing-key", "registry-password"].contains(&input.name), "{}", input.name);
        }
    }
}

/// What the generated workflows hand to an action is what it takes, and what they read is what it gives.
#[test]
fn workflows_and_declarations_agree() {
    use crate::domain::ruleset::{Mode, Tiers};
    use crate::domain::workflow::{Options, workflow};
    let names = crate::domain::branch::Names::new(&crate::domain::configuration::Configuration::default());
    for mode in [Mode::App { id: 1 }, Mode::WorkflowToken] {
        let options = Options { signing_key: true, ..Options::new(Tiers::from(&names), mode) };
        for stage in StageName::ALL {
            let declaration = Verb::Stage(stage).declaration();
            let document: serde_yaml::Value = serde_yaml::from_str(&workflow(stage, &options)).unwrap();
            for (_, job) in document["jobs"].as_mapping().unwrap() {
                for step in job["steps"].as_sequence().unwrap() {
                    assert_eq!(step["uses"].as_str().unwrap(), format!("{}/{stage}@{}", USES.0, USES.1));
                    for (name, _) in step["with"].as_mapping().into_iter().flatten() {
                        assert!(declaration.input(name.as_str().unwrap()).is_some(), "{stage}: {name:?}");
                    }
                }
                for (name, value) in job["outputs"].as_mapping().into_iter().flatten() {
                    assert!(value.as_str().unwrap().contains(&format!(".outputs.{} ", name.as_str().unwrap())), "{stage}: {value:?}");
                    assert!(declaration.outputs.iter().any(|output| Some(output.name) == name.as_str()), "{stage}: {name:?}");
                }
            }
        }
    }
}
