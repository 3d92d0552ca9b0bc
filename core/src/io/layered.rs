//! Objects from a local repository where it holds them, otherwise from elsewhere.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::content::Files;
use crate::domain::digest::{BlobId, CommitId, TreeId};
use crate::domain::tree::Tree;
use crate::port::objects::{Commit, ObjectError, Objects};

/// Asks `local` first and `remote` for what `local` does not hold. Ids are content, so both answer the same.
#[derive(Clone)]
pub struct LayeredObjects {
    local: Option<Arc<dyn Objects>>,
    remote: Arc<dyn Objects>,
}

impl std::fmt::Debug for LayeredObjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LayeredObjects").field("local", &self.local.is_some()).finish_non_exhaustive()
    }
}

impl LayeredObjects {
    /// Both layers; without a local repository everything is asked of `remote`.
    #[must_use]
    pub fn new(local: Option<Arc<dyn Objects>>, remote: Arc<dyn Objects>) -> Self {
        Self { local, remote }
    }
}

/// Whether the other layer may know more. A refusal is about the content, which is the same there.
fn absent<T>(answer: &Result<T, ObjectError>) -> bool {
    matches!(answer, Err(ObjectError::Missing { .. } | ObjectError::Shallow { .. }))
}

macro_rules! layered {
    ($self:ident, $method:ident($($argument:expr),*)) => {{
        if let Some(local) = &$self.local {
            let answer = local.$method($($argument),*).await;
            if !absent(&answer) {
                return answer;
            }
        }
        $self.remote.$method($($argument),*).await
    }};
}

#[async_trait]
impl Objects for LayeredObjects {
    fn holds(&self, commit: &CommitId) -> bool {
        self.local.as_ref().is_some_and(|local| local.holds(commit))
    }

    async fn commit(&self, id: &CommitId) -> Result<Commit, ObjectError> {
        layered!(self, commit(id))
    }

    async fn tree(&self, id: &TreeId) -> Result<Tree, ObjectError> {
        layered!(self, tree(id))
    }

    async fn blob(&self, id: &BlobId, limit: usize) -> Result<Vec<u8>, ObjectError> {
        layered!(self, blob(id, limit))
    }

    async fn files(&self, id: &TreeId) -> Result<Files, ObjectError> {
        layered!(self, files(id))
    }

    async fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, ObjectError> {
        layered!(self, merge_base(one, other))
    }

    async fn history(&self, tip: &CommitId, hidden: &[CommitId]) -> Result<Vec<Commit>, ObjectError> {
        layered!(self, history(tip, hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::git::ready;

    /// Answers every question in one way and says so in the commit's message.
    struct Layer {
        name: &'static str,
        error: Option<fn() -> ObjectError>,
    }

    impl Layer {
        fn answer<T>(&self, value: T) -> Result<T, ObjectError> {
            self.error.map_or(Ok(value), |error| Err(error()))
        }
    }

    fn id() -> CommitId {
        "1111111111111111111111111111111111111111".parse().unwrap()
    }

    fn commit(message: &str) -> Commit {
        let author = crate::port::objects::Person { name: String::new(), email: String::new() };
        Commit { id: id(), tree: id().as_str().parse().unwrap(), parents: vec![], author, committed: 0, message: message.to_owned() }
    }

    #[async_trait]
    impl Objects for Layer {
        async fn commit(&self, _: &CommitId) -> Result<Commit, ObjectError> {
            self.answer(commit(self.name))
        }
        async fn tree(&self, _: &TreeId) -> Result<Tree, ObjectError> {
            self.answer(Tree::default())
        }
        async fn blob(&self, _: &BlobId, _: usize) -> Result<Vec<u8>, ObjectError> {
            self.answer(self.name.as_bytes().to_vec())
        }
        async fn files(&self, _: &TreeId) -> Result<Files, ObjectError> {
            self.answer(Files::new())
        }
        async fn merge_base(&self, one: &CommitId, _: &CommitId) -> Result<Option<CommitId>, ObjectError> {
            self.answer(Some(one.clone()))
        }
        async fn history(&self, _: &CommitId, _: &[CommitId]) -> Result<Vec<Commit>, ObjectError> {
            self.answer(vec![commit(self.name)])
        }
    }

    fn check(local: Option<Option<fn() -> ObjectError>>) -> String {
        let local = local.map(|error| Arc::new(Layer { name: "local", error }) as Arc<dyn Objects>);
        let layered = LayeredObjects::new(local, Arc::new(Layer { name: "remote", error: None }));
        let answers = async {
            let commit = layered.commit(&id()).await.map(|commit| commit.message);
            let blob = layered.blob(&id().as_str().parse().unwrap(), 9).await.map(|bytes| String::from_utf8(bytes).unwrap());
            let history = layered.history(&id(), &[]).await.map(|commits| commits[0].message.clone());
            [commit, blob, history].map(|answer| answer.unwrap_or_else(|error| error.to_string())).join(", ")
        };
        ready(answers).unwrap()
    }

    #[test]
    fn what_one_layer_lacks_the_other_is_asked_for() {
        assert_eq!(check(None), "remote, remote, remote");
        assert_eq!(check(Some(None)), "local, local, local");
        assert_eq!(check(Some(Some(|| ObjectError::Missing { kind: "commit", id: String::new() }))), "remote, remote, remote");
        assert_eq!(check(Some(Some(|| ObjectError::Shallow { kind: "commit", id: String::new() }))), "remote, remote, remote");
        assert_eq!(check(Some(Some(|| ObjectError::Refused { path: "x".to_owned(), problem: "no".to_owned() }))), "x: no, x: no, x: no");
    }
}
