//! A stage of the train as an action: builds the train from inputs and environment, runs the stage for the event, and
//! says what came of it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::checked::Checked;
use super::console::Console;
use super::environment::Environment;
use super::error::ActionError;
use super::event_file::{EventFile, Start};
use super::identity::{Identity, Loan, OnSecret, OnWait};
use super::inputs::Inputs;
use super::outcome::{self, Ending};
use super::signing::{Prepared, Purpose, Signing, SigningError, workflow};
use super::summary::Page;
use super::watch::{Watch, WatchedRegistry, WatchedSigner, WatchedTransport};
use crate::domain::branch::Names;
use crate::domain::configuration::Configuration;
use crate::domain::digest::CommitId;
use crate::domain::event::{Permissions, StageName, installation_permissions};
use crate::domain::markdown::Links;
use crate::domain::names::BranchName;
use crate::domain::ruleset::{Mode, Tiers};
use crate::flow::listing::{file, root};
use crate::flow::tips::configuration_of;
use crate::flow::{self, FlowError, Home, Report, Train};
use crate::io::git::LocalRepository;
use crate::io::helm::HelmBinary;
use crate::io::layered::LayeredObjects;
use crate::io::oci::{Credentials, OciRegistry};
use crate::port::github::{GitHub, GitHubObjects};
use crate::port::helm::Helm;
use crate::port::objects::Objects;

/// How often a stage looks again when the state moved under it.
const ATTEMPTS: u32 = 4;

/// Larger trusted roots are refused.
const ROOT_LIMIT: usize = 4 << 20;

/// What one run has to work with.
pub struct Context {
    /// The inputs.
    pub inputs: Inputs,
    /// The variables.
    pub environment: Environment,
    /// The event.
    pub event: EventFile,
    /// Where to speak.
    pub console: Console,
    /// What it does.
    pub watch: Arc<Watch>,
    /// As whom, once that is known.
    pub mode: OnceLock<Mode>,
    /// What has to be given back when the run ends, however it does.
    pub owed: Mutex<Vec<Loan>>,
}

/// A connection to GitHub as the inputs say.
pub struct Connection {
    /// As whom.
    pub identity: Identity,
    /// The client.
    pub github: GitHub,
    /// The objects: what was checked out, else the API.
    pub objects: Arc<dyn Objects>,
    /// The repository's number.
    pub id: u64,
    /// The default branch.
    pub default_branch: BranchName,
}

impl Context {
    /// The repository's pages.
    #[must_use]
    pub fn links(&self) -> Links {
        Links::new(&self.environment.server_url, self.environment.repository.clone())
    }

    fn on_wait(&self) -> OnWait {
        let console = self.console.clone();
        Arc::new(move |wait| console.say(&wait.to_string()))
    }

    /// Connects to GitHub.
    ///
    /// # Errors
    /// When the inputs name no identity, or GitHub does not know the repository.
    pub async fn connect(&self, identity: Identity) -> Result<Connection, ActionError> {
        let transport = Arc::new(WatchedTransport::new(identity.transport.clone(), self.watch.clone()));
        let local = self.local();
        let reading = GitHub::new(transport.clone(), self.environment.repository.clone());
        let (id, default_branch) = self.repository(&reading).await?;
        let below = Arc::new(LayeredObjects::new(local.clone(), Arc::new(GitHubObjects::new(reading.clone()))));
        let github = if self.watch.is_dry() {
            GitHub::new(Arc::new(super::dry::DryTransport::new(transport, below, self.watch.clone())), self.environment.repository.clone())
        } else {
            reading
        };
        let objects = Arc::new(LayeredObjects::new(local, Arc::new(GitHubObjects::new(github.clone()))));
        Ok(Connection { identity, github, objects, id, default_branch })
    }

    /// As whom the inputs say to work, an App with no more than these permissions.
    ///
    /// # Errors
    /// See [`super::identity::IdentityError`].
    pub async fn identify(&self, permissions: Permissions) -> Result<Identity, ActionError> {
        let console = self.console.clone();
        let on_secret: OnSecret = Arc::new(move |secret| console.mask(secret.expose()));
        let identity = Identity::connect(&self.inputs, &self.environment, permissions, self.on_wait(), on_secret).await?;
        // Whoever was first said the same.
        let _ = self.mode.set(identity.mode);
        self.owed.lock().unwrap_or_else(PoisonError::into_inner).push(identity.loan());
        Ok(identity)
    }

    /// Gives back what was made for this run; that it could not be is said, and is no failure of what was done.
    pub async fn give_back(&self) {
        let owed = std::mem::take(&mut *self.owed.lock().unwrap_or_else(PoisonError::into_inner));
        for loan in owed {
            let Err(error) = loan.give_back().await else { continue };
            self.console.say(&format!("a token of the App could not be taken back and ends within the hour: {}", crate::domain::causes(&error)));
        }
    }

    /// The workflow's own token, whatever else the inputs say.
    ///
    /// # Errors
    /// See [`super::identity::IdentityError`].
    pub fn identify_the_workflow(&self) -> Result<Identity, ActionError> {
        Ok(Identity::of_the_workflow(&self.inputs, &self.environment, self.on_wait())?)
    }

    /// What was checked out, where that is a git repository. It is only a store of objects: ids are content.
    fn local(&self) -> Option<Arc<dyn Objects>> {
        let workspace = self.environment.workspace.as_deref().filter(|path| path.join(".git").exists())?;
        match LocalRepository::open_whoever_owns_it(workspace) {
            Ok(repository) => Some(Arc::new(repository)),
            Err(error) => {
                self.console.say(&format!("the workspace is not used: {}", crate::domain::causes(&error)));
                None
            }
        }
    }

    /// The repository's number and default branch, by the event where it says so.
    async fn repository(&self, github: &GitHub) -> Result<(u64, BranchName), ActionError> {
        let event = &self.event;
        let mine = self.event_is_mine();
        let id = event.document.pointer("/repository/id").and_then(serde_json::Value::as_u64).filter(|_| mine);
        let branch = event.text("/repository/default_branch").filter(|_| mine).and_then(|name| BranchName::new(name).ok());
        if let (Some(id), Some(branch)) = (self.environment.repository_id.or(id), branch) {
            return Ok((id, branch));
        }
        let facts = github.repository().await?;
        let branch = BranchName::new(facts.default_branch).map_err(FlowError::from)?;
        Ok((facts.id, branch))
    }

    /// The train, and the names it goes by.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub async fn train(&self, connection: &Connection, signing: Prepared, helm: Arc<dyn Helm>) -> Result<(Train, Names), ActionError> {
        let environment = &self.environment;
        let main = connection.github.get_ref(&format!("heads/{}", connection.default_branch)).await?.and_then(crate::port::github::RefTarget::commit);
        let main = main.ok_or_else(|| FlowError::NoBranch { branch: connection.default_branch.to_string() })?;
        let configuration = configuration_of(&*connection.objects, &main, &connection.default_branch).await?.configuration;
        let signing = self.signing(connection, signing, &configuration, &main).await?;
        let signing = if self.watch.is_dry() { signing.rehearsing()? } else { signing };
        let mut train = Train {
            github: connection.github.clone(),
            objects: connection.objects.clone(),
            registry: Arc::new(OciRegistry::anonymous()),
            signer: Arc::new(WatchedSigner::new(signing.signer.clone(), self.watch.clone())),
            open: self.watch.opening(signing.open()),
            verify: signing.verifier(environment, connection.id, &configuration)?,
            helm,
            home: Home {
                server: environment.server_url.clone(),
                id: connection.id,
                default_branch: connection.default_branch.clone(),
                builder: workflow::files(environment, &configuration),
                oci_prefix: String::new(),
                skips: Vec::new(),
                app: matches!(connection.identity.mode, Mode::App { .. }),
            },
        };
        train.home.oci_prefix = self
            .inputs
            .text("registry")
            .map_or_else(|| configuration.registry_of(&environment.repository), |text| text.trim_end_matches('/').to_ascii_lowercase());
        train.registry = Arc::new(WatchedRegistry::new(Arc::new(self.registry(&train.home.oci_prefix, &connection.identity)), self.watch.clone()));
        Ok((train, Names::new(&configuration)))
    }

    /// What a run that signs for the train is going to sign: a dry run only plans, and `format` only draws.
    pub(super) fn purpose(&self, stage: StageName) -> Purpose {
        if self.watch.is_dry() || stage == StageName::Format { Purpose::Nothing } else { Purpose::Train }
    }

    /// Who signs, now that the configuration is known.
    async fn signing(&self, connection: &Connection, prepared: Prepared, configuration: &Configuration, main: &CommitId) -> Result<Signing, ActionError> {
        let (ambient, keys, purpose) = match prepared {
            Prepared::Key(signing) => return Ok(signing),
            Prepared::Run { ambient, keys, purpose } => (ambient, keys, purpose),
        };
        let private = match self.event.document.pointer("/repository/private").and_then(serde_json::Value::as_bool) {
            Some(private) if self.event_is_mine() => private,
            _ => connection.github.repository().await?.private,
        };
        let site = workflow::Site { environment: &self.environment, id: connection.id, branch: &connection.default_branch, private };
        let trusted_root = match &configuration.sigstore {
            Some(sigstore) => {
                let tree = root(&*connection.objects, main).await?;
                let bytes = file(&*connection.objects, &tree, sigstore.trusted_root.as_str(), ROOT_LIMIT).await?;
                let absent = || SigningError::TrustedRoot { path: sigstore.trusted_root.to_string(), branch: connection.default_branch.to_string() };
                Some(bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(absent)?)
            }
            None => None,
        };
        let console = self.console.clone();
        let run = workflow::Run { ambient, keys, purpose, trusted_root };
        Ok(workflow::signing(run, &site, configuration, Arc::new(move |secret| console.mask(secret.expose()))).await?)
    }

    /// Whether the event speaks of the repository of the run.
    fn event_is_mine(&self) -> bool {
        self.event.text("/repository/full_name").is_some_and(|name| name.eq_ignore_ascii_case(self.environment.repository.as_str()))
    }

    /// The registry, with credentials for its host alone.
    fn registry(&self, prefix: &str, identity: &Identity) -> OciRegistry {
        let host = prefix.split('/').next().unwrap_or_default().to_owned();
        let password =
            self.inputs.text("registry-password").map(str::to_owned).or_else(|| identity.workflow_token.as_ref().map(|token| token.expose().to_owned()));
        let username = self.inputs.text("registry-username").map(str::to_owned).or_else(|| self.environment.actor.clone());
        match (username, password) {
            (Some(username), Some(password)) => OciRegistry::anonymous().with_credentials(host, Credentials::Basic { username, password }),
            _ => OciRegistry::anonymous(),
        }
    }

    /// The helm of the image. Its files lie where the runner wants temporary files.
    pub(super) fn helm(&self) -> HelmBinary {
        let helm = HelmBinary::find(self.environment.path.as_deref().map(std::ffi::OsStr::new));
        match &self.environment.temporary {
            Some(directory) => helm.in_directory(directory.clone()),
            None => helm,
        }
    }
}

/// Runs a stage, or the half of it that `job` names.
///
/// # Errors
/// See [`ActionError`].
pub async fn run(context: &Context, stage: StageName) -> Result<Ending, ActionError> {
    match context.inputs.text("job") {
        Some("check") => super::check::run(context, stage).await,
        Some(_) => {
            let absent = || ActionError::Unusable {
                what: "job: sign without checks".to_owned(),
                hint: "hand in checks: ${{ needs.check.outputs.checks }}, which the job check has as output".to_owned(),
                source: None,
            };
            let checked: Checked = context.inputs.json("checks")?.ok_or_else(absent)?;
            whole(context, stage, Arc::new(checked)).await
        }
        None => whole(context, stage, Arc::new(context.helm())).await,
    }
}

async fn whole(context: &Context, stage: StageName, helm: Arc<dyn Helm>) -> Result<Ending, ActionError> {
    let signing = Prepared::read(&context.inputs, &context.environment, context.purpose(stage))?;
    let identity = context.identify(installation_permissions(stage)).await?;
    connected(context, stage, signing, identity, helm).await
}

async fn connected(context: &Context, stage: StageName, signing: Prepared, identity: Identity, helm: Arc<dyn Helm>) -> Result<Ending, ActionError> {
    let connection = context.connect(identity).await?;
    let (train, names) = context.train(&connection, signing, helm).await?;
    let start = context.event.start(stage, &Tiers::from(&names))?;
    let result = match start {
        Start::Nothing { why } => {
            context.console.say(&why);
            Ok(Vec::new())
        }
        start => patiently(context, &train, stage, &start).await,
    };
    let (reports, stopped_by) = match result {
        Ok(reports) => (reports, None),
        // A plan that cannot see further is a plan all the same.
        Err(error) if context.watch.is_dry() && !context.watch.is_stopped() && error.is_stop() => {
            (Vec::new(), Some("What follows depends on what the steps above would bring about; the plan ends here.".to_owned()))
        }
        Err(error) => return Err(error),
    };
    Ok(ending(context, stage, &reports, Some(&names), stopped_by.as_deref()))
}

/// What is handed to the runner.
pub(super) fn ending(context: &Context, stage: StageName, reports: &[Report], names: Option<&Names>, stopped_by: Option<&str>) -> Ending {
    let links = context.links();
    let page = Page { verb: stage.as_str(), reports, watch: &context.watch, links: &links, names, stopped_by };
    Ending {
        outputs: outcome::outputs(reports, &context.watch, &links, stopped_by),
        summary: page.markdown(),
        annotations: outcome::annotations(reports),
        log: outcome::log(reports),
        refused: outcome::outcome(reports) == flow::Outcome::Refused,
    }
}

/// Runs the stage, and again when somebody else changed what it looked at.
async fn patiently(context: &Context, train: &Train, stage: StageName, start: &Start) -> Result<Vec<Report>, ActionError> {
    let (pull, base) = match start {
        Start::Pull { number, base } => (Some(*number), base.as_ref()),
        _ => (None, None),
    };
    let mut attempt = 1;
    loop {
        match flow::run(train, stage, pull, base).await {
            Err(error) if error.is_stale() && attempt < ATTEMPTS => {
                context.console.say(&format!("somebody else changed the same thing ({}); looking again", crate::domain::causes(&error)));
                attempt += 1;
            }
            result => return Ok(result?),
        }
    }
}
