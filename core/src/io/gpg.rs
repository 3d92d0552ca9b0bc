//! GnuPG as a child process: it holds the keys of whoever signs, and asks for the passphrase itself.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

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
    /// It signs nothing with this key.
    #[error("gpg does not sign with the key {key:?}: {message}")]
    Refused {
        /// The key that was asked for.
        key: String,
        /// gpg's words.
        message: String,
    },
}

/// A text with its OpenPGP signature around it (RFC 9580, section 7), by SHA-512. `keyring` names the file in which gpg looks
/// for the key in place of its own; the secret half is always with gpg's agent.
///
/// # Errors
/// See [`GpgError`].
pub fn clear_sign(text: &str, key: &str, keyring: Option<&Path>) -> Result<String, GpgError> {
    let run = |source| GpgError::Run { source };
    let mut command = Command::new("gpg");
    command.args(["--batch", "--quiet", "--armor", "--digest-algo", "SHA512"]);
    if let Some(keyring) = keyring {
        // A name alone would be one of gpg's own folder.
        command.arg("--no-default-keyring").arg("--keyring").arg(std::path::absolute(keyring).map_err(run)?);
    }
    command.arg("--local-user").arg(key).args(["--output", "-", "--clearsign"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => GpgError::Absent { source },
        _ => GpgError::Run { source },
    })?;
    let input = child.stdin.take();
    let (written, done) = std::thread::scope(|scope| {
        // It answers before it has read everything.
        let writer = scope.spawn(move || input.map_or(Ok(()), |mut input| input.write_all(text.as_bytes())));
        let done = child.wait_with_output();
        (writer.join().unwrap_or_else(|_| Err(io::Error::other("its input could not be written"))), done)
    });
    let done = done.map_err(run)?;
    if !done.status.success() {
        let message = String::from_utf8_lossy(&done.stderr).lines().map(|line| line.trim_start_matches("gpg: ")).collect::<Vec<_>>().join("; ");
        return Err(GpgError::Refused { key: key.to_owned(), message });
    }
    written.map_err(run)?;
    String::from_utf8(done.stdout).map_err(|error| run(io::Error::new(io::ErrorKind::InvalidData, error)))
}
