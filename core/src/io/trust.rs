//! The verifier's policy and what signatures are held against: from a folder, or the public one of a repository.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::file::{read_regular, within};
use crate::domain::check::CheckId;
use crate::domain::lineage::anchor;
use crate::domain::lineage::bundle::{Anchor, BundleError};
use crate::domain::names::RepositoryName;
use crate::domain::policy::{Format, POLICY_LIMIT, Policy, PolicyError};

/// Larger trusted roots are refused.
const ROOT_LIMIT: usize = 4 << 20;

/// Whom a verifier trusts.
pub struct Trust {
    /// What the lineage has to keep.
    pub policy: Policy,
    /// What signatures are held against.
    pub anchor: Anchor,
    /// For people: where the policy comes from.
    pub shown: String,
}

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// There is no such folder.
    #[error("the trust folder {} does not exist", .folder.display())]
    Absent {
        /// The folder.
        folder: PathBuf,
    },
    /// It is a file.
    #[error("{} is not a folder", .folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be looked into.
    #[error("the trust folder {} cannot be read", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It holds no policy.
    #[error("the trust folder {} holds no policy.json and no policy.yaml", .folder.display())]
    WithoutPolicy {
        /// The folder.
        folder: PathBuf,
    },
    /// It holds two.
    #[error("{} holds a policy.json and a policy.yaml", .folder.display())]
    TwoPolicies {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of it cannot be read.
    #[error("{} cannot be read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The policy is none.
    #[error("{} cannot be used", .path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: PolicyError,
    },
    /// The policy's keys, or its trusted root, are none.
    #[error("what {} names cannot be used", .path.display())]
    Anchor {
        /// The policy's file.
        path: PathBuf,
        /// The cause.
        source: BundleError,
    },
    /// A policy that leads elsewhere is a mistake or worse.
    #[error("the policy's trusted root {name:?} is not a file beside it")]
    Elsewhere {
        /// What the policy names.
        name: String,
    },
    /// A link leads to where no trust is looked for.
    #[error("{} leads out of {}", .path.display(), .top.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// What it should lie in.
        top: PathBuf,
    },
    /// The trusted root is longer than any.
    #[error("{} is not a trusted root: it has more than {ROOT_LIMIT} bytes", .path.display())]
    LongRoot {
        /// The file.
        path: PathBuf,
    },
    /// The trusted root is no text.
    #[error("{} is not a trusted root", .path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::string::FromUtf8Error,
    },
    /// The trusted root that is compiled in is none.
    #[error("the built-in trusted root cannot be used")]
    BuiltIn {
        /// The cause.
        source: BundleError,
    },
}

impl TrustError {
    /// What to do about it, where that is not plain.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent { .. } | Self::NoFolder { .. } | Self::WithoutPolicy { .. } => {
                Some("name the folder `trust` of a rehearsal, or one with your own policy")
            }
            Self::TwoPolicies { .. } => Some("keep one of the two"),
            Self::Outside { .. } => Some("put the file itself there, not a link to it"),
            Self::Elsewhere { .. } => Some("put the file beside the policy and name it alone"),
            Self::BuiltIn { .. } => Some("this is a bug; please report it"),
            Self::Policy { .. } => Some("docs/verify.md shows a whole policy"),
            Self::Anchor { .. } => Some("take keys and trusted root from a source that you trust; a rehearsal's stand in its folder `trust`"),
            Self::LongRoot { .. } | Self::Root { .. } => Some("name a trusted_root.json as Sigstore publishes it, or take trustedRoot out of the policy"),
            Self::Folder { .. } | Self::File { .. } => Some("look at its name and its permissions"),
        }
    }
}

impl Trust {
    /// The trust that a folder holds: `policy.json` or `policy.yaml`, and the trusted root where the policy names one.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn from_folder(folder: &Path) -> Result<Self, TrustError> {
        Self::load(folder, None)
    }

    /// The trust that a folder holds, of which each file lies below `top`, wherever links lead.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn from_folder_within(folder: &Path, top: &Path) -> Result<Self, TrustError> {
        Self::load(folder, Some(top))
    }

    fn load(folder: &Path, top: Option<&Path>) -> Result<Self, TrustError> {
        let present = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        let (path, format) = match (present("policy.json"), present("policy.yaml")) {
            (Some(path), None) => (path, Format::Json),
            (None, Some(path)) => (path, Format::Yaml),
            (Some(_), Some(_)) => return Err(TrustError::TwoPolicies { folder: folder.to_owned() }),
            (None, None) => return Err(without_policy(folder.to_owned())),
        };
        let policy = Policy::read(&read(&path, POLICY_LIMIT, top)?, format).map_err(|source| TrustError::Policy { path: path.clone(), source })?;
        let root = policy.trusted_root.as_deref().map(|name| trusted_root(folder, name, top)).transpose()?;
        let anchor = anchor(&policy, root.as_deref()).map_err(|source| TrustError::Anchor { path: path.clone(), source })?;
        Ok(Self { policy, anchor, shown: path.display().to_string() })
    }

    /// The public policy of a repository on github.com.
    ///
    /// # Errors
    /// [`TrustError::BuiltIn`].
    pub fn public(name: RepositoryName) -> Result<Self, TrustError> {
        let shown = format!("the public policy of {name} on github.com");
        let policy = Policy::for_public_repository(name, CheckId::ALL.iter().map(ToString::to_string).collect());
        let anchor = anchor(&policy, None).map_err(|source| TrustError::BuiltIn { source })?;
        Ok(Self { policy, anchor, shown })
    }
}

fn read(path: &Path, limit: usize, top: Option<&Path>) -> Result<Vec<u8>, TrustError> {
    let failed = |source| TrustError::File { path: path.to_owned(), source };
    let place = match top {
        None => path.to_owned(),
        Some(top) => within(top, path).map_err(failed)?.ok_or_else(|| TrustError::Outside { path: path.to_owned(), top: top.to_owned() })?,
    };
    read_regular(&place, limit).map_err(failed)
}

fn without_policy(folder: PathBuf) -> TrustError {
    match fs::metadata(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => TrustError::Absent { folder },
        Err(source) => TrustError::Folder { folder, source },
        Ok(metadata) if !metadata.is_dir() => TrustError::NoFolder { folder },
        Ok(_) => TrustError::WithoutPolicy { folder },
    }
}

/// The file lies in the folder itself.
fn trusted_root(folder: &Path, name: &str, top: Option<&Path>) -> Result<String, TrustError> {
    let file = Path::new(name);
    if file.components().count() != 1 || file.file_name().is_none() {
        return Err(TrustError::Elsewhere { name: name.to_owned() });
    }
    let path = folder.join(file);
    let bytes = read(&path, ROOT_LIMIT, top)?;
    if bytes.len() > ROOT_LIMIT {
        return Err(TrustError::LongRoot { path });
    }
    String::from_utf8(bytes).map_err(|source| TrustError::Root { path, source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::domain::causes;

    /// What is said of a folder with these files.
    fn check(files: &[(&str, &[u8])]) -> String {
        let top = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(top.path().join(name), bytes).unwrap();
        }
        let said = Trust::from_folder(top.path()).err().map_or_else(
            || "trusted".to_owned(),
            |error| {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                causes(&error) + &hint
            },
        );
        said.replace(&top.path().display().to_string(), "DIR")
    }

    fn policy(root: &str) -> String {
        let mut policy: serde_json::Value = serde_json::from_slice(&Policy::for_public_repository("acme/charts".parse().unwrap(), vec![]).to_json()).unwrap();
        policy["repository"]["id"] = 1.into();
        policy["repository"]["ownerId"] = 2.into();
        policy["trustedRoot"] = root.into();
        policy.to_string()
    }

    #[test]
    fn folders() {
        let long = vec![b' '; ROOT_LIMIT + 1];
        let check_root = |name: &str, root: &[u8]| check(&[("policy.json", policy(name).as_bytes()), ("root.json", root)]);
        insta::assert_snapshot!(check(&[]), @"the trust folder DIR holds no policy.json and no policy.yaml; name the folder `trust` of a rehearsal, or one with your own policy");
        insta::assert_snapshot!(check(&[("policy.json", b"{}"), ("policy.yaml", b"{}")]), @"DIR holds a policy.json and a policy.yaml; keep one of the two");
        insta::assert_snapshot!(check(&[("policy.json", b"{")]), @"DIR/policy.json cannot be used: the policy is not JSON: EOF while parsing an object at line 1 column 1; docs/verify.md shows a whole policy");
        insta::assert_snapshot!(check_root("../root.json", b"{}"), @r#"the policy's trusted root "../root.json" is not a file beside it; put the file beside the policy and name it alone"#);
        insta::assert_snapshot!(check_root("absent.json", b"{}"), @"DIR/absent.json cannot be read: No such file or directory (os error 2); look at its name and its permissions");
        insta::assert_snapshot!(check_root("root.json", b"{}"), @"what DIR/policy.json names cannot be used: the trusted root cannot be used: failed to parse JSON: missing field `mediaType` at line 1 column 2; take keys and trusted root from a source that you trust; a rehearsal's stand in its folder `trust`");
        insta::assert_snapshot!(check_root("root.json", b"\xff"), @"DIR/root.json is not a trusted root: invalid utf-8 sequence of 1 bytes from index 0; name a trusted_root.json as Sigstore publishes it, or take trustedRoot out of the policy");
        insta::assert_snapshot!(check_root("root.json", &long), @"DIR/root.json is not a trusted root: it has more than 4194304 bytes; name a trusted_root.json as Sigstore publishes it, or take trustedRoot out of the policy");
        let escaped = tempfile::tempdir().unwrap();
        fs::create_dir(escaped.path().join("trust")).unwrap();
        for (name, root) in [("trust/policy.json", "root.json"), ("root.json", "")] {
            fs::write(escaped.path().join(name), policy(root)).unwrap();
        }
        let folder = escaped.path().join("trust");
        std::os::unix::fs::symlink("../root.json", folder.join("root.json")).unwrap();
        let said = |top: &Path| causes(&Trust::from_folder_within(&folder, top).err().unwrap()).replace(&escaped.path().display().to_string(), "TOP");
        insta::assert_snapshot!(said(&folder), @"TOP/trust/root.json leads out of TOP/trust");
        assert!(said(escaped.path()).contains("the trusted root cannot be used"), "{}", said(escaped.path()));
        assert!(said(Path::new("absent")).contains("policy.json cannot be read"), "what is not known to lie there is not read");
        let absent = Trust::from_folder(Path::new("absent/folder")).err().unwrap();
        insta::assert_snapshot!(causes(&absent), @"the trust folder absent/folder does not exist");
    }
}
