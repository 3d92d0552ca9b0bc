//! The part of the check `schema` that reads the versions of dependencies.

use super::Finding;
use super::rules::SCHEMA_CONSTRAINT;
use crate::domain::chart::sanitize;
use crate::domain::version::constraint::allows;
use crate::domain::yaml::Node;
use semver::Version;

/// Looks at the list `dependencies` of Chart.yaml or requirements.yaml. What is no text is told elsewhere. A version may
/// be left out where helm looks for none: when the dependency comes from no repository, but lies in `charts/`.
pub(super) fn check(path: &str, root: &Node, findings: &mut Vec<Finding>) {
    let mut found = |text: String, line: u32| {
        let finding = Finding::new(&SCHEMA_CONSTRAINT, text).at(path, Some(line));
        findings.push(finding.hint("write a version such as 1.2.3, or a constraint such as ^1.2"));
    };
    for (index, item) in root.get("dependencies").map(Node::items).unwrap_or_default().iter().enumerate() {
        let written = |key: &str| item.get(key).and_then(|value| Some((value.as_text()?, value.at.line)));
        match written("version") {
            Some((text, line)) if unreadable(text) => {
                let shown: String = text.chars().take(80).collect();
                found(format!("dependencies[{index}].version {shown:?} is no version and no constraint"), line);
            }
            None if item.get("version").is_none() && written("repository").is_some_and(|(repository, _)| !repository.is_empty()) => {
                found(format!("dependencies[{index}] has no version"), item.at.line);
            }
            _ => {}
        }
    }
}

/// Helm cleans the text first: a no-break space, for one, is a space to it.
fn unreadable(text: &str) -> bool {
    let mut read = text.to_owned();
    sanitize(&mut read);
    allows(&read, &Version::new(0, 0, 0)).is_none()
}

#[cfg(test)]
mod tests {
    use super::unreadable;

    #[test]
    fn a_version_is_read_as_helm_cleans_it() {
        for text in ["1.0.0", ">=1.0.0\u{a0}<2.0.0", "^1\u{3000}||\u{2009}^2", "1.0\u{200b}.0", "~1.2\u{85}"] {
            assert!(!unreadable(text), "{text:?}");
        }
        for text in ["", "one", "1.0.0\u{e9}", ">=\u{a0}"] {
            assert!(unreadable(text), "{text:?}");
        }
    }
}
