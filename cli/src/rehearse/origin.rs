//! What is rehearsed: the commits that were named, checked before anything is written.

use std::path::Path;

use chartflow_core::domain::branch::{Names, nested};
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, ReadConfiguration};
use chartflow_core::domain::detection::Globs;
use chartflow_core::domain::digest::{CommitId, ObjectFormat};
use chartflow_core::domain::names::BranchName;
use chartflow_core::flow::adoption::rides;
use chartflow_core::flow::detect::{DetectError, named};
use chartflow_core::io::git::{LocalRepository, Remotes};
use chartflow_core::port::objects::{ObjectError, Objects};
use chartflow_sandbox::rehearsal::{Found, Head, Origin, Standing, fetch_of, found};

use super::preflight;
use crate::configuration::{configuration, usable};
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// Directories are searched this deep for charts.
const DEPTH_LIMIT: usize = 6;

pub(super) async fn origin(path: &Path, base: Option<&str>, heads: &[String], output: &Output) -> Result<Origin, CommandError> {
    if !path.is_dir() {
        return Err(
            CommandError::new(Kind::Request, format!("{} is no directory", path.display())).hint("name the top of a git repository, or a directory of charts")
        );
    }
    if !(path.join(".git").exists() || path.join("HEAD").is_file() && path.join("objects").is_dir()) {
        return directory(path);
    }
    let repository = LocalRepository::open(path)?;
    if repository.object_format() != ObjectFormat::Sha1 {
        let message = format!("{} has SHA-256 ids; GitHub, and so a rehearsal, knows repositories with SHA-1 ids alone", path.display());
        return Err(CommandError::new(Kind::Request, message).hint("`chartflow detect`, `package` and `lint` work there"));
    }
    let given = if heads.is_empty() { vec!["HEAD".to_owned()] } else { heads.to_owned() };
    let commits = given.iter().map(|name| repository.resolve(name)).collect::<Result<Vec<_>, _>>()?;
    let base = match (base, commits.first()) {
        (Some(base), _) => repository.resolve(base)?,
        // Only the name of the main branch comes from the contribution.
        (None, Some(head)) => {
            let main = configuration(&repository, head)?.unwrap_or_default().configuration.branches.main;
            repository.resolve(main.as_str()).map_err(|error| CommandError::from(error).hint("--base REF names another branch to start main at"))?
        }
        (None, None) => repository.resolve("HEAD")?,
    };
    let read = configuration(&repository, &base)?;
    let root = repository.commit(&base).await.map_err(objects)?.tree;
    let configured = rides(&repository, &root).await.map_err(|error| CommandError::of(Kind::Request, error))?;
    let read = read.unwrap_or_default();
    let (names, globs) = usable(&read)?;
    tiers(&repository, &base, &names, configured, output).await?;
    let configuration = read.configuration;
    for finding in preflight::findings(&repository, &configuration) {
        let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        output.notice(&format!("{finding}{hint} ({})", finding.rule));
    }
    for check in configuration.checks.outside.keys() {
        output.notice(&format!("the outside check {check:?} is left out: here nobody brings its result"));
    }
    let mut found: Vec<Head> = Vec::new();
    for (name, commit) in given.iter().zip(commits) {
        if let Some(same) = found.iter().find(|head| head.commit == commit) {
            return Err(
                CommandError::new(Kind::Request, format!("--head {name} is the commit of {} once more", same.branch)).hint("name each contribution once")
            );
        }
        related(&repository, &base, &commit, name, &globs).await?;
        let title = repository.commit(&commit).await.map_err(objects)?.message.lines().next().unwrap_or_default().to_owned();
        let branch = branch(&repository, &names, &found, name)?;
        found.push(Head { branch, title, commit });
    }
    Ok(Origin::Repository { git_directory: repository.git_directory(), base, heads: found })
}

/// A clone brings the train's branches as its remote's, and its other refs not at all.
async fn tiers(repository: &LocalRepository, base: &CommitId, names: &Names, configured: bool, output: &Output) -> Result<(), CommandError> {
    let references = repository.references()?;
    let remotes = repository.remotes(names.main().as_str());
    let found = found(repository, base, &references, names, &remotes).await;
    let Found { standing, trains, others } = found.map_err(|error| CommandError::of(Kind::Request, error))?;
    match standing {
        Standing::Aboard => {}
        Standing::Outside => {
            if let Some(remote) = others.first() {
                let [integration, release] = [names.integration(), names.release()];
                output.notice(&format!(
                    "{integration} and {release} of {remote} are taken for somebody's own: no file of the train was found on {integration}, nor on the commit that is taken for {}; the rehearsal makes branches of its own",
                    names.main()
                ));
            } else if let Some((remote, others)) = trains.split_first().filter(|_| configured) {
                let others = if others.is_empty() { String::new() } else { format!("; {} has them too", others.join(", ")) };
                let fetch = fetch_of(remote, &[names.integration().clone(), names.release().clone()]);
                output.notice(&format!(
                    "the rehearsal makes branches of its own; to begin with those of {remote}, run `{fetch} '+refs/chartflow/*:refs/chartflow/*'` before{others}"
                ));
            }
        }
        Standing::Remote { branches, remote } => {
            output.notice(&format!("{} taken as {remote} had {} at the last `git fetch`", are(&branches), them(&branches)));
        }
        Standing::Lacking { branches } => {
            let several = if trains.len() > 1 { format!(", and more than one remote has {}: {}", them(&branches), trains.join(", ")) } else { String::new() };
            let message = format!("the repository rides the train, but {} not here{several}", are(&branches));
            return Err(CommandError::new(Kind::Request, message).hint(bring(&branches, &trains, &remotes)));
        }
    }
    Ok(())
}

/// How branches come here that no remote is known to have, or several.
fn bring(branches: &[BranchName], trains: &[String], remotes: &Remotes) -> String {
    let them = them(branches);
    if let [first, _, ..] = trains {
        return format!("fetch {them} from the one that is meant, such as `{}`", fetch_of(first, branches));
    }
    let origin = || remotes.names.iter().find(|name| *name == "origin").or(remotes.names.first());
    let command = remotes.followed.as_ref().or_else(origin).map(|remote| format!(" with `{}`", fetch_of(remote, branches)));
    format!("fetch {them}{}, or make {them} as `chartflow init` says", command.unwrap_or_default())
}

/// `the branch release is`, `the branches integration and release are`.
fn are(branches: &[BranchName]) -> String {
    let listed = branches.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    if branches.len() == 1 { format!("the branch {listed} is") } else { format!("the branches {listed} are") }
}

const fn them(branches: &[BranchName]) -> &'static str {
    if branches.len() == 1 { "it" } else { "them" }
}

fn objects(source: ObjectError) -> CommandError {
    DetectError::Objects { source }.into()
}

/// A plain directory, which must hold a chart somewhere.
fn directory(path: &Path) -> Result<Origin, CommandError> {
    let shown = path.display();
    let failed =
        |error: std::io::Error| CommandError::new(Kind::Request, format!("{shown} cannot be read")).because(error).hint("name a directory that you may read");
    let absolute = std::path::absolute(path).map_err(failed)?;
    match std::fs::read(absolute.join(CONFIGURATION_FILE)) {
        Ok(bytes) => drop(usable(&ReadConfiguration::read(&bytes)?)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    if holds_chart(&absolute, 0) {
        return Ok(Origin::Directory { path: absolute });
    }
    Err(if absolute.join("Chart.yaml").is_file() {
        CommandError::new(Kind::Request, format!("{shown} is itself a chart")).hint("name the directory that it lies in")
    } else {
        CommandError::new(Kind::Request, format!("{shown} holds no chart")).hint("name a directory of charts, or the top of a git repository")
    })
}

/// Whether a chart lies below a directory; names that begin with a dot aside. What cannot be read, git will tell.
fn holds_chart(directory: &Path, depth: usize) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return false };
    let below = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && !entry.file_name().to_string_lossy().starts_with('.'));
    below.map(|entry| entry.path()).any(|path| path.join("Chart.yaml").is_file() || depth < DEPTH_LIMIT && holds_chart(&path, depth + 1))
}

/// A contribution starts from a commit of main, and brings no chart that nothing can name.
async fn related(repository: &LocalRepository, base: &CommitId, head: &CommitId, name: &str, globs: &Globs) -> Result<(), CommandError> {
    let Some(start) = repository.merge_base(base, head).await.map_err(objects)? else {
        let message = format!("{name} and the base {} have no history in common", base.short());
        return Err(CommandError::new(Kind::Request, message).hint("a contribution starts from a commit of main; --base and --head name others"));
    };
    let (before, after) = (repository.commit(&start).await.map_err(objects)?.tree, repository.commit(head).await.map_err(objects)?.tree);
    Ok(named(repository, &before, &after, globs).await?)
}

/// The name the contribution's branch gets: that of the user's own branch, unless it is none or the train needs the name.
fn branch(repository: &LocalRepository, names: &Names, others: &[Head], given: &str) -> Result<String, CommandError> {
    let short = given.strip_prefix("refs/heads/").unwrap_or(given);
    let current = repository.head_branch().filter(|_| short == "HEAD");
    let short = current.as_deref().unwrap_or(short);
    let references = repository.references()?;
    let local = references.iter().any(|(name, _)| name.strip_prefix("refs/heads/") == Some(short));
    // `origin/feature`, and a `feature` that only a remote has.
    let remote = references.iter().filter_map(|(name, _)| name.strip_prefix("refs/remotes/")).find_map(|name| {
        let (_, branch) = name.split_once('/')?;
        (name == short || branch == short).then(|| branch.to_owned())
    });
    let name = if local { Some(short.to_owned()) } else { remote };
    let free = |name: &String| BranchName::new(name.as_str()).is_ok() && !names.reserves(name) && !others.iter().any(|other| nested(&other.branch, name));
    let numbered = || (others.len() + 1..).map(|number| format!("contribution-{number}")).find(free);
    Ok(name.filter(free).or_else(numbered).unwrap_or_else(|| "contribution".to_owned()))
}
