//! GitHub's own description of its API as a judge: every request and every answer is held against it.
//!
//! The description is an extract of GitHub's OpenAPI document (`sandbox/openapi/extract.py` makes it); it is read by
//! tests and is no part of the program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chartflow_core::port::transport::Method;
use jsonschema::{Draft, Registry, Validator};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::http::{ApiRequest, ApiResponse};
use super::route::Route;

/// Where the document is found by references.
const DOCUMENT: &str = "urn:github";

/// Answers that any operation may give without describing them, with the definition their body follows.
///
/// Source: <https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api>; 500 is the embedded GitHub's
/// own failure and is always a breach.
const UNDESCRIBED: [u16; 8] = [400, 401, 403, 404, 405, 409, 422, 429];

/// What GitHub does and its description does not say: the operation (or how its id begins), where, what is found, and why
/// it is let pass.
const ALLOWED: [(&str, &str, &str, &str); 3] = [
    ("git/create-blob", "answers 422: : ", "more than one of the schemas", "its `oneOf` lists two errors without required keys, so every error is both"),
    ("repos/create-or-update-file-contents", "answers 409: : ", "more than one of the schemas", "the same"),
    ("repos/", "/state: ", "\"starter\" is not one of", "the state of an asset whose upload broke off, which the page of the upload names"),
];

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// It is not JSON of the expected shape.
    #[error("the description of the API is not what the extract script writes")]
    Garbled {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A schema in it is none.
    #[error("the schema {schema} cannot be used")]
    Schema {
        /// Where it stands.
        schema: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// GitHub's description of the operations that are used.
pub struct Contract {
    operations: Map<String, Value>,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// Reads an extract.
    ///
    /// # Errors
    /// [`ContractError::Garbled`].
    pub fn new(extract: &str) -> Result<Self, ContractError> {
        let document: Value = serde_json::from_str(extract).map_err(|source| ContractError::Garbled { source: Box::new(source) })?;
        let operations = document["operations"].as_object().cloned().ok_or_else(|| ContractError::Garbled { source: "it has no operations".into() })?;
        let failed = |source| ContractError::Garbled { source: Box::new(source) };
        let resource = Draft::Draft4.create_resource(document);
        let registry = Registry::new().draft(Draft::Draft4).add(DOCUMENT, resource).map_err(failed)?.prepare().map_err(failed)?;
        Ok(Self { operations, registry, validators: Mutex::default() })
    }

    /// How the table of operations differs from the description: operations it does not have, or has elsewhere.
    #[must_use]
    pub fn unknown_routes(&self, routes: &[&Route]) -> Vec<String> {
        let described = |route: &Route| {
            let operation = self.operations.get(route.operation)?;
            Some(format!("{} {}", operation["method"].as_str()?, operation["path"].as_str()?))
        };
        routes
            .iter()
            .filter_map(|route| {
                let own = format!("{} {}", route.method.as_str(), route.template);
                match described(route) {
                    Some(theirs) if theirs == own => None,
                    Some(theirs) => Some(format!("{}: {own}, but GitHub has {theirs}", route.operation)),
                    None => Some(format!("{}: not in the extract", route.operation)),
                }
            })
            .collect()
    }

    /// What a request and its answer break of the description.
    ///
    /// The request is judged when it was accepted: a refused one may well be wrong.
    ///
    /// # Errors
    /// [`ContractError::Schema`] when the description itself cannot be used.
    pub fn breaches(&self, route: &Route, request: &ApiRequest, response: &ApiResponse) -> Result<Vec<String>, ContractError> {
        let Some(operation) = self.operations.get(route.operation) else { return Ok(vec![format!("{}: not in the extract", route.operation)]) };
        let mut found = self.answer(route, operation, response)?;
        if (200..300).contains(&response.status) {
            found.extend(self.request(route, operation, request)?);
        }
        found.retain(|breach| {
            !ALLOWED.iter().any(|(operation, place, problem, _)| route.operation.starts_with(operation) && breach.contains(place) && breach.contains(problem))
        });
        Ok(found)
    }

    fn answer(&self, route: &Route, operation: &Value, response: &ApiResponse) -> Result<Vec<String>, ContractError> {
        let status = response.status.to_string();
        let what = format!("{} answers {status}", route.operation);
        let place = format!("/operations/{}/responses/{status}", escaped(route.operation));
        let Some(described) = operation["responses"].get(&status) else {
            if !UNDESCRIBED.contains(&response.status) {
                return Ok(vec![format!("{what}, which GitHub does not describe")]);
            }
            return self.judge(&what, "/definitions/basic-error", &response.value());
        };
        let kinds = described.as_object().cloned().unwrap_or_default();
        if kinds.is_empty() {
            return Ok(if response.body.is_empty() || response.status >= 400 { Vec::new() } else { vec![format!("{what} with a body")] });
        }
        let kind = response.headers.get("content-type").map_or("", String::as_str);
        if !kind.starts_with("application/json") {
            // Raw bytes are asked for by media type, and are not described further.
            return Ok(if kind.contains("vnd.github") || kind.contains("octet-stream") { Vec::new() } else { vec![format!("{what} with {kind:?}")] });
        }
        let schema = if kinds.contains_key("application/json") { "application/json" } else { kinds.keys().next().map_or("", String::as_str) };
        let mut breaches = self.judge(&what, &format!("{place}/{}", escaped(schema)), &response.value())?;
        for other in kinds.keys().filter(|other| *other != schema) {
            if breaches.is_empty() {
                break;
            }
            // Another media type's schema does as well: the description lists them for one status.
            let again = self.judge(&what, &format!("{place}/{}", escaped(other)), &response.value())?;
            if again.is_empty() {
                breaches = again;
            }
        }
        Ok(breaches)
    }

    fn request(&self, route: &Route, operation: &Value, request: &ApiRequest) -> Result<Vec<String>, ContractError> {
        let mut found = Vec::new();
        for (name, value) in &request.query {
            let place = format!("/operations/{}/query/{}", escaped(route.operation), escaped(name));
            match operation["query"].get(name) {
                None => found.push(format!("{} is asked with {name:?}, which it does not know", route.operation)),
                Some(schema) => {
                    let number = schema["type"] == "integer";
                    let value = value.parse::<i64>().ok().filter(|_| number).map_or_else(|| json!(value), |value| json!(value));
                    found.extend(self.judge(&format!("{}?{name}", route.operation), &place, &value)?);
                }
            }
        }
        let json = request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if request.method == Method::Get || request.body.is_empty() || !json {
            return Ok(found);
        }
        let what = format!("the body for {}", route.operation);
        let Some(schema) = operation["request"].get("application/json") else {
            found.push(format!("{what} is not described"));
            return Ok(found);
        };
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            found.push(format!("{what} is not JSON"));
            return Ok(found);
        };
        let place = format!("/operations/{}/request/application~1json", escaped(route.operation));
        found.extend(self.judge(&what, &place, &body)?);
        if let (Some(known), Some(given)) = (schema["properties"].as_object(), body.as_object()) {
            found.extend(given.keys().filter(|key| !known.contains_key(*key)).map(|key| format!("{what} has {key:?}, which is not described")));
        }
        Ok(found)
    }

    /// The first few errors of a value against the schema at a place of the document.
    fn judge(&self, what: &str, place: &str, value: &Value) -> Result<Vec<String>, ContractError> {
        let validator = self.validator(place)?;
        Ok(validator.iter_errors(value).take(5).map(|error| format!("{what}: {}: {}", error.instance_path(), shortened(&error.to_string()))).collect())
    }

    fn validator(&self, place: &str) -> Result<Arc<Validator>, ContractError> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = validators.get(place) {
            return Ok(Arc::clone(known));
        }
        let schema = json!({"$ref": format!("{DOCUMENT}#{place}")});
        let made = jsonschema::options()
            .with_draft(Draft::Draft4)
            .with_registry(&self.registry)
            .build(&schema)
            .map_err(|source| ContractError::Schema { schema: place.to_owned(), source: Box::new(source) })?;
        let made = Arc::new(made);
        validators.insert(place.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

/// What stays as it is in a part of a URI fragment.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A key as a part of a JSON pointer inside a URI fragment.
fn escaped(key: &str) -> String {
    utf8_percent_encode(&key.replace('~', "~0").replace('/', "~1"), PLAIN).to_string()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 300 { text.to_owned() } else { format!("…{}", text.chars().skip(text.chars().count() - 300).collect::<String>()) }
}
