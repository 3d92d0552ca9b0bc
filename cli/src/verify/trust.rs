//! The verifier's policy and what signatures are held against: from a folder, or the public one of a repository.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use chartflow_core::domain::check::CheckId;
use chartflow_core::domain::lineage::anchor;
use chartflow_core::domain::lineage::bundle::Anchor;
use chartflow_core::domain::names::RepositoryName;
use chartflow_core::domain::policy::{Format, POLICY_LIMIT, Policy};

use crate::error::{CommandError, Kind};

/// Larger trusted roots are refused.
const ROOT_LIMIT: usize = 4 << 20;

/// Whom the verifier trusts.
pub(super) struct Trust {
    pub(super) policy: Policy,
    pub(super) anchor: Anchor,
    /// For people: where the policy comes from.
    pub(super) shown: String,
}

/// Reads at most `limit` bytes and one more, so that what is longer can be told from what is not.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| CommandError::new(Kind::Request, format!("{} cannot be read", path.display())).because(error))?;
    Ok(bytes)
}

/// The trust that a folder holds: `policy.json` or `policy.yaml`, and the trusted root where the policy names one.
pub(super) fn from_folder(folder: &Path) -> Result<Trust, CommandError> {
    let present = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
    let (path, format) = match (present("policy.json"), present("policy.yaml")) {
        (Some(path), None) => (path, Format::Json),
        (None, Some(path)) => (path, Format::Yaml),
        (Some(_), Some(_)) => {
            return Err(CommandError::new(Kind::Request, format!("{} holds a policy.json and a policy.yaml", folder.display())).hint("keep one of the two"));
        }
        (None, None) => return Err(without_policy(folder)),
    };
    let policy = Policy::read(&read(&path, POLICY_LIMIT)?, format)
        .map_err(|error| CommandError::new(Kind::Request, format!("{} cannot be used", path.display())).because(error))?;
    let root = policy.trusted_root.as_deref().map(|name| trusted_root(folder, name)).transpose()?;
    let anchor = anchor(&policy, root.as_deref())
        .map_err(|error| CommandError::new(Kind::Request, format!("what {} names cannot be used", path.display())).because(error))?;
    Ok(Trust { policy, anchor, shown: path.display().to_string() })
}

fn without_policy(folder: &Path) -> CommandError {
    let message = match fs::metadata(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => format!("the trust folder {} does not exist", folder.display()),
        Err(error) => return CommandError::new(Kind::Request, format!("the trust folder {} cannot be read", folder.display())).because(error),
        Ok(metadata) if !metadata.is_dir() => format!("{} is not a folder", folder.display()),
        Ok(_) => format!("the trust folder {} holds no policy.json and no policy.yaml", folder.display()),
    };
    CommandError::new(Kind::Request, message).hint("name the folder `trust` of a rehearsal, or one with your own policy")
}

/// The file lies in the folder itself: a policy that leads elsewhere is a mistake or worse.
fn trusted_root(folder: &Path, name: &str) -> Result<String, CommandError> {
    let file = PathBuf::from(name);
    if file.components().count() != 1 || file.file_name().is_none() {
        return Err(CommandError::new(Kind::Request, format!("the policy's trusted root {name:?} is not a file beside it")));
    }
    let path = folder.join(file);
    let unusable = || CommandError::new(Kind::Request, format!("{} is not a trusted root", path.display()));
    let bytes = read(&path, ROOT_LIMIT)?;
    if bytes.len() > ROOT_LIMIT {
        return Err(unusable());
    }
    String::from_utf8(bytes).map_err(|error| unusable().because(error))
}

/// The public policy of a repository on github.com.
pub(super) fn public(name: &str) -> Result<Trust, CommandError> {
    let name: RepositoryName = name.parse().map_err(|error| CommandError::of(Kind::Request, error))?;
    let shown = format!("the public policy of {name} on github.com");
    let policy = Policy::for_public_repository(name, CheckId::ALL.iter().map(ToString::to_string).collect());
    let anchor = anchor(&policy, None).map_err(|error| CommandError::new(Kind::Bug, "the built-in trusted root cannot be used").because(error))?;
    Ok(Trust { policy, anchor, shown })
}
