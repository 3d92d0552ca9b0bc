//! Titles a person would write.

use semver::Version;

use crate::domain::markdown::one_line;
use crate::domain::names::ChartName;

/// Titles on GitHub are at most this long.
pub const TITLE_LIMIT: usize = 256;

/// What keeps workflows from running when it stands in a commit message or in the title that becomes one
/// (<https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs>).
const SKIP_TOKENS: [&str; 7] = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]", "skip-checks: true", "skip-checks:true"];

/// One line without the tokens that keep workflows from running, of at most `limit` characters.
///
/// ```
/// use chartflow_core::domain::pull::without_skip_tokens;
/// assert_eq!(without_skip_tokens("fix: x [skip [CI Skip] ci]\n", 256), "fix: x");
/// ```
#[must_use]
pub fn without_skip_tokens(text: &str, limit: usize) -> String {
    // Removing one token may join another, so it goes on until nothing is found; texts this short make that cheap.
    let mut line = one_line(text, limit.saturating_mul(2));
    loop {
        let lower = line.to_ascii_lowercase();
        let Some((at, token)) = SKIP_TOKENS.iter().find_map(|token| Some((lower.find(token)?, token))) else { break };
        line.replace_range(at..at + token.len(), "");
        line = one_line(&line, limit.saturating_mul(2));
    }
    one_line(&line, limit)
}

fn title(text: &str) -> String {
    without_skip_tokens(text, TITLE_LIMIT)
}

/// The pull request to `integration-<chart>`.
#[must_use]
pub fn promotion(chart: &ChartName, removed: bool) -> String {
    title(&if removed { format!("Promote the removal of {chart} from integration") } else { format!("Promote {chart} from integration") })
}

/// The pull request that brings version and changelog to `integration-<chart>`.
#[must_use]
pub fn bump(chart: &ChartName, from: Option<&Version>, to: &Version) -> String {
    title(&match from {
        Some(from) => format!("Bump {chart} from {from} to {to}"),
        None => format!("Prepare {chart} {to}, new on main"),
    })
}

/// The pull request to main; without a version until the bump is in, or when nothing packaged changes.
#[must_use]
pub fn to_main(chart: &ChartName, version: Option<&Version>, removed: bool) -> String {
    title(&match version {
        _ if removed => format!("Remove {chart}"),
        Some(version) => format!("Release {chart} {version}"),
        None => format!("Update {chart}"),
    })
}

/// The pull request that brings main back into integration.
#[must_use]
pub fn way_back(charts: &[(ChartName, Option<Version>)]) -> String {
    let list: Vec<String> =
        charts.iter().map(|(chart, version)| version.as_ref().map_or_else(|| chart.to_string(), |version| format!("{chart} {version}"))).collect();
    title(&if list.is_empty() { "Bring main back into integration".to_owned() } else { format!("Bring main back into integration: {}", list.join(", ")) })
}

/// The merge commit of a pull request with this title, which people may have edited.
#[must_use]
pub fn merged(pull_title: &str, number: u64) -> String {
    let suffix = format!(" (#{number})");
    let text = without_skip_tokens(pull_title, TITLE_LIMIT.saturating_sub(suffix.chars().count()));
    format!("{text}{suffix}")
}

/// The GitHub Release.
#[must_use]
pub fn release(chart: &ChartName, version: &Version) -> String {
    title(&format!("{chart} {version}"))
}

/// The pull request to release.
#[must_use]
pub fn publication(chart: &ChartName, version: &Version) -> String {
    title(&format!("Publish {chart} {version}"))
}
