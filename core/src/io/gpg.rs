//! GnuPG as a child process: it holds the keys of whoever signs, and asks for the passphrase itself.

mod home;
mod listing;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use home::Home;
use listing::{Choice, choose};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpgError {
    /// There is no gpg on the `PATH`.
    #[error("there is no gpg on the PATH")]
    Absent {
        /// The cause.
        source: io::Error,
    },
    /// It could not be run to its end.
    #[error("gpg cannot be run")]
    Run {
        /// The cause.
        source: io::Error,
    },
    /// It knows no such key, or not its secret half.
    #[error("gpg has no secret key {key:?}{}: {message}", within(keyring.as_deref()))]
    Unknown {
        /// The key that was asked for.
        key: String,
        /// Where it was looked for, if not in gpg's own keyring.
        keyring: Option<PathBuf>,
        /// gpg's words.
        message: String,
    },
    /// Several keys are so called.
    #[error("more than one key is meant by {key:?}: {}", keys.join(", "))]
    Several {
        /// The key that was asked for.
        key: String,
        /// The keys: fingerprint and first user id.
        keys: Vec<String>,
    },
    /// The passphrase could not be asked for.
    #[error("the key {key:?} has a passphrase, and gpg cannot ask for it: {message}")]
    Passphrase {
        /// The key that was asked for.
        key: String,
        /// gpg's words.
        message: String,
    },
    /// It signs nothing with this key.
    #[error("gpg does not sign with the key {key:?}: {message}")]
    Refused {
        /// The key that was asked for.
        key: String,
        /// gpg's words.
        message: String,
    },
    /// Not the key that was asked for signed, or not it alone.
    #[error("gpg signed with {}, not with {fingerprint} alone", if signers.is_empty() { "no key".to_owned() } else { signers.join(" and ") })]
    OtherSigner {
        /// The key that was to sign.
        fingerprint: String,
        /// Those that signed.
        signers: Vec<String>,
    },
    /// What is signed is not what was to be signed.
    #[error("gpg signed another text than it was given, whose longest line has {longest} bytes")]
    OtherText {
        /// The bytes of the longest line.
        longest: usize,
    },
}

fn within(keyring: Option<&Path>) -> String {
    keyring.map(|keyring| format!(" in {}", keyring.display())).unwrap_or_default()
}

/// A key that gpg signs with.
#[derive(Debug)]
pub struct Signer {
    key: String,
    /// The fingerprint of the key or subkey that signs.
    fingerprint: String,
    keyring: Keyring,
}

/// Where gpg looks for a key.
#[derive(Debug)]
enum Keyring {
    /// In its own keyring.
    Own,
    /// In a file of public keys, whose secret halves its agent has.
    Public(PathBuf),
    /// In a folder that is there for this alone, into which a file of secret keys was brought.
    Secret(Home),
}

impl Keyring {
    fn command(&self) -> Command {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--quiet", "--status-fd", "2"]);
        match self {
            Self::Own => {}
            Self::Public(file) => {
                command.arg("--no-default-keyring").arg("--keyring").arg(file);
            }
            Self::Secret(home) => {
                command.env("GNUPGHOME", home.path());
            }
        }
        command
    }
}

impl Signer {
    /// The one key that is meant by `key`: a name, an address or a fingerprint. `keyring` names the file in which it is looked
    /// for in place of gpg's own keyring: an export of secret keys, armored or not, which is brought into a folder of its own
    /// that goes with the signer; or public keys, whose secret halves gpg's agent has.
    ///
    /// # Errors
    /// See [`GpgError`].
    pub async fn find(key: &str, keyring: Option<&Path>) -> Result<Self, GpgError> {
        let place = match keyring {
            None => Keyring::Own,
            Some(file) => {
                // A name alone would be one of gpg's own folder.
                let file = std::path::absolute(file).map_err(|source| GpgError::Run { source })?;
                bring(&file).await?.map_or(Keyring::Public(file), Keyring::Secret)
            }
        };
        let mut command = place.command();
        command.args(["--with-colons", "--list-secret-keys", "--", key]);
        let listed = run(command, "").await?;
        match choose(&String::from_utf8_lossy(&listed.stdout), key) {
            Choice::One(fingerprint) => Ok(Self { key: key.to_owned(), fingerprint, keyring: place }),
            Choice::Several(keys) => Err(GpgError::Several { key: key.to_owned(), keys }),
            Choice::None => Err(GpgError::Unknown { key: key.to_owned(), keyring: keyring.map(Path::to_owned), message: words(&listed) }),
        }
    }

    /// A text with its OpenPGP signature around it (RFC 9580, section 7), by SHA-512.
    ///
    /// # Errors
    /// See [`GpgError`].
    pub async fn clear_sign(&self, text: &str) -> Result<String, GpgError> {
        let mut command = self.keyring.command();
        // Without the exclamation mark gpg would choose among the subkeys.
        command.args(["--armor", "--digest-algo", "SHA512", "--local-user"]).arg(format!("{}!", self.fingerprint));
        command.args(["--output", "-", "--clearsign"]);
        let done = run(command, text).await?;
        if !done.status.success() {
            let (key, message) = (self.key.clone(), words(&done));
            return Err(if asked_in_vain(&done) { GpgError::Passphrase { key, message } } else { GpgError::Refused { key, message } });
        }
        // gpg.conf may name further keys to sign with.
        let signers: Vec<String> = status(&done, "SIG_CREATED").filter_map(|values| values.split(' ').next_back().map(ToOwned::to_owned)).collect();
        if signers != [self.fingerprint.as_str()] {
            return Err(GpgError::OtherSigner { fingerprint: self.fingerprint.clone(), signers });
        }
        let signed = String::from_utf8(done.stdout).map_err(|error| GpgError::Run { source: io::Error::new(io::ErrorKind::InvalidData, error) })?;
        // gpg cuts a line after about 20,000 bytes, and ends well.
        if signed_lines(&signed).is_none_or(|lines| !lines.eq(text.lines())) {
            return Err(GpgError::OtherText { longest: text.lines().map(str::len).max().unwrap_or_default() });
        }
        Ok(signed)
    }
}

/// A folder with the secret keys of a file, if it has any.
async fn bring(file: &Path) -> Result<Option<Home>, GpgError> {
    let keyring = Keyring::Secret(Home::new().map_err(|source| GpgError::Run { source })?);
    let mut command = keyring.command();
    command.arg("--import").arg(file);
    let done = run(command, "").await?;
    // GnuPG's doc/DETAILS: the bit 16 of a key's first value is that of a secret key.
    let secret = status(&done, "IMPORT_OK").filter_map(|values| values.split(' ').next()?.parse::<u32>().ok()).any(|reason| reason & 16 != 0);
    Ok(match keyring {
        Keyring::Secret(home) if secret => Some(home),
        _ => None,
    })
}

/// The lines below the head of a text that is signed, without the dashes that escape some.
fn signed_lines(signed: &str) -> Option<impl Iterator<Item = &str>> {
    let mut lines = signed.lines();
    lines.by_ref().find(|line| *line == "-----BEGIN PGP SIGNED MESSAGE-----")?;
    lines.by_ref().find(|line| line.is_empty())?;
    Some(lines.take_while(|line| *line != "-----BEGIN PGP SIGNATURE-----").map(|line| line.strip_prefix("- ").unwrap_or(line)))
}

/// Whether gpg could not ask for the passphrase: what failed is the program that asks (5), or there is none (85); see
/// libgpg-error's err-sources.h and err-codes.h.
fn asked_in_vain(done: &Output) -> bool {
    let codes = status(done, "FAILURE").filter_map(|values| values.split(' ').nth(1)?.parse::<u32>().ok());
    codes.into_iter().any(|code| code >> 24 == 5 || code & 0xffff == 85)
}

const STATUS: &str = "[GNUPG:] ";

/// The values of the status lines of a name (GnuPG's doc/DETAILS).
fn status<'a>(done: &'a Output, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = String::from_utf8_lossy(&done.stderr).into_owned();
    let values = lines.lines().filter_map(|line| line.strip_prefix(STATUS)?.strip_prefix(name)?.strip_prefix(' ').map(ToOwned::to_owned));
    values.collect::<Vec<_>>().into_iter()
}

/// What gpg says to people.
fn words(done: &Output) -> String {
    let text = String::from_utf8_lossy(&done.stderr);
    let lines = text.lines().filter(|line| !line.starts_with(STATUS)).map(|line| line.trim_start_matches("gpg: "));
    let said = lines.collect::<Vec<_>>().join("; ");
    if said.is_empty() { format!("{}", done.status) } else { said }
}

/// Runs gpg, which is ended when this is dropped.
async fn run(mut command: Command, text: &str) -> Result<Output, GpgError> {
    let run = |source| GpgError::Run { source };
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let mut child = child.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => GpgError::Absent { source },
        _ => GpgError::Run { source },
    })?;
    let input = child.stdin.take();
    let write = async move {
        match input {
            Some(mut input) => input.write_all(text.as_bytes()).await,
            None => Ok(()),
        }
    };
    // It answers before it has read everything.
    let (written, done) = tokio::join!(write, child.wait_with_output());
    let done = done.map_err(run)?;
    // Who fails does not read on, and says why.
    if done.status.success() {
        written.map_err(run)?;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_read_back() {
        let signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na\n- - b\n\n...\n-----BEGIN PGP SIGNATURE-----\n\nxyz\n-----END PGP SIGNATURE-----\n";
        assert_eq!(signed_lines(signed).unwrap().collect::<Vec<_>>(), ["a", "- b", "", "..."]);
        assert!(signed_lines("nothing").is_none());
    }
}
