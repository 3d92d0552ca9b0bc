//! The one table of rules a release must satisfy. Ids are stable: scripts and people rely on them.

/// A rule: its id, what it demands, and what to do where it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The stable id.
    pub id: &'static str,
    /// What must hold, in one line.
    pub demands: &'static str,
    /// What to do.
    pub hint: &'static str,
}

macro_rules! rules {
    ($($variant:ident, $id:literal, $demands:literal, $hint:literal;)*) => {
        /// A rule that can be broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $demands] $variant,)*
        }

        /// Every rule, in the order of the table.
        pub const RULES: &[Explanation] = &[$(Explanation { id: $id, demands: $demands, hint: $hint },)*];

        impl Rule {
            /// Every rule, in the order of [`RULES`].
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// What it demands.
            #[must_use]
            pub const fn explanation(self) -> Explanation {
                match self {
                    $(Self::$variant => Explanation { id: $id, demands: $demands, hint: $hint },)*
                }
            }

            /// Its stable id.
            #[must_use]
            pub const fn id(self) -> &'static str {
                self.explanation().id
            }
        }
    };
}

const _: () = assert!(RULES.len() == Rule::ALL.len());

rules! {
    LineageLimit, "lineage/limit", "A lineage holds at most 64 lines and 4 MiB.", "This is not a lineage that chartflow wrote: fetch it again from the release.";
    LineageEmpty, "lineage/empty", "A lineage holds at least one statement.", "Fetch the .lineage.jsonl of this very release.";
    BundleMalformed, "bundle/malformed", "Every line is a Sigstore bundle v0.3 around one DSSE envelope with one signature.", "The file is damaged or was edited: fetch it again.";
    BundleProfile, "bundle/profile", "Every line is signed the way the policy's profile says.", "Use the policy of the place that made this release.";
    BundleSignature, "bundle/signature", "Every signature holds, with its certificate, log entry and timestamps.", "The line was altered or is signed by somebody else: do not use this release.";
    SignerKey, "signer/key", "Every line is signed by a key that the policy lists for its stage.", "If the key is a new one, get the current policy from a place you trust.";
    SignerIdentity, "signer/identity", "The certificate names exactly the workflow file of the policy.", "A workflow other than the release train's signed this: do not use this release.";
    SignerRepository, "signer/repository", "The certificate names the repository and owner of the policy, by number.", "The release was signed in another repository, perhaps one of the same name.";
    SignerRef, "signer/ref", "The run belongs to the ref of the policy, as a rule main.", "Only runs of the workflow file on the main branch may sign.";
    SignerTrigger, "signer/trigger", "The run was started by an event of the policy's list.", "Events that run a contributor's workflow file may not sign.";
    SignerRunner, "signer/runner", "The run was on a runner of the policy's kind.", "Sign on GitHub's own runners, or allow others in the policy.";
    SignerEnvironment, "signer/environment", "The run was in the deployment environment of the policy.", "Set the job's environment, which is limited to main.";
    SignerDigest, "signer/digest", "The workflow file comes from a commit of the policy's list.", "If the workflow was upgraded, get the current policy from a place you trust.";
    StatementMalformed, "statement/malformed", "Every payload is a statement of chartflow's, complete and without unknown members.", "A newer chartflow may have made this release: upgrade.";
    StatementType, "statement/type", "Every payload is of a type that a lineage holds.", "Keep other attestations out of the lineage file.";
    StatementSubject, "statement/subject", "Every statement speaks about exactly one artifact.", "The statement was not made by chartflow.";
    StatementStage, "statement/stage", "Every statement is one that its stage makes.", "The statement was not made by chartflow.";
    SourceRepository, "source/repository", "Every statement is about the repository of the policy.", "The lineage belongs to another repository.";
    SourceChart, "source/chart", "Every statement is about one chart at one path, which the package names too.", "The lineage belongs to another chart.";
    LineageRoot, "lineage/root", "There is exactly one root.", "Fetch the .lineage.jsonl of this very release.";
    LineageMissingInput, "lineage/missing-input", "Every statement that another one rests on is in the file.", "A line was taken away: fetch the file again.";
    LineageMissingGate, "lineage/missing-gate", "Every gate that another statement rests on is in the file.", "A line was taken away: fetch the file again.";
    LineageExtra, "lineage/extra-statement", "No line is in the file that the root does not rest on.", "A line was added: fetch the file again.";
    LineageShape, "lineage/shape", "Each kind of statement is there exactly once, and one for every outside check of the policy.", "The release skipped a stage: do not use it.";
    LineageInputs, "lineage/inputs", "Each statement rests on exactly the statements its kind must rest on.", "The release skipped a stage: do not use it.";
    LineageEdge, "lineage/edge", "Contents are carried without a gap: checked, promoted, bumped, tagged and packaged are the same.", "Somebody exchanged the content between two stages: do not use this release.";
    LineageRange, "lineage/range", "The range begins where the release before ended, and holds what is counted.", "Commits were left out: do not use this release.";
    GateDecision, "gate/decision", "Every gate was passed.", "The train refused this content: do not use this release.";
    GatePolicy, "gate/policy", "The release gate holds the configuration it decided by.", "The statement was not made by chartflow.";
    GateResource, "gate/resource", "Every gate decided about this chart on its branch.", "The gate was passed by something else: do not use this release.";
    GateMissingCheck, "gate/missing-check", "Every check that the policy requires has passed, warnings aside.", "Ask the maintainers to run the check, or do not require it.";
    GateFailedCheck, "gate/failed-check", "No check has failed.", "The content is known to be bad: do not use this release.";
    GateStaleCheck, "gate/stale-check", "All checks ran beside the same base and dependencies, and none is older than it may be.", "Ask the maintainers to run the checks again and release anew.";
    BumpCommits, "bump/commits", "The version is derived from the commits that were promoted.", "Commits were left out or added: do not use this release.";
    BumpLevel, "bump/level", "The level follows from the commits.", "The version does not tell the truth about the changes.";
    BumpVersion, "bump/version", "The version follows from the level and goes up.", "The version does not tell the truth about the changes.";
    BumpContent, "bump/content", "The bump changes the version, the changelog and what follows from them, and nothing else.", "Something was slipped in with the version bump: do not use this release.";
    TagName, "tag/name", "The tag is named after chart and version as the policy says.", "Correct the template in the policy if your repository names tags otherwise.";
    ReviewCount, "review/count", "Enough people other than the author approved what was merged.", "The change was not reviewed as the policy demands.";
    ArtifactMalformed, "artifact/malformed", "The artifact can be read.", "The file is damaged: fetch it again.";
    ArtifactDigest, "artifact/digest", "The artifact is the one the lineage speaks about.", "Fetch package and lineage of the same release again.";
    ArtifactName, "artifact/name-version", "The chart's own name and version are those of the lineage.", "Fetch package and lineage of the same release again.";
    ArtifactContents, "artifact/contents", "The package holds exactly the tagged files and what packaging writes.", "Something was added to the package: do not use this release.";
    PackageSource, "package/source", "The package is built from the tagged content, at its version and commit.", "The package was built from something else: do not use this release.";
    PackageManifest, "package/manifest", "The OCI manifest is the one that follows from the package.", "The registry holds something else: pull by digest and compare.";
    PackageDependency, "package/dependency", "The package holds the dependencies that were checked.", "The package was built with other dependencies: do not use this release.";
    PolicyEpoch, "policy/epoch", "An epoch of the policy had begun when the release was made.", "Correct the policy's epochs, or do not use this release.";
    PolicyRevoked, "policy/revoked", "The release is not revoked.", "Use another version.";
    RepoMissing, "repo/missing", "The repository holds the commits and tags that the lineage names.", "Fetch the repository's branches and tags; a shallow clone may lack them.";
    RepoTree, "repo/tree", "The contents are what the repository holds at the commits named.", "The repository was rewritten, or it is another one.";
    RepoRange, "repo/range", "Every commit of the range that touches the chart was counted.", "Commits were left out: do not use this release.";
    RepoPrevious, "repo/previous", "The range follows the previous release without a gap.", "Commits were left out: do not use this release.";
    RepoTag, "repo/tag", "The tag is annotated, names the commit that was attested, and was not moved.", "The tag was replaced: do not use what it names.";
    RepoReachable, "repo/reachable", "The tagged commit is on main and the first there with this content.", "The tag does not come from main: do not use this release.";
    RepoRebuild, "repo/rebuild", "The package built again from the tagged content is the same.", "The package was built from something else: do not use this release.";
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_of_one_form() {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert!(ids.iter().all(|id| id.split('/').count() == 2 && id.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '/' | '-'))), "{ids:?}");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
        assert!(Rule::ALL.iter().zip(RULES).all(|(rule, explanation)| rule.explanation() == *explanation));
    }
}
