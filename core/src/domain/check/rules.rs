//! Every rule of the built-in checks. The ids are stable.

use super::Severity::{self, Error, Notice, Warning};

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The id: the check's key, a slash and a word or two.
    pub id: &'static str,
    /// How much a finding of it weighs.
    pub severity: Severity,
    /// What it says.
    pub about: &'static str,
}

macro_rules! rules {
    ($($name:ident = $id:literal, $severity:ident, $about:literal;)*) => {
        $(pub(super) const $name: Rule = Rule { id: $id, severity: $severity, about: $about };)*
        /// Every rule, by check.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    HELM_LINT_FINDING = "helm-lint/finding", Error, "What helm lint prints, with the weight that helm gives it.";
    HELM_LINT_ABSENT = "helm-lint/absent", Notice, "There is no helm, so the templates were not rendered.";
    ARTIFACT_HUB_YAML = "artifact-hub/yaml", Error, "An annotation that holds YAML does not parse, or not as the list that Artifact Hub reads.";
    ARTIFACT_HUB_VALUE = "artifact-hub/value", Error, "An annotation has a value that Artifact Hub does not know.";
    ARTIFACT_HUB_CHANGE = "artifact-hub/change", Error, "An entry of artifacthub.io/changes lacks its description, has an unknown kind or an incomplete link.";
    ARTIFACT_HUB_IMAGE = "artifact-hub/image", Error, "An entry of artifacthub.io/images is no image reference.";
    SCHEMA_YAML = "schema/yaml", Error, "Chart.yaml, requirements.yaml or values.yaml is not YAML, or too big, too deep or too much through aliases.";
    SCHEMA_DUPLICATE_KEY = "schema/duplicate-key", Error, "A key stands twice in Chart.yaml.";
    SCHEMA_DUPLICATE_VALUE = "schema/duplicate-value", Warning, "A key stands twice in values.yaml; helm takes the last one.";
    SCHEMA_UNKNOWN_KEY = "schema/unknown-key", Warning, "A key that helm does not know.";
    SCHEMA_TYPE = "schema/type", Error, "A value of the wrong type in Chart.yaml.";
    SCHEMA_MISSING = "schema/missing", Error, "A key that every chart needs is missing.";
    SCHEMA_VALUE = "schema/value", Error, "A value in Chart.yaml that helm refuses.";
    SCHEMA_VERSION = "schema/version", Error, "The version is not Semantic Versioning 2.";
    SCHEMA_CONSTRAINT = "schema/constraint", Warning, "The version of a dependency is neither a version nor a constraint as helm reads them: `helm dependency update` refuses it.";
    SCHEMA_DOCUMENTS = "schema/documents", Warning, "Chart.yaml holds more than one YAML document; helm reads the first.";
    SCHEMA_VALUES_SCHEMA = "schema/values-schema", Error, "values.schema.json is no JSON Schema.";
    SCHEMA_VALUES = "schema/values", Error, "values.yaml does not fit values.schema.json.";
    SCHEMA_REFERENCE = "schema/reference", Warning, "values.schema.json refers to another document, which is not fetched, so values.yaml was not checked.";
    COMMITS_CONVENTION = "commits/convention", Error, "A commit that touches the chart is neither a Conventional Commit nor a revert as git writes it.";
    COMMITS_RELEASE_AS = "commits/release-as", Error, "The footer Release-As of a commit names no version, so it would not count.";
    CHANGELOG_PREVIEW = "changelog/preview", Notice, "What CHANGELOG.md will gain.";
    VERSION_LOWER = "version/lower", Error, "The contributed version is lower than what is out.";
    VERSION_RAISED = "version/raised", Notice, "The contributed version is higher than what is out, and counts where the configuration says so.";
    VERSION_NOT_RAISED = "version/not-raised", Error, "The configuration leaves the version to the contributor, who did not raise it.";
    VERSION_RELEASE_AS = "version/release-as", Error, "The footer Release-As asks for a version that is not higher than what is out.";
    VERSION_UNWRITABLE = "version/unwritable", Error, "The version is written in a way that the bump cannot replace, such as through an anchor.";
    VERSION_EXHAUSTED = "version/exhausted", Error, "A number of the version is as high as it can be, so no higher one follows.";
    LAYOUT_CHART_FILE = "layout/chart-file", Error, "Chart.yaml is missing or no regular file.";
    LAYOUT_NAME = "layout/name", Error, "The chart's name cannot be part of a git ref or an OCI repository.";
    LAYOUT_DIRECTORY = "layout/directory", Error, "The directory's name is not the chart's, and the configuration's directories does not say so.";
    LAYOUT_RENAMED = "layout/renamed-in-place", Error, "The chart in this directory had another name before.";
    LAYOUT_DOUBLED = "layout/doubled-name", Error, "Two directories hold charts of one name.";
    LAYOUT_SUBMODULE = "layout/submodule", Error, "A submodule: its content is not part of the repository.";
    LAYOUT_SYMLINK = "layout/symlink", Error, "A symbolic link that leaves the chart or leads nowhere.";
    LAYOUT_CHANGELOG = "layout/changelog", Error, "CHANGELOG.md is no regular file or no UTF-8 text, so the bump cannot write into it.";
    LAYOUT_PACKAGE = "layout/package", Error, "The chart's package cannot be built: a dependency is missing, or another chart than declared, or part of a circle.";
    LAYOUT_DEPENDENCY_VERSION = "layout/dependency-version", Notice, "A dependency in this repository has a version that the constraint excludes; the bump writes the one it has.";
}
