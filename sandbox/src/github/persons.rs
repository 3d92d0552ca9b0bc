//! What people do in a rehearsal: push, open, review, comment, merge. It goes through the same operations, rules and
//! records as the API, as the person's own token, and is not counted.

use chartflow_core::port::transport::Method;
use gix::ObjectId;
use serde_json::{Value, json};

use super::Hub;
use super::actor::{Caller, TokenKind};
use super::http::{ApiError, ApiRequest, ApiResponse};
use super::rules::{MergeMethod, Via};
use super::update::{Update, broken, update};

/// Why a person could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonError {
    /// Nobody has an account of that name.
    #[error("nobody is called {login:?} here")]
    Unknown {
        /// The login.
        login: String,
    },
    /// What was to be pushed is not in the repository.
    #[error("there is no commit {commit:?} to push")]
    NoCommit {
        /// What was given.
        commit: String,
    },
    /// The embedded GitHub refused.
    #[error("GitHub answers {login} with {status}: {message}")]
    Refused {
        /// Who tried.
        login: String,
        /// The status code.
        status: u16,
        /// GitHub's message, with its details.
        message: String,
    },
}

/// A person with an account.
pub struct Person<'a> {
    hub: &'a Hub,
    caller: Caller,
}

impl Hub {
    /// The person behind a login.
    ///
    /// # Errors
    /// [`PersonError::Unknown`] when nobody has that account ([`Hub::add_actor`]).
    pub fn person(&self, login: &str) -> Result<Person<'_>, PersonError> {
        let actor = self.lock().actors.get(login).cloned().ok_or_else(|| PersonError::Unknown { login: login.to_owned() })?;
        let caller = Caller { actor, kind: TokenKind::Person, label: format!("person {login}"), permissions: None };
        Ok(Person { hub: self, caller })
    }
}

impl Person<'_> {
    /// Pushes a commit, which the repository has or borrows, to a branch; `force` lets it be no fast forward.
    ///
    /// # Errors
    /// [`PersonError::NoCommit`], or [`PersonError::Refused`] by a rule or because it is no fast forward.
    pub fn push(&self, branch: &str, commit: &str, force: bool) -> Result<(), PersonError> {
        let mut state = self.hub.lock();
        let id = state.store.commitish(commit).ok_or_else(|| PersonError::NoCommit { commit: commit.to_owned() })?;
        let reference = format!("refs/heads/{branch}");
        let behind = state.store.reference(&reference).is_some_and(|before| !state.store.is_ancestor(before, id));
        if behind && !force {
            return Err(self.refused(&ApiError::unprocessable("Update is not a fast forward").response("")));
        }
        state.clock.tick();
        let change = Update { reference: &reference, after: Some(id), via: Via::Push };
        update(&mut state, &self.caller, change).map_err(|refusal| self.refused(&refusal.response("")))
    }

    /// Pushes a commit, which the repository has, to a branch of this person's fork.
    ///
    /// # Errors
    /// [`PersonError::NoCommit`].
    pub fn push_to_fork(&self, branch: &str, commit: &str) -> Result<(), PersonError> {
        let mut state = self.hub.lock();
        let id = state.store.commitish(commit).ok_or_else(|| PersonError::NoCommit { commit: commit.to_owned() })?;
        let login = self.caller.actor.login.clone();
        state.clock.tick();
        let kept = state.store.set_reference(&super::pulls::fork_reference(&login, branch), id).map_err(broken);
        kept.and_then(|()| super::pulls::follow_fork(&mut state, &self.caller, &login, branch, id)).map_err(|refusal| self.refused(&refusal.response("")))
    }

    /// Deletes a branch.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn delete_branch(&self, branch: &str) -> Result<(), PersonError> {
        let branch = percent_encoding::utf8_percent_encode(branch, super::repository::PATH);
        self.call(Method::Delete, &format!("/git/refs/heads/{branch}"), &Value::Null).map(drop)
    }

    /// Opens a pull request and says its number.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn open(&self, head: &str, base: &str, title: &str, body: &str) -> Result<u64, PersonError> {
        let body = self.call(Method::Post, "/pulls", &json!({"head": head, "base": base, "title": title, "body": body}))?;
        Ok(body["number"].as_u64().unwrap_or_default())
    }

    /// Approves the present head of a pull request.
    ///
    /// # Errors
    /// [`PersonError::Refused`], for one's own pull request too.
    pub fn approve(&self, number: u64) -> Result<(), PersonError> {
        self.call(Method::Post, &format!("/pulls/{number}/reviews"), &json!({"event": "APPROVE"})).map(drop)
    }

    /// Asks for changes.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn request_changes(&self, number: u64, reason: &str) -> Result<(), PersonError> {
        self.call(Method::Post, &format!("/pulls/{number}/reviews"), &json!({"event": "REQUEST_CHANGES", "body": reason})).map(drop)
    }

    /// Writes a comment.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn comment(&self, number: u64, text: &str) -> Result<(), PersonError> {
        self.call(Method::Post, &format!("/issues/{number}/comments"), &json!({"body": text})).map(drop)
    }

    /// Adds a label.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn label(&self, number: u64, name: &str) -> Result<(), PersonError> {
        self.call(Method::Post, &format!("/issues/{number}/labels"), &json!({"labels": [name]})).map(drop)
    }

    /// Changes fields of a pull request: `title`, `body`, `base`, `state`.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn edit(&self, number: u64, changes: &Value) -> Result<(), PersonError> {
        self.call(Method::Patch, &format!("/pulls/{number}"), changes).map(drop)
    }

    /// Merges a pull request and says the commit its base has now.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn merge(&self, number: u64, method: MergeMethod) -> Result<ObjectId, PersonError> {
        let body = self.call(Method::Put, &format!("/pulls/{number}/merge"), &json!({"merge_method": method}))?;
        let sha = body["sha"].as_str().unwrap_or_default();
        ObjectId::from_hex(sha.as_bytes()).map_err(|_| PersonError::NoCommit { commit: sha.to_owned() })
    }

    /// Calls any operation below the repository's API address as this person, and answers its JSON.
    ///
    /// # Errors
    /// [`PersonError::Refused`].
    pub fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, PersonError> {
        let mut state = self.hub.lock();
        let mut request = ApiRequest::new(method, &format!("/repos/{}{path}", state.settings.full_name()));
        if !body.is_null() {
            request = request.with_json(body);
        }
        let response = super::dispatch(&mut state, &self.caller, &request, false);
        if (200..300).contains(&response.status) { Ok(response.value()) } else { Err(self.refused(&response)) }
    }

    fn refused(&self, response: &ApiResponse) -> PersonError {
        let body = response.value();
        let mut message = body["message"].as_str().unwrap_or_default().to_owned();
        for error in body["errors"].as_array().into_iter().flatten() {
            let detail = error["message"].as_str().or_else(|| error.as_str()).map_or_else(|| error.to_string(), str::to_owned);
            message = format!("{message}: {detail}");
        }
        PersonError::Refused { login: self.caller.actor.login.clone(), status: response.status, message }
    }
}
