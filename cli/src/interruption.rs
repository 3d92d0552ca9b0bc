//! Ctrl-C, for commands that have something to put away.

use crate::error::{CommandError, Kind};

/// What ends a command from outside. It listens from the moment it is made, so that a word right after the lines that ask
/// for it is not lost. It is made within a tokio runtime.
pub(crate) struct Interruption {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Interruption {
    pub(crate) fn listen() -> Result<Self, CommandError> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let failed = |error| CommandError::new(Kind::Outside, "signals cannot be waited for").because(error);
            Ok(Self { signals: [signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?] })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for Ctrl-C or, where there is such a thing, the word to end; the number of the signal.
    pub(crate) async fn wait(self) -> u8 {
        #[cfg(unix)]
        {
            let [mut interrupt, mut terminate] = self.signals;
            tokio::select! {
                _ = interrupt.recv() => 2,
                _ = terminate.recv() => 15,
            }
        }
        #[cfg(not(unix))]
        {
            // Where it cannot be waited for, there is nothing to wait for.
            let _ = tokio::signal::ctrl_c().await;
            2
        }
    }
}
