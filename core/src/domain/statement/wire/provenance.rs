//! Rows 4 and 7: `https://slsa.dev/provenance/v1`.
//!
//! External parameters are what decided the result, internal ones what lets a verifier repeat it, and the one resolved
//! dependency that is always there is the content it was made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::predicate::{Build, BuildDependency, Bump, ChartEdits, CommitRecord, Member, Omitted, Predicate, TreeFile, Witness};
use super::{Descriptor, DigestSet, HELM_PACKAGE, VERSION_BUMP, decode_bytes, encode_bytes, invalid, read, written};
use crate::domain::digest::Sha256;
use crate::domain::statement::{Source, StatementError};
use crate::domain::tree::Mode;
use crate::domain::version::Level;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Provenance {
    build_definition: Definition,
    run_details: RunDetails,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Definition {
    build_type: String,
    external_parameters: Value,
    internal_parameters: Value,
    resolved_dependencies: Vec<Descriptor>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunDetails {
    builder: Builder,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Builder {
    id: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BumpParameters {
    chart: String,
    from: Option<String>,
    to: String,
    level: Level,
    versions: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BumpInternals {
    commits: Vec<CommitRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    omitted: Option<Omitted>,
    date: i64,
    edits: ChartEdits,
    witness: WireWitness,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireWitness {
    before: String,
    after: String,
    chart_yaml: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requirements_yaml: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lock_before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chart_lock: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changelog_entry: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildParameters {
    chart: String,
    version: String,
    source: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildInternals {
    epoch: i64,
    /// `<mode> <blob id>` by path.
    files: BTreeMap<String, String>,
    /// The digest by name; `=` before it marks a member that is unchanged.
    members: BTreeMap<String, String>,
    dependencies: Vec<BuildDependency>,
}

fn definition(build_type: &str, external: Value, internal: Value, resolved: Vec<Descriptor>, builder: &str) -> Value {
    written(&Provenance {
        build_definition: Definition {
            build_type: build_type.to_owned(),
            external_parameters: external,
            internal_parameters: internal,
            resolved_dependencies: resolved,
        },
        run_details: RunDetails { builder: Builder { id: builder.to_owned() } },
    })
}

pub(super) fn encode_bump(bump: &Bump, source: &Source) -> Value {
    let external = BumpParameters {
        chart: source.chart.to_string(),
        from: bump.from.clone(),
        to: bump.to.clone(),
        level: bump.level,
        versions: bump.versions.clone(),
        floor: bump.floor.clone(),
    };
    let internal = BumpInternals {
        commits: bump.commits.clone(),
        omitted: bump.omitted.clone(),
        date: bump.date,
        edits: bump.edits.clone(),
        witness: WireWitness {
            before: encode_bytes(&bump.witness.before),
            after: encode_bytes(&bump.witness.after),
            chart_yaml: encode_bytes(&bump.witness.chart_yaml),
            requirements_yaml: bump.witness.requirements_yaml.as_deref().map(encode_bytes),
            lock_before: bump.witness.lock_before.as_deref().map(encode_bytes),
            chart_lock: bump.witness.chart_lock.as_deref().map(encode_bytes),
            changelog_entry: bump.witness.changelog_entry.clone(),
        },
    };
    definition(VERSION_BUMP, written(&external), written(&internal), vec![Descriptor::content(&source.path, &bump.before)], &bump.builder)
}

fn source_uri(source: &Source) -> String {
    format!("git+{}/{}#{}", source.server, source.repository, source.path)
}

pub(super) fn encode_build(build: &Build, source: &Source) -> Value {
    let external = BuildParameters { chart: source.chart.to_string(), version: build.version.clone(), source: source_uri(source) };
    let internal = BuildInternals {
        epoch: build.epoch,
        files: build.files.iter().map(|(path, file)| (path.clone(), format!("{} {}", file.mode.padded(), file.blob))).collect(),
        members: build.members.iter().map(|(name, member)| (name.clone(), format!("{}{}", if member.unchanged { "=" } else { "" }, member.sha256))).collect(),
        dependencies: build.dependencies.clone(),
    };
    let commit = Descriptor {
        uri: Some(format!("git+{}/{}", source.server, source.repository)),
        digest: DigestSet { git_commit: Some(build.commit.to_string()), ..DigestSet::default() },
        ..Descriptor::default()
    };
    definition(HELM_PACKAGE, written(&external), written(&internal), vec![Descriptor::content(&source.path, &build.content), commit], &build.builder)
}

pub(super) fn decode(value: Value, source: &Source) -> Result<Predicate, StatementError> {
    let wire: Provenance = read("the predicate", value)?;
    let builder = wire.run_details.builder.id;
    match wire.build_definition.build_type.as_str() {
        VERSION_BUMP => decode_bump(wire.build_definition, builder, source).map(Predicate::Bump),
        HELM_PACKAGE => decode_build(wire.build_definition, builder, source).map(Predicate::Build),
        other => Err(StatementError::PredicateType { value: other.to_owned() }),
    }
}

/// The content a bump or build started from; it stands at the statement's own path.
fn material(descriptor: &Descriptor, source: &Source) -> Result<crate::domain::content::ContentId, StatementError> {
    let (path, id) = descriptor.to_content("the material")?;
    if path != source.path {
        return Err(invalid("the material", "is of another path than the source"));
    }
    Ok(id)
}

fn decode_bump(wire: Definition, builder: String, source: &Source) -> Result<Bump, StatementError> {
    let external: BumpParameters = read("the external parameters", wire.external_parameters)?;
    let internal: BumpInternals = read("the internal parameters", wire.internal_parameters)?;
    if external.chart != source.chart.as_str() {
        return Err(invalid("the chart", "is another than the source's"));
    }
    let [before] = wire.resolved_dependencies.as_slice() else {
        return Err(invalid("the list of materials", "is not the content before alone"));
    };
    let witness = internal.witness;
    let optional = |text: &Option<String>| text.as_deref().map(|text| decode_bytes("the witness", text)).transpose();
    Ok(Bump {
        builder,
        before: material(before, source)?,
        from: external.from,
        to: external.to,
        level: external.level,
        versions: external.versions,
        floor: external.floor,
        commits: internal.commits,
        omitted: internal.omitted,
        date: internal.date,
        edits: internal.edits,
        witness: Witness {
            before: decode_bytes("the witness", &witness.before)?,
            after: decode_bytes("the witness", &witness.after)?,
            chart_yaml: decode_bytes("the witness", &witness.chart_yaml)?,
            requirements_yaml: optional(&witness.requirements_yaml)?,
            lock_before: optional(&witness.lock_before)?,
            chart_lock: optional(&witness.chart_lock)?,
            changelog_entry: witness.changelog_entry,
        },
    })
}

fn decode_file(path: &str, text: &str) -> Result<TreeFile, StatementError> {
    let bad = || invalid("the file list", format!("has an unusable entry for {path:?}"));
    let (mode, blob) = text.split_once(' ').ok_or_else(bad)?;
    let mode = Mode::parse(mode).filter(|parsed| matches!(parsed, Mode::File | Mode::Executable | Mode::Symlink) && parsed.padded() == mode).ok_or_else(bad)?;
    Ok(TreeFile { mode, blob: blob.parse().map_err(|_| bad())? })
}

fn decode_member(name: &str, text: &str) -> Result<Member, StatementError> {
    let (unchanged, digits) = text.strip_prefix('=').map_or((false, text), |rest| (true, rest));
    let sha256: Sha256 = digits.parse().map_err(|_| invalid("the member list", format!("has an unusable entry for {name:?}")))?;
    Ok(Member { sha256, unchanged })
}

fn decode_build(wire: Definition, builder: String, source: &Source) -> Result<Build, StatementError> {
    let external: BuildParameters = read("the external parameters", wire.external_parameters)?;
    let internal: BuildInternals = read("the internal parameters", wire.internal_parameters)?;
    if external.chart != source.chart.as_str() || external.source != source_uri(source) {
        return Err(invalid("the chart", "is another than the source's"));
    }
    let [content, commit] = wire.resolved_dependencies.as_slice() else {
        return Err(invalid("the list of materials", "is not the content and its commit alone"));
    };
    let commit = match &commit.digest {
        DigestSet { sha256: None, git_tree: None, git_commit: Some(id) } => id.parse().map_err(|_| invalid("the material", "has no commit id"))?,
        _ => return Err(invalid("the material", "has no commit id")),
    };
    let files = internal.files.iter().map(|(path, text)| Ok((path.clone(), decode_file(path, text)?))).collect::<Result<_, StatementError>>()?;
    let members = internal.members.iter().map(|(name, text)| Ok((name.clone(), decode_member(name, text)?))).collect::<Result<_, StatementError>>()?;
    Ok(Build {
        builder,
        content: material(content, source)?,
        commit,
        version: external.version,
        files,
        members,
        dependencies: internal.dependencies,
        epoch: internal.epoch,
    })
}
