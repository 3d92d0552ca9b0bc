//! What is wrong with a repository, a chart or a folder is told with its place and the way out, and costs nobody anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]
#![allow(missing_docs, reason = "a test")]

mod common;

use common::{Ran, TestEnvironment};

const CHART: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: a chart\n";

/// A repository `r`: one chart on `main`, and the branch `feature`, which the caller is on.
fn repository() -> TestEnvironment {
    let test = TestEnvironment::new();
    test.commit("r", &[("charts/a/Chart.yaml", CHART), ("charts/a/values.yaml", "value: 0\n")], "feat(a): a chart");
    test.git("r", &["checkout", "-q", "-b", "feature"], b"");
    test
}

/// A rehearsal of `feature`, which left the user's repository as it was.
fn rehearse(test: &TestEnvironment) -> Ran {
    let state =
        |test: &TestEnvironment| test.git("r", &["for-each-ref"], b"") + &test.git("r", &["count-objects", "-v"], b"") + &test.git("r", &["status", "-s"], b"");
    let before = state(test);
    let done = test.chartflow("", &["rehearse", "r", "--base", "main", "--head", "feature", "--out", "out", "-q", "--format", "json"]);
    assert_eq!(before, state(test), "the user's repository is never written to\n{done}");
    done
}

/// The refusals of a contribution that the train answers with exit code 1, one a line.
fn refusals(test: &TestEnvironment) -> String {
    let done = rehearse(test);
    assert_eq!(done.exit, Some(1), "{done}");
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(summary["result"], "refused", "{done}");
    assert_eq!(summary["charts"].as_array().unwrap().len(), 0, "{done}");
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let line = |row| format!("{}: {} | {}", text(row, "rule"), text(row, "message"), text(row, "hint"));
    summary["refused"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The refusals of a contribution that replaces Chart.yaml.
fn chart_yaml(content: &str) -> String {
    let test = repository();
    test.commit("r", &[("charts/a/Chart.yaml", content)], "feat(a): another Chart.yaml");
    refusals(&test)
}

#[test]
fn a_chart_yaml_that_cannot_be_read() {
    insta::assert_snapshot!(chart_yaml("name: [a\n"), @"layout/chart-yaml: charts/a: charts/a/Chart.yaml:2:1: not YAML: while parsing a flow sequence, expected ',' or ']' | mend the file and push again");
    insta::assert_snapshot!(chart_yaml("apiVersion: v2\nversion: 1.0.1\n"), @"layout/chart-yaml: charts/a: charts/a/Chart.yaml: name is missing; add a line such as `name: my-chart` | mend the file and push again");
    insta::assert_snapshot!(chart_yaml("apiVersion: v2\nname: a\n"), @"layout/chart-yaml: charts/a: charts/a/Chart.yaml: version is missing; add a line such as `version: 0.1.0` | mend the file and push again");
    insta::assert_snapshot!(chart_yaml("apiVersion: v2\nname: a\nversion: 1.0\n"), @r#"schema/type: charts/a/Chart.yaml:3: version 1.0 is read as a number, helm makes "1" of it | write version: 1.0.0"#);
    insta::assert_snapshot!(chart_yaml("apiVersion: v2\nname: a\nversion: 1.0.1\nversion: 1.0.2\n"), @r#"schema/duplicate-key: charts/a/Chart.yaml:4: the key "version" stands twice, first on line 3 | remove one of them"#);
}

#[test]
fn a_refusal_names_its_file_and_line() {
    let test = repository();
    test.commit("r", &[("charts/a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0\n"), ("README.md", "charts\n")], "feat(a): another Chart.yaml");
    let summary: serde_json::Value = serde_json::from_str(&rehearse(&test).stdout).unwrap();
    let places: Vec<String> = summary["refused"].as_array().unwrap().iter().map(|row| format!("{} {} {}", row["rule"], row["file"], row["line"])).collect();
    insta::assert_snapshot!(places.join("\n"), @r#"
    "layout/outside" "README.md" null
    "schema/type" "charts/a/Chart.yaml" 3
    "#);
    let on_disk: serde_json::Value = serde_json::from_slice(&std::fs::read(test.path("out/summary.json")).unwrap()).unwrap();
    assert_eq!(on_disk, summary);
}

#[test]
fn a_chart_yaml_that_is_too_much() {
    let level = |name: &str, of: &str| format!("{name}: &{name} [{}]\n", [of; 9].join(","));
    let laughs: String = ["b", "c", "d", "e", "f", "g", "h"].iter().zip(["*a", "*b", "*c", "*d", "*e", "*f", "*g"]).map(|(name, of)| level(name, of)).collect();
    insta::assert_snapshot!(chart_yaml(&format!("{CHART}a: &a [x,x,x,x,x,x,x,x,x]\n{laughs}")), @"layout/chart-yaml: charts/a: charts/a/Chart.yaml:11:8: with its aliases the document holds more than 1000000 values | mend the file and push again");
    insta::assert_snapshot!(chart_yaml(&format!("{CHART}x: {}\n", "[".repeat(100_000))), @"layout/chart-yaml: charts/a: charts/a/Chart.yaml:5:259: not YAML: recursion limit exceeded | mend the file and push again");
    insta::assert_snapshot!(chart_yaml(&format!("{CHART}x: {}\n", "y".repeat(50_000_000))), @"layout/chart-yaml: charts/a: charts/a/Chart.yaml: the blob holds 50000063 bytes, at most 1048576 are allowed | mend the file and push again");
}

#[test]
fn a_name_that_is_none() {
    for name in ["b/c", "..", "Upper", "b.lock", &"n".repeat(300)] {
        let told = chart_yaml(&format!("apiVersion: v2\nname: {name}\nversion: 1.0.1\n"));
        let shown = &name[..name.len().min(8)];
        assert!(told.starts_with("layout/chart-yaml: charts/a: charts/a/Chart.yaml:2: ") && told.contains(shown) && told.contains(" name"), "{told}");
    }
}

#[test]
fn two_directories_of_one_name() {
    let test = repository();
    test.commit("r", &[("charts/b/Chart.yaml", CHART)], "feat(a): again");
    let told = refusals(&test);
    assert!(
        told.contains("layout/doubled-name: charts/b/Chart.yaml:2: charts/b and charts/a hold charts of the name a | give one of them another name"),
        "{told}"
    );
}

#[test]
fn what_no_chart_may_hold() {
    let test = repository();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../../../etc/passwd", test.path("r/charts/a/link")).unwrap();
    test.commit("r", &[], "feat(a): a link");
    insta::assert_snapshot!(refusals(&test), @r#"layout/symlink: charts/a/link: the symbolic link to "../../../etc/passwd" leaves the chart | put a copy of the file in its place"#);

    let test = repository();
    let commit = test.git("r", &["rev-parse", "HEAD"], b"");
    test.git("r", &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},charts/a/sub")], b"");
    test.git("r", &["commit", "-q", "-m", "feat(a): a submodule"], b"");
    insta::assert_snapshot!(refusals(&test), @"layout/content: charts/a/sub: it is a submodule, whose content is not part of this repository | take it out of the chart and push again");

    for directory in ["charts/a", "charts/a/templates"] {
        let test = repository();
        let blob = test.git("r", &["hash-object", "-w", "--stdin"], b"x");
        let entry = [format!("100644 {blob}\t{directory}/").as_bytes(), b"\xff\n"].concat();
        test.git("r", &["update-index", "--index-info"], &entry);
        test.git("r", &["commit", "-q", "-m", "feat(a): a name"], b"");
        let told = refusals(&test);
        assert!(told.starts_with("layout/") && told.contains("charts/a") && told.contains("\\xff: the name is not UTF-8"), "{told}");
    }
}

#[test]
fn a_tag_that_is_taken() {
    // By itself, or by a ref below it: git cannot hold a file and a directory of one name.
    for (tag, at) in [("a-v1.0.1", "a-v1.0.1^{commit}"), ("a-v1.0.1/x", "a-v1.0.1/x^{commit}")] {
        let test = repository();
        test.commit("r", &[("charts/a/values.yaml", "value: 1\n")], "fix(a): a value");
        test.git("r", &["tag", tag, "main"], b"");
        let done = rehearse(&test);
        let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        // The version is taken: the next one is free, and the tag that is there stays where it is.
        assert_eq!((done.exit, summary["charts"][0]["tag"].as_str()), (Some(0), Some("a-v1.0.2")), "{done}");
        assert_eq!(test.git("out/origin.git", &["rev-parse", at], b""), test.git("r", &["rev-parse", "main"], b""));
    }
}

#[test]
fn a_tag_above_the_ones_to_come() {
    let test = repository();
    let configuration = "tag: \"{chart}/v{version}\"\n";
    test.git("r", &["checkout", "-q", "main"], b"");
    test.commit("r", &[(".chartflow.yaml", configuration), ("charts/b/Chart.yaml", &CHART.replace("name: a", "name: b"))], "chore: tags");
    test.git("r", &["tag", "a", "main"], b"");
    test.git("r", &["checkout", "-q", "-B", "feature"], b"");
    test.commit("r", &[("charts/a/values.yaml", "value: 1\n")], "fix(a): a value");
    test.commit("r", &[("charts/b/values.yaml", "value: 1\n")], "fix(b): a value");
    let done = rehearse(&test);
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, summary["charts"][0]["tag"].as_str()), (Some(1), Some("b/v1.0.1")), "{done}");
    let refused = &summary["refused"][0];
    let told = ["rule", "message", "hint"].map(|key| refused[key].as_str().unwrap_or_default());
    insta::assert_snapshot!(told.join(" | "), @"tag/taken | tag a/v1.0.1 cannot be made: git cannot hold it beside refs/tags/a | remove refs/tags/a; until then the chart waits. A rule for the creation of tags keeps names free");
}

#[test]
fn a_repository_that_is_none_or_too_little() {
    let test = repository();
    std::fs::create_dir(test.path("empty")).unwrap();
    let check = |arguments: &[&str]| test.chartflow("", &[arguments, &["--out", "out", "-q"]].concat()).to_string();
    insta::assert_snapshot!(check(&["rehearse", "nowhere"]), @r"
    -- stderr
    error: nowhere is no directory
    hint: name the top of a git repository, or a directory of charts
    -- exit 2
    ");
    insta::assert_snapshot!(check(&["rehearse", "r", "--base", "nope"]), @r#"
    -- stderr
    error: "nope" is neither a branch, a tag nor a commit of this repository
    hint: `git branch --all` and `git tag` list what there is
    -- exit 2
    "#);
    test.git("", &["clone", "-q", "--depth", "1", "--branch", "feature", &format!("file://{}", test.path("r").display()), "shallow"], b"");
    insta::assert_snapshot!(check(&["rehearse", "shallow"]), @r#"
    -- stderr
    error: "main" is neither a branch, a tag nor a commit of this repository
    hint: this clone is shallow and may lack it: git fetch origin main; in GitHub Actions, give actions/checkout `fetch-depth: 0`
    hint: --base REF names another branch to start main at
    -- exit 2
    "#);
    assert!(!test.path("out").exists(), "nothing was written");
}

#[test]
fn somebody_s_folder_is_left_alone() {
    let test = repository();
    std::fs::create_dir(test.path("mine")).unwrap();
    std::fs::write(test.path("mine/letter"), "dear").unwrap();
    std::fs::write(test.path("file"), "dear").unwrap();
    let check = |out: &str| test.chartflow("", &["rehearse", "r", "--out", out, "-q"]).to_string();
    insta::assert_snapshot!(check("mine"), @r#"
    -- stderr
    error: mine holds "letter", which is no rehearsal's
    hint: name an absent or empty folder with --out
    -- exit 2
    "#);
    assert!(check("file").ends_with("-- exit 2"));
    assert_eq!(std::fs::read_dir(test.path("mine")).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(test.path("mine/letter")).unwrap() + &std::fs::read_to_string(test.path("file")).unwrap(), "deardear");
}

#[test]
fn a_chart_that_cannot_be_packaged_leaves_nothing() {
    let test = TestEnvironment::new();
    std::fs::create_dir(test.path("a")).unwrap();
    let check = |content: &str| {
        let at = test.path("a/Chart.yaml");
        std::fs::write(at, content).unwrap();
        let told = test.chartflow("", &["package", "a", "-d", "packages"]).to_string();
        assert!(!test.path("packages").exists(), "{told}");
        told
    };
    insta::assert_snapshot!(check("apiVersion: v2\nname: a\n"), @r"
    -- stderr
    error: a/Chart.yaml: version is missing; add a line such as `version: 0.1.0`
    hint: `chartflow lint` says what else is wrong with the chart
    -- exit 2
    ");
    insta::assert_snapshot!(check(&format!("apiVersion: v2\nname: {}\nversion: 1.0.0\n", "n".repeat(300))), @"
    -- stderr
    error: a/Chart.yaml:2: name and version make a file name of 310 bytes, nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…; at most 255 are possible
    hint: shorten the chart's `name`, or its `version`
    -- exit 2
    ");
    insta::assert_snapshot!(check("apiVersion: v3\nname: a\nversion: 1.0.0\n"), @r#"
    -- stderr
    error: a/Chart.yaml:1: apiVersion "v3" is unknown; write `apiVersion: v2`
    hint: `chartflow lint` says what else is wrong with the chart
    -- exit 2
    "#);
}

/// helm packages these without a word, and so does chartflow, with one; and it holds the longest name that helm does.
#[test]
fn what_helm_packages_otherwise_than_it_is_written() {
    let test = TestEnvironment::new();
    std::fs::create_dir(test.path("a")).unwrap();
    let check = |content: &str| {
        std::fs::write(test.path("a/Chart.yaml"), content).unwrap();
        let told = test.chartflow("", &["package", "a", "-d", "packages"]);
        assert_eq!(told.exit, Some(0), "{told}");
        told.stderr
    };
    insta::assert_snapshot!(check("apiVersion: v2\nname: a\nversion: 1.0\n"), @r#"notice: a/Chart.yaml:3: version 1.0 is read as a number, helm makes "1" of it; write version: 1.0.0"#);
    insta::assert_snapshot!(check("apiVersion: v2\nname: a\nversion: 1.0.0\nversion: 1.0.1\n"), @r#"notice: a/Chart.yaml:4: the key "version" stands twice, first on line 3; remove one of them"#);
    assert_eq!(check(&format!("apiVersion: v2\nname: {}\nversion: 1.0.0\n", "n".repeat(245))), "");
    let mut names: Vec<_> = std::fs::read_dir(test.path("packages")).unwrap().map(|entry| entry.unwrap().file_name().len()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a-1.tgz".len(), "a-1.0.1.tgz".len(), 255]);
}

/// A disk that is full in the middle: nothing half written is left, and what was there stays.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_written_to_its_end() {
    let test = TestEnvironment::new();
    std::fs::create_dir_all(test.path("a")).unwrap();
    std::fs::write(test.path("a/Chart.yaml"), format!("{CHART}home: {}\n", "x".repeat(10_000))).unwrap();
    // Bytes that do not compress.
    let noise: Vec<u8> = (0_u32..200_000).flat_map(|at| at.wrapping_mul(2_654_435_761).rotate_left(at % 31).to_le_bytes()).collect();
    std::fs::write(test.path("a/noise"), noise).unwrap();
    // A limit on the size of a file is a full disk that no test has to make; its signal is ignored, so that writing fails.
    let limited = |arguments: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 8; exec {} {arguments}", env!("CARGO_BIN_EXE_chartflow"));
        test.command("bash", &test.path("")).args(["-c", &script]).output().unwrap()
    };
    let done = limited("package a -d packages");
    assert_eq!((done.status.code(), std::fs::read_dir(test.path("packages")).unwrap().count()), (Some(3), 0), "{done:?}");
    assert_eq!(test.chartflow("", &["package", "a", "-d", "whole"]).exit, Some(0));
    let before = "apiVersion: v1\nentries: {}\n".to_owned();
    std::fs::write(test.path("index.yaml"), &before).unwrap();
    let done = limited("index add index.yaml whole/a-1.0.0.tgz");
    assert_eq!((done.status.code(), std::fs::read_to_string(test.path("index.yaml")).unwrap()), (Some(3), before), "{done:?}");
    assert!(std::fs::read_dir(test.path("")).unwrap().all(|entry| !entry.unwrap().file_name().to_string_lossy().contains("partial")));
    let done = limited("rehearse a/.. --out out --format json");
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((done.status.code(), answer["error"]["exit"].as_u64()), (Some(3), Some(3)), "{done:?}");
    // The next one works, in what the first one left.
    std::fs::remove_file(test.path("a/noise")).unwrap();
    assert_eq!(test.chartflow("", &["rehearse", ".", "--out", "out", "-q"]).exit, Some(0));
}

/// Extending an index asks nothing that could be answered with no, and proving one does.
#[test]
fn an_index_that_cannot_be_read() {
    let test = TestEnvironment::new();
    std::fs::create_dir_all(test.path("a")).unwrap();
    std::fs::write(test.path("a/Chart.yaml"), CHART).unwrap();
    assert_eq!(test.chartflow("", &["package", "a"]).exit, Some(0));
    let garbled = "apiVersion: v1\nentries: [\n";
    std::fs::write(test.path("index.yaml"), garbled).unwrap();
    std::fs::create_dir_all(test.path("directory")).unwrap();
    let exits =
        [["add", "index.yaml", "a-1.0.0.tgz"], ["add", "directory", "a-1.0.0.tgz"], ["add", "new.yaml", "directory"], ["add", "new.yaml", "index.yaml"]]
            .map(|arguments| test.chartflow("", &["index", arguments[0], arguments[1], arguments[2]]).exit);
    // What is no package is an artifact whose content does not hold.
    assert_eq!(exits, [Some(2), Some(2), Some(2), Some(1)]);
    assert_eq!(test.chartflow("", &["index", "check", "index.yaml"]).exit, Some(1));
    assert_eq!(std::fs::read_to_string(test.path("index.yaml")).unwrap(), garbled);
    assert!(!test.path("new.yaml").exists());
    let said = test.chartflow("", &["index", "add", "directory", "a-1.0.0.tgz"]).stderr;
    assert!(said.contains("directory cannot be read"), "{said}");
}

/// A file that its owner has shut, for somebody who is not root.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    let test = TestEnvironment::new();
    std::fs::write(test.path("index.yaml"), "apiVersion: v1\nentries: {}\n").unwrap();
    std::fs::set_permissions(test.path("index.yaml"), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read(test.path("index.yaml")).is_ok() {
        // Root may read everything.
        return;
    }
    let done = test.chartflow("", &["index", "check", "index.yaml"]);
    assert_eq!(done.exit, Some(2), "{done}");
    assert!(done.stderr.contains("index.yaml cannot be read"), "{done}");
}

/// A plain directory of charts, with files that belong to none: they do not stand in the charts' way.
#[test]
fn the_files_beside_imported_charts() {
    let test = TestEnvironment::new();
    let write = |path: &str, text: &str| {
        let path = test.path("").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("d/README.md", "# Charts\n");
    write("d/charts/a/Chart.yaml", CHART);
    write("d/charts/notes/text", "no chart\n");
    write("d/test/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n");
    let done = test.chartflow("", &["rehearse", "d", "--out", "out", "-q", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, summary["charts"].as_array().unwrap().len(), &summary["charts"][0]["level"]), (Some(0), 1, &"initial".into()), "{done}");
}

/// The command of the README.
#[test]
fn the_example_repository_is_released() {
    let test = TestEnvironment::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/repository");
    let done = test.chartflow("", &["rehearse", example, "--out", "out", "-q", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let released: Vec<_> = summary["charts"].as_array().unwrap().iter().map(|chart| format!("{} {}", chart["chart"], chart["level"])).collect();
    assert_eq!(done.exit, Some(0), "{done}");
    assert_eq!(released, [r#""cache" "initial""#, r#""common" "initial""#, r#""guestbook" "initial""#, r#""ticker" "initial""#]);
}
