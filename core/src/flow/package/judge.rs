//! Asking the verifier before anything of a release is shown: what a stranger would refuse is not published.

use super::build::Built;
use crate::domain::lineage::{Questions, RepositoryFacts, TagFact, questions};
use crate::domain::statement::Predicate;
use crate::flow::judge::Chain;
use crate::flow::lineage::{Refs, facts, tags};
use crate::flow::tag::existing;
use crate::flow::tips::Tips;
use crate::flow::{FlowError, Train};

/// Why a stranger would refuse the package with this lineage; nothing when it holds. The stranger has a clone where this job
/// has one: through the API the history would cost requests for each of its commits.
pub(super) async fn objection(train: &Train, tips: &Tips, chain: &Chain, built: &Built, lineage: &[u8]) -> Result<Option<String>, FlowError> {
    let held = |questions: &Questions| train.objects.holds(&questions.commit) && train.objects.holds(&questions.source);
    let facts = match questions(lineage).filter(held) {
        Some(questions) => Some(repository(train, tips, chain, &questions).await?),
        None => None,
    };
    Ok((train.verify)(&built.package.bytes, lineage, facts.as_ref()).err())
}

/// What the repository says about a lineage whose tag was looked at just now.
async fn repository(train: &Train, tips: &Tips, chain: &Chain, questions: &Questions) -> Result<RepositoryFacts, FlowError> {
    let tag = chain.tag.as_ref().and_then(|line| match &line.statement.predicate {
        Predicate::Tag(tag) => Some(TagFact { object: Some(tag.tag_object.clone()), commit: tag.commit.clone() }),
        _ => None,
    });
    let previous = match tags(questions).1 {
        Some(previous) => existing(train, previous).await?.map(|(_, commit)| commit),
        None => None,
    };
    let refs = Refs { tag, previous, main: Some(tips.main.clone()), release: Some(tips.release()?.clone()) };
    facts(&*train.objects, questions, &refs).await
}
