//! Which refs a ruleset is about.

use globset::GlobBuilder;
use serde_json::Value;

/// Whether a pattern of GitHub (`fnmatch`, where `*` stops at `/`) covers a name. A pattern that is none covers nothing.
#[must_use]
pub fn covers(pattern: &str, name: &str) -> bool {
    GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build().is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// Whether a ruleset (as the API gives it) is about a ref (`refs/heads/…`, `refs/tags/…`).
///
/// `~ALL` and `~DEFAULT_BRANCH` are the API's words (REST API, "Rules", `conditions.ref_name`).
#[must_use]
pub fn applies(ruleset: &Value, reference: &str, default_branch: &str) -> bool {
    let prefix = match ruleset.get("target").and_then(Value::as_str).unwrap_or("branch") {
        "branch" => "refs/heads/",
        "tag" => "refs/tags/",
        _ => return false,
    };
    let Some(name) = reference.strip_prefix(prefix) else { return false };
    let listed = |list: &str| {
        let patterns = ruleset.pointer(&format!("/conditions/ref_name/{list}")).and_then(Value::as_array);
        patterns.into_iter().flatten().filter_map(Value::as_str).any(|pattern| match pattern {
            "~ALL" => true,
            "~DEFAULT_BRANCH" => prefix == "refs/heads/" && name == default_branch,
            pattern => covers(pattern, reference),
        })
    };
    listed("include") && !listed("exclude")
}
