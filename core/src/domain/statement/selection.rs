//! Which commits a statement lists when there are more than fit into it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{CommitRecord, Omitted};
use crate::domain::commit::conventional::{changes, essence};
use crate::domain::commit::range::Counted;
use crate::domain::digest::Sha256;
use crate::domain::version::{Level, level_of};

/// What commits may weigh together, in bytes: half a payload. The rest is for the witness of the bump (tree objects,
/// Chart.yaml) and the contributions of the promotion.
pub const COMMITS_WEIGHT: usize = super::PAYLOAD_LIMIT / 2;

/// The records of the commits that count, oldest first, and what was left out.
///
/// `counted` is newest first. As long as everything together weighs at most `room`, nothing is left out. Otherwise those
/// stay that decide (the newest by date, one of the highest level, the newest that asks for a version), and of the others
/// as many as fit, higher levels and newer ones first. `weight` says how many bytes of statements a record costs.
/// Messages are shortened to what level and changelog are derived from.
pub fn select(counted: &[Counted], room: usize, weight: impl Fn(&CommitRecord) -> usize) -> (Vec<CommitRecord>, Option<Omitted>) {
    let records: Vec<CommitRecord> = counted.iter().map(record).collect();
    let weights: Vec<usize> = records.iter().map(weight).collect();
    let levels: Vec<Level> = records.iter().map(|record| level_of([record.message.as_str()], true)).collect();
    let asks = |record: &CommitRecord| changes(&record.message).iter().any(|change| matches!(change.release_as(), Some(Ok(_))));
    let newest = counted.iter().enumerate().max_by_key(|(index, commit)| (commit.committed, Reverse(*index))).map(|(index, _)| index);
    let highest = levels.iter().enumerate().max_by_key(|(index, level)| (**level, Reverse(*index))).map(|(index, _)| index);
    let asking = records.iter().position(asks);
    let mut kept: BTreeSet<usize> = [newest, highest, asking].into_iter().flatten().collect();
    let mut used: usize = kept.iter().filter_map(|index| weights.get(*index)).sum();
    let mut others: Vec<usize> = (0..records.len()).filter(|index| !kept.contains(index)).collect();
    others.sort_by_key(|index| (Reverse(levels.get(*index).copied()), *index));
    for index in others {
        let Some(weight) = weights.get(index) else { continue };
        if used + weight > room {
            break;
        }
        used += weight;
        kept.insert(index);
    }
    let mut left_out = String::new();
    let mut listed = Vec::new();
    for (index, record) in records.into_iter().enumerate().rev() {
        if kept.contains(&index) {
            listed.push(record);
        } else {
            left_out.push_str(&format!("{}\n", record.id));
        }
    }
    let count = u64::try_from(counted.len() - listed.len()).unwrap_or(u64::MAX);
    let omitted = (count > 0).then(|| Omitted { count, sha256: Sha256::of(left_out.as_bytes()) });
    (listed, omitted)
}

fn record(counted: &Counted) -> CommitRecord {
    let author = crate::domain::markdown::one_line(&counted.author.name, 200);
    CommitRecord { id: counted.id.clone(), message: essence(&counted.message), author: Some(author), pull: counted.pull }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::commit::Author;
    use crate::domain::digest::CommitId;

    /// `a!` breaks, `f` is a feature, `r` asks for a version, anything else is a fix. Newest first; each weighs 10.
    fn check(commits: &[(&str, i64)], room: usize, listed: &str, omitted: &str) {
        let counted: Vec<Counted> = commits
            .iter()
            .enumerate()
            .map(|(index, (word, committed))| Counted {
                id: CommitId::new(format!("{index:040}")).unwrap(),
                author: Author { name: "Ann".to_owned(), email: "ann@example.com".to_owned() },
                committed: *committed,
                message: match *word {
                    "a!" => "fix!: a".to_owned(),
                    "f" => "feat: f".to_owned(),
                    "r" => "fix: r\n\nRelease-As: 2.0.0".to_owned(),
                    other => format!("fix: {other}"),
                },
                pull: None,
            })
            .collect();
        let (records, left_out) = select(&counted, room, |_| 10);
        let number = |record: &CommitRecord| record.id.as_str().trim_start_matches('0').to_owned();
        assert_eq!(records.iter().map(number).collect::<Vec<_>>().join(" ").trim(), listed);
        let ids: String = omitted.split_whitespace().map(|index| format!("{index:0>40}\n")).collect();
        let expected = (!omitted.is_empty()).then(|| Omitted { count: ids.lines().count() as u64, sha256: Sha256::of(ids.as_bytes()) });
        assert_eq!(left_out, expected);
        let level = |messages: Vec<&str>| level_of(messages, true);
        assert_eq!(level(records.iter().map(|record| record.message.as_str()).collect()), level(counted.iter().map(|one| one.message.as_str()).collect()));
    }

    #[test]
    fn what_fits_stays_whole() {
        check(&[], 0, "", "");
        check(&[("x", 3), ("f", 2), ("x", 1)], 30, "2 1", "");
    }

    #[test]
    fn of_too_many_the_deciding_ones_stay() {
        // The newest by date is not the first; the breaking one decides the level; the third asks for a version.
        check(&[("x", 1), ("x", 9), ("x", 1), ("r", 1), ("a!", 1), ("f", 1)], 30, "4 3 1", "5 2 0");
        check(&[("x", 9), ("x", 1), ("f", 1), ("a!", 1), ("f", 1)], 40, "4 3 2", "1");
        check(&[("x", 9), ("x", 8), ("x", 7)], 0, "", "2 1");
    }

    #[test]
    fn payloads_of_many_long_commits_fit() {
        let author = Author { name: "Ann".to_owned(), email: "ann@example.com".to_owned() };
        let one = |index: usize| Counted {
            id: CommitId::new(format!("{index:040}")).unwrap(),
            author: author.clone(),
            committed: 0,
            message: format!("fix: {index}\n\n{}", "long ".repeat(10_000)),
            pull: Some(1),
        };
        let counted: Vec<Counted> = (0..5000).map(one).collect();
        let size = |record: &CommitRecord| serde_json::to_vec(record).unwrap().len();
        let (records, omitted) = select(&counted, COMMITS_WEIGHT, size);
        assert!(records.iter().map(size).sum::<usize>() <= COMMITS_WEIGHT);
        assert_eq!(records.len() as u64 + omitted.unwrap().count, 5000);
        assert!(records.len() > 500);
    }
}
