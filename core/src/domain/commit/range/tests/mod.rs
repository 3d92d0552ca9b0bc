//! The table of histories: thirteen situations, each merged in three ways, as real git repositories.

mod repository;

use std::collections::BTreeSet;

use proptest::prelude::*;

use self::repository::{Repository, edit};
use super::MergeMethod::{Merge, Rebase, Squash};
use super::*;

/// Builds a history, counts for a chart at integration's tip, and compares the titles, newest first.
fn check(name: &str, method: MergeMethod, build: impl Fn(&mut Repository, MergeMethod), expected: &[(&str, &[&str])]) {
    let mut repository = Repository::new();
    build(&mut repository, method);
    repository.write();
    for (chart, titles) in expected {
        let history = repository.history(chart);
        let range = history.range().unwrap();
        assert_eq!(repository::titles(&range), *titles, "{name}, {method:?}, chart {chart}: {:#?}", range.excluded);
        everything_once(&history, &range);
        // Without the pull requests' own commits the answer is exactly the one git gives for the same bounds.
        let plain = History { contributions: Vec::new(), ways_back: BTreeSet::new(), ..history.clone() };
        let ours: BTreeSet<CommitId> = plain.range().unwrap().counted.into_iter().map(|counted| counted.id).collect();
        assert_eq!(ours, repository.git_s_answer(&history, &range), "{name}, {method:?}, chart {chart}: git's own walk");
    }
}

fn everything_once(history: &History, range: &Range) {
    let mut ids: Vec<&CommitId> = range.counted.iter().map(|counted| &counted.id).chain(range.excluded.iter().map(|(id, _)| id)).collect();
    ids.sort();
    let counted: BTreeSet<&CommitId> = range.counted.iter().map(|counted| &counted.id).collect();
    assert_eq!(counted.len(), range.counted.len(), "a commit counts twice");
    for commit in &history.commits {
        assert_eq!(ids.iter().filter(|id| ***id == commit.id).count(), 1, "{} has no single answer", commit.id);
    }
}

const ALL: [MergeMethod; 3] = [Merge, Squash, Rebase];

#[test]
fn first_contribution() {
    for method in ALL {
        check(
            "the first contribution",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one"))]);
            },
            &[("a", &["feat(a): f1"]), ("b", &[])],
        );
    }
}

#[test]
fn several_commits() {
    for method in ALL {
        check(
            "several commits in one pull request",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one")), ("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2", "feat(a): f1"])],
        );
    }
}

/// `feat` f1 is released, and the way back has arrived.
fn released(r: &mut Repository, method: MergeMethod) {
    r.pull(method, "integration", &[("feat(a): f1", edit("a", "one"))]);
    r.promote("a");
    r.release("a");
    r.back();
}

#[test]
fn after_a_release() {
    for method in ALL {
        check(
            "the contribution after a release",
            method,
            |r, method| {
                released(r, method);
                r.pull(method, "integration", &[("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn merged_while_a_release_is_on_its_way() {
    for method in ALL {
        check(
            "merged between promotion and way back",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one"))]);
                r.promote("a");
                r.pull(method, "integration", &[("fix(a): f2", edit("a", "two"))]);
                r.release("a");
                r.back();
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn counted_before_the_way_back() {
    for method in ALL {
        check(
            "merged after promotion, counted before the way back",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one"))]);
                r.promote("a");
                r.pull(method, "integration", &[("fix(a): f2", edit("a", "two"))]);
                r.release("a");
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn old_branch_merged_late() {
    for method in ALL {
        check(
            "a branch from before the release, merged after it",
            method,
            |r, method| {
                let old = r.tip("integration");
                released(r, method);
                r.pull_from(method, old, &[("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn branch_started_from_main() {
    for method in ALL {
        check(
            "a branch that was started from main",
            method,
            |r, method| {
                released(r, method);
                r.pull(method, "main", &[("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn taken_back_before_its_release() {
    for method in ALL {
        check(
            "a feature that was taken back, then a fix",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one"))]);
                r.pull(method, "integration", &[("Revert \"feat(a): f1\"", vec![("charts/a/one".to_owned(), None)])]);
                r.pull(method, "integration", &[("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn hotfix_picked_from_main() {
    for method in ALL {
        check(
            "a hotfix on main, picked into integration",
            method,
            |r, method| {
                released(r, method);
                r.commit("main", "fix(a): hotfix", edit("a", "hot"));
                r.pull(method, "integration", &[("fix(a): hotfix", edit("a", "hot"))]);
                r.pull(method, "integration", &[("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn squashed_way_back() {
    for method in ALL {
        check(
            "a way back that a person squashed",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one"))]);
                r.promote("a");
                r.release("a");
                r.back_squashed();
                r.pull(method, "integration", &[("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2"])],
        );
    }
}

#[test]
fn abandoned_promotion() {
    for method in ALL {
        check(
            "a promotion that never reached main",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one"))]);
                r.promote("a");
                r.pull(method, "integration", &[("fix(a): f2", edit("a", "two"))]);
            },
            &[("a", &["fix(a): f2", "feat(a): f1"])],
        );
    }
}

#[test]
fn two_charts_in_one_pull_request() {
    for method in ALL {
        check(
            "two charts in one pull request",
            method,
            |r, method| {
                r.pull(method, "integration", &[("feat(a): f1", edit("a", "one")), ("fix(b)!: b1", edit("b", "one"))]);
            },
            &[("a", &["feat(a): f1"]), ("b", &["fix(b)!: b1"])],
        );
    }
}

/// No rebase here: GitHub leaves the merge out of a rebase, which makes it the old branch merged late again.
#[test]
fn integration_merged_into_the_branch() {
    for method in [Merge, Squash] {
        check(
            "integration merged into the branch before its pull request",
            method,
            |r, method| {
                let old = r.tip("integration");
                released(r, method);
                r.pull_updated(method, old, ("fix(a): f2", edit("a", "two")), ("fix(a): f3", edit("a", "three")));
            },
            &[("a", &["fix(a): f3", "fix(a): f2"])],
        );
    }
}

#[test]
fn pull_requests_are_named() {
    for method in ALL {
        let mut r = Repository::new();
        r.pull(method, "integration", &[("feat(a): f1", edit("a", "one")), ("fix(a): f2", edit("a", "two"))]);
        r.pull(method, "integration", &[("fix(a): f3", edit("a", "three"))]);
        r.write();
        let range = r.history("a").range().unwrap();
        assert_eq!(range.counted.iter().map(|counted| counted.pull).collect::<Vec<_>>(), [Some(2), Some(1), Some(1)], "{method:?}");
        assert_eq!(range.newest(), range.counted.first().map(|counted| counted.committed));
    }
}

#[test]
fn a_squash_of_unknown_commits_is_read_by_scope() {
    let mut r = Repository::new();
    r.pull(Squash, "integration", &[("feat(a): f1", edit("a", "one")), ("fix(b)!: b1", edit("b", "one")), ("docs: both", Vec::new())]);
    r.write();
    let check = |chart: &str| {
        let mut history = r.history(chart);
        let squash = history.contributions.remove(0).merge_commit;
        history.touched.insert(squash, vec!["a".parse().unwrap(), "b".parse().unwrap()]);
        history.range().unwrap().counted.into_iter().map(|counted| counted.message).collect::<String>()
    };
    insta::assert_snapshot!(check("a"), @"
    feat(a): f1

    * docs: both
    ");
    insta::assert_snapshot!(check("b"), @"
    Squashed

    * fix(b)!: b1

    * docs: both
    ");
}

#[test]
fn stacked_pull_requests_count_once() {
    let mut r = Repository::new();
    let start = r.tip("integration");
    r.pull(Squash, "integration", &[("feat(a): f1", edit("a", "one"))]);
    // The second branch holds the first one's commit, and GitHub lists it for the second pull request too.
    r.stack(start, &[("feat(a): f1", edit("a", "one")), ("fix(a): f2", edit("a", "two"))]);
    r.write();
    let mut history = r.history("a");
    let first = history.contributions[0].commits[0].clone();
    history.contributions[1].commits[0] = first.clone();
    let range = history.range().unwrap();
    assert_eq!(repository::titles(&range), ["fix(a): f2", "feat(a): f1"]);
    history.counted_before.insert(first.commit.id.clone());
    history.contributions.remove(0);
    let range = history.range().unwrap();
    assert_eq!(range.counted.first().map(|counted| counted.message.as_str()), Some("fix(a): f2"));
    assert!(range.excluded.contains(&(first.commit.id, Reason::CountedBefore)));
}

#[test]
fn removed_and_added_again() {
    for method in ALL {
        let mut r = Repository::new();
        let gone = |r: &Repository| r.files("integration", "a").into_iter().map(|path| (path, None)).collect::<Vec<_>>();
        r.pull(method, "integration", &[("feat(a)!: remove", gone(&r))]);
        r.promote("a");
        r.release("a");
        r.back();
        r.pull(method, "integration", &[("feat(a): again", edit("a", "one"))]);
        r.write();
        assert_eq!(repository::titles(&r.history("a").range().unwrap()), ["feat(a): again"], "{method:?}");
    }
}

#[test]
fn a_missing_fact_is_named() {
    let mut r = Repository::new();
    r.pull(Merge, "integration", &[("feat(a): f1", edit("a", "one"))]);
    r.write();
    let mut history = r.history("a");
    history.trees.clear();
    let error = history.range().unwrap_err().to_string().replace(history.source.as_str(), "SOURCE");
    insta::assert_snapshot!(error, @"the tree of chart a at commit SOURCE is not known");
}

fn commit_id(number: usize) -> CommitId {
    CommitId::new(format!("{number:040x}")).unwrap()
}

fn any_history() -> impl Strategy<Value = History> {
    proptest::collection::vec((any::<[u8; 2]>(), 0..4_u8, any::<bool>()), 1..24).prop_map(|raw| {
        let tree = |content: u8| (content > 0).then(|| TreeId::new(format!("{content:040x}")).unwrap());
        let mut commits = Vec::new();
        let mut trees = BTreeMap::new();
        for (number, (parents, content, merge)) in raw.iter().enumerate() {
            let older: BTreeSet<usize> = parents
                .iter()
                .take(1 + usize::from(*merge))
                .map(|parent| usize::from(*parent))
                .filter(|_| number > 0)
                .map(|parent| parent % number.max(1))
                .collect();
            trees.insert(commit_id(number), tree(*content));
            let author = Author { name: "x".to_owned(), email: "x@x".to_owned() };
            commits.push(Commit { id: commit_id(number), parents: older.into_iter().map(commit_id).collect(), author, committed: 0, message: String::new() });
        }
        commits.reverse();
        let source = commits[0].id.clone();
        History {
            chart: "a".parse().unwrap(),
            source,
            commits,
            trees,
            main: tree(1),
            ways_back: BTreeSet::new(),
            contributions: Vec::new(),
            touched: BTreeMap::new(),
            counted_before: BTreeSet::new(),
        }
    })
}

proptest! {
    #[test]
    fn every_commit_has_one_answer(history in any_history()) {
        let range = history.range().unwrap();
        everything_once(&history, &range);
        prop_assert_eq!(range.counted.len() + range.excluded.len(), history.commits.len());
        if history.trees[&history.source] == history.main {
            prop_assert!(range.counted.is_empty());
        }
    }
}
