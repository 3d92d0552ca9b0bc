//! Whether a policy holds together.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Key, Policy, PolicyError, Profile, SCHEMA, SignerRule};
use crate::domain::digest::Sha256;

impl Policy {
    /// Whether it holds together: nothing it names is absent, and nothing it lists is passed over.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let invalid = |problem: String| Err(PolicyError::Invalid { problem });
        if self.schema != SCHEMA {
            return invalid(format!("has the schema {:?}; this version reads {SCHEMA}", self.schema));
        }
        if self.repository.id.is_none() {
            return invalid("names the repository without its id".to_owned());
        }
        if self.epochs.is_empty() {
            return invalid("has no epoch".to_owned());
        }
        let mut begins = std::collections::BTreeSet::new();
        if let Some(twice) = self.epochs.iter().find(|epoch| !begins.insert(epoch.from)) {
            return invalid(format!("has two epochs from {}; one of them would be passed over", twice.from));
        }
        if let Some(nothing) = self.revoked.iter().find(|entry| entry.version.is_none() && entry.sha256.is_none()) {
            return invalid(format!("revokes no release of {}: name its version or the package's sha256", nothing.chart));
        }
        if !self.tag.contains("{chart}") || !self.tag.contains("{version}") {
            return invalid(format!("has the tag template {:?}, which lacks {{chart}} or {{version}}", self.tag));
        }
        if self.profile == Profile::Key {
            return self.check_keys();
        }
        self.check_certificates()
    }

    fn check_certificates(&self) -> Result<(), PolicyError> {
        let invalid = |problem: String| Err(PolicyError::Invalid { problem });
        self.check_listed()?;
        for epoch in &self.epochs {
            let Some(signer) = &epoch.signer else {
                return invalid(format!("has an epoch from {} that names no signer", epoch.from));
            };
            self.check_signer(signer)?;
            for (key, check) in &epoch.checks.outside {
                match &check.signer {
                    Some(signer) => self.check_signer(signer)?,
                    None if check.keys.is_empty() => return invalid(format!("names no signer for the outside check {key:?}")),
                    None => {}
                }
                if check.max_age.is_some() && !check.keys.is_empty() {
                    return invalid(format!("gives the outside check {key:?} both maxAge and keys, but a key proves no time"));
                }
                if let Some(unknown) = check.keys.iter().find(|id| !self.keys.iter().any(|key| key.id == **id)) {
                    return invalid(format!("names the key {unknown:?} for the outside check {key:?}, and does not list it"));
                }
            }
        }
        let named = |key: &Key| self.epochs.iter().flat_map(|epoch| epoch.checks.outside.values()).any(|check| check.keys.contains(&key.id));
        match self.keys.iter().find(|key| !named(key)) {
            Some(key) => invalid(format!("lists the key {:?}, but its profile is one of certificates, and no outside check names it", key.id)),
            None => Ok(()),
        }
    }

    fn check_signer(&self, signer: &SignerRule) -> Result<(), PolicyError> {
        let invalid = |problem: String| Err(PolicyError::Invalid { problem });
        if signer.triggers.is_empty() {
            return invalid(format!("names no trigger for the signer {:?}", signer.uri));
        }
        if !signer.is_of(&self.repository.name) && (signer.digests.is_empty() || signer.caller.is_none()) {
            return invalid(format!("trusts {:?}, a workflow of another repository, without naming its commits (digests) and its caller", signer.uri));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), PolicyError> {
        let invalid = |problem: String| Err(PolicyError::Invalid { problem });
        if self.keys.is_empty() {
            return invalid("is of profile key and lists no key".to_owned());
        }
        self.check_listed()
    }

    fn check_listed(&self) -> Result<(), PolicyError> {
        let invalid = |problem: String| Err(PolicyError::Invalid { problem });
        let mut ids = std::collections::BTreeSet::new();
        for key in &self.keys {
            if !ids.insert(&key.id) {
                return invalid(format!("lists the key {:?} twice", key.id));
            }
            let Ok(spki) = BASE64.decode(&key.spki) else {
                return invalid(format!("lists the key {:?} whose spki is not base64", key.id));
            };
            if Sha256::of(&spki).to_string() != key.id {
                return invalid(format!("lists the key {:?} whose id is not the SHA-256 of its spki", key.id));
            }
            if key.stages.is_empty() {
                return invalid(format!("lists the key {:?} for no stage", key.id));
            }
        }
        Ok(())
    }
}
