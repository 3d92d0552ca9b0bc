//! `chartflow verify`, on what a rehearsal left.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "a test, where a panic is the answer")]

mod common;

use common::TestEnvironment;

/// A chart repository with one contribution, rehearsed into `out`.
fn rehearsed() -> TestEnvironment {
    let test = TestEnvironment::new();
    let write = |path: &str, text: &str| {
        let path = test.path("").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("charts/charts/a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: a chart\n");
    write("charts/charts/a/values.yaml", "switch: false\n");
    let done = test.chartflow("", &["rehearse", "charts", "--out", "out", "-q"]);
    assert_eq!(done.exit, Some(0), "{done}");
    test
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

const PACKAGE: &str = "out/release/charts/a-1.0.0.tgz";
const LINEAGE: &str = "out/release/charts/a-1.0.0.lineage.jsonl";

#[test]
fn a_release_is_verified_in_every_form() {
    let test = rehearsed();
    let check = |arguments: &[&str]| {
        let done = test.chartflow("", &[&["verify", "--format", "json"], arguments].concat());
        let answer = json(&done.stdout);
        assert_eq!((done.exit, &answer["result"], &answer["chart"], &answer["version"]), (Some(0), &"verified".into(), &"a".into(), &"1.0.0".into()), "{done}");
        answer["artifact"]["sha256"].as_str().unwrap().to_owned()
    };
    let package = check(&[PACKAGE, "--trust", "out/trust"]);
    assert_eq!(package, check(&[PACKAGE, "--trust", "out/trust", "--repo", "out/origin.git"]));
    assert_eq!(package, check(&[PACKAGE, "--trust", "out/trust", "--lineage", LINEAGE]));
    let content = check(&["a-v1.0.0", "--trust", "out/trust", "--repo", "out/origin.git"]);
    assert_ne!(package, content);
    test.git("", &["clone", "-q", "out/origin.git", "clone"], b"");
    assert_eq!(content, check(&["clone/charts/a", "--trust", "out/trust", "--lineage", LINEAGE]));
}

/// A lineage of 100 MB, of 10,000 lines and 10,000 deep is answered, at once and within a megabyte or two of the limit.
#[test]
fn a_lineage_that_is_too_much_is_refused() {
    let test = rehearsed();
    let line = std::fs::read_to_string(test.path(LINEAGE)).unwrap().lines().next().unwrap().to_owned();
    let sparse = std::fs::File::create(test.path("huge.jsonl")).unwrap();
    sparse.set_len(100 << 20).unwrap();
    std::fs::write(test.path("lines.jsonl"), format!("{line}\n").repeat(10_000)).unwrap();
    std::fs::write(test.path("deep.jsonl"), format!("{}{}\n", "[".repeat(10_000), "]".repeat(10_000))).unwrap();
    std::fs::write(test.path("objects.jsonl"), format!("{}1{}\n", "{\"a\":".repeat(10_000), "}".repeat(10_000))).unwrap();
    for (file, rule) in
        [("huge.jsonl", "lineage/limit"), ("lines.jsonl", "lineage/limit"), ("deep.jsonl", "bundle/malformed"), ("objects.jsonl", "bundle/malformed")]
    {
        // Less address space than the largest of them takes twice.
        let script = format!("ulimit -v 400000; exec {} verify {PACKAGE} --trust out/trust --lineage {file} --format json", env!("CARGO_BIN_EXE_chartflow"));
        let done = test.command("bash", &test.path("")).args(["-c", &script]).output().unwrap();
        let answer = json(&String::from_utf8(done.stdout).unwrap());
        assert_eq!((done.status.code(), &answer["refused"][0]["rule"]), (Some(1), &rule.into()), "{file}: {answer}");
    }
}

#[test]
fn what_does_not_hold_is_answered_and_what_was_not_said_is_asked_for() {
    let test = rehearsed();
    let exit = |arguments: &[&str]| {
        let done = test.chartflow("", &[&["verify", "--format", "json"], arguments].concat());
        let answer = json(&done.stdout);
        let told = answer["refused"][0]["rule"].as_str().or(answer["error"]["message"].as_str()).unwrap_or_default().to_owned();
        format!("{} {told}", done.exit.unwrap())
    };
    std::fs::write(test.path("empty.jsonl"), "").unwrap();
    std::fs::write(test.path("garbage.tgz"), "garbage").unwrap();
    std::fs::create_dir(test.path("nothing")).unwrap();
    insta::assert_snapshot!(exit(&[PACKAGE, "--trust", "out/trust", "--lineage", "empty.jsonl"]), @"1 lineage/empty");
    insta::assert_snapshot!(exit(&["garbage.tgz", "--trust", "out/trust", "--lineage", LINEAGE]), @"1 artifact/digest");
    insta::assert_snapshot!(exit(&["charts/charts/a", "--trust", "out/trust", "--lineage", LINEAGE]), @"1 artifact/digest");
    insta::assert_snapshot!(exit(&[PACKAGE, "--repository", "example/charts"]), @"1 bundle/profile");
    insta::assert_snapshot!(exit(&[PACKAGE]), @"2 whom to trust was not said");
    insta::assert_snapshot!(exit(&[PACKAGE, "--trust", "nothing"]), @"2 the trust folder nothing holds no policy.json and no policy.yaml");
    insta::assert_snapshot!(exit(&[PACKAGE, "--trust", "absent"]), @"2 the trust folder absent does not exist");
    insta::assert_snapshot!(exit(&["charts/charts/a", "--trust", "out/trust"]), @"2 which lineage charts/charts/a belongs to was not said");
    insta::assert_snapshot!(exit(&["garbage.tgz", "--trust", "out/trust"]), @"2 garbage.lineage.jsonl cannot be read: No such file or directory (os error 2)");
    insta::assert_snapshot!(exit(&["absent.tgz", "--trust", "out/trust"]), @"2 absent.tgz cannot be read: No such file or directory (os error 2)");
}

#[test]
fn a_tag_that_was_moved_is_refused() {
    let test = rehearsed();
    let git = |arguments: &[&str]| test.git("out/origin.git", arguments, b"");
    let was = git(&["rev-parse", "refs/tags/a-v1.0.0"]);
    let (main, release) = (git(&["rev-parse", "main"]), git(&["rev-parse", "release"]));
    let tree = git(&["rev-parse", "main^{tree}"]);
    let empty = git(&["commit-tree", "-m", "x", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"]);
    let with = |entries: &str| {
        let listed = format!("{}\n{entries}\n", git(&["ls-tree", "main"]));
        let tree = test.git("out/origin.git", &["mktree", "--missing"], listed.as_bytes());
        git(&["commit-tree", "-m", "x", &tree])
    };
    let blob = test.git("out/origin.git", &["hash-object", "-w", "--stdin"], b"{");
    let without_configuration = git(&["ls-tree", "main"]).lines().filter(|line| !line.ends_with(".chartflow.yaml")).collect::<Vec<_>>().join("\n");
    let garbled = format!("{without_configuration}\n100644 blob {blob}\t.chartflow.yaml\n");
    let garbled = test.git("out/origin.git", &["mktree"], garbled.as_bytes());
    let garbled = git(&["commit-tree", "-m", "x", &garbled]);
    let other = with(&format!("100644 blob {blob}\tother"));
    let submodule = test.git("out/origin.git", &["mktree", "--missing"], format!("160000 commit {main}\ta\n").as_bytes());
    let submodule = test.git("out/origin.git", &["mktree", "--missing"], format!("040000 tree {submodule}\tcharts\n").as_bytes());
    let submodule = git(&["commit-tree", "-m", "x", &submodule]);
    for (what, to) in [
        ("a commit without files", &empty),
        ("the release branch", &release),
        ("the very commit, without annotation", &main),
        ("a tree", &tree),
        ("a blob", &blob),
        ("a configuration that is none", &garbled),
        ("another commit with the chart", &other),
        ("a submodule in the chart's place", &submodule),
    ] {
        git(&["update-ref", "refs/tags/a-v1.0.0", to]);
        let done = test.chartflow("", &["verify", "a-v1.0.0", "--trust", "out/trust", "--repo", "out/origin.git", "--format", "json"]);
        let answer = json(&done.stdout);
        let rules: Vec<&str> = answer["refused"].as_array().unwrap().iter().map(|refusal| refusal["rule"].as_str().unwrap()).collect();
        assert_eq!((done.exit, &answer["result"]), (Some(1), &"refused".into()), "{what}: {done}");
        assert!(rules.contains(&"repo/tag"), "{what}: {done}");
    }
    git(&["update-ref", "refs/tags/a-v1.0.0", &empty]);
    insta::assert_snapshot!(test.chartflow("", &["verify", "a-v1.0.0", "--trust", "out/trust", "--repo", "out/origin.git"]).to_string().replace(&empty, "EMPTY"), @"
    refused: a 1.0.0, by out/trust/policy.json
      repo/tag (tag): what the tag a-v1.0.0 names does not hold the chart in charts/a
        The tag was replaced: do not use what it names.
      repo/tag (tag): the tag a-v1.0.0 is a light one on EMPTY; an annotated tag was attested
        The tag was replaced: do not use what it names.
    -- exit 1
    ");
    git(&["update-ref", "refs/tags/a-v1.0.0", &was]);
    assert_eq!(test.chartflow("", &["verify", "a-v1.0.0", "--trust", "out/trust", "--repo", "out/origin.git"]).exit, Some(0));
}
