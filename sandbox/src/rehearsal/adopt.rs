//! Setting the stage: the embedded GitHub over the user's objects, adopted or continued, its rules, people and registry.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chartflow_core::domain::adoption::{EMPTY_INDEX, MESSAGE};
use chartflow_core::domain::branch::{Names, PUBLISHED, RELEASED};
use chartflow_core::domain::check::CheckId;
use chartflow_core::domain::configuration::{Configuration, ReadConfiguration};
use chartflow_core::domain::detection::Globs;
use chartflow_core::domain::digest::{CommitId, TreeId};
use chartflow_core::domain::names::{BranchName, RepositoryName};
use chartflow_core::domain::policy::{Policy, Repository, ReviewRules};
use chartflow_core::domain::ruleset::{Mode, Tiers};
use chartflow_core::domain::tree::Mode as EntryMode;
use chartflow_core::domain::workflow;
use chartflow_core::flow::FlowError;
use chartflow_core::flow::Home;
use chartflow_core::flow::adoption;
use chartflow_core::flow::listing::{file, listing};
use chartflow_core::flow::rulesets;
use chartflow_core::io::git::{LocalRepository, Remotes};
use chartflow_core::io::github::{OctocrabTransport, Options as GitHubOptions, Server as GitHubServer};
use chartflow_core::io::helm::HelmBinary;
use chartflow_core::io::secret::Secret;
use chartflow_core::io::signing::KeySigner;
use chartflow_core::port::github::GitHub;
use chartflow_core::port::helm::Helm;
use chartflow_core::port::objects::Objects;
use chartflow_core::port::transport::Method;
use serde_json::{Value, json};

use super::import;
use super::key;
use super::standing::{Standing, found, tiers_of};
use super::world::{ADMIN, APP, CONTRIBUTOR, REVIEWER, World, person};
use super::{Head, Options, Origin, Progress, RehearsalError};
use crate::github::actor::{Caller, Role, TokenKind};
use crate::github::persons::Person;
use crate::github::server::Server;
use crate::github::{Hub, HubOptions};
use crate::registry::RegistryServer;
use crate::registry::{Options as RegistryOptions, Registry};

pub(super) const OWNER: &str = "rehearsal";
pub(super) const NAME: &str = "charts";
pub(super) const CONFIGURATION: &str = ".chartflow.yaml";
/// A longer configuration is none.
const CONFIGURATION_LIMIT: usize = 1 << 20;
/// A notice names so many branches.
const NAMED: usize = 3;

/// What the rehearsal starts from.
struct Start {
    base: CommitId,
    heads: Vec<Head>,
    /// Every ref of the user's repository.
    references: Vec<(String, String)>,
    remotes: Remotes,
}

/// Builds the world.
pub(crate) async fn adopt(options: &Options, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<World, RehearsalError> {
    let borrowed = match &options.origin {
        Origin::Repository { git_directory, .. } => Some(git_directory.clone()),
        Origin::Directory { .. } => None,
    };
    let epoch = epoch(options).await?;
    let configured = configuration(options).await?;
    let names = Names::new(&configured);
    let mut hub_options = HubOptions { objects_from: borrowed.as_deref().map(objects_of), epoch, ..HubOptions::new(OWNER, NAME) };
    names.main().as_str().clone_into(&mut hub_options.settings.default_branch);
    let hub = Arc::new(Hub::create(&options.out, hub_options)?);
    hub.add_actor(person(ADMIN, 1, Role::Admin));
    hub.add_actor(person(CONTRIBUTOR, 2, Role::Write));
    hub.add_actor(person(REVIEWER, 3, Role::Maintain));
    let start = start(options, &names, &hub).await?;
    let objects = Arc::new(LocalRepository::open(hub.git_directory())?);
    let standing = found(&objects, &start.base, &start.references, &names, &start.remotes).await?.standing;
    let continued = standing != Standing::Outside;
    import(&hub, &start, &names, &standing)?;
    if !continued && let Some(text) = homonyms(&start, &names) {
        progress(Progress::Notice { text });
    }
    let administrator = hub.person(ADMIN).map_err(RehearsalError::person("the administrator has no account"))?;
    if !continued {
        establish(&administrator, &objects, &start, &configured, progress).await?;
    }
    let tip = hub.reference(&format!("refs/heads/{}", names.main())).map(|id| id.to_string()).unwrap_or_default();
    let root = objects.commit(&CommitId::new(tip).map_err(world("main's tip"))?).await?.tree;
    let configuration = file(&*objects, &root, CONFIGURATION, CONFIGURATION_LIMIT).await?.unwrap_or_default();
    let configuration = ReadConfiguration::read(&configuration).map_err(world("the configuration on main"))?;
    let tiers = Tiers::from(&configuration.configuration);
    drop(administrator);
    // The train talks to it as it would to GitHub: through octocrab, over HTTP.
    let server = Server::start(hub.clone(), 0).await.map_err(world("the embedded GitHub's port"))?;
    govern(&hub, &server, &tiers).await?;
    // What it works on lies where the next rehearsal clears up: one that is killed leaves nothing anywhere else.
    let helm = HelmBinary::find(std::env::var_os("PATH").as_deref()).in_directory(hub.git_directory().to_owned());
    let helm: Arc<dyn Helm> = Arc::new(helm);
    let skips = skips(&*helm, &configuration).await?;
    let signer = Arc::new(KeySigner::generate()?);
    if let Some(path) = &options.keep_key {
        key::write(path, &signer.to_pkcs8_pem()).map_err(RehearsalError::file(path, "writing the private key"))?;
    }
    let policy = policy(&configuration, &signer, &skips)?;
    let registry = Registry::open(&options.out.join("registry"), RegistryOptions::default()).map_err(world("the embedded registry"))?;
    let registry = RegistryServer::start(Arc::new(registry)).await.map_err(world("the embedded registry's port"))?;
    let known = known_lineages(&hub, &objects, &names).await?;
    // What happened so far is how the repository was set up, not an event of the train.
    let _ = hub.take_occurrences();
    let home = Home {
        server: "https://github.localhost".to_owned(),
        id: 1001,
        default_branch: names.main().clone(),
        builder: format!("https://github.localhost/{OWNER}/{NAME}/.github/workflows/chartflow.yml"),
        oci_prefix: format!("{}/{OWNER}/charts", registry.host()),
        skips,
        app: true,
    };
    Ok(World {
        hub,
        server,
        registry,
        objects,
        signer,
        policy: Arc::new(policy),
        helm,
        home,
        names,
        tiers,
        out: options.out.clone(),
        heads: start.heads.clone(),
        contributions: Vec::new(),
        unmerged: std::collections::BTreeMap::new(),
        base: start.base.to_string(),
        head_commits: start.heads.iter().map(|head| head.commit.to_string()).collect(),
        known,
        stages: Vec::new(),
        checks: Vec::new(),
        refused: Vec::new(),
        acted: std::collections::BTreeSet::new(),
    })
}

pub(super) fn world<E: std::error::Error + Send + Sync + 'static>(what: &str) -> impl FnOnce(E) -> RehearsalError {
    let what = what.to_owned();
    move |source| RehearsalError::World { what, source: Box::new(source) }
}

fn objects_of(git_directory: &Path) -> PathBuf {
    git_directory.join("objects")
}

/// What main's configuration will say: that of base, or of the directory that is imported.
async fn configuration(options: &Options) -> Result<Configuration, RehearsalError> {
    let bytes = match &options.origin {
        Origin::Repository { git_directory, base, .. } => {
            let repository = LocalRepository::open(git_directory)?;
            let root = repository.commit(base).await?.tree;
            file(&repository, &root, CONFIGURATION, CONFIGURATION_LIMIT).await?
        }
        Origin::Directory { path } => match std::fs::read(path.join(CONFIGURATION)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            read => Some(read.map_err(RehearsalError::file(path.join(CONFIGURATION), "reading"))?),
        },
    };
    Configuration::read(&bytes.unwrap_or_default()).map_err(world("the configuration on main"))
}

/// The rehearsal's clock starts at the newest commit of base and heads.
async fn epoch(options: &Options) -> Result<i64, RehearsalError> {
    let Origin::Repository { git_directory, base, heads } = &options.origin else { return Ok(1_767_225_600) };
    let repository = LocalRepository::open(git_directory)?;
    let mut newest = repository.commit(base).await?.committed;
    for head in heads {
        newest = newest.max(repository.commit(&head.commit).await?.committed);
    }
    Ok(newest)
}

async fn start(options: &Options, names: &Names, hub: &Hub) -> Result<Start, RehearsalError> {
    match &options.origin {
        Origin::Repository { git_directory, base, heads } => {
            let repository = LocalRepository::open(git_directory)?;
            let (references, remotes) = (repository.references()?, repository.remotes(names.main().as_str()));
            Ok(Start { base: base.clone(), heads: heads.clone(), references, remotes })
        }
        Origin::Directory { path } => {
            let (base, head) = import::directory(path, hub).await?;
            Ok(Start {
                base,
                heads: vec![Head { branch: "feature/import".to_owned(), title: "feat: import charts".to_owned(), commit: head }],
                references: Vec::new(),
                remotes: Remotes::default(),
            })
        }
    }
}

/// The refs the rehearsal begins with: all that the train knows when it continues, else main and the tags.
fn import(hub: &Hub, start: &Start, names: &Names, standing: &Standing) -> Result<(), RehearsalError> {
    let mut references: Vec<(String, String)> = start.references.iter().filter(|(name, _)| name.starts_with("refs/tags/")).cloned().collect();
    if *standing != Standing::Outside {
        references.extend(start.references.iter().filter(|(name, _)| name.starts_with("refs/chartflow/")).cloned());
        references.extend(tiers_of(&start.references, names, standing));
    }
    references.push((format!("refs/heads/{}", names.main()), start.base.to_string()));
    let ids = references.iter().filter_map(|(name, id)| Some((name.clone(), gix::ObjectId::from_hex(id.as_bytes()).ok()?))).collect::<Vec<_>>();
    Ok(hub.import_references(&ids)?)
}

/// What is told of the user's branches that are named as the train's are, in a repository that rides no train yet.
fn homonyms(start: &Start, names: &Names) -> Option<String> {
    let branches = start.references.iter().filter_map(|(name, _)| name.strip_prefix("refs/heads/"));
    let of_the_train = |branch: &&str| {
        let chart = || BranchName::new(*branch).is_ok_and(|branch| names.chart_of_branch(&branch).is_some());
        [names.integration(), names.release()].iter().any(|tier| tier.as_str() == *branch) || chart()
    };
    let found: Vec<&str> = branches.filter(of_the_train).collect();
    let told = match found.as_slice() {
        [] => return None,
        [one] => format!("your branch {one} is named as one of the train's"),
        many if many.len() <= NAMED => format!("your branches {} are named as the train's", many.join(", ")),
        many => format!(
            "your branches {} and {} more are named as the train's",
            many.iter().take(NAMED).copied().collect::<Vec<_>>().join(", "),
            many.len() - NAMED
        ),
    };
    Some(format!("{told}; the rehearsal makes its own and ignores what is there"))
}

/// Adoption, in the rehearsal only: one commit on main that touches no chart adds configuration and workflow files;
/// integration starts there, release as an orphan, and the markers hold the charts as they are.
async fn establish(
    administrator: &Person<'_>,
    objects: &LocalRepository,
    start: &Start,
    configured: &Configuration,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), RehearsalError> {
    let root = objects.commit(&start.base).await?.tree;
    let mut roots = vec![root.clone()];
    for head in &start.heads {
        roots.push(objects.commit(&head.commit).await?.tree);
    }
    let present = file(objects, &root, CONFIGURATION, CONFIGURATION_LIMIT).await?;
    let adoption::Found { globs, notice } = adoption::globs(objects, &roots, &configured.charts).await?;
    if let Some(notice) = notice {
        progress(Progress::Notice { text: notice.to_string() });
    }
    let names = Names::new(configured);
    let environment = configured.environment.clone();
    let options = workflow::Options { environment, signing_key: true, ..workflow::Options::new(Tiers::from(configured), Mode::App { id: APP }) };
    let mut files: Vec<Value> = workflow::workflows(&options).into_iter().map(|file| entry(&file.path, &file.text)).collect();
    // Nobody of the real owners takes part: the reviewer owns what decides about signatures, and the charts are anybody's.
    files.push(entry(workflow::CODE_OWNERS_PATH, &workflow::code_owners(&format!("@{REVIEWER}"))));
    if present.is_none() {
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        files.push(entry(CONFIGURATION, &workflow::configuration(&globs)));
    } else if globs != configured.charts {
        // As if the notice had been followed; JSON is YAML.
        let followed = Configuration { charts: globs.clone(), ..configured.clone() };
        files.push(entry(CONFIGURATION, &serde_json::to_string_pretty(&followed).map_err(world("the configuration on main"))?));
    }
    let tree = call(administrator, "/git/trees", &json!({ "base_tree": root, "tree": files }))?;
    let main = call(administrator, "/git/commits", &json!({ "message": MESSAGE, "tree": tree, "parents": [start.base] }))?;
    for branch in [names.main(), names.integration()] {
        administrator.push(branch.as_str(), &main, false).map_err(RehearsalError::person(format!("creating {branch}")))?;
    }
    let tree = call(administrator, "/git/trees", &json!({ "tree": [entry("index.yaml", EMPTY_INDEX)] }))?;
    let release = call(administrator, "/git/commits", &json!({ "message": "chore: an empty Helm repository", "tree": tree, "parents": [] }))?;
    let served = names.release();
    administrator.push(served.as_str(), &release, false).map_err(RehearsalError::person(format!("creating {served}")))?;
    markers(administrator, objects, &root, &globs).await
}

/// `refs/chartflow/released` and `published`: the charts main holds now count as finished.
async fn markers(administrator: &Person<'_>, objects: &LocalRepository, root: &TreeId, globs: &[String]) -> Result<(), RehearsalError> {
    let charts = listing(objects, root, &Globs::new(globs).map_err(FlowError::from)?).await?;
    let entries: Vec<Value> =
        charts.iter().map(|(path, tree)| json!({ "path": path, "mode": EntryMode::Directory.padded(), "type": "tree", "sha": tree })).collect();
    let tree =
        if entries.is_empty() { chartflow_core::flow::compose::EMPTY_TREE.to_owned() } else { call(administrator, "/git/trees", &json!({ "tree": entries }))? };
    let commit = call(administrator, "/git/commits", &json!({ "message": "chore: adoption baseline", "tree": tree, "parents": [] }))?;
    for marker in [RELEASED, PUBLISHED] {
        administrator
            .call(Method::Post, "/git/refs", &json!({ "ref": format!("refs/{marker}"), "sha": commit }))
            .map_err(RehearsalError::person(format!("creating refs/{marker}")))?;
    }
    Ok(())
}

fn entry(path: &str, text: &str) -> Value {
    json!({ "path": path, "mode": EntryMode::File.padded(), "type": "blob", "content": text })
}

fn call(person: &Person<'_>, path: &str, body: &Value) -> Result<String, RehearsalError> {
    let answer = person.call(Method::Post, path, body).map_err(RehearsalError::person(format!("POST {path}")))?;
    Ok(answer["sha"].as_str().unwrap_or_default().to_owned())
}

/// The rulesets, as `chartflow rulesets apply` writes them: with an administrator's token, over HTTP.
async fn govern(hub: &Hub, server: &Server, tiers: &Tiers) -> Result<(), RehearsalError> {
    let secret = "rehearsal-administrator";
    let caller = Caller { actor: person(ADMIN, 1, Role::Admin), kind: TokenKind::Person, label: "administrator".to_owned(), permissions: None };
    hub.issue_token(secret, caller);
    let address = GitHubServer::new(&server.url()).map_err(world("the embedded GitHub's address"))?;
    let transport = OctocrabTransport::new(GitHubOptions::new(address, Some(Secret::new(secret)))).map_err(world("the client of the embedded GitHub"))?;
    let name = RepositoryName::new(format!("{OWNER}/{NAME}")).map_err(world("the repository's name"))?;
    let github = GitHub::new(Arc::new(transport), name);
    rulesets::apply(&github, tiers, Mode::App { id: APP }).await.map_err(world("applying the rulesets"))?;
    hub.revoke_token(secret);
    Ok(())
}

/// The required checks that this machine cannot run, and those that somebody else would have to bring.
async fn skips(helm: &dyn Helm, configuration: &ReadConfiguration) -> Result<Vec<String>, RehearsalError> {
    let wanted = configuration.configuration.checks.required.contains(&CheckId::HelmLint);
    let absent = wanted && helm.version().await.map_err(world("asking helm for its version"))?.is_none();
    let helm_lint = absent.then(|| CheckId::HelmLint.to_string());
    Ok(helm_lint.into_iter().chain(configuration.configuration.checks.outside.keys().cloned()).collect())
}

fn policy(configuration: &ReadConfiguration, signer: &KeySigner, skips: &[String]) -> Result<Policy, RehearsalError> {
    let required = configuration.configuration.checks.required.iter().map(ToString::to_string).filter(|check| !skips.contains(check)).collect();
    let name = RepositoryName::new(format!("{OWNER}/{NAME}")).map_err(world("the repository's name"))?;
    let repository = Repository { name, id: Some(1001), owner_id: None };
    let reviews = ReviewRules { integration: 1, main: 1 };
    Ok(Policy::for_rehearsal(
        repository,
        &configuration.configuration.tag,
        signer.public_key_der(),
        jiff::Timestamp::UNIX_EPOCH,
        required,
        skips.to_vec(),
        reviews,
    ))
}

/// The lineage files that are on release already: baseline, not verified again.
async fn known_lineages(hub: &Hub, objects: &LocalRepository, names: &Names) -> Result<Vec<String>, RehearsalError> {
    let Some(tip) = hub.reference(&format!("refs/heads/{}", names.release())) else { return Ok(Vec::new()) };
    let commit = objects.commit(&CommitId::new(tip.to_string()).map_err(world("release's tip"))?).await?;
    let files = objects.files(&commit.tree).await?;
    Ok(files.iter().map(|(path, _)| path.to_owned()).filter(|path| path.ends_with(".lineage.jsonl")).collect())
}
