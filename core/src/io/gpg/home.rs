//! A folder for gpg that is there for one run alone.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// It goes, and gpg's agent for it too, when this is dropped.
#[derive(Debug)]
pub(super) struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    /// A folder that its owner alone reads.
    pub(super) fn new() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        // Short, as the path of the agent's socket has at most about 100 bytes.
        builder.prefix("gpg-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Ok(Self { directory: builder.tempdir()? })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // An agent whose folder is gone ends by itself in the end; where the sockets lie elsewhere, their folder stays.
        for arguments in [["--kill", "all"].as_slice(), &["--remove-socketdir"]] {
            let mut command = Command::new("gpgconf");
            let _ = command.args(arguments).env("GNUPGHOME", self.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        // The agent may still be taking its own files away, and then the folder's own removal fails.
        for _ in 0..20 {
            match std::fs::remove_dir_all(self.path()) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.path().exists() => return,
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(50)),
            }
        }
    }
}
