//! The other files that a repository is adopted with.

/// Where the configuration lies.
pub const CONFIGURATION_PATH: &str = ".chartflow.yaml";

/// Where the owners of the trust root are named.
pub const CODE_OWNERS_PATH: &str = ".github/CODEOWNERS";

/// The configuration a repository starts with: every key is optional, so it names only where the charts are.
#[must_use]
pub fn configuration(charts: &[&str]) -> String {
    let mut text = String::from("# Every key is optional. `chartflow` reads this file from the main branch alone.\ncharts:\n");
    for glob in charts {
        // A double-quoted YAML scalar is JSON's.
        text.push_str("  - ");
        text.push_str(&serde_json::Value::from(*glob).to_string());
        text.push('\n');
    }
    text
}

/// Who must agree when what decides about signatures changes. `owner` is `@login` or `@organisation/team`; an App can
/// be none.
///
/// Syntax: GitHub documentation, "About code owners".
#[must_use]
pub fn code_owners(owner: &str) -> String {
    format!("# These files decide who signs, and what is required of a release.\n/.github/ {owner}\n/.chartflow.yaml {owner}\n")
}
