//! Key by key: what says the same here, or why nothing does.
//!
//! Keys: chart-testing's and chart-releaser's own documentation of their configuration files.

use super::peers::{Carried, texts};
use crate::domain::names::BranchName;
use crate::domain::yaml::Node;

/// What becomes of a key.
pub(super) enum Fate {
    /// This line of `.chartflow.yaml`, or what else does the same.
    Becomes(String),
    /// Nothing; why.
    Dropped(String),
}

fn becomes(text: impl Into<String>) -> Fate {
    Fate::Becomes(text.into())
}

fn dropped(why: impl Into<String>) -> Fate {
    Fate::Dropped(why.into())
}

/// A branch that a file names, unless it is the default.
fn branch(slot: &mut Option<BranchName>, key: &str, default: &str, value: &Node) -> Fate {
    let Some(text) = value.as_text() else { return dropped("it names no branch") };
    match text.parse::<BranchName>() {
        Ok(name) if name.as_str() == default => becomes(format!("branches.{key}: {default}, which is the default")),
        Ok(name) => {
            *slot = Some(name);
            becomes(format!("branches.{key}: {text}"))
        }
        Err(error) => dropped(format!("{error}")),
    }
}

/// The remote that both tools push to.
fn remote(carried: &mut Carried, value: &Node) -> Fate {
    match value.as_text().map(str::parse) {
        Some(Ok(name)) => {
            carried.remote = Some(name);
            becomes("the remote that the commands below push to")
        }
        Some(Err(error)) => dropped(error.to_string()),
        None => dropped("it names no remote"),
    }
}

/// A key of `ct.yaml`.
pub(super) fn chart_testing(carried: &mut Carried, key: &str, value: &Node) -> Fate {
    match key {
        "chart-dirs" => {
            for directory in texts(value) {
                let directory = directory.trim_start_matches("./").trim_end_matches('/').to_owned();
                let glob = if directory.is_empty() || directory == "." { "*".to_owned() } else { format!("{directory}/*") };
                if !carried.charts.contains(&glob) {
                    carried.charts.push(glob);
                }
            }
            becomes(format!("charts: [{}]", carried.charts.join(", ")))
        }
        "target-branch" => branch(&mut carried.main, "main", "main", value),
        "remote" => remote(carried, value),
        "excluded-charts" => dropped(format!("it only kept ct from testing {}; what lies where `charts` says is released", texts(value).join(", "))),
        "charts" => dropped("it names the charts of one run; a run takes those that changed"),
        "all" | "since" | "process-all-charts" => dropped("charts that changed are found by their content"),
        "exclude-deprecated" => dropped("deprecated charts are checked like all others when they change"),
        "check-version-increment" => dropped("the version is derived from the commits, so nobody has to raise it"),
        "validate-maintainers" | "github-groups" => dropped("no check asks GitHub whether a maintainer has an account"),
        "validate-chart-schema" | "chart-yaml-schema" => dropped("the check `schema` knows what helm takes in a Chart.yaml"),
        "validate-yaml" | "lint-conf" => dropped("the check `schema` refuses what is no YAML; style is for a linter of your own"),
        "chart-repos" | "helm-repo-extra-args" | "helm-dependency-extra-args" | "skip-helm-dependencies" => {
            dropped("dependencies are fetched from the addresses in Chart.yaml, as Chart.lock pins them")
        }
        "additional-commands" => dropped("let a workflow of yours run them and name it under `checks.outside`"),
        "helm-lint-extra-args" | "use-helmignore" => dropped("the check `helm-lint` runs `helm lint` as it is"),
        "upgrade"
        | "namespace"
        | "release-label"
        | "release-name"
        | "build-id"
        | "helm-extra-args"
        | "kubectl-timeout"
        | "skip-missing-values"
        | "skip-clean-up"
        | "print-logs" => dropped("nothing is installed into a cluster; keep `ct install` in a workflow of yours and name it under `checks.outside`"),
        "debug" | "print-config" => dropped("it only says more; so does `chartflow --verbose`"),
        _ => dropped("chart-testing has no such key either"),
    }
}

/// A key of `cr.yaml`.
pub(super) fn chart_releaser(carried: &mut Carried, key: &str, value: &Node) -> Fate {
    match key {
        "pages-branch" => branch(&mut carried.release, "release", "release", value),
        "release-name-template" => match value.as_text().and_then(template) {
            Some(tag) if tag == "{chart}-v{version}" => becomes("tag: {chart}-v{version}, which is the default"),
            Some(tag) => {
                carried.tag = Some(tag.clone());
                becomes(format!("tag: {tag:?}"))
            }
            None => dropped("a tag is made of the chart's name and version, each once, and nothing else"),
        },
        "remote" => remote(carried, value),
        "owner" | "git-repo" | "git-base-url" | "git-upload-url" | "token" => dropped("the runner says which repository and server it is"),
        "charts-repo" => dropped("addresses in the index are relative; `index.url` sets another place"),
        "packages-with-index" => dropped("packages always lie beside the index, on the release branch, and in the GitHub Release too"),
        "index-path" | "package-path" => dropped("nothing is written to the work tree"),
        "pages-index-path" => dropped("index.yaml lies at the top of the release branch"),
        "push" | "pr" => dropped("the release branch takes pull requests alone, and they are opened and merged for you"),
        "skip-existing" => dropped("a version is never published twice"),
        "commit" => dropped("the tag names the commit"),
        "release-notes-file" | "generate-release-notes" => dropped("the text of a release is the chart's changelog"),
        "make-release-latest" => dropped("no chart's release takes the mark \"latest\" from another's"),
        "sign" | "key" | "keyring" | "passphrase-file" => {
            dropped("every release has a signed lineage; a provenance file of helm's is made by `chartflow package --sign`")
        }
        _ => dropped("chart-releaser has no such key either"),
    }
}

/// chart-releaser's template (Go's, over a chart's metadata) as one of ours.
fn template(text: &str) -> Option<String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, behind) = after.split_once("}}")?;
        written.push_str(before);
        written.push_str(match inside.trim() {
            ".Name" => "{chart}",
            ".Version" => "{version}",
            _ => return None,
        });
        rest = behind;
    }
    written.push_str(rest);
    let once = |what| written.matches(what).count() == 1;
    (once("{chart}") && once("{version}") && !written.contains(char::is_whitespace)).then_some(written)
}
