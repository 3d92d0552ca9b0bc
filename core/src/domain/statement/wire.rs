//! How statements are written: in-toto statement v1 with the predicates test-result v0.1, SLSA provenance v1, SLSA
//! verification summary v1 and our own promotion v1.
//!
//! What these predicates have no place for stands in fields whose names are URIs, as the SLSA parsing rules ask of
//! extensions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::predicate::{Predicate, Promotion, TagRecord};
use super::{
    HELM_PACKAGE, Input, PROMOTION, PROVENANCE, STATEMENT_TYPE, Source, Stage, Statement, StatementDigest, StatementError, Subject, TEST_RESULT, VERSION_BUMP,
    VSA,
};
use crate::domain::content::ContentId;
use crate::domain::digest::{Sha256, TreeId};
use crate::domain::names::RepoPath;

mod check;
mod gate;
mod provenance;

/// Stage, source and inputs of a statement.
const CONTEXT: &str = "https://chartflow.dev/attestation/context/v1";
/// The media type by which attestations are pointed at.
const ATTESTATION: &str = "application/vnd.in-toto+json";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DigestSet {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    git_tree: Option<TreeId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    git_commit: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Descriptor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    digest: DigestSet,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Annotations {
    predicate_type: String,
    stage: Stage,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    stage: Stage,
    source: Source,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<Descriptor>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Descriptor>,
    predicate_type: String,
    predicate: Map<String, Value>,
}

fn invalid(part: &'static str, problem: impl Into<String>) -> StatementError {
    StatementError::Invalid { part, problem: problem.into() }
}

/// Reads one part; unknown members are refused by its type.
fn read<T: DeserializeOwned>(part: &'static str, value: Value) -> Result<T, StatementError> {
    serde_json::from_value(value).map_err(|source| StatementError::Malformed { part, source })
}

/// Writes one part. The types of this module serialise to JSON without fail: their members are texts, numbers and lists.
fn written<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

impl Descriptor {
    fn content(path: &RepoPath, id: &ContentId) -> Self {
        Self {
            name: Some(path.to_string()),
            uri: Some(format!("gitoid:tree:sha256:{}", id.sha256)),
            digest: DigestSet { sha256: Some(id.sha256), git_tree: Some(id.sha1.clone()), git_commit: None },
            ..Self::default()
        }
    }

    fn file(name: Option<String>, uri: Option<String>, sha256: Sha256) -> Self {
        Self { name, uri, digest: DigestSet { sha256: Some(sha256), ..DigestSet::default() }, ..Self::default() }
    }

    fn input(input: &Input) -> Self {
        Self {
            media_type: Some(ATTESTATION.to_owned()),
            annotations: Some(Annotations { predicate_type: input.predicate_type.clone(), stage: input.stage }),
            ..Self::file(Some(input.name.clone()), None, input.digest.0)
        }
    }

    fn sha256(&self, part: &'static str) -> Result<Sha256, StatementError> {
        self.digest.sha256.ok_or_else(|| invalid(part, "has no sha256"))
    }

    /// Reads a content descriptor back, insisting on every part that [`Descriptor::content`] writes.
    fn to_content(&self, part: &'static str) -> Result<(RepoPath, ContentId), StatementError> {
        let sha256 = self.sha256(part)?;
        let sha1 = self.digest.git_tree.clone().ok_or_else(|| invalid(part, "has no gitTree"))?;
        if sha1.as_str().len() != 40 {
            return Err(invalid(part, "has a gitTree that is no SHA-1 id"));
        }
        if self.uri.as_deref() != Some(format!("gitoid:tree:sha256:{sha256}").as_str()) {
            return Err(invalid(part, "has a uri that is not the gitoid of its digest"));
        }
        if self.media_type.is_some() || self.annotations.is_some() || self.digest.git_commit.is_some() {
            return Err(invalid(part, "has members that no content has"));
        }
        let path = self.name.as_deref().unwrap_or_default().parse().map_err(|error: crate::domain::names::NameError| invalid(part, error.to_string()))?;
        Ok((path, ContentId { sha1, sha256 }))
    }

    /// Reads a plain file descriptor back.
    fn to_file(&self, part: &'static str) -> Result<Sha256, StatementError> {
        if self.media_type.is_some() || self.annotations.is_some() || self.digest.git_tree.is_some() || self.digest.git_commit.is_some() {
            return Err(invalid(part, "has members that no file has"));
        }
        self.sha256(part)
    }

    fn to_input(&self) -> Result<Input, StatementError> {
        const PART: &str = "an input";
        let digest = StatementDigest(self.sha256(PART)?);
        match (&self.name, &self.annotations, self.media_type.as_deref()) {
            (Some(name), Some(annotations), Some(ATTESTATION)) if self.uri.is_none() && self.digest.git_tree.is_none() && self.digest.git_commit.is_none() => {
                Ok(Input { stage: annotations.stage, name: name.clone(), predicate_type: annotations.predicate_type.clone(), digest })
            }
            _ => Err(invalid(PART, "is not named, typed and annotated as an attestation")),
        }
    }
}

fn encode_inputs(inputs: &[Input]) -> Vec<Descriptor> {
    let mut sorted: Vec<&Input> = inputs.iter().collect();
    sorted.sort_by(|one, other| (&one.name, one.digest).cmp(&(&other.name, other.digest)));
    sorted.into_iter().map(Descriptor::input).collect()
}

fn decode_inputs(descriptors: &[Descriptor]) -> Result<Vec<Input>, StatementError> {
    let inputs = descriptors.iter().map(Descriptor::to_input).collect::<Result<Vec<_>, _>>()?;
    if inputs.windows(2).any(|pair| pair[0].name >= pair[1].name) {
        return Err(invalid("the list of inputs", "is not sorted by name or names one twice"));
    }
    Ok(inputs)
}

fn encode_subject(subject: &Subject) -> Vec<Descriptor> {
    match subject {
        Subject::Content { path, id } => vec![Descriptor::content(path, id)],
        Subject::Package { file, sha256, reference, manifest } => {
            vec![Descriptor::file(Some(file.clone()), None, *sha256), Descriptor::file(Some(reference.clone()), Some(format!("oci://{reference}")), *manifest)]
        }
    }
}

fn decode_subject(descriptors: &[Descriptor]) -> Result<Subject, StatementError> {
    const PART: &str = "the subject";
    match descriptors {
        [content] => {
            let (path, id) = content.to_content(PART)?;
            Ok(Subject::Content { path, id })
        }
        [package, manifest] => {
            let (Some(file), Some(reference)) = (package.name.clone(), manifest.name.clone()) else {
                return Err(StatementError::Subject { problem: "has no name".to_owned() });
            };
            if package.uri.is_some() || manifest.uri.as_deref() != Some(format!("oci://{reference}").as_str()) {
                return Err(StatementError::Subject { problem: "has a uri that does not follow from its name".to_owned() });
            }
            Ok(Subject::Package { file, sha256: package.to_file(PART)?, reference, manifest: manifest.to_file(PART)? })
        }
        _ => {
            Err(StatementError::Subject { problem: format!("has {} descriptors; one content, or a package and its manifest, are expected", descriptors.len()) })
        }
    }
}

/// A whole statement as JSON.
pub(super) fn encode(statement: &Statement) -> Value {
    let mut context = Context { stage: statement.stage, source: statement.source.clone(), inputs: encode_inputs(&statement.inputs) };
    let mut predicate = match &statement.predicate {
        Predicate::Checks(checks) => check::encode(checks),
        Predicate::Promotion(promotion) => written(promotion),
        Predicate::Tag(tag) => written(tag),
        Predicate::Gate(gate) => gate::encode(gate, std::mem::take(&mut context.inputs)),
        Predicate::Bump(bump) => provenance::encode_bump(bump, &statement.source),
        Predicate::Build(build) => provenance::encode_build(build, &statement.source),
    };
    if let Value::Object(members) = &mut predicate {
        members.insert(CONTEXT.to_owned(), written(&context));
    }
    json!({
        "_type": STATEMENT_TYPE,
        "subject": written(&encode_subject(&statement.subject)),
        "predicateType": statement.predicate_type(),
        "predicate": predicate,
    })
}

/// Reads what [`encode`] writes.
pub(super) fn decode(value: Value) -> Result<Statement, StatementError> {
    let mut envelope: Envelope = read("the outer part", value)?;
    if envelope.kind != STATEMENT_TYPE {
        return Err(StatementError::Type { value: envelope.kind });
    }
    if ![TEST_RESULT, PROMOTION, VSA, PROVENANCE].contains(&envelope.predicate_type.as_str()) {
        return Err(StatementError::PredicateType { value: envelope.predicate_type });
    }
    let context: Context = match envelope.predicate.remove(CONTEXT) {
        Some(value) => read("the context", value)?,
        None => return Err(invalid("the predicate", format!("does not say its stage and source in {CONTEXT:?}"))),
    };
    let subject = decode_subject(&envelope.subject)?;
    let mut inputs = context.inputs;
    let body = Value::Object(envelope.predicate);
    let predicate = match envelope.predicate_type.as_str() {
        TEST_RESULT => Predicate::Checks(check::decode(body)?),
        PROMOTION if context.stage == Stage::Tag => Predicate::Tag(read::<TagRecord>("the predicate", body)?),
        PROMOTION => Predicate::Promotion(read::<Promotion>("the predicate", body)?),
        VSA => {
            if !inputs.is_empty() {
                return Err(invalid("the context", "lists inputs that belong into inputAttestations"));
            }
            let (gate, listed) = gate::decode(body)?;
            inputs = listed;
            Predicate::Gate(gate)
        }
        _ => provenance::decode(body, &context.source)?,
    };
    Ok(Statement { stage: context.stage, source: context.source, subject, inputs: decode_inputs(&inputs)?, predicate })
}

/// Bytes as standard base64.
fn encode_bytes(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

fn decode_bytes(part: &'static str, text: &str) -> Result<Vec<u8>, StatementError> {
    BASE64.decode(text).map_err(|_| invalid(part, "is not base64"))
}
