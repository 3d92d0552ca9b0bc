//! Events as the runner hands them over: a name and a JSON document.

use serde_json::Value;

use super::{Event, PullEvent};

/// Why a payload is no event of the train.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// No stage knows events of this name.
    #[error("no stage is started by the event {name:?}")]
    Unknown {
        /// The event's name.
        name: String,
    },
    /// The document lacks a field.
    #[error("the payload of {name} has no {field}")]
    Missing {
        /// The event's name.
        name: String,
        /// The field's path.
        field: &'static str,
    },
}

impl Event {
    /// Reads `GITHUB_EVENT_NAME` and the document at `GITHUB_EVENT_PATH` (GitHub documentation, "Webhook events and payloads").
    ///
    /// # Errors
    /// [`EventError`] for an event that starts nothing here, or a document without the fields that decide.
    pub fn from_payload(name: &str, payload: &Value) -> Result<Self, EventError> {
        let missing = |field| EventError::Missing { name: name.to_owned(), field };
        let text = |pointer: &'static str| payload.pointer(pointer).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| missing(&pointer[1..]));
        let pull = || {
            Ok(PullEvent {
                action: text("/action")?,
                number: payload.pointer("/pull_request/number").and_then(Value::as_u64).ok_or_else(|| missing("pull_request/number"))?,
                base: text("/pull_request/base/ref")?,
                head: text("/pull_request/head/ref")?,
                merged: payload.pointer("/pull_request/merged").and_then(Value::as_bool).unwrap_or(false),
            })
        };
        match name {
            "pull_request_target" => Ok(Self::PullRequestTarget(pull()?)),
            "pull_request" => Ok(Self::PullRequest(pull()?)),
            "push" => Ok(Self::Push { reference: text("/ref")?, deleted: payload.get("deleted").and_then(Value::as_bool).unwrap_or(false) }),
            "repository_dispatch" => {
                Ok(Self::RepositoryDispatch { kind: text("/action")?, payload: payload.get("client_payload").cloned().unwrap_or_default() })
            }
            "workflow_dispatch" => Ok(Self::WorkflowDispatch { workflow: text("/workflow")?, reference: text("/ref")? }),
            "schedule" => Ok(Self::Schedule),
            other => Err(EventError::Unknown { name: other.to_owned() }),
        }
    }
}
