//! A request to the embedded GitHub and its answer, without any socket.

use std::collections::BTreeMap;

use chartflow_core::port::transport::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// A request as a server reads it off the wire.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded, beginning with `/`, without the query.
    pub path: String,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl ApiRequest {
    /// A request without headers and body for `/path?query`.
    #[must_use]
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { method, path: path.to_owned(), query, headers: BTreeMap::new(), body: Vec::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.with_header("content-type", "application/json")
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The path's segments, each percent-decoded (an encoded `/` stays inside its segment). The prefixes under which
    /// Enterprise Server serves the API and uploads are taken off.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        let path = ["/api/v3/", "/api/uploads/"].iter().find_map(|prefix| self.path.strip_prefix(prefix)).unwrap_or(&self.path);
        path.trim_start_matches('/').split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect()
    }
}

/// An answer of the embedded GitHub.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl ApiResponse {
    /// An answer that carries JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", body.to_string().into_bytes())
    }

    /// An answer that carries bytes of a media type.
    #[must_use]
    pub fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]), body }
    }

    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: Vec::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A refusal in GitHub's shape: `{message, errors?, documentation_url, status}`.
///
/// Source: schemas `basic-error` and `validation-error` of GitHub's OpenAPI description.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// The status code.
    pub status: u16,
    /// GitHub's message.
    pub message: String,
    /// The entries of `errors`; left out of the answer when empty.
    pub errors: Vec<Value>,
    /// Headers the answer carries besides.
    pub headers: BTreeMap<String, String>,
}

impl ApiError {
    /// A refusal with a message alone.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: Vec::new(), headers: BTreeMap::new() }
    }

    /// 404, which GitHub also answers where the caller may not know that the thing exists.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// 422 with a message alone.
    #[must_use]
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, message)
    }

    /// 422 `Validation Failed` with one error of code `custom`.
    #[must_use]
    pub fn validation(resource: &str, message: impl Into<String>) -> Self {
        Self::new(422, "Validation Failed").with_error(json!({"resource": resource, "code": "custom", "message": message.into()}))
    }

    /// 422 `Validation Failed` for one field (codes: `missing`, `missing_field`, `invalid`, `already_exists`).
    #[must_use]
    pub fn field(resource: &str, field: &str, code: &str) -> Self {
        Self::new(422, "Validation Failed").with_error(json!({"resource": resource, "field": field, "code": code}))
    }

    /// The same with one more entry of `errors`.
    #[must_use]
    pub fn with_error(mut self, error: Value) -> Self {
        self.errors.push(error);
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// The answer; `documentation` is the page of the operation.
    #[must_use]
    pub fn response(&self, documentation: &str) -> ApiResponse {
        let mut body = json!({"message": self.message});
        if !self.errors.is_empty() {
            body["errors"] = Value::Array(self.errors.clone());
        }
        body["documentation_url"] = json!(documentation);
        body["status"] = json!(self.status.to_string());
        let mut response = ApiResponse::json(self.status, &body);
        response.headers.extend(self.headers.clone());
        response
    }
}
