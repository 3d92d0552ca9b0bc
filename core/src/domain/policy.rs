//! The verifier's own policy: whom it trusts and what it demands. Nothing that stands in a lineage can widen it.
//!
//! `policy.json`, or `policy.yaml` as people write it. Rules change over time, so they stand in epochs, each with the
//! time from which it holds: releases made under older rules stay verifiable.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::check::Problem;
use super::digest::Sha256;
use super::mistake::{self, Mistake};
use super::names::{ChartName, RepoPath, RepositoryName, TagName};
use super::statement::{Stage, canonical, strict};
use super::yaml::{self, Duplicates, Limits, YamlError};

mod check;
#[cfg(test)]
mod tests;

/// The `schema` of a policy.
pub const SCHEMA: &str = "chartflow.policy/v1";
/// Longer policies are refused.
pub const POLICY_LIMIT: usize = 1 << 20;
/// The issuer of GitHub's workflow identities.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// How events start the workflow file on the default branch (GitHub, "Events that trigger workflows").
pub const DEFAULT_BRANCH_EVENTS: [&str; 5] = ["pull_request_target", "push", "repository_dispatch", "schedule", "workflow_dispatch"];

/// Why a text is no policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Too long.
    #[error("the policy has {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Not strict JSON.
    #[error("the policy is not JSON")]
    Json {
        /// The cause.
        source: serde_json::Error,
    },
    /// Not YAML.
    #[error("the policy cannot be read")]
    Yaml {
        /// The cause.
        source: YamlError,
    },
    /// A member is absent, unknown or ill-typed.
    #[error("{}{problem}", at(*.line))]
    Malformed {
        /// The line, counted from 1, where it is known.
        line: Option<u32>,
        /// What is wrong, with the keys that lead there, and what to do about it.
        problem: String,
    },
    /// It contradicts itself, lacks what its profile needs, or says what would be passed over.
    #[error("{}the policy {problem}", at(*.line))]
    Invalid {
        /// The line, counted from 1, where it is known.
        line: Option<u32>,
        /// What is wrong, as a clause.
        problem: String,
    },
}

fn at(line: Option<u32>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

/// How a policy is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `policy.json`.
    Json,
    /// `policy.yaml`.
    Yaml,
}

/// Where signatures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Workflow certificates of the public-good Sigstore, logged in Rekor.
    Public,
    /// Workflow certificates of GitHub's own Sigstore, for private repositories.
    Github,
    /// ECDSA P-256 keys.
    Key,
}

/// Whose charts are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// `OWNER/NAME`.
    pub name: RepositoryName,
    /// GitHub's number for it: a deleted name can be registered by somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// GitHub's number for its owner; not in profile `key`, where nothing proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<u64>,
}

/// Which workflow signs. Everything named here must be in the certificate, exactly; an absent claim is a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignerRule {
    /// The workflow file, `https://github.com/o/r/.github/workflows/chartflow-{stage}.yml`, where `{stage}` stands for each
    /// of the nine that `chartflow init` writes. Without an `@REF` at its end, a file of the policy's repository must come
    /// from `ref`, and one of another repository (a reusable workflow) may come from any ref of it.
    pub uri: String,
    /// The ref the run belongs to.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The deployment environment that holds the secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// `github-hosted` or `self-hosted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// Events that may have started the run.
    pub triggers: Vec<String>,
    /// Commits from which the workflow file may come; empty: any. Mandatory for a workflow of another repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
    /// The workflow file that calls a reusable one, without its ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

impl SignerRule {
    /// Whether the workflow file is one of this repository, on whatever server.
    #[must_use]
    pub fn is_of(&self, repository: &RepositoryName) -> bool {
        let path = self.uri.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
        path.and_then(|path| path.strip_prefix(repository.as_str())).is_some_and(|rest| rest.starts_with("/.github/workflows/"))
    }
}

/// A check that runs outside chartflow and enters by `attest`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutsideCheck {
    /// Which workflow signs it; in profile `key` the keys decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerRule>,
    /// In the certificate profiles: the ids of keys that may sign it too, for checks that run elsewhere. Not with
    /// `maxAge`: a key proves no time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The age, when the chart's gate is passed, above which a result is stale: a number and `m`, `h` or `d`. Not in
    /// profile `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Age>,
}

/// A span of time in whole seconds, written `90m`, `12h` or `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub i64);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            seconds if seconds % 3_600 == 0 => write!(f, "{}h", seconds / 3_600),
            seconds => write!(f, "{}m", seconds / 60),
        }
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || serde::de::Error::custom(format!("{text:?} is not an age such as 90m, 12h or 30d"));
        let unit = match text.chars().last() {
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(bad()),
        };
        let number: u32 = text[..text.len() - 1].parse().map_err(|_| bad())?;
        Ok(Self(i64::from(number) * unit))
    }
}

/// Which checks a release must have passed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckRules {
    /// Keys of built-in checks that must have passed.
    pub required: Vec<String>,
    /// Outside checks: exactly these, each with a statement of its own.
    #[serde(default)]
    pub outside: BTreeMap<String, OutsideCheck>,
    /// Required checks that could not run where this policy was made, for people to see. They are not demanded.
    #[serde(default)]
    pub skipped: Vec<String>,
}

/// How many people other than the author must have approved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRules {
    /// Each contribution to integration.
    #[serde(default)]
    pub integration: u32,
    /// The pull request to main.
    #[serde(default)]
    pub main: u32,
}

/// The rules from a time on, until the next epoch begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// When it begins (RFC 3339).
    #[serde(with = "timestamp")]
    pub from: jiff::Timestamp,
    /// Who signs; absent in profile `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerRule>,
    /// Checks.
    pub checks: CheckRules,
    /// Reviews.
    #[serde(default)]
    pub reviews: ReviewRules,
}

/// A key that may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its id: the SHA-256 of `spki`.
    pub id: String,
    /// The public key: DER SubjectPublicKeyInfo, in base64.
    pub spki: String,
    /// The stages it signs for.
    pub stages: Vec<Stage>,
}

impl Key {
    /// The key (DER SubjectPublicKeyInfo) that signs for these stages.
    #[must_use]
    pub fn new(spki: &[u8], stages: Vec<Stage>) -> Self {
        Self { id: Sha256::of(spki).to_string(), spki: BASE64.encode(spki), stages }
    }
}

/// A release that is not accepted any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// The chart.
    pub chart: ChartName,
    /// One version of it, exactly as it was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Or the package with this digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// [`SCHEMA`].
    pub schema: String,
    /// Where signatures come from.
    pub profile: Profile,
    /// The issuer in certificates; GitHub's where absent. Enterprises have their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The server the repository is on, without a slash at its end; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Whose charts.
    pub repository: Repository,
    /// Which charts, and where they are; any where empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub charts: BTreeMap<ChartName, RepoPath>,
    /// The template of tags, with `{chart}` and `{version}`.
    pub tag: String,
    /// The rules over time.
    pub epochs: Vec<Epoch>,
    /// The keys of profile `key`; in the certificate profiles those that outside checks name.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// The file beside the policy with the trusted root of the certificate profiles; the built-in one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
    /// What is not accepted any more.
    #[serde(default)]
    pub revoked: Vec<Revoked>,
}

mod timestamp {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &jiff::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<jiff::Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("{text:?} is not a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z")))
    }
}

impl Policy {
    /// Reads a policy and checks that it holds together.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn read(bytes: &[u8], format: Format) -> Result<Self, PolicyError> {
        if bytes.len() > POLICY_LIMIT {
            return Err(PolicyError::TooLong { length: bytes.len(), limit: POLICY_LIMIT });
        }
        let limits = Limits::of_bytes(POLICY_LIMIT);
        let tree = |name: &str| yaml::parse(name, bytes, &limits, Duplicates::Refuse).map(|document| document.root);
        let (value, places) = match format {
            // JSON is YAML as well, which gives the lines.
            Format::Json => (strict(bytes).map_err(|source| PolicyError::Json { source })?, tree("policy.json").ok()),
            Format::Yaml => {
                let root = tree("policy.yaml").map_err(|source| PolicyError::Yaml { source })?;
                (root.to_json("policy.yaml").map_err(|source| PolicyError::Yaml { source })?, Some(root))
            }
        };
        let places = places.as_ref();
        let policy: Self = mistake::decode(&value, places).map_err(|Mistake { line, problem }| PolicyError::Malformed { line, problem })?;
        match policy.check() {
            Ok(()) => Ok(policy),
            Err(Problem { keys, problem }) => Err(PolicyError::Invalid { line: places.and_then(|root| mistake::line(root, &keys)), problem }),
        }
    }

    /// The policy of a rehearsal: one key signs everything, one person approves at integration and at main.
    ///
    /// `required` are the checks that ran, `skipped` those that are configured but could not run here.
    #[must_use]
    pub fn for_rehearsal(
        repository: Repository,
        tag: &str,
        spki: &[u8],
        from: jiff::Timestamp,
        required: Vec<String>,
        skipped: Vec<String>,
        reviews: ReviewRules,
    ) -> Self {
        let stages = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Format).collect();
        Self {
            schema: SCHEMA.to_owned(),
            profile: Profile::Key,
            issuer: None,
            server: None,
            repository,
            charts: BTreeMap::new(),
            tag: tag.to_owned(),
            epochs: vec![Epoch { from, signer: None, checks: CheckRules { required, outside: BTreeMap::new(), skipped }, reviews }],
            keys: vec![Key::new(spki, stages)],
            trusted_root: None,
            revoked: vec![],
        }
    }

    /// The policy that applies to a public repository on github.com when the verifier brings none: the workflow file
    /// The train's workflow files on main sign, in the environment `chartflow`, on GitHub's own runners.
    #[must_use]
    pub fn for_public_repository(name: RepositoryName, required: Vec<String>) -> Self {
        let signer = SignerRule {
            uri: format!("https://github.com/{name}/.github/workflows/chartflow-{{stage}}.yml"),
            reference: "refs/heads/main".to_owned(),
            environment: Some("chartflow".to_owned()),
            runner: Some("github-hosted".to_owned()),
            triggers: DEFAULT_BRANCH_EVENTS.map(str::to_owned).to_vec(),
            digests: vec![],
            caller: None,
        };
        let checks = CheckRules { required, ..CheckRules::default() };
        Self {
            schema: SCHEMA.to_owned(),
            profile: Profile::Public,
            issuer: None,
            server: Some("https://github.com".to_owned()),
            repository: Repository { name, id: None, owner_id: None },
            charts: BTreeMap::new(),
            tag: "{chart}-v{version}".to_owned(),
            epochs: vec![Epoch { from: jiff::Timestamp::UNIX_EPOCH, signer: Some(signer), checks, reviews: ReviewRules { integration: 1, main: 1 } }],
            keys: vec![],
            trusted_root: None,
            revoked: vec![],
        }
    }

    /// The policy as `policy.json` holds it: canonical JSON and a line end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = canonical(&serde_json::to_value(self).unwrap_or_default());
        bytes.push(b'\n');
        bytes
    }

    /// The epoch that holds at a time: of those begun the one that began last.
    #[must_use]
    pub fn epoch_at(&self, time: jiff::Timestamp) -> Option<&Epoch> {
        self.epochs.iter().filter(|epoch| epoch.from <= time).max_by_key(|epoch| epoch.from)
    }

    /// The tag of a version.
    #[must_use]
    pub fn tag_of(&self, chart: &ChartName, version: &str) -> Option<TagName> {
        TagName::new(self.tag.replace("{chart}", chart.as_str()).replace("{version}", version)).ok()
    }

    /// Whether a release is revoked.
    #[must_use]
    pub fn revokes(&self, chart: &ChartName, version: &str, package: Option<Sha256>) -> bool {
        self.revoked
            .iter()
            .any(|entry| entry.chart == *chart && (entry.version.as_deref() == Some(version) || (entry.sha256.is_some() && entry.sha256 == package)))
    }

    /// The public keys, as DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn public_keys(&self) -> Vec<Vec<u8>> {
        self.keys.iter().filter_map(|key| BASE64.decode(&key.spki).ok()).collect()
    }

    /// The issuer certificates must name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or(GITHUB_ISSUER)
    }
}
