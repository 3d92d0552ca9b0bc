//! Inputs as the runner hands them over: variables whose names begin with `INPUT_`.
//!
//! The runner turns blanks of an id into `_` and every letter into upper case and leaves the rest, dashes included, as
//! it is (actions/runner, `Handler.cs`). What is declared without a default arrives as an empty text, so empty means
//! absent.

use std::collections::BTreeMap;

use super::declaration::{Declaration, Input, Kind};

const PREFIX: &str = "INPUT_";
/// Set by workflows that override how the container starts; they are for the runner alone.
const FOR_THE_RUNNER: [&str; 2] = ["ENTRYPOINT", "ARGS"];
/// Values are quoted in errors up to this many characters.
const SHOWN: usize = 80;

/// Why inputs cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Nothing of this name is declared.
    #[error("the input {name} is unknown to {action}; known inputs are {known}")]
    Unknown {
        /// The name, in lower case.
        name: String,
        /// The action.
        action: &'static str,
        /// What it takes.
        known: String,
    },
    /// It is mandatory and absent.
    #[error("the input {name} is mandatory: {description}")]
    Absent {
        /// The name.
        name: &'static str,
        /// What it is for.
        description: &'static str,
    },
    /// It holds what it may not hold.
    #[error("the input {name} is {value:?}, which is not {accepted}")]
    Type {
        /// The name.
        name: &'static str,
        /// The value, shortened.
        value: String,
        /// The accepted values.
        accepted: String,
    },
    /// It is given in two spellings with two values.
    #[error("the input {name} is given twice, with different values")]
    Twice {
        /// The name.
        name: &'static str,
    },
    /// It is not the JSON document that is wanted.
    #[error("the input {name} cannot be read")]
    Json {
        /// The name.
        name: &'static str,
        /// The cause; its text holds nothing of the value.
        source: serde_json::Error,
    },
}

/// The inputs of one run: trimmed, present and of the declared kind.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    values: BTreeMap<&'static str, String>,
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets.
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// The secrets among the variables, whatever else is wrong with them: they have to be masked before anything is said.
pub fn secrets<'a>(declaration: &Declaration, variables: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    let secret = |input: &&Input| input.kind == Kind::Secret;
    let values = declaration.inputs.iter().filter(secret).flat_map(|input| spellings(input.name).into_iter().filter_map(|name| variables.get(&name)));
    let mut values: Vec<&str> = values.map(String::as_str).filter(|value| !value.trim().is_empty()).collect();
    values.dedup();
    values
}

/// The variables an input may arrive in: as the runner writes it, and as a shell can set it.
fn spellings(name: &str) -> [String; 2] {
    let upper = format!("{PREFIX}{}", name.to_ascii_uppercase().replace(' ', "_"));
    let shell = upper.replace('-', "_");
    [upper, shell]
}

impl Inputs {
    /// Reads the inputs of an action. Empty means absent, and an absent one has its declared default, unless that is an
    /// expression, which only the runner can fill in.
    ///
    /// # Errors
    /// [`InputError`] for the first input, in the order of their names, that cannot be used.
    pub fn read(declaration: &Declaration, variables: &BTreeMap<String, String>) -> Result<Self, InputError> {
        let mut values = BTreeMap::new();
        for input in &declaration.inputs {
            let given: Vec<&str> =
                spellings(input.name).iter().filter_map(|name| variables.get(name)).map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
            let value = match given.as_slice() {
                [one, other] if one != other => return Err(InputError::Twice { name: input.name }),
                [value, ..] => *value,
                [] if input.required => return Err(InputError::Absent { name: input.name, description: input.description }),
                [] if input.default.contains("${{") => "",
                [] => input.default,
            };
            if !value.is_empty() {
                values.insert(input.name, checked(input, value)?);
            }
        }
        let known: Vec<String> = declaration.inputs.iter().flat_map(|input| spellings(input.name)).collect();
        for (variable, value) in variables {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            if value.trim().is_empty() || known.contains(variable) || FOR_THE_RUNNER.contains(&name) {
                continue;
            }
            let names: Vec<&str> = declaration.inputs.iter().map(|input| input.name).collect();
            let name = name.to_ascii_lowercase();
            let near =
                names.iter().map(|known| (strsim::damerau_levenshtein(&name, known), *known)).min().filter(|(distance, known)| *distance <= known.len() / 2);
            let near = near.map(|(_, near)| format!("; did you mean {near}?")).unwrap_or_default();
            let known = format!("{}{near}", names.join(", "));
            return Err(InputError::Unknown { name: shortened(&name), action: declaration.verb.as_str(), known });
        }
        Ok(Self { values })
    }

    /// A text; `None` when it is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A boolean; absent is false.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// A number; `None` when it is absent.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// A JSON document; `None` when it is absent.
    ///
    /// # Errors
    /// [`InputError::Json`] when it is not what is wanted.
    pub fn json<T: serde::de::DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, InputError> {
        let document = self.text(name).map(serde_json::from_str).transpose();
        document.map_err(|source| InputError::Json { name, source })
    }
}

fn shortened(value: &str) -> String {
    value.chars().take(SHOWN).collect()
}

/// The value in the one spelling that the accessors know.
fn checked(input: &Input, value: &str) -> Result<String, InputError> {
    let wrong = || {
        // What should have been a secret is never shown; nothing can be wrong with one here.
        InputError::Type { name: input.name, value: shortened(value), accepted: input.kind.accepted() }
    };
    match input.kind {
        Kind::Text | Kind::Secret => Ok(value.to_owned()),
        // The spellings of YAML 1.2's core schema, as `getBooleanInput` of @actions/core reads them.
        Kind::Boolean if ["true", "True", "TRUE"].contains(&value) => Ok("true".to_owned()),
        Kind::Boolean if ["false", "False", "FALSE"].contains(&value) => Ok("false".to_owned()),
        Kind::Boolean => Err(wrong()),
        Kind::Number if value.bytes().all(|byte| byte.is_ascii_digit()) => value.parse::<u64>().map(|number| number.to_string()).map_err(|_| wrong()),
        Kind::Number => Err(wrong()),
        Kind::Choice(words) => words.iter().find(|word| **word == value).map(|word| (*word).to_owned()).ok_or_else(wrong),
        Kind::Json => {
            serde_json::from_str::<serde::de::IgnoredAny>(value).map(|_| value.to_owned()).map_err(|source| InputError::Json { name: input.name, source })
        }
    }
}
