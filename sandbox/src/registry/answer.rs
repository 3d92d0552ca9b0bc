//! Answers and the error body of the specification ("Error Codes").

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};

use super::layout::LayoutError;

/// The error codes of the specification that this registry uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    TooManyRequests,
    Unauthorized,
    Unsupported,
}

impl Code {
    const fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::Denied => "DENIED",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Unsupported => "UNSUPPORTED",
        }
    }
}

/// An answer in the making.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) const fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn refusal(status: u16, code: Code, message: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "code": code.as_str(), "message": message }] });
        Self::new(status).json(body.to_string().into_bytes())
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }

    pub(super) fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.headers.push((CONTENT_TYPE, content_type.to_owned()));
        self.body = body;
        self
    }

    pub(super) fn json(self, body: Vec<u8>) -> Self {
        self.body("application/json", body)
    }

    /// The answer as it is sent; to HEAD without the body, but with its length.
    pub(super) fn into_response(self, head: bool) -> http::Response<Bytes> {
        let length = self.body.len();
        let mut response = http::Response::new(if head { Bytes::new() } else { self.body.into() });
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        headers.insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
        if self.status != 204 {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}

impl From<LayoutError> for Answer {
    fn from(error: LayoutError) -> Self {
        let mut message = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            message = format!("{message}: {cause}");
        }
        Self::refusal(500, Code::Unsupported, &message)
    }
}
