//! The token protocol (<https://distribution.github.io/distribution/spec/auth/token/>), as `ghcr.io` speaks it.

use std::collections::BTreeMap;

use base64::Engine as _;

use super::answer::{Answer, Code};
use super::{Call, Flavour};

/// The tokens given out, and whether each may write. They are counted, not random: whoever reaches the loopback port of a
/// rehearsal may write to it anyway.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<String, bool>);

fn realm(call: &Call<'_>) -> String {
    format!("http://{}/token", call.header("host").unwrap_or("localhost"))
}

fn password(call: &Call<'_>) -> Option<String> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// Answers `GET /token`: a token to read for everybody, one to write for a known password.
pub(super) fn token(call: &Call<'_>, tokens: &mut Tokens) -> Result<Answer, Answer> {
    let Flavour::Ghcr { writers } = &call.options.flavour else {
        return Err(Answer::refusal(404, Code::Unsupported, "there is no such endpoint"));
    };
    let write = match password(call) {
        None => false,
        Some(password) if writers.contains(&password) => true,
        // A workflow's token without `packages: write` is known, and pushing with it is refused ("permission_denied:
        // write_package").
        Some(password) if password.starts_with("ghs_") => false,
        Some(_) => return Err(Answer::refusal(403, Code::Denied, "denied")),
    };
    let token = format!("token-{}", tokens.0.len() + 1);
    tokens.0.insert(token.clone(), write);
    Ok(Answer::new(200).json(serde_json::json!({ "token": token }).to_string().into_bytes()))
}

/// Whether a request may go on; the refusal is the challenge.
pub(super) fn permit(call: &Call<'_>, tokens: &Tokens, path: &str) -> Result<(), Answer> {
    if call.options.flavour == Flavour::Distribution {
        return Ok(());
    }
    let read = matches!(call.method.as_str(), "GET" | "HEAD");
    match call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).and_then(|token| tokens.0.get(token)) {
        Some(write) if *write || read => Ok(()),
        Some(_) => Err(Answer::refusal(403, Code::Denied, "permission_denied: write_package")),
        None => {
            let actions = if read { "pull" } else { "pull,push" };
            let scope = super::split(path).map_or_else(String::new, |(name, _, _)| format!(",scope=\"repository:{name}:{actions}\""));
            let challenge = format!("Bearer realm=\"{}\",service=\"ghcr.io\"{scope}", realm(call));
            Err(Answer::refusal(401, Code::Unauthorized, "authentication required").header("www-authenticate", challenge))
        }
    }
}
