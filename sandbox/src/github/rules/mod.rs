//! Rulesets: what may happen to which ref.
//!
//! Source: <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets>.
//! The words of refusals are those seen in public reports of `GH013: Repository rule violations found`.

mod judge;
mod model;
mod operations;
mod owners;
mod pull_rules;
mod status_rules;

use gix::ObjectId;

use super::route::{Route, read, write};
use chartflow_core::port::transport::Method;

pub(crate) use judge::{dismisses_stale_reviews, protects, violations};
pub(crate) use model::Rules;

/// How a ref is about to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// A git push or one of the refs operations.
    Push,
    /// The merge of a pull request.
    Merge {
        /// The pull request.
        number: u64,
        /// How.
        method: MergeMethod,
        /// Its head.
        head: ObjectId,
    },
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeMethod {
    /// A commit with two parents.
    Merge,
    /// One commit with one parent.
    Squash,
    /// Every commit again.
    Rebase,
}

/// A change of a ref that is about to happen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The ref's full name.
    pub(crate) reference: &'a str,
    /// Where it points; `None` when it does not exist.
    pub(crate) before: Option<ObjectId>,
    /// Where it will point; `None` when it will be deleted. For a merge that is only being judged (not done), the head.
    pub(crate) after: Option<ObjectId>,
    /// Whether `after` does not descend from `before`.
    pub(crate) forced: bool,
    /// How.
    pub(crate) via: Via,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/rulesets",
        operation: "repos/get-repo-rulesets",
        needs: &[read("metadata")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/rules#get-all-repository-rulesets",
        handler: operations::list,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/rulesets",
        operation: "repos/create-repo-ruleset",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/rules#create-a-repository-ruleset",
        handler: operations::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/rulesets/{ruleset_id}",
        operation: "repos/get-repo-ruleset",
        needs: &[read("metadata")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/rules#get-a-repository-ruleset",
        handler: operations::get,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/rulesets/{ruleset_id}",
        operation: "repos/update-repo-ruleset",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/rules#update-a-repository-ruleset",
        handler: operations::update,
    },
    Route {
        method: Method::Delete,
        template: "/repos/{owner}/{repo}/rulesets/{ruleset_id}",
        operation: "repos/delete-repo-ruleset",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/rules#delete-a-repository-ruleset",
        handler: operations::delete,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/rules/branches/{branch}",
        operation: "repos/get-branch-rules",
        needs: &[read("metadata")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/rules#get-rules-for-a-branch",
        handler: operations::branch,
    },
];
