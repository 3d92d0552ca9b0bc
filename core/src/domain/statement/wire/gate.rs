//! Rows 3, 5, 8 and 9: `https://slsa.dev/verification_summary/v1`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::predicate::{Downloaded, Gate, PolicyReference};
use super::{Descriptor, invalid, read, written};
use crate::domain::statement::StatementError;

const SLSA_VERSION: &str = "1.2";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verifier {
    id: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Summary {
    verifier: Verifier,
    resource_uri: String,
    policy: Descriptor,
    input_attestations: Vec<Descriptor>,
    verification_result: Verdict,
    verified_levels: Vec<String>,
    slsa_version: String,
    #[serde(rename = "https://chartflow.dev/attestation/configuration/v1", default, skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
    #[serde(rename = "https://chartflow.dev/attestation/downloaded/v1", default, skip_serializing_if = "Vec::is_empty")]
    downloaded: Vec<Downloaded>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verdict {
    Passed,
    Failed,
}

pub(super) fn encode(gate: &Gate, inputs: Vec<Descriptor>) -> Value {
    written(&Summary {
        verifier: Verifier { id: gate.verifier.clone() },
        resource_uri: gate.resource.clone(),
        policy: Descriptor::file(None, Some(gate.policy.uri.clone()), gate.policy.sha256),
        input_attestations: inputs,
        verification_result: if gate.passed { Verdict::Passed } else { Verdict::Failed },
        verified_levels: gate.levels.clone(),
        slsa_version: SLSA_VERSION.to_owned(),
        configuration: gate.configuration.clone(),
        downloaded: gate.downloaded.clone(),
    })
}

pub(super) fn decode(value: Value) -> Result<(Gate, Vec<Descriptor>), StatementError> {
    let wire: Summary = read("the predicate", value)?;
    if wire.slsa_version != SLSA_VERSION {
        return Err(invalid("the predicate", format!("is of another SLSA version than {SLSA_VERSION}")));
    }
    let sha256 = wire.policy.to_file("the policy")?;
    let (Some(uri), None) = (wire.policy.uri, wire.policy.name) else {
        return Err(invalid("the policy", "is not named by a uri alone"));
    };
    let gate = Gate {
        verifier: wire.verifier.id,
        resource: wire.resource_uri,
        policy: PolicyReference { uri, sha256 },
        passed: matches!(wire.verification_result, Verdict::Passed),
        levels: wire.verified_levels,
        configuration: wire.configuration,
        downloaded: wire.downloaded,
    };
    Ok((gate, wire.input_attestations))
}
