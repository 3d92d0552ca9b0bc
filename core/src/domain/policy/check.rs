//! Whether a policy holds together.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Epoch, Key, Policy, Profile, Revoked, SCHEMA, SignerRule};
use crate::domain::digest::Sha256;

/// What is wrong with a policy, and where.
pub(super) struct Problem {
    /// The keys that lead there; numbers, from 0, in lists.
    pub(super) keys: Vec<String>,
    /// What is wrong, as a clause.
    pub(super) problem: String,
}

/// A refusal of what stands where keys, with dots between them, lead.
fn invalid<T>(keys: &str, problem: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { keys: keys.split('.').map(str::to_owned).collect(), problem: problem.into() })
}

impl Policy {
    /// Whether it holds together: nothing it names is absent, and nothing it says is passed over.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.schema != SCHEMA {
            return invalid("schema", format!("has the schema {:?}; this version reads {SCHEMA}", self.schema));
        }
        if self.repository.id.is_none() {
            return invalid("repository", "names the repository without its id; GitHub's API says it: gh api repos/OWNER/NAME --jq .id");
        }
        if self.epochs.is_empty() {
            return invalid("epochs", "has no epoch; say from when which checks are demanded");
        }
        let mut begins = std::collections::BTreeSet::new();
        if let Some((index, twice)) = self.epochs.iter().enumerate().find(|(_, epoch)| !begins.insert(epoch.from)) {
            return invalid(&format!("epochs.{index}.from"), format!("has two epochs from {}; one of them would be passed over", twice.from));
        }
        for (index, revoked) in self.revoked.iter().enumerate() {
            check_revoked(index, revoked)?;
        }
        if !self.tag.contains("{chart}") || !self.tag.contains("{version}") {
            return invalid("tag", format!("has the tag template {:?}, which lacks {{chart}} or {{version}}; write such as {{chart}}-v{{version}}", self.tag));
        }
        if self.profile == Profile::Key {
            return self.check_keys();
        }
        self.check_certificates()
    }

    fn check_certificates(&self) -> Result<(), Problem> {
        self.check_listed()?;
        for (index, epoch) in self.epochs.iter().enumerate() {
            let at = format!("epochs.{index}");
            let Some(signer) = &epoch.signer else {
                return invalid(&at, format!("has an epoch from {} that names no signer", epoch.from));
            };
            self.check_signer(&format!("{at}.signer"), signer)?;
            for (key, check) in &epoch.checks.outside {
                let at = format!("{at}.checks.outside.{key}");
                match &check.signer {
                    Some(signer) => self.check_signer(&format!("{at}.signer"), signer)?,
                    None if check.keys.is_empty() => return invalid(&at, format!("names no signer for the outside check {key:?}")),
                    None => {}
                }
                if check.max_age.is_some() && !check.keys.is_empty() {
                    return invalid(&at, format!("gives the outside check {key:?} both maxAge and keys, but a key proves no time; take one of them out"));
                }
                if let Some(unknown) = check.keys.iter().find(|id| !self.keys.iter().any(|key| key.id == **id)) {
                    return invalid(&format!("{at}.keys"), format!("names the key {unknown:?} for the outside check {key:?}, and does not list it under keys"));
                }
            }
        }
        let named = |key: &Key| self.epochs.iter().flat_map(|epoch| epoch.checks.outside.values()).any(|check| check.keys.contains(&key.id));
        match self.keys.iter().enumerate().find(|(_, key)| !named(key)) {
            Some((index, key)) => {
                invalid(&format!("keys.{index}"), format!("lists the key {:?}, but its profile is one of certificates, and no outside check names it", key.id))
            }
            None => Ok(()),
        }
    }

    fn check_signer(&self, at: &str, signer: &SignerRule) -> Result<(), Problem> {
        if signer.triggers.is_empty() {
            return invalid(&format!("{at}.triggers"), format!("names no trigger for the signer {:?}", signer.uri));
        }
        if !signer.is_of(&self.repository.name) && (signer.digests.is_empty() || signer.caller.is_none()) {
            return invalid(at, format!("trusts {:?}, a workflow of another repository, without naming its commits (digests) and its caller", signer.uri));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), Problem> {
        if self.keys.is_empty() {
            return invalid("keys", "is of profile key and lists no key");
        }
        for (key, present) in [("issuer", self.issuer.is_some()), ("trustedRoot", self.trusted_root.is_some())] {
            if present {
                return without_effect(key, "only certificates say it");
            }
        }
        self.epochs.iter().enumerate().try_for_each(|(index, epoch)| check_epoch_of_keys(index, epoch))?;
        self.check_listed()
    }

    fn check_listed(&self) -> Result<(), Problem> {
        let mut ids = std::collections::BTreeSet::new();
        for (index, key) in self.keys.iter().enumerate() {
            let at = format!("keys.{index}");
            if !ids.insert(&key.id) {
                return invalid(&at, format!("lists the key {:?} twice", key.id));
            }
            let Ok(spki) = BASE64.decode(&key.spki) else {
                return invalid(&at, format!("lists the key {:?} whose spki is not base64", key.id));
            };
            if Sha256::of(&spki).to_string() != key.id {
                return invalid(&at, format!("lists the key {:?} whose id is not the SHA-256 of its spki", key.id));
            }
            if key.stages.is_empty() {
                return invalid(&at, format!("lists the key {:?} for no stage", key.id));
            }
        }
        Ok(())
    }
}

/// A key that is accepted and changes nothing would be relied on in vain.
fn without_effect<T>(key: &str, why: &str) -> Result<T, Problem> {
    invalid(key, format!("has {key}, which has no effect in profile key, because {why}; take it out"))
}

/// What a key signs carries no certificate and no proven time.
fn check_epoch_of_keys(index: usize, epoch: &Epoch) -> Result<(), Problem> {
    let at = format!("epochs.{index}");
    if epoch.signer.is_some() {
        return without_effect(&format!("{at}.signer"), "the stages of each key say who signs");
    }
    for (key, check) in &epoch.checks.outside {
        let at = format!("{at}.checks.outside.{key}");
        if check.signer.is_some() {
            return without_effect(&format!("{at}.signer"), "the stages of each key say who signs");
        }
        if !check.keys.is_empty() {
            return without_effect(&format!("{at}.keys"), "the stages of each key say who signs");
        }
        if check.max_age.is_some() {
            return without_effect(&format!("{at}.maxAge"), "a key proves no time");
        }
    }
    Ok(())
}

/// A version that no release can have revokes nothing, and nobody would notice.
fn check_revoked(index: usize, revoked: &Revoked) -> Result<(), Problem> {
    let (at, chart) = (format!("revoked.{index}"), &revoked.chart);
    match &revoked.version {
        None if revoked.sha256.is_none() => invalid(&at, format!("revokes no release of {chart}: name its version or the package's sha256")),
        Some(version) if semver::Version::parse(version).is_err() => {
            invalid(&format!("{at}.version"), format!("revokes {version:?} of {chart}, which is no version such as 2.1.0, so nothing would be revoked"))
        }
        _ => Ok(()),
    }
}
