//! What separates the rulesets a repository has from those it should have.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::NAME_PREFIX;

/// One place where a ruleset is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where, e.g. `rules.pull_request.required_approving_review_count`.
    pub path: String,
    /// What is there; `None` when nothing is, or a default.
    pub is: Option<Value>,
    /// What should be there; `None` for nothing, or a default.
    pub should: Option<Value>,
}

/// What to do about one ruleset.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It is missing: `POST /repos/{owner}/{repo}/rulesets`.
    Create {
        /// Its name.
        name: String,
        /// The request's body.
        body: Value,
    },
    /// It differs: `PUT /repos/{owner}/{repo}/rulesets/{id}`.
    Update {
        /// GitHub's id.
        id: u64,
        /// Its name.
        name: String,
        /// The request's body.
        body: Value,
        /// Where it differs.
        differences: Vec<Difference>,
    },
    /// It is as it should be.
    Unchanged {
        /// GitHub's id.
        id: u64,
        /// Its name.
        name: String,
        /// Whether GitHub showed the bypass list. It does so only to those who may write the ruleset; where it does
        /// not, the list was not compared.
        bypass_seen: bool,
    },
    /// It bears our name and is no longer wanted (the mode changed): `DELETE /repos/{owner}/{repo}/rulesets/{id}`.
    Remove {
        /// GitHub's id.
        id: u64,
        /// Its name.
        name: String,
    },
    /// It is somebody else's, or the organisation's: left alone.
    Foreign {
        /// GitHub's id.
        id: u64,
        /// Its name.
        name: String,
    },
}

fn name_of(ruleset: &Value) -> &str {
    ruleset.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn id_of(ruleset: &Value) -> u64 {
    ruleset.get("id").and_then(Value::as_u64).unwrap_or_default()
}

/// Drops what says nothing: null, false, zero, empty lists and objects, which GitHub adds as defaults; sorts lists.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) if number.as_u64() == Some(0) => None,
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().filter_map(plain).collect();
            items.sort_by_key(Value::to_string);
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            let fields: BTreeMap<&String, Value> = fields.iter().filter_map(|(key, value)| Some((key, plain(value)?))).collect();
            (!fields.is_empty()).then(|| fields.into_iter().map(|(key, value)| (key.clone(), value)).collect::<Map<_, _>>().into())
        }
        other => Some(other.clone()),
    }
}

/// A ruleset as what it means: without ids, links and times, its rules by type, defaults left out.
fn normalised(ruleset: &Value, with_bypass: bool) -> Value {
    let mut rules = Map::new();
    for rule in ruleset.get("rules").and_then(Value::as_array).into_iter().flatten() {
        let kind = rule.get("type").and_then(Value::as_str).unwrap_or_default();
        let mut parameters = rule.get("parameters").cloned().unwrap_or_default();
        // A pull_request rule without the list allows every method (REST API, "Rules").
        if kind == "pull_request" && parameters.get("allowed_merge_methods").is_none_or(Value::is_null) && !parameters.is_null() {
            parameters["allowed_merge_methods"] = json!(["merge", "rebase", "squash"]);
        }
        rules.insert(kind.to_owned(), plain(&parameters).unwrap_or(Value::Bool(true)));
    }
    let mut whole = json!({
        "target": ruleset.get("target"),
        "enforcement": ruleset.get("enforcement"),
        "conditions": ruleset.get("conditions").and_then(plain),
        "rules": rules,
    });
    if with_bypass {
        whole["bypass_actors"] = ruleset.get("bypass_actors").and_then(plain).unwrap_or_default();
    }
    whole
}

fn compare(path: &str, is: Option<&Value>, should: Option<&Value>, found: &mut Vec<Difference>) {
    let present = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
    let (is, should) = (present(is), present(should));
    if is == should {
        return;
    }
    if let (Some(Value::Object(one)), Some(Value::Object(other))) = (&is, &should) {
        let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            compare(&below, one.get(key), other.get(key), found);
        }
        return;
    }
    found.push(Difference { path: path.to_owned(), is, should });
}

fn judge(current: &Value, desired: &Value) -> Change {
    let (id, name) = (id_of(current), name_of(desired).to_owned());
    let bypass_seen = current.get("bypass_actors").is_some();
    let mut differences = Vec::new();
    compare("", Some(&normalised(current, bypass_seen)), Some(&normalised(desired, bypass_seen)), &mut differences);
    if differences.is_empty() { Change::Unchanged { id, name, bypass_seen } } else { Change::Update { id, name, body: desired.clone(), differences } }
}

/// Compares the rulesets a repository has (each as `GET /repos/{owner}/{repo}/rulesets/{id}` gives it) with those it
/// should have. Applying the result and planning again leaves nothing to do.
#[must_use]
pub fn plan(current: &[Value], desired: &[Value]) -> Vec<Change> {
    // What an organisation imposes is listed too, and is not ours to change.
    let own = |ruleset: &Value| ruleset.get("source_type").and_then(Value::as_str).is_none_or(|kind| kind == "Repository");
    let mut taken = vec![false; current.len()];
    let mut changes = Vec::new();
    for wanted in desired {
        let found = current.iter().enumerate().position(|(at, ruleset)| !taken[at] && own(ruleset) && name_of(ruleset) == name_of(wanted));
        changes.push(match found {
            Some(at) => {
                taken[at] = true;
                judge(&current[at], wanted)
            }
            None => Change::Create { name: name_of(wanted).to_owned(), body: wanted.clone() },
        });
    }
    for (ruleset, _) in current.iter().zip(&taken).filter(|(_, taken)| !**taken) {
        let (id, name) = (id_of(ruleset), name_of(ruleset).to_owned());
        let ours = own(ruleset) && name.starts_with(NAME_PREFIX);
        changes.push(if ours { Change::Remove { id, name } } else { Change::Foreign { id, name } });
    }
    changes
}

/// Whether a plan holds anything to apply.
#[must_use]
pub fn drifted(changes: &[Change]) -> bool {
    changes.iter().any(|change| !matches!(change, Change::Unchanged { .. } | Change::Foreign { .. }))
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "not set".to_owned(), Value::to_string)
}

/// The drift, for people: one line a ruleset, one more for each place where it differs.
#[must_use]
pub fn report(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        // Writing to a String cannot fail.
        let _ = match change {
            Change::Create { name, .. } => writeln!(text, "{name}: missing"),
            Change::Update { name, .. } => writeln!(text, "{name}: differs"),
            Change::Unchanged { name, bypass_seen: true, .. } => writeln!(text, "{name}: as it should be"),
            Change::Unchanged { name, bypass_seen: false, .. } => writeln!(text, "{name}: as it should be (this token is not shown who may bypass it)"),
            Change::Remove { name, .. } => writeln!(text, "{name}: no longer wanted"),
            Change::Foreign { name, .. } => writeln!(text, "{name}: not chartflow's, left alone"),
        };
        if let Change::Update { differences, .. } = change {
            for Difference { path, is, should } in differences {
                let _ = writeln!(text, "  {path} is {}, should be {}", shown(is.as_ref()), shown(should.as_ref()));
            }
        }
    }
    text
}
