//! Differences between two directories, with git's rename detection.

use std::sync::Arc;

use gix::ObjectId;

use super::{Store, StoreError};

/// Differences that are remembered, as two trees differ the same for ever and readers of a pull request ask again.
const DIFFS_KEPT: usize = 256;

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    /// `added`, `removed`, `modified`, `renamed`, `changed` (mode or type).
    pub(crate) status: &'static str,
    pub(crate) path: String,
    /// Where it was, for `renamed`.
    pub(crate) previous: Option<String>,
    /// The blob after the change; before it for `removed`.
    pub(crate) blob: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
}

impl Store {
    /// The files that differ, sorted by path.
    pub(crate) fn diff(&self, before: ObjectId, after: ObjectId) -> Result<Arc<Vec<FileChange>>, StoreError> {
        if let Some(known) = self.diffs.borrow().get(&(before, after)) {
            return Ok(Arc::clone(known));
        }
        let changes = Arc::new(if before == after { Vec::new() } else { self.computed_diff(before, after)? });
        let mut diffs = self.diffs.borrow_mut();
        if diffs.len() >= DIFFS_KEPT {
            diffs.clear();
        }
        diffs.insert((before, after), Arc::clone(&changes));
        Ok(changes)
    }

    fn computed_diff(&self, before: ObjectId, after: ObjectId) -> Result<Vec<FileChange>, StoreError> {
        let arguments = ["-r", "-M", "--raw", "--numstat", "-z", "--no-abbrev", &before.to_string(), &after.to_string()];
        let output = self.git("diff-tree", &arguments, &[0])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut changes: Vec<FileChange> = Vec::new();
        let mut fields = text.split('\0').filter(|field| !field.is_empty());
        let mut counted = 0;
        while let Some(field) = fields.next() {
            if let Some(raw) = field.strip_prefix(':') {
                let words: Vec<&str> = raw.split(' ').collect();
                let [old_mode, new_mode, old, new, letter] = words[..] else { continue };
                let first = fields.next().unwrap_or_default().to_owned();
                let (previous, path) = if letter.starts_with('R') { (Some(first), fields.next().unwrap_or_default().to_owned()) } else { (None, first) };
                let status = match letter.as_bytes().first() {
                    Some(b'A') => "added",
                    Some(b'D') => "removed",
                    Some(b'R') => "renamed",
                    _ if old == new && old_mode != new_mode => "changed",
                    _ => "modified",
                };
                let blob = if status == "removed" { old } else { new }.to_owned();
                changes.push(FileChange { status, path, previous, blob, additions: 0, deletions: 0 });
            } else if let Some((additions, rest)) = field.split_once('\t') {
                let (deletions, path) = rest.split_once('\t').unwrap_or((rest, ""));
                if path.is_empty() {
                    // A rename's two paths follow in fields of their own.
                    fields.next();
                    fields.next();
                }
                if let Some(change) = changes.get_mut(counted) {
                    // Binary files are counted with `-`.
                    change.additions = additions.parse().unwrap_or(0);
                    change.deletions = deletions.parse().unwrap_or(0);
                }
                counted += 1;
            }
        }
        Ok(changes)
    }

    /// The newest `limit` commits reachable from `tip` that change something below `path`.
    pub(crate) fn history_of(&self, tip: ObjectId, path: &str, limit: usize) -> Result<Vec<ObjectId>, StoreError> {
        let output = self.git("rev-list", &[&format!("--max-count={limit}"), &tip.to_string(), "--", path], &[0])?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| ObjectId::from_hex(line.as_bytes()).ok()).collect())
    }
}
