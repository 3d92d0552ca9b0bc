//! Whether a statement counts for the train: the same questions that a verifier of the release asks of its line.

use super::bundle::{Anchor, BundleError, Line, Signed};
use super::signer;
use crate::domain::policy::{Epoch, Policy};
use crate::domain::statement::{Statement, StatementError};

/// Why a statement does not count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotCounted {
    /// It is no bundle, or its signature does not hold.
    #[error("its signature does not count")]
    Bundle {
        /// The cause.
        #[from]
        source: BundleError,
    },
    /// What was signed is no statement of the train.
    #[error("it is no statement of the train")]
    Statement {
        /// The cause.
        #[from]
        source: StatementError,
    },
    /// No rules held when it was signed.
    #[error("no epoch of the policy had begun when it was signed")]
    Epoch,
    /// Who signed it may not sign such a statement.
    #[error("{}", .problems.join("; "))]
    Signer {
        /// What is wrong with who signed, a clause each.
        problems: Vec<String>,
    },
}

/// The payload of a line that counts by the policy: its signature is proved, and by whom the policy names for such a
/// statement at that time. A certificate alone says nothing: everybody's workflows have them.
///
/// # Errors
/// See [`NotCounted`].
pub fn counted(text: &str, policy: &Policy, anchor: &Anchor) -> Result<Vec<u8>, NotCounted> {
    let line = Line::read(text)?;
    let signed = line.verify(anchor)?;
    judge(&Statement::parse(line.payload())?, &signed, policy)?;
    Ok(line.payload().to_vec())
}

pub(super) fn judge(statement: &Statement, signed: &Signed, policy: &Policy) -> Result<(), NotCounted> {
    let epoch = epoch_of(signed, policy).ok_or(NotCounted::Epoch)?;
    let problems: Vec<String> = signer::check(&signed.identity, statement, policy, epoch).into_iter().map(|(_, problem)| problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(NotCounted::Signer { problems }) }
}

/// The rules at the time that is proved. A key proves none, so the newest rules say what it may sign.
fn epoch_of<'a>(signed: &Signed, policy: &'a Policy) -> Option<&'a Epoch> {
    match signed.time {
        Some(time) => policy.epoch_at(time),
        None => policy.epochs.iter().max_by_key(|epoch| epoch.from),
    }
}
