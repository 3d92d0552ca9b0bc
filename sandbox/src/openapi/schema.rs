//! Schemas of OpenAPI 3.0 as JSON Schema draft 4, of which they are a dialect
//! (<https://spec.openapis.org/oas/v3.0.3#schema-object>).

use std::collections::BTreeSet;

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};

use super::allowed::AllowedError;

/// Where the components live while schemas are compiled.
const BASE: &str = "urn:github";

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// It is not JSON.
    #[error("the OpenAPI extract is not JSON")]
    Json {
        /// The cause.
        source: serde_json::Error,
    },
    /// Its components are not schemas.
    #[error("the schemas of the OpenAPI extract cannot be used")]
    Schemas {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The allow-list is not in its form.
    #[error("the allow-list of the OpenAPI extract cannot be read")]
    Allowed {
        /// The cause.
        #[from]
        source: AllowedError,
    },
}

/// The components' schemas, ready to be referred to.
#[derive(Debug)]
pub(super) struct Schemas(Registry<'static>);

impl Schemas {
    pub(super) fn new(document: &Value) -> Result<Self, SetupError> {
        let failed = |source: jsonschema::ReferencingError| SetupError::Schemas { source: Box::new(source) };
        let mut schemas = Map::new();
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            schemas.insert(name.clone(), rewritten(schema));
        }
        let components = json!({ "components": { "schemas": schemas } });
        let registry = Registry::new().draft(Draft::Draft4).add(BASE, components).map_err(failed)?.prepare().map_err(failed)?;
        Ok(Self(registry))
    }

    /// Compiles a schema of the description; the error is for a violation's text.
    pub(super) fn compile(&self, schema: &Value) -> Result<Validator, String> {
        jsonschema::options().with_draft(Draft::Draft4).with_registry(&self.0).offline().build(&rewritten(schema)).map_err(|error| error.to_string())
    }
}

/// The same schema in draft 4: `nullable` becomes an alternative, references point to [`BASE`].
fn rewritten(schema: &Value) -> Value {
    let Value::Object(object) = schema else {
        return match schema {
            Value::Array(items) => items.iter().map(rewritten).collect(),
            other => other.clone(),
        };
    };
    if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
        return json!({ "$ref": format!("{BASE}{reference}") });
    }
    let mut kept = Map::new();
    for (key, value) in object {
        let value = match key.as_str() {
            "nullable" => continue,
            "enum" | "required" => value.clone(),
            // The names in here are no keywords.
            "properties" => value.as_object().into_iter().flatten().map(|(name, inner)| (name.clone(), rewritten(inner))).collect::<Map<_, _>>().into(),
            _ => rewritten(value),
        };
        kept.insert(key.clone(), value);
    }
    if object.get("nullable") == Some(&Value::Bool(true)) { json!({ "anyOf": [kept, { "type": "null" }] }) } else { kept.into() }
}

/// A parameter's text as the type its schema asks for, or as text where it is none of that type.
pub(super) fn from_text(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        Some("boolean") => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

/// The properties of an object that no alternative of a schema names, where each says what it takes.
///
/// GitHub ignores what it does not know, so a misspelt property would be lost without a word.
pub(super) fn unknown_names(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut named = BTreeSet::new();
    if !collect(document, schema, &mut named, 0) {
        return Vec::new();
    }
    value.as_object().into_iter().flat_map(Map::keys).filter(|name| !named.contains(name.as_str())).cloned().collect()
}

/// Whether a schema names all its properties; those are added to `named`.
fn collect<'a>(document: &'a Value, schema: &'a Value, named: &mut BTreeSet<&'a str>, depth: usize) -> bool {
    if depth > 8 {
        return false;
    }
    if let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        return document.pointer(pointer).is_some_and(|target| collect(document, target, named, depth + 1));
    }
    let mut closed = false;
    if let Some(properties) = schema["properties"].as_object() {
        named.extend(properties.keys().map(String::as_str));
        closed = true;
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let Some(alternatives) = schema[key].as_array() else { continue };
        let mut all = true;
        for alternative in alternatives {
            // `{"required": […]}` beside `properties` says nothing new about names.
            let only_required = alternative.as_object().is_some_and(|object| object.keys().all(|key| key == "required"));
            all &= only_required || collect(document, alternative, named, depth + 1);
        }
        if !all {
            return false;
        }
        closed = true;
    }
    let open = schema.get("additionalProperties").is_some_and(|value| *value != Value::Bool(false));
    closed && !open
}
