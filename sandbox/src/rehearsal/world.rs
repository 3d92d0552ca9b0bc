//! The embedded world of one rehearsal, and the identity its stages run as.

use std::path::PathBuf;
use std::sync::Arc;

use chartflow_core::domain::branch::Names;
use chartflow_core::domain::event::app_permissions;
use chartflow_core::domain::lineage::bundle::{Anchor, Line};
use chartflow_core::domain::lineage::{Artifact, verify};
use chartflow_core::domain::policy::Policy;
use chartflow_core::domain::ruleset::Tiers;
use chartflow_core::flow::{Home, Train};
use chartflow_core::io::git::LocalRepository;
use chartflow_core::io::github::{OctocrabTransport, Options, Server as GitHubServer};
use chartflow_core::io::layered::LayeredObjects;
use chartflow_core::io::oci::OciRegistry;
use chartflow_core::io::secret::Secret;
use chartflow_core::io::signing::KeySigner;
use chartflow_core::port::github::{GitHub, GitHubObjects};
use chartflow_core::port::helm::Helm;
use chartflow_core::port::objects::Objects;

use super::summary::{RefusedRow, StageRow};
use super::{Head, RehearsalError};
use crate::github::Hub;
use crate::github::actor::{Actor, Caller, Level, Role, TokenKind};
use crate::github::server::Server;
use crate::registry::RegistryServer;

/// The number of the App that the train works as.
pub(crate) const APP: u64 = 424_242;
/// The person who contributes.
pub(crate) const CONTRIBUTOR: &str = "contributor";
/// The person who approves and merges.
pub(crate) const REVIEWER: &str = "reviewer";
/// The person who set the repository up.
pub(crate) const ADMIN: &str = "administrator";

/// Everything of one rehearsal.
pub(crate) struct World {
    pub(crate) hub: Arc<Hub>,
    pub(crate) server: Server,
    pub(crate) registry: RegistryServer,
    pub(crate) objects: Arc<LocalRepository>,
    pub(crate) signer: Arc<KeySigner>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) helm: Arc<dyn Helm>,
    pub(crate) home: Home,
    pub(crate) names: Names,
    pub(crate) tiers: Tiers,
    pub(crate) out: PathBuf,
    /// The contributions that are not opened yet, in order.
    pub(crate) heads: Vec<Head>,
    /// The numbers of their pull requests.
    pub(crate) contributions: Vec<u64>,
    /// Why those that were approved could not be merged, as GitHub answered the last time.
    pub(crate) unmerged: std::collections::BTreeMap<u64, String>,
    pub(crate) base: String,
    pub(crate) head_commits: Vec<String>,
    /// Lineage files that were on release at the start.
    pub(crate) known: Vec<String>,
    pub(crate) stages: Vec<StageRow>,
    pub(crate) checks: Vec<super::summary::CheckRow>,
    pub(crate) refused: Vec<RefusedRow>,
    /// The stages that did something, whatever started them.
    pub(crate) acted: std::collections::BTreeSet<String>,
}

/// A person's account.
pub(crate) fn person(login: &str, id: u64, role: Role) -> Actor {
    Actor { login: login.to_owned(), id, name: login.to_owned(), email: format!("{login}@example.com"), role, app: None }
}

fn app() -> Actor {
    Actor {
        login: "chartflow[bot]".to_owned(),
        id: 9_001,
        name: "chartflow[bot]".to_owned(),
        email: "9001+chartflow[bot]@users.noreply.github.com".to_owned(),
        role: Role::Write,
        app: Some(APP),
    }
}

impl World {
    /// The train as one job sees it: with a token of its own, whose requests are counted under `label`.
    pub(crate) fn train(&self, label: &str) -> Result<Train, RehearsalError> {
        let permissions = app_permissions();
        let permissions = permissions
            .iter()
            .map(|(permission, access)| (permission.api_key().to_owned(), if access.as_str() == "write" { Level::Write } else { Level::Read }))
            .collect();
        let secret = format!("rehearsal-{label}");
        self.hub.issue_token(&secret, Caller { actor: app(), kind: TokenKind::Installation, label: label.to_owned(), permissions: Some(permissions) });
        let server = GitHubServer::new(&self.server.url())
            .map_err(|source| RehearsalError::World { what: "the embedded GitHub's address".to_owned(), source: Box::new(source) })?;
        let transport = OctocrabTransport::new(Options::new(server, Some(Secret::new(secret))));
        let transport = transport.map_err(|source| RehearsalError::World { what: "the client of the embedded GitHub".to_owned(), source: Box::new(source) })?;
        let github = GitHub::new(Arc::new(transport), self.policy.repository.name.clone());
        // A job's checkout holds the objects; what it does not hold is asked of the API.
        let local: Arc<dyn Objects> = self.objects.clone();
        let objects = LayeredObjects::new(Some(local), Arc::new(GitHubObjects::new(github.clone())));
        let anchor = Arc::new(anchor(&self.policy)?);
        let (opening, judging, policy) = (anchor.clone(), anchor, self.policy.clone());
        Ok(Train {
            github,
            objects: Arc::new(objects),
            registry: Arc::new(OciRegistry::anonymous()),
            signer: self.signer.clone(),
            open: Arc::new(move |text| {
                let line = Line::read(text).ok()?;
                line.verify(&opening).ok()?;
                Some(line.payload().to_vec())
            }),
            verify: Arc::new(move |package, lineage, repository| {
                let report = verify(&Artifact::Package { bytes: package }, lineage, &policy, &judging, repository);
                if report.verified() {
                    Ok(())
                } else {
                    Err(report.refused.iter().map(|refusal| format!("{}: {}", refusal.rule.id(), refusal.message)).collect::<Vec<_>>().join("; "))
                }
            }),
            helm: self.helm.clone(),
            home: self.home.clone(),
        })
    }
}

fn anchor(policy: &Policy) -> Result<Anchor, RehearsalError> {
    chartflow_core::domain::lineage::anchor(policy, None)
        .map_err(|source| RehearsalError::World { what: "the rehearsal's own key".to_owned(), source: Box::new(source) })
}
