//! Rows 1 and 1k: `https://in-toto.io/attestation/test-result/v0.1`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::predicate::{CheckResult, Checks, DependencyContent};
use super::{Descriptor, invalid, read, written};
use crate::domain::content::ContentId;
use crate::domain::statement::StatementError;

/// The first entry of `configuration`; the others are named after the checks they define.
const CONFIGURATION: &str = ".chartflow.yaml";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TestResult {
    result: CheckResult,
    configuration: Vec<Descriptor>,
    passed_tests: Vec<String>,
    warned_tests: Vec<String>,
    failed_tests: Vec<String>,
    #[serde(rename = "https://chartflow.dev/attestation/checked/v1")]
    checked: Checked,
}

/// Beside what the checks were run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checked {
    base: Option<ContentId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<DependencyContent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outside: Option<String>,
}

pub(super) fn encode(checks: &Checks) -> Value {
    let mut configuration = vec![Descriptor::file(Some(CONFIGURATION.to_owned()), None, checks.configuration)];
    configuration.extend(checks.definitions.iter().map(|(key, digest)| Descriptor::file(Some(key.clone()), None, *digest)));
    written(&TestResult {
        result: checks.result,
        configuration,
        passed_tests: checks.passed.clone(),
        warned_tests: checks.warned.clone(),
        failed_tests: checks.failed.clone(),
        checked: Checked { base: checks.base.clone(), dependencies: checks.dependencies.clone(), outside: checks.outside.clone() },
    })
}

pub(super) fn decode(value: Value) -> Result<Checks, StatementError> {
    const PART: &str = "the list of check definitions";
    let wire: TestResult = read("the predicate", value)?;
    let mut entries = wire.configuration.iter();
    let configuration = match entries.next() {
        Some(first) if first.name.as_deref() == Some(CONFIGURATION) => first.to_file(PART)?,
        _ => return Err(invalid(PART, "does not begin with the configuration")),
    };
    let mut definitions = std::collections::BTreeMap::new();
    for entry in entries {
        let key = entry.name.clone().ok_or_else(|| invalid(PART, "has an entry without a name"))?;
        if definitions.insert(key, entry.to_file(PART)?).is_some() {
            return Err(invalid(PART, "names a check twice"));
        }
    }
    Ok(Checks {
        result: wire.result,
        passed: wire.passed_tests,
        warned: wire.warned_tests,
        failed: wire.failed_tests,
        definitions,
        base: wire.checked.base,
        dependencies: wire.checked.dependencies,
        configuration,
        outside: wire.checked.outside,
    })
}
