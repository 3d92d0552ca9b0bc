//! What a write to GitHub does, in words: the lines of a plan.

use serde::Serialize;
use serde_json::Value;

use crate::domain::markdown::one_line;
use crate::port::transport::{Body, Method, Request};

/// Details are shown up to this many characters.
const DETAIL: usize = 200;

/// One thing that was written, or would have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// In words, without names.
    pub does: String,
    /// The method.
    pub method: &'static str,
    /// The request's target below the repository, or a reference of the registry.
    pub target: String,
    /// What, by name.
    pub detail: String,
    /// Its page, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What a request does; `None` for one that only reads, and for git objects, which nobody sees before a ref names them.
#[must_use]
pub fn describe(request: &Request) -> Option<Step> {
    if request.method == Method::Get {
        return None;
    }
    let path = request.target.split('?').next().unwrap_or_default();
    // Behind /repos/OWNER/NAME/, on whatever host.
    let below = path.split_once("/repos/").and_then(|(_, rest)| rest.splitn(3, '/').nth(2)).unwrap_or(path);
    let empty = Value::Null;
    let body = match &request.body {
        Body::Json(body) => body,
        _ => &empty,
    };
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    let parts: Vec<&str> = below.split('/').collect();
    let (does, detail) = match (request.method, parts.as_slice()) {
        (Method::Post, ["git", "blobs" | "trees" | "commits" | "tags"]) => return None,
        (Method::Post, ["git", "refs"]) => ("create a ref", text("ref").to_owned()),
        (Method::Patch, ["git", "refs", name @ ..]) => ("move a ref", format!("refs/{} to {}", name.join("/"), text("sha"))),
        (Method::Delete, ["git", "refs", name @ ..]) => ("delete a ref", format!("refs/{}", name.join("/"))),
        (Method::Post, ["pulls"]) => ("open a pull request", format!("{:?} from {} to {}", text("title"), text("head"), text("base"))),
        (Method::Patch, ["pulls", number]) if body["state"] == "closed" => ("close a pull request", format!("#{number}")),
        (Method::Patch, ["pulls", number]) => ("describe a pull request", format!("#{number}")),
        (Method::Put, ["pulls", number, "merge" | "merge-async"]) => ("merge a pull request", format!("#{number} at {}", text("sha"))),
        (Method::Post, ["issues", number, "comments"]) => ("comment on a pull request", format!("#{number}")),
        (Method::Post, ["statuses", commit]) => ("post a status", format!("{} is {} on {commit}: {}", text("context"), text("state"), text("description"))),
        (Method::Post, ["dispatches"]) => ("start a workflow", text("event_type").to_owned()),
        (Method::Post, ["attestations"]) => ("post an attestation", String::new()),
        (Method::Post, ["releases"]) => ("draft a release", text("tag_name").to_owned()),
        (Method::Patch, ["releases", id]) => ("publish a release", (*id).to_owned()),
        (Method::Post, ["releases", id, "assets"]) => ("upload a file to a release", format!("{} of {id}", query(&request.target, "name"))),
        (Method::Delete, ["releases", "assets", id]) => ("delete a file of a release", (*id).to_owned()),
        (Method::Post, ["rulesets"]) => ("create a ruleset", text("name").to_owned()),
        (Method::Put, ["rulesets", id]) => ("change a ruleset", format!("{} ({id})", text("name"))),
        (Method::Delete, ["rulesets", id]) => ("delete a ruleset", (*id).to_owned()),
        _ => ("write", String::new()),
    };
    Some(Step { does: does.to_owned(), method: request.method.as_str(), target: one_line(below, DETAIL), detail: one_line(&detail, DETAIL), url: None })
}

fn query<'a>(target: &'a str, key: &str) -> &'a str {
    let pairs = target.split_once('?').map(|(_, query)| query).unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key).map(|(_, value)| value).unwrap_or_default()
}
