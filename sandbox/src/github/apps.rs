//! GitHub Apps: identified by a signed JSON Web Token, installed on the repository, given tokens that can do less than
//! the installation.
//!
//! Sources: <https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>,
//! <https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app>

use std::collections::BTreeMap;

use chartflow_core::port::transport::Method;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Hub;
use super::actor::{Actor, Caller, Level, Role, TokenKind};
use super::clock::timestamp;
use super::http::{ApiError, ApiResponse};
use super::render;
use super::route::{Context, Route};
use super::state::State;

/// An installation access token ends after this many seconds.
const TOKEN_LIFETIME: i64 = 3600;
/// A JSON Web Token may end at most this many seconds from now.
const JWT_LIFETIME: i64 = 600;
const UNDECODED: &str = "A JSON web token could not be decoded";

/// An App that exists, and what it was given on the repository.
#[derive(Debug, Clone)]
pub struct App {
    /// Its number.
    pub id: u64,
    /// Its client id, which identifies it as well.
    pub client_id: String,
    /// Its name in addresses.
    pub slug: String,
    /// The public half of its private key: a PKCS#1 `RSAPublicKey` in DER.
    pub public_key: Vec<u8>,
    /// Where it is installed on the repository: how.
    pub installation: Option<Installed>,
}

/// An installation.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its number.
    pub id: u64,
    /// What it may do.
    pub permissions: BTreeMap<String, Level>,
    /// Whether its owner has suspended it.
    pub suspended: bool,
}

/// The Apps there are.
#[derive(Debug, Default)]
pub(crate) struct Apps {
    known: Vec<App>,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        template: "/app",
        operation: "apps/get-authenticated",
        needs: &[],
        creates_content: false,
        documentation: "https://docs.github.com/rest/apps/apps#get-the-authenticated-app",
        handler: get,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/installation",
        operation: "apps/get-repo-installation",
        needs: &[],
        creates_content: false,
        documentation: "https://docs.github.com/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app",
        handler: installation,
    },
    Route {
        method: Method::Post,
        template: "/app/installations/{installation_id}/access_tokens",
        operation: "apps/create-installation-access-token",
        needs: &[],
        creates_content: false,
        documentation: "https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app",
        handler: create_token,
    },
    Route {
        method: Method::Delete,
        template: "/installation/token",
        operation: "apps/revoke-installation-access-token",
        needs: &[],
        creates_content: false,
        documentation: "https://docs.github.com/rest/apps/installations#revoke-an-installation-access-token",
        handler: revoke,
    },
];

impl Hub {
    /// Makes an App known, or changes one.
    pub fn register_app(&self, app: App) {
        let apps = &mut self.lock().apps.known;
        apps.retain(|known| known.id != app.id);
        apps.push(app);
    }
}

/// Whether an `authorization` is an App's own rather than a token somebody was given.
pub(crate) fn is_jwt(secret: &str) -> bool {
    secret.starts_with("eyJ")
}

#[derive(serde::Deserialize)]
struct Claims {
    iat: Value,
    exp: Value,
    iss: Value,
}

/// The App that signed a JSON Web Token. 401 for one that is not signed by it or not of now, 404 for an App there is not.
pub(crate) fn identify(state: &State, jwt: &str) -> Result<Caller, ApiError> {
    let undecoded = || ApiError::new(401, UNDECODED);
    let mut rules = Validation::new(Algorithm::RS256);
    // The hub has a clock of its own, by which the times are judged below.
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    let claimed = jsonwebtoken::dangerous::insecure_decode::<Claims>(jwt).map_err(|_| undecoded())?.claims;
    let issuer = claimed.iss.as_str().map_or_else(|| claimed.iss.to_string(), str::to_owned);
    let known = state.apps.known.iter().find(|app| app.id.to_string() == issuer || app.client_id == issuer);
    let app = known.ok_or_else(|| ApiError::new(404, "Integration not found"))?;
    let Claims { iat, exp, .. } = jsonwebtoken::decode::<Claims>(jwt, &DecodingKey::from_rsa_der(&app.public_key), &rules).map_err(|_| undecoded())?.claims;
    let now = state.clock.now();
    let iat = iat.as_i64().filter(|issued| *issued <= now);
    iat.ok_or_else(|| ApiError::new(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"))?;
    let expiry = |problem: &str| ApiError::new(401, format!("'Expiration time' claim ('exp') {problem}"));
    let exp = exp.as_i64().ok_or_else(|| expiry("must be a numeric value representing the future time at which the assertion expires"))?;
    match exp - now {
        left if left <= 0 => Err(expiry("must be a numeric value representing the future time at which the assertion expires")),
        left if left > JWT_LIFETIME => Err(expiry("is too far in the future")),
        _ => Ok(Caller { actor: bot(app), kind: TokenKind::App, label: format!("app {}", app.id), permissions: Some(BTreeMap::new()) }),
    }
}

/// The account in whose name an App acts.
fn bot(app: &App) -> Actor {
    let login = format!("{}[bot]", app.slug);
    let email = format!("{}+{login}@users.noreply.github.com", app.id);
    Actor { id: app.id, name: login.clone(), email, role: Role::Write, app: Some(app.id), login }
}

/// Whether a caller may ask about Apps: an App with its JSON Web Token, and nobody else; and an App nothing else.
///
/// What GitHub answers an App's own token elsewhere is not documented; it is refused here.
pub(crate) fn authorize(caller: &Caller, route: &Route) -> Result<(), ApiError> {
    let own = route.operation.starts_with("apps/") && route.operation != "apps/revoke-installation-access-token";
    match (own, caller.kind) {
        (true, TokenKind::App) => Ok(()),
        (true, _) => Err(ApiError::new(401, UNDECODED)),
        (false, TokenKind::App) => Err(ApiError::new(403, "Resource not accessible by integration")),
        (false, _) => Ok(()),
    }
}

fn known<'a>(context: &'a Context<'_>) -> Result<&'a App, ApiError> {
    context.state.apps.known.iter().find(|app| Some(app.id) == context.caller.actor.app).ok_or_else(ApiError::not_found)
}

fn words(permissions: &BTreeMap<String, Level>) -> Value {
    permissions.iter().map(|(name, level)| (name.clone(), json!(if *level == Level::Write { "write" } else { "read" }))).collect()
}

fn page(state: &State, app: &App) -> String {
    let place = if state.settings.enterprise { "github-apps" } else { "apps" };
    format!("{}/{place}/{}", state.base_url, app.slug)
}

fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let (state, app) = (&*context.state, known(context)?);
    let permissions = app.installation.as_ref().map(|installed| words(&installed.permissions)).unwrap_or_else(|| json!({}));
    let now = timestamp(state.clock.now());
    let body = json!({
        "id": app.id, "node_id": render::node_id("Integration", app.id), "client_id": app.client_id, "slug": app.slug, "name": app.slug,
        "owner": render::owner(state), "description": null, "external_url": "https://example.com", "html_url": page(state, app),
        "created_at": now, "updated_at": now, "permissions": permissions, "events": [], "installations_count": 1,
    });
    Ok(ApiResponse::json(200, &body))
}

fn installation(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let (state, app) = (&*context.state, known(context)?);
    let installed = app.installation.as_ref().ok_or_else(ApiError::not_found)?;
    let now = timestamp(state.clock.now());
    let api = format!("{}/app/installations/{}", state.base_url, installed.id);
    let settings = if state.settings.organization { format!("organizations/{}/settings", state.settings.owner) } else { "settings".to_owned() };
    let kind = if state.settings.organization { "Organization" } else { "User" };
    let body = json!({
        "id": installed.id, "client_id": app.client_id, "account": render::owner(state), "repository_selection": "selected",
        "access_tokens_url": format!("{api}/access_tokens"), "repositories_url": format!("{}/installation/repositories", state.base_url),
        "html_url": format!("{}/{settings}/installations/{}", state.base_url, installed.id), "app_id": app.id, "app_slug": app.slug,
        "target_id": state.settings.owner_id, "target_type": kind, "permissions": words(&installed.permissions), "events": [],
        "created_at": now, "updated_at": now, "single_file_name": null, "has_multiple_single_files": false, "single_file_paths": [],
        "suspended_by": if installed.suspended { render::owner(state) } else { Value::Null },
        "suspended_at": if installed.suspended { json!(now) } else { Value::Null },
    });
    Ok(ApiResponse::json(200, &body))
}

#[derive(serde::Deserialize)]
struct NewToken {
    repositories: Option<Vec<String>>,
    repository_ids: Option<Vec<u64>>,
    permissions: Option<BTreeMap<String, Level>>,
}

/// 403 for a suspended installation; 422 for repositories and permissions it was not given.
fn create_token(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let asked: NewToken = context.body()?;
    let number = context.number("installation_id")?;
    let app = known(context)?.clone();
    let installed = app.installation.as_ref().filter(|installed| installed.id == number).ok_or_else(ApiError::not_found)?;
    if installed.suspended {
        return Err(ApiError::new(403, "This installation has been suspended"));
    }
    let settings = &context.state.settings;
    let foreign = asked.repositories.iter().flatten().any(|name| !name.eq_ignore_ascii_case(&settings.name))
        || asked.repository_ids.iter().flatten().any(|id| *id != settings.id);
    if foreign {
        return Err(ApiError::unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation."));
    }
    let permissions = asked.permissions.unwrap_or_else(|| installed.permissions.clone());
    if permissions.iter().any(|(name, level)| installed.permissions.get(name).is_none_or(|given| given < level)) {
        return Err(ApiError::unprocessable("The permissions requested are not granted to this installation."));
    }
    let narrowed = asked.repositories.is_some() || asked.repository_ids.is_some();
    let state = &mut *context.state;
    let secret = format!("ghs_{:.36}", hex::encode(Sha256::digest(format!("{number} {}", state.number()))));
    let ends = state.clock.now() + TOKEN_LIFETIME;
    let label = format!("installation {number}");
    let caller = Caller { actor: bot(&app), kind: TokenKind::Installation, label, permissions: Some(permissions.clone()) };
    state.actors.entry(caller.actor.login.clone()).or_insert_with(|| caller.actor.clone());
    state.tokens.issue_until(&secret, caller, ends);
    let mut body = json!({
        "token": secret, "expires_at": timestamp(ends), "permissions": words(&permissions), "repository_selection": "selected",
    });
    if narrowed {
        body["repositories"] = json!([render::repository(state)]);
    }
    Ok(ApiResponse::json(201, &body))
}

/// 204; 403 for a token that is not an installation's.
fn revoke(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    if context.caller.kind != TokenKind::Installation {
        return Err(ApiError::new(403, "Resource not accessible by personal access token"));
    }
    let secret = context.request.header("authorization").and_then(|header| header.split_once(' ')).map(|(_, secret)| secret.trim().to_owned());
    context.state.tokens.revoke(&secret.unwrap_or_default());
    Ok(ApiResponse::empty(204))
}
