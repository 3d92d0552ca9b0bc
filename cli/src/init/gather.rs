//! What `chartflow init` finds in the repository.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chartflow_core::domain::adoption::{Carried, Object, Tool, baseline, configuration, empty_release, releaser, remote_repository};
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, Configuration, Profile};
use chartflow_core::domain::detection::Globs;
use chartflow_core::domain::digest::{CommitId, TreeId};
use chartflow_core::domain::names::{BranchName, RemoteName, RepositoryName};
use chartflow_core::domain::ruleset::{Mode, Tiers};
use chartflow_core::domain::workflow::{self, File};
use chartflow_core::flow::adoption;
use chartflow_core::flow::listing::{file, listing};
use chartflow_core::io::git::{LocalRepository, ready};
use chartflow_core::plan::init::{Facts, ReleaseStart, Worker};
use chartflow_core::port::objects::Objects;

use super::{Arguments, checked, notices};
use crate::error::{CommandError, Kind, file_kind};
use crate::output::Output;

/// A longer file is not one of these.
pub(super) const LIMIT: usize = 1 << 20;
/// Where the configurations of former tools are looked for.
const FOLDERS: [&str; 4] = ["", ".github", ".github/configs", ".github/config"];
/// Where GitHub looks for code owners, in this order (GitHub documentation, "About code owners").
const OWNERS: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/// The branches from which charts are usually served.
const SERVED: [&str; 3] = ["gh-pages", "charts", "pages"];
/// The commit of the actions that this program was released with.
const RELEASED_WITH: Option<&str> = option_env!("CHARTFLOW_ACTIONS_COMMIT");

/// The facts, and what it takes to apply a plan.
pub(super) struct Gathered {
    pub(super) facts: Facts,
    pub(super) repository: LocalRepository,
    pub(super) work_tree: PathBuf,
    pub(super) objects: Vec<Object>,
}

pub(super) fn gather(arguments: &Arguments, output: &Output) -> Result<Gathered, CommandError> {
    let repository = LocalRepository::open(&arguments.path)?;
    let work_tree = repository.work_tree().ok_or_else(|| {
        CommandError::new(Kind::Request, format!("{} is a bare repository, and files are to be written", arguments.path.display())).hint("name a work tree")
    })?;
    let references: BTreeMap<String, String> = repository.references()?.into_iter().collect();
    let mut carried = former(arguments, &work_tree)?;
    let present = read(&work_tree.join(CONFIGURATION_FILE))?;
    let configured = present.as_deref().map(checked::present).transpose()?;
    let remote = arguments.remote.clone().or_else(|| carried.remote.clone()).map_or_else(origin, Ok)?;
    if configured.is_none() {
        other_main(&repository, &references, &remote, &mut carried, output);
    }
    let main = configured.as_ref().map(|configuration| &configuration.branches.main).or(carried.main.as_ref());
    let main = main.cloned().unwrap_or_else(|| Configuration::default().branches.main);
    let tip = tip(&repository, &references, &remote, &main)?;
    let commit = now(repository.commit(&tip))?.map_err(|source| CommandError::of(Kind::Request, source))?;
    let (configuration, text) = match configured {
        Some(configuration) => (configuration, None),
        None => proposed(arguments, &repository, &commit.tree, &carried)?,
    };
    let options = options(arguments, &configuration)?;
    for notice in notices::notices(&repository, &commit.tree, &configuration)? {
        output.notice(&notice);
    }
    let mut wanted = if arguments.reusable { workflow::callers(&options) } else { workflow::workflows(&options) };
    wanted.extend(text.map(|text| File { path: CONFIGURATION_FILE.to_owned(), text }));
    let made = made(&repository, &commit.tree, commit.committed, &configuration, &references, &remote)?;
    let address = repository.remote_url(remote.as_str()).and_then(|url| remote_repository(&url));
    let (server, name) = address.map_or_else(|| ("https://github.com".to_owned(), None), |(server, name)| (server, Some(name)));
    let integration = references.get(&format!("refs/remotes/{remote}/{}", configuration.branches.integration));
    let integration_rides = integration.map(|id| now(adoption::rides_at(&repository, id))).transpose()?.flatten();
    let main_runs = now(adoption::runs(&repository, &commit.tree))?.map_err(|error| CommandError::of(Kind::Request, error))?;
    let facts = Facts {
        worker: if arguments.workflow_token { Worker::WorkflowToken } else { Worker::App { id: arguments.app_id } },
        signing_key: options.signing_key,
        server,
        repository: arguments.repository.clone().or(name),
        remote,
        main,
        integration: configuration.branches.integration.clone(),
        release: configuration.branches.release.clone(),
        environment: configuration.environment.clone(),
        on_main: on_main(&repository, &commit.tree, &wanted)?,
        main_runs,
        integration_rides,
        present: files(&work_tree, &wanted)?,
        wanted,
        owners: owners(&work_tree)?,
        owner: owner(arguments)?,
        references,
        baseline: made.baseline,
        release_start: made.release,
        former: releasing(&work_tree)?,
        notes: carried.notes,
    };
    Ok(Gathered { facts, repository, work_tree, objects: made.objects })
}

/// What git itself calls the repository that a clone was made from.
fn origin() -> Result<RemoteName, CommandError> {
    "origin".parse().map_err(|error| CommandError::of(Kind::Bug, error))
}

pub(super) fn now<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    ready(future).ok_or_else(|| CommandError::new(Kind::Bug, "reading a local repository had to wait"))
}

/// A file's bytes; `None` when there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(CommandError::new(file_kind(&error), format!("{} cannot be read", path.display())).because(error)),
    }
}

fn files(work_tree: &Path, wanted: &[File]) -> Result<BTreeMap<String, Vec<u8>>, CommandError> {
    let mut present = BTreeMap::new();
    for File { path, .. } in wanted {
        if let Some(bytes) = read(&work_tree.join(path))? {
            present.insert(path.clone(), bytes);
        }
    }
    Ok(present)
}

/// What the files of former tools say.
fn former(arguments: &Arguments, work_tree: &Path) -> Result<Carried, CommandError> {
    let mut carried = Carried::default();
    for (tool, named, usual) in [(Tool::ChartTesting, &arguments.ct, "ct"), (Tool::ChartReleaser, &arguments.cr, "cr")] {
        let places = FOLDERS.iter().flat_map(|folder| ["yaml", "yml"].map(|end| Path::new(folder).join(format!("{usual}.{end}"))));
        let mut places: Vec<(PathBuf, PathBuf)> = places.map(|path| (work_tree.join(&path), path)).collect();
        if let Some(named) = named {
            places = vec![(named.clone(), named.clone())];
        }
        for (path, shown) in places {
            if let Some(bytes) = read(&path)? {
                carried
                    .read(tool, &shown.to_string_lossy(), &bytes)
                    .map_err(|error| CommandError::of(Kind::Request, error).hint("mend the file, or name another with --ct or --cr"))?;
                break;
            }
            if named.is_some() {
                return Err(CommandError::new(Kind::Request, format!("{} does not exist", path.display()))
                    .hint("name the tool's configuration, or leave the option out"));
            }
        }
    }
    Ok(carried)
}

/// A repository that has no branch main, and whose branch goes by another name.
fn other_main(repository: &LocalRepository, references: &BTreeMap<String, String>, remote: &RemoteName, carried: &mut Carried, output: &Output) {
    let there = ["refs/heads/main".to_owned(), format!("refs/remotes/{remote}/main")].iter().any(|name| references.contains_key(name));
    if there || carried.main.is_some() {
        return;
    }
    if let Some(branch) = repository.head_branch().and_then(|branch| branch.parse::<BranchName>().ok()) {
        output.notice(&format!("there is no branch main; {branch} is taken as the main branch, which must be the default branch"));
        carried.main = Some(branch);
    }
}

/// Main's newest commit, as the remote has it where it is known.
fn tip(repository: &LocalRepository, references: &BTreeMap<String, String>, remote: &RemoteName, main: &BranchName) -> Result<CommitId, CommandError> {
    let known = references.get(&format!("refs/remotes/{remote}/{main}")).and_then(|id| CommitId::new(id.clone()).ok());
    match known {
        Some(tip) => Ok(tip),
        None => Ok(repository.resolve(main.as_str())?),
    }
}

/// The configuration that a repository without one gets.
fn proposed(arguments: &Arguments, repository: &LocalRepository, root: &TreeId, carried: &Carried) -> Result<(Configuration, Option<String>), CommandError> {
    let globs = if carried.charts.is_empty() {
        now(adoption::globs(repository, std::slice::from_ref(root), &Configuration::default().charts))?
            .map_err(|error| CommandError::of(Kind::Request, error))?
            .globs
    } else {
        carried.charts.clone()
    };
    let called = if arguments.reusable { Some(called(arguments)?) } else { None };
    let text = configuration(&globs, carried, arguments.signing_key, called.as_ref());
    Ok((checked::proposed(&text, carried)?, Some(text)))
}

fn options(arguments: &Arguments, configuration: &Configuration) -> Result<workflow::Options, CommandError> {
    let signing_key = configuration.profile == Some(Profile::Key);
    if arguments.signing_key && !signing_key {
        return Err(CommandError::new(Kind::Request, format!("{CONFIGURATION_FILE} does not say that a key signs")).hint("write `profile: key` into it"));
    }
    if arguments.reusable && configuration.environment.as_str() != workflow::ENVIRONMENT {
        let message = format!("chartflow's own workflows run in the environment {}, and {CONFIGURATION_FILE} names another", workflow::ENVIRONMENT);
        return Err(CommandError::new(Kind::Request, message).hint(format!("take `environment: {}` out of it", configuration.environment)));
    }
    let called = called(arguments)?;
    match (arguments.reusable, &configuration.reusable_workflows) {
        (true, named) if *named != Some(called.clone()) => {
            let message = format!("{CONFIGURATION_FILE} does not say that the workflows of {called} sign");
            return Err(CommandError::new(Kind::Request, message).hint(format!("write `reusable-workflows: {called}` into it")));
        }
        (false, Some(named)) => {
            let message = format!("{CONFIGURATION_FILE} says that the workflows of {named} sign");
            return Err(CommandError::new(Kind::Request, message).hint("say --reusable, or take `reusable-workflows` out of it"));
        }
        _ => {}
    }
    let mode = if arguments.workflow_token { Mode::WorkflowToken } else { Mode::App { id: arguments.app_id.unwrap_or_default() } };
    // The commit of chartflow's own release says nothing about a copy.
    let released_with = RELEASED_WITH.filter(|_| arguments.actions_repository.is_none());
    let version = version(arguments.actions_ref.as_deref(), released_with)?;
    let actions = arguments.actions_repository.as_ref().map_or_else(|| workflow::ACTIONS.to_owned(), |name| format!("{name}/actions"));
    let environment = configuration.environment.clone();
    Ok(workflow::Options { environment, signing_key, actions, version, ..workflow::Options::new(Tiers::from(configuration), mode) })
}

/// The repository whose reusable workflows are called: the one of the actions.
fn called(arguments: &Arguments) -> Result<RepositoryName, CommandError> {
    let own = || workflow::ACTIONS.trim_end_matches("/actions").parse::<RepositoryName>();
    arguments.actions_repository.clone().map_or_else(own, Ok).map_err(|error| CommandError::of(Kind::Bug, error))
}

/// What stands behind the `@` of the actions.
fn version(asked: Option<&str>, released_with: Option<&str>) -> Result<String, CommandError> {
    match (asked, released_with) {
        (Some(asked), _) => {
            let hint = "--actions-ref takes a tag such as v1, or a commit";
            let name = asked.parse::<BranchName>().map_err(|error| CommandError::of(Kind::Request, error).hint(hint))?;
            // It is written into `uses:`, where quotes, braces and the like mean something.
            if !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/+".contains(&byte)) {
                return Err(CommandError::new(Kind::Request, format!("{asked:?} is no version of the actions")).hint(hint));
            }
            Ok(name.to_string())
        }
        (None, Some(commit)) => Ok(format!("{commit} # v{}", env!("CARGO_PKG_VERSION"))),
        (None, None) => Ok(workflow::VERSION.to_owned()),
    }
}

fn owner(arguments: &Arguments) -> Result<Option<String>, CommandError> {
    let Some(owner) = &arguments.owner else { return Ok(None) };
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let parts: Option<Vec<&str>> = owner.strip_prefix('@').map(|name| name.split('/').collect());
    match parts {
        Some(parts) if parts.len() <= 2 && parts.iter().all(|one| part(one)) => Ok(Some(owner.clone())),
        _ => Err(CommandError::new(Kind::Request, format!("{owner:?} names no owner")).hint("write @LOGIN or @ORGANISATION/TEAM")),
    }
}

/// The objects of the baseline, and where release starts.
struct Made {
    baseline: CommitId,
    release: ReleaseStart,
    objects: Vec<Object>,
}

fn made(
    repository: &LocalRepository,
    root: &TreeId,
    seconds: i64,
    configuration: &Configuration,
    references: &BTreeMap<String, String>,
    remote: &RemoteName,
) -> Result<Made, CommandError> {
    let wrong = |error: chartflow_core::flow::FlowError| CommandError::of(Kind::Request, error);
    let charts = now(listing(repository, root, &Globs::new(&configuration.charts)?))?.map_err(wrong)?;
    let format = repository.object_format();
    let made = baseline(&charts, seconds, format).map_err(|error| CommandError::of(Kind::Bug, error))?;
    let mut objects = made.objects;
    let there = |branch: &str| references.contains_key(&format!("refs/remotes/{remote}/{branch}"));
    let release = if there(configuration.branches.release.as_str()) {
        ReleaseStart::Exists
    } else if let Some(name) = SERVED.into_iter().find(|name| there(name)) {
        ReleaseStart::Branch { name: name.to_owned() }
    } else {
        let empty = empty_release(seconds, format).map_err(|error| CommandError::of(Kind::Bug, error))?;
        objects.extend(empty.objects);
        ReleaseStart::Empty { commit: empty.commit }
    };
    Ok(Made { baseline: made.commit, release, objects })
}

/// Whether main holds every file as it should be.
fn on_main(repository: &LocalRepository, root: &TreeId, wanted: &[File]) -> Result<bool, CommandError> {
    for File { path, text } in wanted {
        let held = now(file(repository, root, path, LIMIT))?.map_err(|error| CommandError::of(Kind::Request, error))?;
        if held.as_deref() != Some(text.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(now(file(repository, root, CONFIGURATION_FILE, LIMIT))?.map_err(|error| CommandError::of(Kind::Request, error))?.is_some())
}

fn owners(work_tree: &Path) -> Result<Option<(String, String)>, CommandError> {
    for path in OWNERS {
        if let Some(bytes) = read(&work_tree.join(path))? {
            return Ok(Some((path.to_owned(), String::from_utf8_lossy(&bytes).into_owned())));
        }
    }
    Ok(None)
}

/// The workflow files that release charts with another tool.
fn releasing(work_tree: &Path) -> Result<Vec<(String, String)>, CommandError> {
    let folder = work_tree.join(".github/workflows");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let workflow = [".yml", ".yaml"].iter().any(|end| name.ends_with(end)) && !name.starts_with("chartflow-");
        let text = if workflow { read(&entry.path())?.unwrap_or_default() } else { Vec::new() };
        if let Some(tool) = releaser(&String::from_utf8_lossy(&text)) {
            found.push((format!(".github/workflows/{name}"), tool.to_owned()));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_pins_its_own_actions() {
        let commit = "d23441a48e516b6c34aea4fa41551a30e30af803";
        let check = |asked, released| version(asked, released).unwrap_or_else(|_| "refused".to_owned());
        assert_eq!(check(None, Some(commit)), format!("{commit} # v{}", env!("CARGO_PKG_VERSION")));
        assert_eq!(check(None, None), "v1");
        assert_eq!(check(Some("v1.2.3"), Some(commit)), "v1.2.3");
        for bad in ["a b", "v1${{github.head_ref}}", "v1\u{2028}x", "v1'", "-v1"] {
            assert_eq!(check(Some(bad), None), "refused", "{bad}");
        }
    }
}
