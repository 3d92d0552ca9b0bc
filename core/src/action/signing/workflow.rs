//! Signing as a workflow run: with which services, and whose statements count then.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Purpose, Signing, SigningError, Trust, identity};
use crate::action::environment::Environment;
use crate::domain::configuration::{Configuration, Profile as Configured};
use crate::domain::lineage::bundle::Anchor;
use crate::domain::lineage::{NotCounted, anchor, counted};
use crate::domain::names::BranchName;
use crate::domain::policy::{Age, Key, OutsideCheck, Policy, Profile, SignerRule};
use crate::domain::statement::Stage;
use crate::io::github::SystemClock;
use crate::io::secret::Secret;
use crate::io::signing::keyless::{Ambient, KeylessSigner, Services};
use crate::port::signer::{SignError, Signer};

/// The repository that a run belongs to.
pub(in crate::action) struct Site<'a> {
    /// The variables.
    pub(in crate::action) environment: &'a Environment,
    /// The repository's number.
    pub(in crate::action) id: u64,
    /// The branch whose workflow files run.
    pub(in crate::action) branch: &'a BranchName,
    /// Whether it is private or internal.
    pub(in crate::action) private: bool,
}

/// What the inputs and main say of a run that signs as itself.
pub(in crate::action) struct Run {
    /// Where it asks for its identity.
    pub(in crate::action) ambient: Option<Ambient>,
    /// The keys of outside checks that run elsewhere.
    pub(in crate::action) keys: Vec<Vec<u8>>,
    /// What it signs.
    pub(in crate::action) purpose: Purpose,
    /// The trusted root that the configuration names.
    pub(in crate::action) trusted_root: Option<String>,
}

/// The profile that a run signs in. By themselves, statements of a private repository are entered in no public log.
fn profile(site: &Site<'_>, configuration: &Configuration) -> Result<Profile, SigningError> {
    let named = |profile| match profile {
        Configured::Public => Ok(Profile::Public),
        Configured::Github => Ok(Profile::Github),
        Configured::Key => Err(SigningError::NoKey),
    };
    if let Some(sigstore) = &configuration.sigstore {
        return named(sigstore.profile());
    }
    if configuration.profile == Some(Configured::Key) {
        return Err(SigningError::NoKey);
    }
    if site.environment.server_url != "https://github.com" {
        return Err(SigningError::Server { server: site.environment.server_url.clone() });
    }
    match configuration.profile {
        Some(Configured::Public) if site.private => Err(SigningError::Disclosure),
        Some(profile) => named(profile),
        None if site.private => Ok(Profile::Github),
        None => Ok(Profile::Public),
    }
}

fn services(profile: Profile, configuration: &Configuration) -> Services {
    match (&configuration.sigstore, profile) {
        (Some(own), _) => Services { fulcio: own.fulcio_url.clone(), timestamps: own.timestamp_server_url.clone(), log: own.rekor_url.clone() },
        (None, Profile::Github) => Services::github(),
        (None, _) => Services::public(),
    }
}

/// The workflow files that sign for the train, without their ref: a lineage has one maker, the files of all stages.
pub(in crate::action) fn files(environment: &Environment, configuration: &Configuration) -> String {
    let server = &environment.server_url;
    match &configuration.reusable_workflows {
        Some(called) => format!("{server}/{called}/.github/workflows/{{stage}}.yml"),
        None => own_files(environment),
    }
}

fn own_files(environment: &Environment) -> String {
    format!("{}/{}/.github/workflows/chartflow-{{stage}}.yml", environment.server_url, environment.repository)
}

/// What a stranger demands of this repository's certificates, and what its configuration demands of its releases.
fn policy(site: &Site<'_>, profile: Profile, configuration: &Configuration, keys: &[Vec<u8>]) -> Policy {
    let environment = site.environment;
    let required = configuration.checks.required.iter().map(ToString::to_string).collect();
    let mut policy = Policy::for_public_repository(environment.repository.clone(), required);
    policy.profile = profile;
    policy.issuer = configuration.sigstore.as_ref().and_then(|sigstore| sigstore.oidc_issuer.clone());
    policy.server = Some(environment.server_url.clone());
    policy.repository.id = Some(site.id);
    policy.tag.clone_from(&configuration.tag);
    let keys: Vec<Key> = keys.iter().map(|key| Key::new(key, vec![Stage::Validate])).collect();
    let reference = format!("refs/heads/{}", site.branch);
    for epoch in &mut policy.epochs {
        let Some(signer) = &mut epoch.signer else { continue };
        signer.reference.clone_from(&reference);
        signer.environment = Some(configuration.environment.to_string());
        signer.uri = files(environment, configuration);
        // Main's own file says which workflows are called, at which ref.
        signer.caller = configuration.reusable_workflows.as_ref().map(|_| own_files(environment));
        for (key, check) in &configuration.checks.outside {
            let signer = SignerRule {
                uri: format!("{}/{}/{}", environment.server_url, environment.repository, check.workflow),
                reference: check.r#ref.clone().unwrap_or_else(|| reference.clone()),
                environment: None,
                caller: None,
                ..signer.clone()
            };
            let max_age = check.max_age.or(configuration.checks.max_age).and_then(|age| i64::try_from(age.seconds()).ok()).map(Age);
            // A key proves no time, so where age matters it cannot speak.
            let keys = if max_age.is_none() { keys.iter().map(|key| key.id.clone()).collect() } else { Vec::new() };
            epoch.checks.outside.insert(key.clone(), OutsideCheck { signer: Some(signer), keys, max_age });
        }
    }
    policy.keys = keys;
    policy
}

/// Signs as the run; what the train's workflow files of this repository have signed counts.
///
/// # Errors
/// See [`SigningError`]; [`SigningError::Identity`] where what the run would sign does not count.
pub(in crate::action) async fn signing(
    run: Run,
    site: &Site<'_>,
    configuration: &Configuration,
    on_secret: Arc<dyn Fn(&Secret) + Send + Sync>,
) -> Result<Signing, SigningError> {
    let profile = profile(site, configuration)?;
    let policy = policy(site, profile, configuration, &run.keys);
    let trusted = anchor(&policy, run.trusted_root.as_deref()).map_err(|source| SigningError::Anchor { source })?;
    let trust = Arc::new(Trust { policy, anchor: trusted });
    let Some(ambient) = run.ambient else {
        return Ok(Signing { run: Some(trust), planning: true, ..Signing::fleeting(Vec::new())? });
    };
    let nobody = Anchor::keys([]).map_err(|source| SigningError::Anchor { source })?;
    let workflow = site.environment.workflow.as_deref().unwrap_or(site.environment.repository.as_str());
    let keyless = |source| SigningError::Keyless { source };
    let signer = KeylessSigner::new(ambient, services(profile, configuration), workflow, Arc::new(SystemClock), on_secret).map_err(keyless)?;
    identity::check(&signer.claims().await.map_err(keyless)?, &site.environment.server_url, &run.purpose, &trust.policy)?;
    let signer = Arc::new(CountedSigner { inner: signer, trust: Arc::clone(&trust) });
    Ok(Signing { signer, keys: Vec::new(), anchor: Arc::new(nobody), run: Some(trust), planning: false })
}

/// Hands out only what counts: services and trusted root may not belong together, or say more or less than the token did.
struct CountedSigner {
    inner: KeylessSigner,
    trust: Arc<Trust>,
}

/// What was signed is not believed by whoever signed it.
#[derive(Debug, thiserror::Error)]
#[error("what was signed does not count under this repository's own rules and trusted root, and would not for anybody else")]
struct Uncounted {
    source: NotCounted,
}

#[async_trait]
impl Signer for CountedSigner {
    fn identity(&self) -> String {
        self.inner.identity()
    }

    async fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        let bundle = self.inner.sign(payload).await?;
        match counted(&bundle, &self.trust.policy, &self.trust.anchor) {
            Ok(_) => Ok(bundle),
            Err(source) => Err(SignError::Failed { identity: self.identity(), source: Box::new(Uncounted { source }) }),
        }
    }
}

#[cfg(test)]
mod tests;
