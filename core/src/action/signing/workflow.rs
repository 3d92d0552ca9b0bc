//! Signing as a workflow run: with which services, and whose statements count then.

use std::sync::Arc;

use super::{Signing, SigningError, Trust};
use crate::action::environment::Environment;
use crate::domain::configuration::{Configuration, Profile as Configured};
use crate::domain::lineage::anchor;
use crate::domain::lineage::bundle::Anchor;
use crate::domain::names::BranchName;
use crate::domain::policy::{Age, OutsideCheck, Policy, Profile, SignerRule};
use crate::io::github::SystemClock;
use crate::io::secret::Secret;
use crate::io::signing::keyless::{Ambient, KeylessSigner, Services};

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

/// The profile that a run signs in. What a private repository signs is entered in no public log, which keeps it for ever.
fn profile(site: &Site<'_>, configured: Configured) -> Result<Profile, SigningError> {
    if configured == Configured::Key {
        return Err(SigningError::NoKey);
    }
    if site.environment.server_url != "https://github.com" {
        return Err(SigningError::Server { server: site.environment.server_url.clone() });
    }
    let github = site.private || configured == Configured::Github;
    Ok(if github { Profile::Github } else { Profile::Public })
}

/// What a stranger demands of this repository's certificates, and what its configuration demands of its releases.
fn policy(site: &Site<'_>, profile: Profile, configuration: &Configuration) -> Policy {
    let environment = site.environment;
    let required = configuration.checks.required.iter().map(ToString::to_string).collect();
    let mut policy = Policy::for_public_repository(environment.repository.clone(), required);
    policy.profile = profile;
    policy.server = Some(environment.server_url.clone());
    policy.repository.id = Some(site.id);
    policy.tag.clone_from(&configuration.tag);
    let reference = format!("refs/heads/{}", site.branch);
    for epoch in &mut policy.epochs {
        let Some(signer) = &mut epoch.signer else { continue };
        signer.reference.clone_from(&reference);
        signer.environment = Some(configuration.environment.clone());
        for (key, check) in &configuration.checks.outside {
            let signer = SignerRule {
                uri: format!("{}/{}/{}", environment.server_url, environment.repository, check.workflow),
                reference: check.r#ref.clone().unwrap_or_else(|| reference.clone()),
                environment: None,
                ..signer.clone()
            };
            let max_age = check.max_age.or(configuration.checks.max_age).and_then(|age| i64::try_from(age.seconds()).ok()).map(Age);
            epoch.checks.outside.insert(key.clone(), OutsideCheck { signer: Some(signer), max_age });
        }
    }
    policy
}

/// Signs as the run; what the train's workflow files of this repository have signed counts.
///
/// # Errors
/// See [`SigningError`].
pub(in crate::action) fn signing(
    ambient: Ambient,
    site: &Site<'_>,
    configuration: &Configuration,
    on_secret: Arc<dyn Fn(&Secret) + Send + Sync>,
) -> Result<Signing, SigningError> {
    let profile = profile(site, configuration.profile)?;
    let services = if profile == Profile::Github { Services::github() } else { Services::public() };
    let policy = policy(site, profile, configuration);
    let trusted = anchor(&policy, None).map_err(|source| SigningError::Anchor { source })?;
    let nobody = Anchor::keys([]).map_err(|source| SigningError::Anchor { source })?;
    let workflow = site.environment.workflow.as_deref().unwrap_or(site.environment.repository.as_str());
    let signer = KeylessSigner::new(ambient, services, workflow, Arc::new(SystemClock), on_secret).map_err(|source| SigningError::Keyless { source })?;
    Ok(Signing {
        signer: Arc::new(signer),
        keys: Vec::new(),
        anchor: Arc::new(nobody),
        run: Some(Arc::new(Trust { policy, anchor: trusted })),
        planning: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn chosen(server: &str, private: bool, configured: Configured) -> String {
        let variables = [("GITHUB_REPOSITORY", "acme/charts"), ("GITHUB_SERVER_URL", server)];
        let variables: BTreeMap<String, String> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let environment = Environment::read(&variables).unwrap();
        let branch = BranchName::new("main").unwrap();
        let site = Site { environment: &environment, id: 7, branch: &branch, private };
        match profile(&site, configured) {
            Ok(profile) => format!("{profile:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_private_is_logged_nowhere() {
        let github = "https://github.com";
        assert_eq!(chosen(github, false, Configured::Public), "Public");
        assert_eq!(chosen(github, true, Configured::Public), "Github");
        assert_eq!(chosen(github, false, Configured::Github), "Github");
        insta::assert_snapshot!(chosen(github, false, Configured::Key), @"there is no signing-key, and the configuration says `profile: key`");
        insta::assert_snapshot!(chosen("https://ghe.example", true, Configured::Github), @"there is no signing-key, and runs on https://ghe.example have no signing services that are known");
    }

    #[test]
    fn the_workflow_files_of_the_default_branch_count() {
        let environment = Environment::read(&BTreeMap::from([("GITHUB_REPOSITORY".to_owned(), "acme/charts".to_owned())])).unwrap();
        let branch = BranchName::new("trunk").unwrap();
        let site = Site { environment: &environment, id: 7, branch: &branch, private: true };
        let ambient = Ambient::new(Some("https://identity.example/token"), Some("x")).unwrap();
        let signing = signing(ambient, &site, &Configuration::default(), Arc::new(|_| {})).unwrap();
        let policy = &signing.run.as_ref().unwrap().policy;
        let signer = policy.epochs[0].signer.as_ref().unwrap();
        assert_eq!((policy.profile, policy.repository.id), (Profile::Github, Some(7)));
        assert_eq!(signer.uri, "https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml");
        assert_eq!((signer.reference.as_str(), signer.environment.as_deref()), ("refs/heads/trunk", Some("chartflow")));
        assert!(signing.open()("{}").is_none());
    }
}
