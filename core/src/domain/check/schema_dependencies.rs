//! The part of the check `schema` that reads the versions of dependencies.

use super::Finding;
use super::rules::SCHEMA_CONSTRAINT;
use crate::domain::version::constraint::allows;
use crate::domain::yaml::Node;
use semver::Version;

/// Looks at the list `dependencies` of Chart.yaml or requirements.yaml. What is no text is told elsewhere.
pub(super) fn check(path: &str, root: &Node, findings: &mut Vec<Finding>) {
    for (index, item) in root.get("dependencies").map(Node::items).unwrap_or_default().iter().enumerate() {
        let Some((value, text)) = item.get("version").and_then(|value| Some((value, value.as_text()?))) else { continue };
        if allows(text, &Version::new(0, 0, 0)).is_none() {
            let shown: String = text.chars().take(80).collect();
            let finding = Finding::new(&SCHEMA_CONSTRAINT, format!("dependencies[{index}].version {shown:?} is no version and no constraint"));
            findings.push(finding.at(path, Some(value.at.line)).hint("write a version such as 1.2.3, or a constraint such as ^1.2"));
        }
    }
}
