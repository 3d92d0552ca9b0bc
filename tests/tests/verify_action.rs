//! What the action `verify` reads: files of the workspace, and nothing else that a name in it may lead to. It can be
//! cancelled meanwhile.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use chartflow_core::action::Verb;
use chartflow_tests::alone::Alone;
use chartflow_tests::runner::Ran;

const LONGEST: u64 = 256 << 20;

/// A workspace with a package, its lineage and a folder of trust, none of which is worth anything.
fn filled() -> Alone {
    let alone = Alone::new("https://api.github.com").with("artifact", "a.tgz").with("trust", "trust");
    let workspace = alone.workspace();
    fs::create_dir(workspace.join("trust")).unwrap();
    for (name, text) in [("a.tgz", "package"), ("a.lineage.jsonl", "{}\n"), ("trust/policy.json", "{}")] {
        fs::write(workspace.join(name), text).unwrap();
    }
    alone
}

fn said(ran: &Ran) -> &str {
    ran.log.lines().find_map(|line| line.strip_prefix("::error title=chartflow::")).unwrap()
}

/// The same with one name that is no regular file of the workspace; what is said of it.
fn check(name: &str, place: impl Fn(&std::path::Path)) -> String {
    let alone = filled();
    let path = alone.workspace().join(name);
    fs::remove_file(&path).unwrap();
    place(&path);
    let ran = alone.run(Verb::Verify);
    assert_eq!(ran.code, 2, "{ran:#?}");
    said(&ran).replace(&alone.workspace().display().to_string(), "WORKSPACE")
}

fn pipe(path: &std::path::Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_link_leads_nowhere_else() {
    let outside = |path: &std::path::Path| symlink("/etc/passwd", path).unwrap();
    insta::assert_snapshot!(check("a.tgz", outside), @r#"artifact: "a.tgz" cannot be used%0AWhat to do: name what lies below the workspace"#);
    insta::assert_snapshot!(check("a.lineage.jsonl", outside), @r#"lineage: "a.lineage.jsonl" cannot be used%0AWhat to do: name what lies below the workspace"#);
    insta::assert_snapshot!(check("trust/policy.json", outside), @"WORKSPACE/trust/policy.json leads out of WORKSPACE%0AWhat to do: put the file itself there, not a link to it");
    // A folder on the way.
    let alone = filled().with("lineage", "link/passwd");
    symlink("/etc", alone.workspace().join("link")).unwrap();
    let ran = alone.run(Verb::Verify);
    assert_eq!(ran.code, 2, "{ran:#?}");
    insta::assert_snapshot!(said(&ran), @r#"lineage: "link/passwd" cannot be used%0AWhat to do: name what lies below the workspace"#);
    let alone = filled().with("trust", "link");
    symlink("/etc", alone.workspace().join("link")).unwrap();
    assert!(said(&alone.run(Verb::Verify)).contains("name what lies below the workspace"));
}

/// The kernel follows links to where no path can be spelt out.
#[test]
fn a_link_leads_out_over_no_path_that_is_too_long() {
    let alone = filled();
    let mut at = alone.workspace().to_path_buf();
    for hop in ["l0", "l1", "l2"] {
        let below = [&*"d".repeat(200); 10].join("/");
        fs::create_dir_all(at.join(&below)).unwrap();
        symlink(below, at.join(hop)).unwrap();
        at.push(hop);
    }
    symlink("/etc/passwd", at.join("x")).unwrap();
    for (name, link) in [("trust/policy.json", "../l0/l1/l2/x"), ("a.lineage.jsonl", "l0/l1/l2/x"), ("a.tgz", "l0/l1/l2/x")] {
        let path = alone.workspace().join(name);
        let held = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        symlink(link, &path).unwrap();
        assert!(fs::read(&path).unwrap().starts_with(b"root:"), "the kernel gets there");
        let ran = alone.run(Verb::Verify);
        assert!(ran.code == 2 && said(&ran).contains("File name too long"), "{name}: {ran:#?}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, held).unwrap();
    }
}

#[test]
fn a_link_within_the_workspace_is_a_file_of_it() {
    let alone = filled().with("artifact", "link/a.tgz").with("lineage", "./trust/../a.lineage.jsonl");
    symlink(".", alone.workspace().join("link")).unwrap();
    // The policy is none, which is found when everything was read; a name with `..` is refused as it stands.
    assert!(said(&alone.run(Verb::Verify)).contains("name what lies below the workspace"));
    let alone = alone.with("lineage", "link/a.lineage.jsonl");
    assert!(said(&alone.run(Verb::Verify)).contains("policy.json cannot be used"));
}

#[test]
fn what_lies_beside_the_policy_may_lead_anywhere() {
    let alone = filled().with("trust", ".");
    fs::rename(alone.workspace().join("trust/policy.json"), alone.workspace().join("policy.json")).unwrap();
    symlink("/etc", alone.workspace().join("elsewhere")).unwrap();
    let ran = alone.run(Verb::Verify);
    assert!(said(&ran).contains("policy.json cannot be used"), "{ran:#?}");
}

#[test]
fn what_is_no_file_is_not_read() {
    insta::assert_snapshot!(check("a.tgz", pipe), @r#"artifact: "a.tgz" cannot be used: it is no regular file%0AWhat to do: name what an earlier step has put into the workspace"#);
    insta::assert_snapshot!(check("a.lineage.jsonl", pipe), @r#"lineage: "a.lineage.jsonl" cannot be used: it is no regular file%0AWhat to do: name what an earlier step has put into the workspace"#);
    insta::assert_snapshot!(check("trust/policy.json", pipe), @"the trust folder WORKSPACE/trust holds no policy.json and no policy.yaml%0AWhat to do: name the folder `trust` of a rehearsal, or one with your own policy");
    let absent = filled().with("trust", "absent");
    insta::assert_snapshot!(said(&absent.run(Verb::Verify)), @r#"trust: "absent" cannot be used: No such file or directory (os error 2)%0AWhat to do: name what an earlier step has put into the workspace"#);
    insta::assert_snapshot!(check("a.tgz", |path| fs::create_dir(path).unwrap()), @r#"artifact: "a.tgz" cannot be used: is a directory%0AWhat to do: name what an earlier step has put into the workspace"#);
}

#[test]
fn signals_are_heard_while_it_works() {
    let alone = filled();
    // Long enough that reading and hashing it takes a while.
    fs::File::create(alone.workspace().join("a.tgz")).unwrap().set_len(LONGEST).unwrap();
    let (ran, looks) = alone.run_looking(Verb::Verify);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(looks > 2, "a signal could have been heard {looks} times");
}
