//! The names of the train's branches, tags and refs, made from the configured templates.
//!
//! A template holds `{chart}` and, for releases, `{version}`. Templates are checked once, by [`Names::collisions`]:
//! git keeps a ref as a file, so `integration/redis` cannot exist beside `integration`.

use std::collections::BTreeSet;
use std::fmt;

use semver::Version;

use super::configuration::Configuration;
use super::names::{BranchName, ChartName, NameError, TagName};
use super::visible::hides;

/// What `tag` has finished with: a tree shaped like the charts' directories.
pub const RELEASED: &str = "chartflow/released";
/// What `publish` has finished with: a tree of the same shape.
pub const PUBLISHED: &str = "chartflow/published";

/// Two names that cannot live side by side, or a template that cannot name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The key of the configuration.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// Why it cannot be used, as a clause.
    pub problem: String,
}

impl Collision {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        let default = match self.key {
            "branches.chart" => "integration-{chart}",
            "branches.promote" => "chartflow-promote-{chart}",
            "branches.bump" => "chartflow-bump-{chart}",
            "branches.publish" => "chartflow-release-{chart}-{version}",
            _ => "{chart}-v{version}",
        };
        if self.problem.starts_with("does not hold") {
            format!("every chart needs a name of its own; write such as {}: \"{default}\"", self.key)
        } else if self.problem.starts_with("gives no ref") {
            format!("take out what git allows in no name; write such as {}: \"{default}\"", self.key)
        } else {
            format!("give {} another value in .chartflow.yaml", self.key)
        }
    }
}

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} {}", self.key, self.value, self.problem)
    }
}

/// The names that a configuration gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    main: BranchName,
    integration: BranchName,
    release: BranchName,
    back: BranchName,
    chart: String,
    promote: String,
    bump: String,
    publish: String,
    tag: String,
}

fn fill(template: &str, chart: &ChartName, version: &str) -> String {
    template.replace("{chart}", chart.as_str()).replace("{version}", version)
}

impl Names {
    /// Takes the templates over.
    #[must_use]
    pub fn new(configuration: &Configuration) -> Self {
        let branches = &configuration.branches;
        Self {
            main: branches.main.clone(),
            integration: branches.integration.clone(),
            release: branches.release.clone(),
            back: branches.back.clone(),
            chart: branches.chart.clone(),
            promote: branches.promote.clone(),
            bump: branches.bump.clone(),
            publish: branches.publish.clone(),
            tag: configuration.tag.clone(),
        }
    }

    /// The default branch.
    #[must_use]
    pub fn main(&self) -> &BranchName {
        &self.main
    }

    /// Where contributions are collected.
    #[must_use]
    pub fn integration(&self) -> &BranchName {
        &self.integration
    }

    /// What is served.
    #[must_use]
    pub fn release(&self) -> &BranchName {
        &self.release
    }

    /// The head of the way back from main to integration.
    #[must_use]
    pub fn back_head(&self) -> &BranchName {
        &self.back
    }

    /// The branch of one chart.
    ///
    /// # Errors
    /// When template and chart give no branch name.
    pub fn chart_branch(&self, chart: &ChartName) -> Result<BranchName, NameError> {
        BranchName::new(fill(&self.chart, chart, ""))
    }

    /// The head that promotes one chart.
    ///
    /// # Errors
    /// When template and chart give no branch name.
    pub fn promote_head(&self, chart: &ChartName) -> Result<BranchName, NameError> {
        BranchName::new(fill(&self.promote, chart, ""))
    }

    /// The head that brings one chart's bump.
    ///
    /// # Errors
    /// When template and chart give no branch name.
    pub fn bump_head(&self, chart: &ChartName) -> Result<BranchName, NameError> {
        BranchName::new(fill(&self.bump, chart, ""))
    }

    /// The head that brings one package to the release branch.
    ///
    /// # Errors
    /// When template, chart and version give no branch name.
    pub fn release_head(&self, chart: &ChartName, version: &Version) -> Result<BranchName, NameError> {
        BranchName::new(fill(&self.publish, chart, &version.to_string()))
    }

    /// The tag of one version.
    ///
    /// # Errors
    /// When template, chart and version give no tag name.
    pub fn tag(&self, chart: &ChartName, version: &Version) -> Result<TagName, NameError> {
        TagName::new(fill(&self.tag, chart, &version.to_string()))
    }

    /// What stands before the version in a chart's tags.
    #[must_use]
    pub fn tag_prefix(&self, chart: &ChartName) -> String {
        fill(self.tag.split("{version}").next().unwrap_or_default(), chart, "")
    }

    /// What covers every chart's branch, in GitHub's patterns: `integration-*`.
    #[must_use]
    pub fn chart_pattern(&self) -> String {
        self.chart.replace("{chart}", "*")
    }

    /// What covers every release tag, in GitHub's patterns: `*-v*`.
    #[must_use]
    pub fn tag_pattern(&self) -> String {
        self.tag.replace("{chart}", "*").replace("{version}", "*")
    }

    /// The version in a tag of this very chart.
    #[must_use]
    pub fn version_of_tag(&self, chart: &ChartName, tag: &str) -> Option<Version> {
        let (before, after) = self.tag.split_once("{version}")?;
        let middle = tag.strip_prefix(&fill(before, chart, ""))?.strip_suffix(&fill(after, chart, ""))?;
        Version::parse(middle).ok()
    }

    /// The version of this chart whose tag cannot be made, or made again, because of a tag of this name: it is that tag, or
    /// lies below it (`a-v1.0.0/x`), and git cannot hold a ref that is a file and a directory.
    #[must_use]
    pub fn version_taken_by(&self, chart: &ChartName, tag: &str) -> Option<Version> {
        let ends = tag.match_indices('/').map(|(end, _)| end).chain([tag.len()]);
        ends.filter_map(|end| self.version_of_tag(chart, tag.get(..end)?)).next()
    }

    /// The chart and version of a tag, among known charts: exact, so that `a-b-v1.0.0` is never a tag of `a`.
    #[must_use]
    pub fn parse_tag<'a>(&self, tag: &str, charts: impl IntoIterator<Item = &'a ChartName>) -> Option<(&'a ChartName, Version)> {
        charts.into_iter().find_map(|chart| Some((chart, self.version_of_tag(chart, tag)?)))
    }

    /// The chart whose branch this is.
    #[must_use]
    pub fn chart_of_branch(&self, branch: &BranchName) -> Option<ChartName> {
        let (before, after) = self.chart.split_once("{chart}")?;
        branch.as_str().strip_prefix(before)?.strip_suffix(after)?.parse().ok()
    }

    /// Whether a branch is a head that the train itself makes: for a promotion, a bump, the way back or a release.
    #[must_use]
    pub fn is_machine_head(&self, branch: &str) -> bool {
        let fits = |template: &String| {
            let parts: Vec<&str> = template.split("{chart}").flat_map(|part| part.split("{version}")).collect();
            let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
            branch.len() > first.len() + last.len() && branch.starts_with(first) && branch.ends_with(last)
        };
        branch == self.back.as_str() || [&self.promote, &self.bump, &self.publish].into_iter().any(fits)
    }

    /// Whether somebody's branch could not live beside the train's: it is one of them, or may become one when a chart of
    /// that name comes, or one is a directory of the other.
    #[must_use]
    pub fn reserves(&self, branch: &str) -> bool {
        let fixed = [&self.main, &self.integration, &self.release, &self.back];
        let templates = [&self.chart, &self.promote, &self.bump, &self.publish];
        fixed.iter().any(|name| nested(name.as_str(), branch))
            || templates.iter().any(|template| {
                let before = template.split('{').next().unwrap_or_default();
                !before.is_empty() && branch.starts_with(before) || directory_of(branch, template).is_some()
            })
    }

    /// Templates that cannot be used, and pairs that cannot live side by side.
    #[must_use]
    pub fn collisions(&self) -> Vec<Collision> {
        let mut found = Vec::new();
        let templates = [
            ("branches.chart", &self.chart, false),
            ("branches.promote", &self.promote, false),
            ("branches.bump", &self.bump, false),
            ("branches.publish", &self.publish, true),
            ("tag", &self.tag, true),
        ];
        let mut add = |key, value: &str, problem: String| found.push(Collision { key, value: value.to_owned(), problem });
        for (key, template, versioned) in templates {
            if !template.contains("{chart}") {
                add(key, template, "does not hold {chart}".to_owned());
            }
            if versioned && !template.contains("{version}") {
                add(key, template, "does not hold {version}".to_owned());
            }
            let sample = template.replace("{chart}", "a").replace("{version}", "1.0.0");
            if let Err(error) = BranchName::new(sample) {
                add(key, template, format!("gives no ref: {error}"));
            }
        }
        let fixed =
            [("branches.main", &self.main), ("branches.integration", &self.integration), ("branches.release", &self.release), ("branches.back", &self.back)];
        for (key, name) in fixed {
            for (template_key, template, _) in templates.iter().filter(|(key, ..)| *key != "tag") {
                if let Some(chart) = chart_in(template, name.as_str()) {
                    add(key, name.as_str(), format!("is what {template_key} calls the branch of a chart named {chart}"));
                }
            }
        }
        let values = fixed.iter().map(|(key, name)| (*key, name.as_str())).chain(templates.iter().map(|(key, template, _)| (*key, template.as_str())));
        for (key, value) in values {
            if value.contains("${{") {
                add(key, value, "holds \"${{\", with which GitHub begins an expression".to_owned());
            }
            if value.contains(hides) {
                add(key, value, "holds a character that cannot be seen".to_owned());
            }
        }
        let mut all: Vec<(&'static str, String)> = fixed.iter().map(|(key, name)| (*key, name.to_string())).collect();
        all.extend(templates.iter().filter(|(key, ..)| *key != "tag").map(|(key, template, _)| (*key, (*template).clone())));
        let mut said = BTreeSet::new();
        for (key, name) in &all {
            for (other_key, other) in &all {
                if key == other_key || !said.insert((key.min(other_key), key.max(other_key))) {
                    continue;
                }
                if name == other {
                    add(key, name, format!("is the name of {other_key}, too"));
                } else if let Some(rest) = directory_of(name, other).or_else(|| directory_of(other, name)) {
                    let (parent, child) = if other.len() > name.len() { (name, other) } else { (other, name) };
                    add(
                        key,
                        name,
                        format!(
                            "collides with {other_key}: git cannot hold both {parent:?} and {child:?}, because a ref is a file and cannot be a directory ({rest:?}) as well"
                        ),
                    );
                }
            }
        }
        found
    }
}

/// The chart for which a template with one place gives this name.
fn chart_in(template: &str, name: &str) -> Option<ChartName> {
    let (before, after) = template.split_once("{chart}")?;
    let chart = name.strip_prefix(before)?.strip_suffix(after)?;
    chart.parse().ok()
}

/// Whether two branches are one, or one is a directory of the other: git holds only one of them.
#[must_use]
pub fn nested(one: &str, other: &str) -> bool {
    one == other || directory_of(one, other).is_some() || directory_of(other, one).is_some()
}

/// What lies behind `parent/`, when `child` is below it.
fn directory_of<'a>(parent: &str, child: &'a str) -> Option<&'a str> {
    child.strip_prefix(parent)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(&Configuration::default())
    }

    #[test]
    fn defaults_are_the_documented_names() {
        let (names, chart, version) = (names(), "redis".parse().unwrap(), Version::new(1, 2, 3));
        assert_eq!(names.chart_branch(&chart).unwrap().as_str(), "integration-redis");
        assert_eq!(names.promote_head(&chart).unwrap().as_str(), "chartflow-promote-redis");
        assert_eq!(names.bump_head(&chart).unwrap().as_str(), "chartflow-bump-redis");
        assert_eq!(names.release_head(&chart, &version).unwrap().as_str(), "chartflow-release-redis-1.2.3");
        assert_eq!(names.tag(&chart, &version).unwrap().as_str(), "redis-v1.2.3");
        assert_eq!(names.back_head().as_str(), "chartflow-back");
        assert_eq!(names.collisions(), []);
    }

    #[test]
    fn tags_are_read_exactly() {
        let (names, a, ab): (_, ChartName, ChartName) = (names(), "a".parse().unwrap(), "a-b".parse().unwrap());
        assert_eq!(names.parse_tag("a-b-v1.0.0", [&a, &ab]), Some((&ab, Version::new(1, 0, 0))));
        assert_eq!(names.parse_tag("a-v1.0.0-rc.1", [&ab, &a]), Some((&a, Version::parse("1.0.0-rc.1").unwrap())));
        assert_eq!(names.parse_tag("a-1.0.0", [&a]), None);
        assert_eq!(names.version_of_tag(&a, "a-vx"), None);
        assert_eq!(names.version_of_tag(&a, "a-v1.0.0/x"), None);
        let taken = |names: &Names, tag: &str| names.version_taken_by(&a, tag).map(|version| version.to_string());
        assert_eq!(taken(&names, "a-v1.0.0").as_deref(), Some("1.0.0"));
        assert_eq!(taken(&names, "a-v1.0.0/x/y").as_deref(), Some("1.0.0"));
        assert_eq!(taken(&names, "a-v1.0/x"), None);
        let slashed = Names { tag: "{chart}/v{version}".to_owned(), ..names.clone() };
        assert_eq!(taken(&slashed, "a/v1.0.0/x").as_deref(), Some("1.0.0"));
        assert_eq!(taken(&slashed, "a"), None);
        assert_eq!(names.chart_of_branch(&"integration-a-b".parse().unwrap()), Some(ab));
        assert_eq!(names.chart_of_branch(&"integration".parse().unwrap()), None);
    }

    #[test]
    fn names_of_people_s_branches() {
        for reserved in
            ["main", "main/x", "integration", "integration/x", "release/1.0", "integration-a", "integration-a/b", "chartflow-back", "chartflow-bump-a"]
        {
            assert!(names().reserves(reserved), "{reserved}");
        }
        for free in ["feature/a", "main2", "releases", "release-1", "integrations", "a/main", "chartflow"] {
            assert!(!names().reserves(free), "{free}");
        }
        let slashed = Names { chart: "charts/{chart}".to_owned(), ..names() };
        assert!(slashed.reserves("charts") && slashed.reserves("charts/a") && !slashed.reserves("chart"));
    }

    #[test]
    fn names_that_cannot_live_together() {
        let check = |change: fn(&mut Names)| {
            let mut names = names();
            change(&mut names);
            names.collisions().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(check(|names| names.chart = "integration/{chart}".to_owned()), @r#"branches.integration: "integration" collides with branches.chart: git cannot hold both "integration" and "integration/{chart}", because a ref is a file and cannot be a directory ("{chart}") as well"#);
        insta::assert_snapshot!(check(|names| names.release = "main".parse().unwrap()), @r#"branches.main: "main" is the name of branches.release, too"#);
        insta::assert_snapshot!(check(|names| names.release = "integration-served".parse().unwrap()), @r#"branches.release: "integration-served" is what branches.chart calls the branch of a chart named served"#);
        insta::assert_snapshot!(check(|names| names.tag = "v{version}".to_owned()), @r#"tag: "v{version}" does not hold {chart}"#);
        insta::assert_snapshot!(check(|names| names.main = "a${{b}}".parse().unwrap()), @r#"branches.main: "a${{b}}" holds "${{", with which GitHub begins an expression"#);
        insta::assert_snapshot!(check(|names| names.release = "a\u{202e}b".parse().unwrap()), @r#"branches.release: "a\u{202e}b" holds a character that cannot be seen"#);
        insta::assert_snapshot!(check(|names| names.bump = "bump {chart}".to_owned()), @r#"branches.bump: "bump {chart}" gives no ref: branch name "bump a" holds a character that no git ref may hold"#);
    }
}
