//! Opening, finding and describing the train's own pull requests.

use super::texts::{Described, FULL_HINT};
use super::{FlowError, Report, Train};
use crate::domain::digest::CommitId;
use crate::domain::names::ChartName;
use crate::domain::pull::DescriptionError;
use crate::domain::statement::{Account, PullRecord, Review, ReviewState};
use crate::port::github::{self, NewPull, Pull, PullFilter, Status};
use crate::port::objects;

/// The pull request an event is about, while it is open: an empty list ends a stage before it has asked for anything
/// else. `None` without a hint.
pub(crate) async fn hinted(train: &Train, hint: Option<u64>) -> Result<Option<Vec<Pull>>, FlowError> {
    let Some(number) = hint else { return Ok(None) };
    Ok(Some(train.github.get_pull(number).await?.filter(Pull::open).into_iter().collect()))
}

/// The open pull request from one branch of this repository into another.
pub(crate) async fn open(train: &Train, head: &str, base: &str) -> Result<Option<Pull>, FlowError> {
    let filter = PullFilter { head: Some(head.to_owned()), base: Some(base.to_owned()), closed: false };
    Ok(train.github.list_pulls(&filter).await?.into_iter().next())
}

/// A pull request that was offered.
pub(crate) struct Offered {
    pub(crate) pull: Pull,
    /// Whether it was opened just now.
    pub(crate) new: bool,
    /// That its description has no room for the map.
    pub(crate) full: Option<DescriptionError>,
}

impl Offered {
    /// Says that the description has no room for the map; the train goes on, because it decides by what is signed.
    pub(crate) fn tell(&self, chart: Option<&ChartName>, report: &mut Report) {
        if let Some(full) = &self.full {
            report.refuse(chart, FULL, format!("pull request {}: {full}", self.pull.number), FULL_HINT);
        }
    }
}

/// The rule of a description that has no room for the map.
pub(crate) const FULL: &str = "pull/description-full";

/// Opens a pull request, or gives the open one its present text; `body` makes the text from what stands there.
/// `expected` says whether one is likely open, which decides what is tried first.
pub(crate) async fn offer(train: &Train, head: &str, base: &str, title: &str, expected: bool, body: impl Fn(&str) -> Described) -> Result<Offered, FlowError> {
    let written = |old: &str| body(old).map_or_else(|full| (old.to_owned(), Some(full)), |text| (text, None));
    if !expected {
        let (body, full) = written("");
        let new = NewPull { title: title.to_owned(), body, head: head.to_owned(), base: base.to_owned() };
        match train.github.create_pull(&new).await {
            Ok(pull) => return Ok(Offered { pull, new: true, full }),
            Err(error) if error.message().contains("already exists") => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(pull) = open(train, head, base).await? {
        let (text, full) = written(&pull.body);
        if text == pull.body && title == pull.title {
            return Ok(Offered { pull, new: false, full });
        }
        let pull = train.github.describe_pull(pull.number, Some(title), &text).await?;
        return Ok(Offered { pull, new: false, full });
    }
    let (body, full) = written("");
    let new = NewPull { title: title.to_owned(), body, head: head.to_owned(), base: base.to_owned() };
    Ok(Offered { pull: train.github.create_pull(&new).await?, new: true, full })
}

/// Posts a status. Without an event (`hinted`) it may have been said before, and is not said again.
pub(crate) async fn status(train: &Train, hinted: bool, commit: &CommitId, status: Status) -> Result<(), FlowError> {
    if hinted {
        return Ok(train.github.create_status(commit, &status).await?);
    }
    let newest = train.github.statuses(commit).await?.into_iter().find(|known| known.context == status.context);
    let short = |text: &Option<String>| text.as_deref().unwrap_or_default().chars().take(140).collect::<String>();
    if newest.is_some_and(|newest| newest.state == status.state && short(&newest.description) == short(&status.description)) {
        return Ok(());
    }
    Ok(train.github.create_status(commit, &status).await?)
}

fn account(account: &github::Account) -> Account {
    Account { id: account.id, login: account.login.clone() }
}

/// The record of a merged pull request: its head, its reviews.
pub(crate) async fn record(train: &Train, pull: &Pull, merge: &CommitId) -> Result<PullRecord, FlowError> {
    let reviews = train.github.reviews(pull.number).await?;
    let state = |state| match state {
        github::ReviewState::Approved => Some(ReviewState::Approved),
        github::ReviewState::ChangesRequested => Some(ReviewState::ChangesRequested),
        github::ReviewState::Commented => Some(ReviewState::Commented),
        github::ReviewState::Dismissed => Some(ReviewState::Dismissed),
        github::ReviewState::Pending => None,
    };
    let reviews = reviews
        .iter()
        .filter_map(|review| Some(Review { reviewer: account(review.user.as_ref()?), head: review.commit_id.clone()?, state: state(review.state)? }))
        .collect();
    Ok(PullRecord { pull: pull.number, head: pull.head.sha.clone(), merge: merge.clone(), author: account(&pull.user), merged_by: None, reviews })
}

/// Whether it was this pull request that was merged by a commit. GitHub also counts a pull request as merged when another one
/// brings its commits, and names the same merge commit for both; but a merge commit joins the head of the one alone.
pub(crate) fn is_merge_of(commit: &objects::Commit, pull: &Pull) -> bool {
    pull.merged() && pull.merge_commit_sha.as_ref() == Some(&commit.id) && (commit.parents.len() < 2 || commit.parents[1..].contains(&pull.head.sha))
}

/// The pull request whose merge made a commit.
pub(crate) async fn of_commit(train: &Train, commit: &CommitId) -> Result<Option<Pull>, FlowError> {
    let pulls = train.github.pulls_of_commit(commit).await?;
    let commit = train.objects.commit(commit).await?;
    Ok(pulls.into_iter().find(|pull| is_merge_of(&commit, pull)))
}

/// The record of the pull request whose merge made a commit.
pub(crate) async fn record_of(train: &Train, commit: &CommitId) -> Result<Option<PullRecord>, FlowError> {
    match of_commit(train, commit).await? {
        Some(pull) => Ok(Some(record(train, &pull, commit).await?)),
        None => Ok(None),
    }
}
