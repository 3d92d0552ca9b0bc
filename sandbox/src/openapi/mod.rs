//! GitHub's OpenAPI description, as far as chartflow uses it: what its client sends and what the embedded GitHub answers
//! are held to it.
//!
//! `sandbox/openapi/github.json` is an extract that `scripts/openapi-extract` writes; `sandbox/openapi/allowed.txt` lists,
//! with a reason each, where GitHub itself departs from its description. Schemas are compiled when they are first needed
//! and kept.

mod allowed;
mod schema;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::Value;

use allowed::Allowed;
use schema::{Schemas, SetupError};

/// Longer explanations are cut: a failed `anyOf` prints the whole document.
const MESSAGE_LIMIT: usize = 300;

/// One departure from the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The operation, such as `pulls/create`.
    pub operation: String,
    /// `path`, `query`, `body` or `response:STATUS`.
    pub part: String,
    /// Where in it (JSON pointer, or the name of a parameter); empty for all of it.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, part, at, message } = self;
        if at.is_empty() { write!(f, "{operation} {part}: {message}") } else { write!(f, "{operation} {part} {at}: {message}") }
    }
}

/// A request as a client sent it, its path already matched to an operation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent<'a> {
    /// The parameters of the path, decoded.
    pub path: &'a [(&'a str, &'a str)],
    /// The parameters of the query, decoded.
    pub query: &'a [(&'a str, &'a str)],
    /// The `content-type`, if any.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// An answer as a server gave it.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The status code.
    pub status: u16,
    /// The `content-type`, if any.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// A description and what was compiled of it.
#[derive(Debug)]
pub struct Description {
    document: Value,
    operations: HashMap<String, Value>,
    allowed: Allowed,
    schemas: Schemas,
    compiled: Mutex<HashMap<String, Arc<jsonschema::Validator>>>,
}

static GITHUB: LazyLock<Result<Description, SetupError>> =
    LazyLock::new(|| Description::parse(include_str!("../../openapi/github.json"), include_str!("../../openapi/allowed.txt")));

/// GitHub's description.
///
/// # Errors
/// When the committed extract or allow-list cannot be read; a test holds them readable.
pub fn github() -> Result<&'static Description, &'static SetupError> {
    GITHUB.as_ref()
}

/// The schema of a content, or why there is none to hold it to.
enum Wanted<'a> {
    Schema(&'a Value, String),
    NotJson,
    Unknown,
}

fn is_raw(media_type: &str) -> bool {
    // `application/vnd.github.raw+json` is a file's bytes, whatever its name says.
    [".raw", ".diff", ".patch", "octet-stream", "gzip"].iter().any(|part| media_type.contains(part))
}

fn wanted<'a>(content: &'a Value, content_type: Option<&str>) -> Wanted<'a> {
    let media_type = content_type.unwrap_or("application/json").split(';').next().unwrap_or_default().trim();
    let schema = |name: &str| content.get(name).map(|content| (&content["schema"], name.to_owned()));
    if is_raw(media_type) {
        return Wanted::NotJson;
    }
    let found = schema(media_type).or_else(|| media_type.contains("json").then(|| schema("application/json")).flatten());
    found.map_or(Wanted::Unknown, |(schema, name)| Wanted::Schema(schema, name))
}

impl Description {
    fn parse(text: &str, allowed: &str) -> Result<Self, SetupError> {
        let document: Value = serde_json::from_str(text).map_err(|source| SetupError::Json { source })?;
        let mut operations = HashMap::new();
        for item in document["paths"].as_object().into_iter().flat_map(serde_json::Map::values) {
            for operation in item.as_object().into_iter().flat_map(serde_json::Map::values) {
                if let Some(id) = operation["operationId"].as_str() {
                    operations.insert(id.to_owned(), operation.clone());
                }
            }
        }
        let schemas = Schemas::new(&document)?;
        Ok(Self { document, operations, allowed: Allowed::parse(allowed)?, schemas, compiled: Mutex::default() })
    }

    /// Whether an operation is in the extract.
    #[must_use]
    pub fn knows(&self, operation: &str) -> bool {
        self.operations.contains_key(operation)
    }

    /// Follows a reference into the components; a value that is none is its own target.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }

    /// What a request departs in; nothing when it is as described.
    #[must_use]
    pub fn check_request(&self, operation: &str, request: &Sent<'_>) -> Vec<Violation> {
        let Some(described) = self.operations.get(operation) else {
            return vec![unknown(operation)];
        };
        let mut found = Found { operation, violations: Vec::new() };
        self.check_parameters(described, "path", request.path, &mut found);
        self.check_parameters(described, "query", request.query, &mut found);
        self.check_body(described, request, &mut found);
        self.remaining(found.violations)
    }

    fn check_parameters(&self, described: &Value, place: &str, given: &[(&str, &str)], found: &mut Found<'_>) {
        let parameters: Vec<&Value> = described["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| self.resolve(parameter))
            .filter(|parameter| parameter["in"] == place)
            .collect();
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            if parameter["required"] == true && !given.iter().any(|(key, _)| *key == name) {
                found.add(place, name, "is required");
            }
        }
        for (name, text) in given {
            let Some(parameter) = parameters.iter().find(|parameter| parameter["name"] == *name) else {
                found.add(place, name, "is not a parameter of this operation");
                continue;
            };
            let value = schema::from_text(self.resolve(&parameter["schema"]), text);
            self.check_value(&format!("{} {place} {name}", found.operation), &parameter["schema"], &value, place, name, found);
        }
    }

    fn check_body(&self, described: &Value, request: &Sent<'_>, found: &mut Found<'_>) {
        let body = &described["requestBody"];
        if request.body.is_empty() {
            if body["required"] == true {
                found.add("body", "", "is required");
            }
            return;
        }
        if body.is_null() {
            return found.add("body", "", "this operation takes none");
        }
        let (schema, media_type) = match wanted(&body["content"], request.content_type) {
            Wanted::Schema(schema, media_type) => (schema, media_type),
            Wanted::NotJson if body["content"].as_object().is_some_and(|content| content.keys().any(|key| is_raw(key))) => return,
            Wanted::NotJson | Wanted::Unknown => {
                return found.add("body", "", &format!("content type {:?} is not taken", request.content_type.unwrap_or_default()));
            }
        };
        match serde_json::from_slice::<Value>(request.body) {
            Err(error) => found.add("body", "", &error.to_string()),
            Ok(value) => {
                for name in schema::unknown_names(&self.document, schema, &value) {
                    found.add("body", &format!("/{name}"), "is not a property of this request");
                }
                self.check_value(&format!("{} body {media_type}", found.operation), schema, &value, "body", "", found);
            }
        }
    }

    /// What an answer departs in; nothing when it is as described.
    #[must_use]
    pub fn check_response(&self, operation: &str, answer: &Answered<'_>) -> Vec<Violation> {
        let Some(described) = self.operations.get(operation) else {
            return vec![unknown(operation)];
        };
        let part = format!("response:{}", answer.status);
        let mut found = Found { operation, violations: Vec::new() };
        let responses = &described["responses"];
        let mut response = self.resolve(&responses[answer.status.to_string()]);
        if response.is_null() {
            response = self.resolve(&responses["default"]);
        }
        if response.is_null() {
            found.add(&part, "", "the description does not list this status");
        }
        let content = &response["content"];
        if content.is_null() {
            self.check_undescribed(&part, answer, &mut found);
        } else {
            self.check_content(&part, content, answer, &mut found);
        }
        self.remaining(found.violations)
    }

    /// An answer whose content is not described: none where the request succeeded, else a `basic-error`.
    fn check_undescribed(&self, part: &str, answer: &Answered<'_>, found: &mut Found<'_>) {
        if answer.body.is_empty() {
            return;
        }
        if answer.status < 400 {
            return found.add(part, "", "the description has no content for this answer");
        }
        let schema = serde_json::json!({ "$ref": "#/components/schemas/basic-error" });
        match serde_json::from_slice::<Value>(answer.body) {
            Err(error) => found.add(part, "", &error.to_string()),
            Ok(value) => self.check_value("basic-error", &schema, &value, part, "", found),
        }
    }

    fn check_content(&self, part: &str, content: &Value, answer: &Answered<'_>, found: &mut Found<'_>) {
        match wanted(content, answer.content_type) {
            Wanted::NotJson => {}
            Wanted::Unknown => found.add(part, "", &format!("content type {:?} is not described", answer.content_type.unwrap_or_default())),
            Wanted::Schema(schema, media_type) => match serde_json::from_slice::<Value>(answer.body) {
                Err(error) => found.add(part, "", &error.to_string()),
                Ok(value) => self.check_value(&format!("{} {part} {media_type}", found.operation), schema, &value, part, "", found),
            },
        }
    }

    fn check_value(&self, key: &str, schema: &Value, value: &Value, part: &str, at: &str, found: &mut Found<'_>) {
        match self.compiled(key, schema) {
            Err(message) => found.add(part, at, &message),
            Ok(validator) => {
                for error in validator.iter_errors(value) {
                    found.add(part, &format!("{at}{}", error.instance_path()), &error.to_string());
                }
            }
        }
    }

    fn compiled(&self, key: &str, schema: &Value) -> Result<Arc<jsonschema::Validator>, String> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = compiled.get(key) {
            return Ok(Arc::clone(validator));
        }
        let validator = Arc::new(self.schemas.compile(schema)?);
        compiled.insert(key.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }

    fn remaining(&self, violations: Vec<Violation>) -> Vec<Violation> {
        violations.into_iter().filter(|violation| !self.allowed.covers(violation)).collect()
    }
}

fn unknown(operation: &str) -> Violation {
    let message = "is not in sandbox/openapi/operations.txt; add it there and run scripts/openapi-extract".to_owned();
    Violation { operation: operation.to_owned(), part: "operation".to_owned(), at: String::new(), message }
}

struct Found<'a> {
    operation: &'a str,
    violations: Vec<Violation>,
}

impl Found<'_> {
    fn add(&mut self, part: &str, at: &str, message: &str) {
        let mut message: String = message.to_owned();
        if let Some((end, _)) = message.char_indices().nth(MESSAGE_LIMIT) {
            message.truncate(end);
            message.push('…');
        }
        self.violations.push(Violation { operation: self.operation.to_owned(), part: part.to_owned(), at: at.to_owned(), message });
    }
}
