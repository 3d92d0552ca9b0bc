//! Who signs, and whose statements count: from the inputs.

mod identity;
pub(super) mod workflow;

use std::sync::Arc;

use super::environment::Environment;
use super::inputs::Inputs;
use crate::domain::configuration::Configuration;
use crate::domain::lineage::bundle::{Anchor, BundleError, Line};
use crate::domain::lineage::{Artifact, anchor, counted, verify};
use crate::domain::policy::{Key, OutsideCheck, Policy, Repository, ReviewRules};
use crate::flow::{OpenBundle, VerifyPackage};
use crate::io::secret::Secret;
use crate::io::signing::keyless::{Ambient, KeylessError};
use crate::io::signing::{KeyError, KeySigner};
use crate::port::signer::Signer;
use sigstore_types::DerPublicKey;

/// Why nobody can sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The run cannot sign with its own identity.
    #[error("there is no signing-key, and the run cannot sign with its own identity")]
    Keyless {
        /// The cause.
        source: KeylessError,
    },
    /// The configuration asks for a key.
    #[error("there is no signing-key, and the configuration says `profile: key`")]
    NoKey,
    /// A server whose signing services are not known.
    #[error("there is no signing-key, and runs on {server} have no signing services that are known")]
    Server {
        /// The server.
        server: String,
    },
    /// A private repository would be named in public logs.
    #[error(
        "the configuration says `profile: public`, and the repository is not public: its name, workflows and every signature would stand in logs that everybody reads and nobody can erase"
    )]
    Disclosure,
    /// The configuration names a trusted root that is not there.
    #[error("the trusted root {path}, which the configuration names, is not on {branch}, or it is no text")]
    TrustedRoot {
        /// Its path.
        path: String,
        /// The branch.
        branch: String,
    },
    /// What the run would sign counts for nobody.
    #[error("what this run would sign counts for nobody: {problem}")]
    Identity {
        /// Which claims are not what they must be.
        problem: String,
        /// What to do about each.
        hint: String,
    },
    /// The signing key cannot be used.
    #[error("the input signing-key cannot be used")]
    Key {
        /// The cause.
        source: KeyError,
    },
    /// A trusted key cannot be used.
    #[error("the input trusted-keys holds what is not a public key in PEM")]
    TrustedKey,
    /// What was made of the keys cannot be verified with.
    #[error("statements cannot be verified")]
    Anchor {
        /// The cause.
        source: BundleError,
    },
}

impl SigningError {
    /// Whether the request was wrong, and not the world around it.
    #[must_use]
    pub fn is_request(&self) -> bool {
        !matches!(self, Self::Keyless { source: KeylessError::Setup { .. } | KeylessError::Service { .. } | KeylessError::Identity { .. } })
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        const KEY: &str = "hand in signing-key: ${{ secrets.CHARTFLOW_SIGNING_KEY }}; an empty one means that the secret is not set";
        match self {
            Self::Server { server } => Some(identity::services_of(server, KEY)),
            Self::Disclosure => Some("take `profile` out of .chartflow.yaml, or write `profile: github`, which logs nothing".to_owned()),
            Self::TrustedRoot { .. } => Some("bring it there, as `cosign trusted-root create` or your Sigstore's operator makes it".to_owned()),
            Self::Identity { hint, .. } => Some(hint.clone()),
            Self::Keyless { source: KeylessError::NoIdentity | KeylessError::Address { .. } } | Self::NoKey => Some(format!("or {KEY}")),
            Self::Keyless { .. } => None,
            Self::Key { .. } => Some("make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256".to_owned()),
            Self::TrustedKey => Some("openssl pkey -in KEY -pubout prints the public key of a private one".to_owned()),
            Self::Anchor { .. } => None,
        }
    }
}

/// Who signs, and whose statements count.
pub struct Signing {
    /// Signs statements.
    pub signer: Arc<dyn Signer>,
    /// The public keys whose statements count, as DER SubjectPublicKeyInfo; the signer's own first.
    keys: Vec<Vec<u8>>,
    anchor: Arc<Anchor>,
    /// Where workflow runs sign: whose statements count.
    run: Option<Arc<Trust>>,
    /// Whether the key is thrown away in the place of another's.
    planning: bool,
}

/// What the certificates of workflow runs are held against.
struct Trust {
    policy: Policy,
    anchor: Anchor,
}

/// What a run is going to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Statements of the train.
    Train,
    /// The result of this outside check.
    Check(String),
    /// Nothing: it only draws, or only plans.
    Nothing,
}

/// Who will sign, as far as inputs and variables say.
pub enum Prepared {
    /// A key.
    Key(Signing),
    /// The run itself; with which services, the configuration says.
    Run {
        /// Where it asks for its identity; only a run that signs needs one.
        ambient: Option<Ambient>,
        /// The keys of outside checks that run elsewhere.
        keys: Vec<Vec<u8>>,
        /// What it signs.
        purpose: Purpose,
    },
}

impl Prepared {
    /// Reads inputs and variables.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub fn read(inputs: &Inputs, environment: &Environment, purpose: Purpose) -> Result<Self, SigningError> {
        if let Some(pem) = inputs.text("signing-key") {
            return Signing::prepare(pem, inputs).map(Self::Key);
        }
        let keys = trusted_keys(inputs)?;
        if purpose == Purpose::Nothing {
            return Ok(Self::Run { ambient: None, keys, purpose });
        }
        let token = environment.identity_token.as_ref().map(Secret::expose);
        let ambient = Ambient::new(environment.identity_url.as_deref(), token).map_err(|source| SigningError::Keyless { source })?;
        Ok(Self::Run { ambient: Some(ambient), keys, purpose })
    }
}

fn trusted_keys(inputs: &Inputs) -> Result<Vec<Vec<u8>>, SigningError> {
    inputs.text("trusted-keys").map_or_else(|| Ok(Vec::new()), public_keys)
}

impl Signing {
    /// Reads the keys.
    fn prepare(pem: &str, inputs: &Inputs) -> Result<Self, SigningError> {
        let signer = KeySigner::from_pkcs8_pem(pem).map_err(|source| SigningError::Key { source })?;
        Self::with(signer, trusted_keys(inputs)?)
    }

    /// A key made for this moment: for runs whose signatures are not kept. `trusted` are keys whose statements count too.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub fn fleeting(trusted: Vec<Vec<u8>>) -> Result<Self, SigningError> {
        Self::with(KeySigner::generate().map_err(|source| SigningError::Key { source })?, trusted)
    }

    fn with(signer: KeySigner, trusted: Vec<Vec<u8>>) -> Result<Self, SigningError> {
        let mut keys = vec![signer.public_key_der().to_vec()];
        keys.extend(trusted.into_iter().filter(|key| key != signer.public_key_der()));
        let anchor = Anchor::keys(keys.iter().map(Vec::as_slice)).map_err(|source| SigningError::Anchor { source })?;
        Ok(Self { signer: Arc::new(signer), keys, anchor: Arc::new(anchor), run: None, planning: false })
    }

    /// The same trust with a signer whose key is thrown away, for runs that only plan.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub fn rehearsing(self) -> Result<Self, SigningError> {
        Ok(Self { run: self.run, planning: true, ..Self::fleeting(self.keys)? })
    }

    /// Takes bundles apart whose signatures count.
    #[must_use]
    pub fn open(&self) -> Arc<OpenBundle> {
        let (anchor, run) = (self.anchor.clone(), self.run.clone());
        Arc::new(move |text| {
            if let Some(payload) = run.as_ref().and_then(|run| counted(text, &run.policy, &run.anchor).ok()) {
                return Some(payload);
            }
            let line = Line::read(text).ok()?;
            line.verify(&anchor).ok()?;
            Some(line.payload().to_vec())
        })
    }

    /// Judges packages as a stranger with this repository's policy would.
    ///
    /// # Errors
    /// [`SigningError::Anchor`] when the policy cannot be used.
    pub fn verifier(&self, environment: &Environment, id: u64, configuration: &Configuration) -> Result<Arc<VerifyPackage>, SigningError> {
        let run = match &self.run {
            // No certificate stands behind what this run has signed, so a stranger has nothing to judge.
            Some(_) if self.planning => return Ok(Arc::new(|_, _, _| Ok(()))),
            Some(run) => run.clone(),
            None => {
                let policy = self.policy(environment, id, configuration);
                let anchor = anchor(&policy, None).map_err(|source| SigningError::Anchor { source })?;
                Arc::new(Trust { policy, anchor })
            }
        };
        Ok(Arc::new(move |package, lineage, repository| {
            let report = verify(&Artifact::Package { bytes: package }, lineage, &run.policy, &run.anchor, repository);
            if report.verified() {
                return Ok(());
            }
            Err(report.refused.iter().map(|refusal| format!("{}: {}", refusal.rule.id(), refusal.message)).collect::<Vec<_>>().join("; "))
        }))
    }

    /// What the repository itself demands of its releases: the checks of its configuration, and one approval each at
    /// integration and main, as its rulesets do.
    fn policy(&self, environment: &Environment, id: u64, configuration: &Configuration) -> Policy {
        let repository = Repository { name: environment.repository.clone(), id: Some(id), owner_id: None };
        let required = configuration.checks.required.iter().map(ToString::to_string).collect();
        let reviews = ReviewRules { integration: 1, main: 1 };
        let own = self.keys.first().map(Vec::as_slice).unwrap_or_default();
        let mut policy = Policy::for_rehearsal(repository, &configuration.tag, own, jiff::Timestamp::UNIX_EPOCH, required, Vec::new(), reviews);
        let outside = configuration.checks.outside.keys().map(|check| (check.clone(), OutsideCheck::default()));
        for epoch in &mut policy.epochs {
            epoch.checks.outside = outside.clone().collect();
        }
        policy.server = Some(environment.server_url.clone());
        for key in self.keys.iter().skip(1) {
            policy.keys.push(Key::new(key, policy.keys.first().map(|own| own.stages.clone()).unwrap_or_default()));
        }
        policy
    }
}

const BEGIN: &str = "-----BEGIN";
const END: &str = "-----END PUBLIC KEY-----";

/// The keys in a text that holds any number of PEM blocks.
fn public_keys(text: &str) -> Result<Vec<Vec<u8>>, SigningError> {
    let mut keys = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(END).filter(|_| rest.starts_with(BEGIN)).ok_or(SigningError::TrustedKey)? + END.len();
        let key = DerPublicKey::from_pem(&rest[..end]).map_err(|_| SigningError::TrustedKey)?;
        keys.push(key.as_bytes().to_vec());
        rest = rest[end..].trim_start();
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::declaration::Verb;
    use std::collections::BTreeMap;

    fn prepare(pairs: &[(&str, &str)]) -> Result<Signing, SigningError> {
        let variables: BTreeMap<String, String> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let declaration = Verb::named("tag").unwrap().declaration();
        let environment = Environment::read(&BTreeMap::from([("GITHUB_REPOSITORY".to_owned(), "acme/charts".to_owned())])).unwrap();
        match Prepared::read(&Inputs::read(&declaration, &variables).unwrap(), &environment, Purpose::Train)? {
            Prepared::Key(signing) => Ok(signing),
            Prepared::Run { ambient, .. } => panic!("{ambient:?}"),
        }
    }

    #[tokio::test]
    async fn statements_of_every_trusted_key_count() {
        let (old, new, foreign) = (KeySigner::generate().unwrap(), KeySigner::generate().unwrap(), KeySigner::generate().unwrap());
        let both = format!("{}\n{}", old.public_key_pem(), new.public_key_pem());
        let signing = prepare(&[("INPUT_SIGNING-KEY", &new.to_pkcs8_pem()), ("INPUT_TRUSTED-KEYS", &both)]).unwrap();
        assert_eq!(signing.keys.len(), 2);
        let open = signing.open();
        for (key, counts) in [(&old, true), (&new, true), (&foreign, false)] {
            assert_eq!(open(&key.sign_now(b"x").unwrap()).is_some(), counts);
        }
        let rehearsing = signing.rehearsing().unwrap();
        assert_eq!(rehearsing.keys.len(), 3, "what was signed before still counts");
        assert!(rehearsing.open()(&new.sign_now(b"x").unwrap()).is_some());
    }

    #[test]
    fn what_is_wrong_with_keys() {
        let wrong = |pairs: &[(&str, &str)]| {
            let error = prepare(pairs).err().unwrap();
            format!("{}\n{}", crate::domain::causes(&error), error.hint().unwrap())
        };
        insta::assert_snapshot!(wrong(&[]), @r"
        there is no signing-key, and the run cannot sign with its own identity: the run has no identity to sign with (ACTIONS_ID_TOKEN_REQUEST_URL is not set): add to the workflow's job:
        permissions:
          id-token: write
        or hand in signing-key: ${{ secrets.CHARTFLOW_SIGNING_KEY }}; an empty one means that the secret is not set
        ");
        insta::assert_snapshot!(wrong(&[("INPUT_SIGNING-KEY", "x")]), @r#"
        the input signing-key cannot be used: the signing key is not a PKCS#8 key in PEM, which begins with "-----BEGIN PRIVATE KEY-----"
        make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256
        "#);
        let key = KeySigner::generate().unwrap().to_pkcs8_pem();
        insta::assert_snapshot!(wrong(&[("INPUT_SIGNING-KEY", &key), ("INPUT_TRUSTED-KEYS", "ssh-ed25519 AAAA")]), @r"
        the input trusted-keys holds what is not a public key in PEM
        openssl pkey -in KEY -pubout prints the public key of a private one
        ");
    }
}
