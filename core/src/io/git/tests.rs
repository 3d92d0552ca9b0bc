//! Held against git itself, on repositories that git made.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::domain::digest::{BlobId, TreeId};
use crate::port::objects::Objects;

/// A repository that git made, with fixed dates and no configuration of the user's.
struct Fixture {
    top: tempfile::TempDir,
}

impl Fixture {
    fn new(arguments: &[&str]) -> Self {
        let fixture = Self { top: tempfile::tempdir().unwrap() };
        fixture.git(&[&["init", "-q", "-b", "main", "--template="], arguments].concat());
        fixture
    }

    fn git_in(&self, directory: &Path, arguments: &[&str], input: &[u8]) -> String {
        let mut command = Command::new("git");
        command
            .current_dir(directory)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.top.path())
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "A").env(format!("GIT_{who}_EMAIL"), "a@example.com").env(format!("GIT_{who}_DATE"), "1700000000 +0000");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.git_in(self.top.path(), arguments, b"")
    }

    fn write(&self, path: &str, content: &str) {
        let at = self.top.path().join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, content).unwrap();
    }

    fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn open(&self) -> LocalRepository {
        LocalRepository::open(self.top.path()).unwrap()
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    ready(future).expect("local reads never wait")
}

fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source()).map(|cause| format!(": {cause}"));
    format!("{error}{}", causes.collect::<String>())
}

fn id(text: &str) -> CommitId {
    text.parse().unwrap()
}

#[test]
fn reads_what_git_wrote_in_both_object_formats() {
    for format in ["sha1", "sha256"] {
        let fixture = Fixture::new(&["--object-format", format]);
        fixture.write("charts/a/Chart.yaml", "name: a\n");
        fixture.write("charts/a/templates/x", "");
        fixture.write("README.md", "x");
        let commit = fixture.commit("feat: one\n\nbody\n");
        let repository = fixture.open();
        assert_eq!(repository.object_format().raw_length() * 2, commit.len());
        for packed in [false, true] {
            if packed {
                fixture.git(&["gc", "-q"]);
            }
            let read = now(repository.commit(&id(&commit))).unwrap();
            assert_eq!((read.tree.as_str(), read.parents.len()), (fixture.git(&["rev-parse", "HEAD^{tree}"]).as_str(), 0));
            assert_eq!(
                (read.author.name.as_str(), read.author.email.as_str(), read.committed, read.message.as_str()),
                ("A", "a@example.com", 1_700_000_000, "feat: one\n\nbody")
            );
            let tree: TreeId = fixture.git(&["rev-parse", "HEAD:charts/a"]).parse().unwrap();
            assert_eq!(now(repository.tree(&tree)).unwrap().id(repository.object_format()).unwrap(), tree);
            let files = now(repository.files(&tree)).unwrap();
            assert_eq!(files.trees(repository.object_format()).unwrap().0, tree);
            assert_eq!(files.bytes("Chart.yaml"), Some(b"name: a\n".as_slice()));
            let blob: BlobId = fixture.git(&["rev-parse", "HEAD:README.md"]).parse().unwrap();
            assert_eq!(now(repository.blob(&blob, 1)).unwrap(), b"x");
            assert!(told(&now(repository.blob(&blob, 0)).unwrap_err()).contains("the blob holds 1 bytes, at most 0 are allowed"));
        }
    }
}

#[test]
fn what_is_not_there() {
    let fixture = Fixture::new(&[]);
    let commit = fixture.commit("one");
    let repository = fixture.open();
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    let absent = "1111111111111111111111111111111111111111";
    insta::assert_snapshot!(told(&now(repository.commit(&id(absent))).unwrap_err()), @"commit 1111111111111111111111111111111111111111 is not in the repository");
    insta::assert_snapshot!(told(&now(repository.commit(&id(&tree))).unwrap_err()), @"commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904 is not in the repository");
    insta::assert_snapshot!(told(&now(repository.tree(&absent.parse().unwrap())).unwrap_err()), @"tree 1111111111111111111111111111111111111111 is not in the repository");
    assert!(now(repository.tree(&commit.parse().unwrap())).is_err());
    assert!(now(repository.commit(&id(&"1".repeat(64)))).is_err());
}

#[test]
fn what_a_directory_may_not_hold() {
    let fixture = Fixture::new(&[]);
    let first = fixture.commit("one");
    let blob = fixture.git_in(fixture.top.path(), &["hash-object", "-w", "--stdin"], b"x");
    let make = |rows: &[u8]| -> TreeId { fixture.git_in(fixture.top.path(), &["mktree", "-z", "--missing"], rows).parse().unwrap() };
    let repository = fixture.open();
    let submodule = make(format!("160000 commit {first}\tsub\0").as_bytes());
    let above = make(format!("040000 tree {submodule}\tdeep\0").as_bytes());
    insta::assert_snapshot!(told(&now(repository.files(&above)).unwrap_err()), @"deep/sub: it is a submodule, whose content is not part of this repository");
    let mut latin = format!("100644 blob {blob}\tcaf").into_bytes();
    latin.extend_from_slice(b"\xe9\0");
    let latin = make(&latin);
    let above = make(format!("040000 tree {latin}\tdeep\0").as_bytes());
    insta::assert_snapshot!(told(&now(repository.files(&above)).unwrap_err()), @r"deep/caf\xe9: the name is not UTF-8");
    assert_eq!(now(repository.tree(&latin)).unwrap().raw_entries()[0].name, b"caf\xe9");
    let mut tree = make(format!("100644 blob {blob}\tx\0").as_bytes());
    for _ in 0..40 {
        tree = make(format!("040000 tree {tree}\td\0").as_bytes());
    }
    assert!(told(&now(repository.files(&tree)).unwrap_err()).ends_with("it lies more than 32 directories deep"));
    // Two entries, thirty levels: a thousand million directories and not one file.
    let mut tree = make(b"");
    for _ in 0..30 {
        tree = make(format!("040000 tree {tree}\ta\0040000 tree {tree}\tb\0").as_bytes());
    }
    assert!(told(&now(repository.files(&tree)).unwrap_err()).ends_with("the directory holds more than 100000 files and directories"));
}

#[test]
fn references_as_git_resolves_them() {
    let fixture = Fixture::new(&[]);
    let first = fixture.commit("one");
    fixture.git(&["tag", "-a", "-m", "x", "a-v1.0.0"]);
    fixture.git(&["tag", "light"]);
    let second = fixture.commit("two");
    fixture.git(&["update-ref", "refs/remotes/origin/integration", &first]);
    fixture.git(&["update-ref", "refs/remotes/fork/integration", &second]);
    fixture.git(&["update-ref", "refs/remotes/fork/topic", &second]);
    fixture.git(&["branch", "release-1"]);
    let repository = fixture.open();
    let check = |reference: &str| match repository.resolve(reference) {
        Ok(commit) if commit.as_str() == first => "first".to_owned(),
        Ok(commit) if commit.as_str() == second => "second".to_owned(),
        Ok(other) => other.to_string(),
        Err(error) => match &error {
            GitError::UnknownReference { near, .. } => format!("{error} {near:?}"),
            _ => told(&error),
        },
    };
    for (reference, expected) in [
        ("HEAD", "second"),
        ("main", "second"),
        ("refs/heads/main", "second"),
        ("HEAD~1", "first"),
        ("HEAD^", "first"),
        ("a-v1.0.0", "first"),
        ("light", "first"),
    ] {
        assert_eq!(check(reference), expected, "{reference}");
    }
    assert_eq!((check(&first), check(&first[..9])), ("first".to_owned(), "first".to_owned()));
    // Known from remotes alone: origin's, or the only one's.
    assert_eq!((check("origin/integration"), check("integration"), check("topic")), ("first".to_owned(), "first".to_owned(), "second".to_owned()));
    insta::assert_snapshot!(check("mian"), @r#""mian" is neither a branch, a tag nor a commit of this repository ["main"]"#);
    insta::assert_snapshot!(check("integratoin"), @r#""integratoin" is neither a branch, a tag nor a commit of this repository ["fork/integration", "origin/integration"]"#);
    insta::assert_snapshot!(check("main..topic"), @r#""main..topic" is neither a branch, a tag nor a commit of this repository []"#);
    insta::assert_snapshot!(check("--upload-pack=x"), @r#""--upload-pack=x" is neither a branch, a tag nor a commit of this repository []"#);
    assert!(check("").starts_with("\"\" is neither") && check("HEAD:x").contains("neither") && check("\u{1b}[31m").contains("neither"));
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    insta::assert_snapshot!(check(&tree), @r#""4b825dc642cb6eb9a060e54bf8d69288fbee4904" names a tree, not a commit"#);
    assert_eq!(repository.head_branch().as_deref(), Some("main"));
    assert!(repository.references().unwrap().contains(&("refs/heads/release-1".to_owned(), second)));
}

#[test]
fn kinds_of_repositories() {
    let fixture = Fixture::new(&[]);
    fixture.write("charts/a/Chart.yaml", "name: a\n");
    let commit = fixture.commit("one");
    let top = fixture.top.path();
    fixture.git(&["worktree", "add", "-q", "linked", "-b", "other"]);
    fixture.git(&["clone", "-q", "--bare", ".", "bare.git"]);
    fixture.git(&["clone", "-q", "--shared", "--no-checkout", ".", "borrowing"]);
    for path in ["", "linked", "bare.git", "borrowing", ".git"] {
        let repository = LocalRepository::open(&top.join(path)).unwrap();
        assert_eq!(repository.resolve("HEAD").unwrap().as_str(), commit, "{path}");
        assert!(now(repository.commit(&id(&commit))).is_ok(), "{path}");
    }
    assert_eq!(LocalRepository::open(&top.join("linked")).unwrap().head_branch().as_deref(), Some("other"));
    assert_eq!(LocalRepository::open(&top.join("bare.git")).unwrap().work_tree(), None);

    let open = |path: &Path| match LocalRepository::open(path).unwrap_err() {
        GitError::NoRepository { above, .. } => format!("no repository, above: {}", above.is_some_and(|above| above == top)),
        error => told(&error).replace(top.to_str().unwrap(), "$TOP"),
    };
    assert_eq!(open(&top.join("charts/a")), "no repository, above: true");
    insta::assert_snapshot!(open(&top.join("absent")), @"$TOP/absent does not exist");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(open(empty.path()), "no repository, above: false");
    let unborn = Fixture::new(&[]);
    insta::assert_snapshot!(told(&unborn.open().resolve("HEAD").unwrap_err()), @"HEAD has no commit yet");
    insta::assert_snapshot!(told(&unborn.open().resolve("main").unwrap_err()), @"main has no commit yet");
    std::fs::write(top.join(".git/config"), "[core\n").unwrap();
    assert!(open(top).starts_with("the git repository at $TOP cannot be read"), "{}", open(top));
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user_is_refused() {
    let fixture = Fixture::new(&[]);
    fixture.commit("one");
    // Only root may give a directory away; elsewhere there is nothing to test.
    if std::os::unix::fs::chown(fixture.top.path().join(".git"), Some(4711), None).is_ok() {
        assert!(matches!(LocalRepository::open(fixture.top.path()), Err(GitError::Ownership { .. })));
        std::os::unix::fs::chown(fixture.top.path().join(".git"), Some(0), None).unwrap();
    }
    assert!(LocalRepository::open(fixture.top.path()).is_ok());
}

#[test]
fn replacement_refs_do_not_replace() {
    let fixture = Fixture::new(&[]);
    let first = fixture.commit("one");
    fixture.write("x", "x");
    let second = fixture.commit("two");
    fixture.git(&["replace", &second, &first]);
    assert_eq!(now(fixture.open().commit(&id(&second))).unwrap().message, "two");
}

#[test]
fn shallow_clones_say_so() {
    let fixture = Fixture::new(&[]);
    let first = fixture.commit("one");
    let second = fixture.commit("two");
    fixture.git(&["checkout", "-q", "-b", "topic", &first]);
    fixture.commit("three");
    let topic = fixture.commit("four");
    let path = format!("file://{}", fixture.top.path().display());
    fixture.git(&["clone", "-q", "--depth", "1", "--no-single-branch", &path, "shallow"]);
    let repository = LocalRepository::open(&fixture.top.path().join("shallow")).unwrap();
    assert!(repository.is_shallow() && !fixture.open().is_shallow());
    let check = |error: &dyn std::error::Error| told(error).replace(&first, "FIRST").replace(&second[..10], "SECOND").replace(&topic[..10], "TOPIC");
    insta::assert_snapshot!(check(&repository.resolve(&first).unwrap_err()), @"FIRST lies behind the boundary of this shallow clone");
    insta::assert_snapshot!(check(&repository.resolve("HEAD~3").unwrap_err()), @"HEAD~3 lies behind the boundary of this shallow clone");
    insta::assert_snapshot!(check(&now(repository.commit(&id(&first))).unwrap_err()), @"commit FIRST lies behind the boundary of this shallow clone");
    insta::assert_snapshot!(check(&now(repository.merge_base(&id(&second), &id(&topic))).unwrap_err()), @"the merge base of SECOND and TOPIC lies behind the boundary of this shallow clone");
    insta::assert_snapshot!(check(&now(repository.history(&id(&topic), &[])).unwrap_err()), @"the history before TOPIC lies behind the boundary of this shallow clone");
}

/// Makes a history from random numbers: commit `n` gets parents before it and a date of its own; dates need not follow
/// the order. The ids, in order.
fn random_history(fixture: &Fixture, commits: &[(Vec<u8>, u16)]) -> Vec<String> {
    let mut stream = String::new();
    for (at, (parents, date)) in commits.iter().enumerate() {
        let mut parents: Vec<usize> = parents.iter().filter(|_| at > 0).map(|parent| at - 1 - usize::from(*parent) % at.min(6)).collect();
        parents.dedup();
        let mut seen = BTreeSet::new();
        parents.retain(|parent| seen.insert(*parent));
        stream.push_str(&format!(
            "commit refs/heads/c{at}\nmark :{}\ncommitter A <a@example.com> {} +0000\ndata 1\nx\n",
            at + 1,
            // No date twice: which of two equal ones git takes is not told.
            1_000_000_000 + (u32::from(*date) << 5) + at as u32
        ));
        for (order, parent) in parents.iter().enumerate() {
            stream.push_str(&format!("{} :{}\n", if order == 0 { "from" } else { "merge" }, parent + 1));
        }
        stream.push_str(&format!("M 100644 inline f\ndata {}\n{at}\n", at.to_string().len()));
    }
    fixture.git_in(fixture.top.path(), &["fast-import", "--quiet", "--force"], stream.as_bytes());
    let listed = fixture.git(&["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"]);
    let mut by_name: Vec<(usize, String)> =
        listed.lines().filter_map(|line| line.split_once(' ')).filter_map(|(name, id)| Some((name.strip_prefix('c')?.parse().ok()?, id.to_owned()))).collect();
    by_name.sort();
    by_name.into_iter().map(|(_, id)| id).collect()
}

/// What a commit reaches, from the parents that git lists.
fn reach(parents: &BTreeMap<String, Vec<String>>, from: &str) -> BTreeSet<String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(commit) = open.pop() {
        open.extend(parents[&commit].iter().filter(|parent| !reached.contains(*parent)).cloned());
        reached.insert(commit);
    }
    reached
}

/// Two merges that share two parents: git takes the newer of these, also where the walk meets it last because the
/// commits between have older dates.
#[test]
fn of_several_merge_bases_the_newest_is_taken() {
    let check = |dates: [u16; 2], want: usize| {
        let fixture = Fixture::new(&[]);
        let bases = [(vec![], 0), (vec![0], dates[0]), (vec![1], dates[1])];
        let between = [(vec![0], 50), (vec![1], 60)];
        let ids = random_history(&fixture, &[&bases[..], &between, &[(vec![3, 1], 400), (vec![4, 1], 300)]].concat());
        for [one, other] in [[5, 6], [6, 5]] {
            assert_eq!(now(fixture.open().merge_base(&id(&ids[one]), &id(&ids[other]))).unwrap().unwrap().as_str(), ids[want]);
            assert_eq!(fixture.git(&["merge-base", &ids[one], &ids[other]]), ids[want]);
        }
    };
    check([100, 200], 2);
    check([200, 100], 1);
}

/// `main` merged a branch that had merged what `main` came from: the branch's tip is the base, however new the rest is.
#[test]
fn a_base_that_another_base_reaches_is_none() {
    let fixture = Fixture::new(&[]);
    let ids = random_history(&fixture, &[(vec![], 0), (vec![0], 0), (vec![0], 500), (vec![1, 0], 4), (vec![0], 5), (vec![2, 0], 0)]);
    assert_eq!(fixture.git(&["merge-base", &ids[5], &ids[4]]), ids[4]);
    assert_eq!(now(fixture.open().merge_base(&id(&ids[5]), &id(&ids[4]))).unwrap().unwrap().as_str(), ids[4]);
}

fn same_history(parents: &BTreeMap<String, Vec<String>>, repository: &LocalRepository, tip: &str, hidden: &[String]) {
    let hidden_ids: Vec<CommitId> = hidden.iter().map(|hidden| id(hidden)).collect();
    let got: Vec<String> = now(repository.history(&id(tip), &hidden_ids)).unwrap().into_iter().map(|commit| commit.id.to_string()).collect();
    assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), got.len(), "no commit twice");
    let mut want = reach(parents, tip);
    for hidden in hidden {
        want = want.difference(&reach(parents, hidden)).cloned().collect();
    }
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), want, "{tip} --not {hidden:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn walks_are_exact_whatever_the_dates(commits in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..3), any::<u16>()), 4..24), picks in proptest::collection::vec(any::<u8>(), 9)) {
        let fixture = Fixture::new(&[]);
        let ids = random_history(&fixture, &commits);
        let listed = fixture.git(&["rev-list", "--parents", "--branches"]);
        let row = |line: &str| line.split_once(' ').map_or((line.to_owned(), vec![]), |(id, parents)| (id.to_owned(), parents.split(' ').map(ToOwned::to_owned).collect()));
        let parents: BTreeMap<String, Vec<String>> = listed.lines().map(row).collect();
        let repository = fixture.open();
        let pick = |at: usize| ids[usize::from(picks[at]) % ids.len()].clone();
        for at in 0..6 {
            same_history(&parents, &repository, &pick(at), &[pick(at + 1)]);
            same_history(&parents, &repository, &pick(at), &[pick((at + 3) % 9), pick((at + 5) % 9)]);
        }
        for at in 0..2 {
            let (one, other) = (pick(at), pick(at + 4));
            let got = now(repository.merge_base(&id(&one), &id(&other))).unwrap().unwrap();
            let bases = fixture.git(&["merge-base", "--all", &one, &other]);
            prop_assert_eq!(Some(got.as_str()), bases.lines().next());
        }
    }
}

/// The real repository, where there is one: `CHARTFLOW_TEST_DATA` names the directory.
#[test]
fn walks_of_a_real_history_are_git_s() {
    let Some(data) = std::env::var_os("CHARTFLOW_TEST_DATA") else { return };
    let fixture = Fixture::new(&[]);
    let status = Command::new("tar").arg("-xf").arg(Path::new(&data).join("grafana-helm-charts.git.tar")).arg("-C").arg(fixture.top.path()).status().unwrap();
    assert!(status.success());
    let path =
        std::fs::read_dir(fixture.top.path()).unwrap().filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.join("HEAD").is_file()).unwrap();
    let repository = LocalRepository::open(&path).unwrap();
    let git = |arguments: &[&str]| fixture.git_in(&path, arguments, b"");
    let merges: Vec<String> = git(&["rev-list", "--merges", "--max-count=300", "HEAD"]).lines().step_by(10).map(ToOwned::to_owned).collect();
    for merge in &merges {
        let parents = now(repository.commit(&id(merge))).unwrap().parents;
        let want: Vec<String> = git(&["rev-list", parents[1].as_str(), "--not", parents[0].as_str()]).lines().map(ToOwned::to_owned).collect();
        let got: Vec<String> = now(repository.history(&parents[1], &parents[..1])).unwrap().into_iter().map(|commit| commit.id.to_string()).collect();
        assert_eq!(got, want, "{merge}");
        let base = now(repository.merge_base(&parents[0], &parents[1])).unwrap().unwrap();
        assert_eq!(Some(base.as_str()), git(&["merge-base", "--all", parents[0].as_str(), parents[1].as_str()]).lines().next());
    }
    assert_eq!(now(repository.history(&repository.resolve("HEAD").unwrap(), &[])).unwrap().len().to_string(), git(&["rev-list", "--count", "HEAD"]));
}
