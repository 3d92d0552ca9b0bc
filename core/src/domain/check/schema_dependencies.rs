//! The part of the check `schema` that reads the versions of dependencies.

use super::Finding;
use super::rules::SCHEMA_CONSTRAINT;
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
            Some((text, line)) if allows(text, &Version::new(0, 0, 0)).is_none() => {
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
