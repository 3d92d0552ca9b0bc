//! Every stage over every chart, in the order of the train: what finds again whatever a lost event or a crash left.

use super::{FlowError, Report, Train, bump, enforce, filter, format, package, publish, tag, validate};

/// Runs all stages once. A stage that another one's change made stale is reported by the next run.
///
/// # Errors
/// When GitHub, the registry, the store or the signer fails.
pub async fn run(train: &Train) -> Result<Vec<Report>, FlowError> {
    Ok(vec![
        tag::run(train).await?,
        validate::run(train, None).await?,
        filter::run(train).await?,
        enforce::run(train, None).await?,
        format::run(train, None).await?,
        bump::run(train, None).await?,
        package::run(train, None).await?,
        publish::run(train).await?,
    ])
}
