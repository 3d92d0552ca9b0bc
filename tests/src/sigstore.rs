//! Real signing services on this machine: Fulcio, a timestamp authority and a Rekor log, and the identity provider of
//! workflow runs that they believe.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chartflow_core::domain::digest::Sha256;
use chartflow_core::io::signing::keyless::{Ambient, Services};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificate_log::CertificateLog;
use crate::tiny_http;

/// The workflow that runs, where a test says no other: it runs every stage.
pub const WORKFLOW: &str = "acme/charts/.github/workflows/chartflow-reconcile.yml@refs/heads/main";
/// Where a repository keeps its trusted root.
pub const ROOT_PATH: &str = ".github/sigstore/trusted_root.json";
/// What opens the identity provider.
const REQUEST_TOKEN: &str = "the-request-token-of-a-job";
/// The name of the log in its checkpoints.
const LOG: &str = "rekor.local";
/// How long a service may take to answer first.
const PATIENCE: Duration = Duration::from_secs(60);

/// How Fulcio makes certificates of the claims of a workflow run: what its public instance is configured with.
const TEMPLATES: &str = include_str!("sigstore/fulcio.yaml");

/// A program that is ended with its value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The identity provider of workflow runs.
pub struct Provider {
    address: String,
    asked: Arc<AtomicU32>,
    claims: Arc<Mutex<Value>>,
}

impl Provider {
    /// One with a key of its own, which nobody knows who is not told.
    #[must_use]
    pub fn start() -> Self {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let claims = Arc::new(Mutex::new(run()));
        let current = Arc::clone(&claims);
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let address = tiny_http::serve(move |issuer, asked| match asked.target.as_str() {
            "/.well-known/openid-configuration" => {
                let algorithms = json!(["RS256"]);
                (200, json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "id_token_signing_alg_values_supported": algorithms}))
            }
            "/keys" => (200, json!({"keys": [jwk(&pair)]})),
            "/token?api-version=2.0&audience=sigstore" if asked.head.to_lowercase().contains(&format!("authorization: bearer {REQUEST_TOKEN}")) => {
                count.fetch_add(1, Ordering::SeqCst);
                (200, json!({"count": 1, "value": token(&pair, issuer, &current.lock().unwrap())}))
            }
            _ => (401, json!({"message": "no"})),
        });
        Self { address, asked, claims }
    }

    /// Whose tokens are given from now on: a run of another workflow file of main, in the environment.
    pub fn run_of(&self, file: &str) {
        let workflow = format!("acme/charts/{file}@refs/heads/main");
        let mut claims = run();
        claims["job_workflow_ref"] = json!(workflow);
        claims["workflow_ref"] = json!(workflow);
        *self.claims.lock().unwrap() = claims;
    }

    /// Changes what tokens say from now on.
    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.claims.lock().unwrap());
    }

    /// What the runner gives a job with `id-token: write`.
    #[must_use]
    pub fn variables(&self) -> [(String, String); 2] {
        [
            ("ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(), format!("{}/token?api-version=2.0", self.address)),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(), REQUEST_TOKEN.to_owned()),
        ]
    }

    /// How often a token was asked for.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// The issuer that certificates name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.address
    }

    /// What a job is given to ask with.
    #[must_use]
    pub fn ambient(&self) -> Ambient {
        Ambient::new(Some(&format!("{}/token?api-version=2.0", self.address)), Some(REQUEST_TOKEN)).unwrap()
    }
}

/// The public key as a JSON Web Key: of a PKCS#1 `RSAPublicKey` of 2048 bits, the modulus stands behind nine bytes.
fn jwk(pair: &RsaKeyPair) -> Value {
    let modulus = &pair.public_key().as_ref()[9..265];
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB"})
}

/// What identity tokens say of a run of main's workflow file in the environment.
fn run() -> Value {
    let sha = "1".repeat(40);
    json!({
        "event_name": "push", "sha": sha, "workflow": "chartflow", "repository": "acme/charts", "ref": "refs/heads/main",
        "job_workflow_ref": WORKFLOW, "job_workflow_sha": sha, "runner_environment": "github-hosted", "repository_id": "1001",
        "repository_owner": "acme", "repository_owner_id": "2001", "workflow_ref": WORKFLOW, "workflow_sha": sha, "run_id": "7", "run_attempt": "1",
        "repository_visibility": "private", "environment": "chartflow",
    })
}

/// The identity token of a run.
fn token(pair: &RsaKeyPair, issuer: &str, run: &Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": issuer, "aud": "sigstore", "sub": "repo:acme/charts:environment:chartflow", "iat": now - 5, "nbf": now - 5, "exp": now + 300,
    });
    claims.as_object_mut().unwrap().extend(run.as_object().unwrap().clone());
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let key = EncodingKey::from_rsa_pem(pem("PRIVATE KEY", der.as_ref()).as_bytes()).unwrap();
    jsonwebtoken::encode(&Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::RS256) }, &claims, &key).unwrap()
}

fn pem(kind: &str, der: &[u8]) -> String {
    let digits = STANDARD.encode(der);
    let lines: Vec<&str> = digits.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// A port that is free now.
fn port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// The body of an answer with 200, waited for.
fn fetched(address: &str, path: &str) -> Vec<u8> {
    let host = address.trim_start_matches("http://");
    let began = Instant::now();
    loop {
        let answer = TcpStream::connect(host).and_then(|mut stream| {
            stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: {host}\r\n\r\n").as_bytes())?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).map(|_| answer)
        });
        if let Ok(answer) = &answer
            && let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n")
            && String::from_utf8_lossy(&answer[..end]).split(' ').nth(1) == Some("200")
        {
            return answer[end + 4..].to_vec();
        }
        assert!(began.elapsed() < PATIENCE, "{address}{path} does not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The certificates of a PEM text, as a trusted root lists them.
fn certificates(text: &str) -> Value {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let digits = blocks.map(|block| block.split("-----END").next().unwrap_or_default().split_whitespace().collect::<String>());
    digits.map(|digits| json!({"rawBytes": digits})).collect()
}

fn start(program: &str, arguments: &[&str]) -> Process {
    let spawned = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Process(spawned.unwrap_or_else(|error| panic!("{program}: {error}")))
}

/// The timestamp authority serves its measurements on one port that it cannot be told, so one runs at a time.
static ONE: Mutex<()> = Mutex::new(());

/// The services, running.
pub struct Sigstore {
    /// The identity provider.
    pub provider: Provider,
    services: Services,
    root: Value,
    folder: TempDir,
    processes: Vec<Process>,
    /// Given back when the processes have ended: fields are dropped in this order.
    _only: MutexGuard<'static, ()>,
}

impl Sigstore {
    /// Fulcio and a timestamp authority, as in GitHub's own instance. The programs must be on the PATH.
    #[must_use]
    pub fn start() -> Self {
        Self::with_certificates_logged(None)
    }

    /// The same with a log that certificates are entered in and one for signatures, as in the public instance.
    #[must_use]
    pub fn public() -> Self {
        Self::with_certificates_logged(Some(&CertificateLog::start())).with_log()
    }

    fn with_certificates_logged(log: Option<&CertificateLog>) -> Self {
        let only = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let provider = Provider::start();
        let folder = tempfile::tempdir().unwrap();
        let (fulcio, tsa) = (port(), port());
        let configuration = folder.path().join("fulcio.yaml");
        std::fs::write(&configuration, TEMPLATES.replace("ISSUER", provider.issuer())).unwrap();
        let configuration = configuration.to_str().unwrap();
        let ca = start(
            "fulcio",
            &[
                "serve",
                "--host",
                "127.0.0.1",
                "--port",
                &fulcio,
                "--grpc-host",
                "127.0.0.1",
                "--grpc-port",
                &port(),
                "--metrics-port",
                &port(),
                "--ca",
                "ephemeralca",
                "--ct-log-url",
                log.map_or("", |log| log.address.as_str()),
                "--config-path",
                configuration,
                // A name of the whole machine, which is taken while another one runs.
                "--legacy-unix-domain-socket",
                &format!("@fulcio-{fulcio}"),
            ],
        );
        let authority =
            start("timestamp-server", &["serve", "--host", "127.0.0.1", "--port", &tsa, "--timestamp-signer", "memory", "--disable-ntp-monitoring"]);
        let (fulcio, tsa) = (format!("http://127.0.0.1:{fulcio}"), format!("http://127.0.0.1:{tsa}"));
        let bundle: Value = serde_json::from_slice(&fetched(&fulcio, "/api/v2/trustBundle")).unwrap();
        let chain: Vec<&str> = bundle["chains"][0]["certificates"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let stamps = String::from_utf8(fetched(&tsa, "/api/v1/timestamp/certchain")).unwrap();
        let valid = json!({"start": "2020-01-01T00:00:00Z"});
        let certificate_logs: Vec<Value> = log.iter().map(|log| log.trusted()).collect();
        let root = json!({
            "ctlogs": certificate_logs,
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [{
                "subject": {"organization": "sigstore", "commonName": "sigstore"}, "uri": fulcio,
                "certChain": {"certificates": certificates(&chain.concat())}, "validFor": valid,
            }],
            "timestampAuthorities": [{
                "subject": {"organization": "sigstore", "commonName": "tsa"}, "uri": tsa,
                "certChain": {"certificates": certificates(&stamps)}, "validFor": valid,
            }],
        });
        let services = Services { fulcio, timestamps: format!("{tsa}/api/v1/timestamp"), log: None };
        Self { provider, services, root, folder, processes: vec![ca, authority], _only: only }
    }

    fn with_log(mut self) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = self.folder.path().join("log.pem");
        std::fs::write(&key, pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref())).unwrap();
        let storage = self.folder.path().join("log");
        let http = port();
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        self.processes.push(start(
            "rekor",
            &[
                "serve",
                "--storage-dir",
                &path(&storage),
                "--signer-filepath",
                &path(&key),
                "--hostname",
                LOG,
                "--http-port",
                &http,
                "--grpc-port",
                &port(),
                "--http-metrics-port",
                &port(),
                "--checkpoint-interval",
                "1s",
            ],
        ));
        let address = format!("http://127.0.0.1:{http}");
        fetched(&address, "/healthz");
        let public = pair.public_key().as_ref();
        // C2SP signed-note: the key's id is made of its name, its kind (1 is Ed25519) and the key.
        let named: Vec<u8> = [LOG.as_bytes(), b"\n\x01", public].concat();
        // SubjectPublicKeyInfo of Ed25519 (RFC 8410): a fixed head and the key.
        let spki: Vec<u8> = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), public].concat();
        self.root["tlogs"] = json!([{
            "baseUrl": format!("https://{LOG}"), "hashAlgorithm": "SHA2_256",
            "publicKey": {"rawBytes": STANDARD.encode(spki), "keyDetails": "PKIX_ED25519", "validFor": {"start": "2020-01-01T00:00:00Z"}},
            "logId": {"keyId": STANDARD.encode(Sha256::of(&named).as_bytes())},
        }]);
        self.services.log = Some(address);
        self
    }

    /// Where the services are.
    #[must_use]
    pub fn services(&self) -> Services {
        self.services.clone()
    }

    /// The services as `.chartflow.yaml` names them, with the trusted root at [`ROOT_PATH`].
    #[must_use]
    pub fn configuration(&self) -> String {
        let Services { fulcio, timestamps, log } = &self.services;
        let log = log.as_ref().map(|log| format!("  rekor-url: {log}\n")).unwrap_or_default();
        let issuer = self.provider.issuer();
        format!("sigstore:\n  fulcio-url: {fulcio}\n  timestamp-server-url: {timestamps}\n{log}  trusted-root: {ROOT_PATH}\n  oidc-issuer: {issuer}\n")
    }

    /// What a verifier trusts.
    #[must_use]
    pub fn trusted_root(&self) -> String {
        self.root.to_string()
    }
}
