//! The invariants of ARCHITECTURE.md that no compiler checks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The longest Rust file, in lines.
const LINES: usize = 500;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

struct Source {
    /// Below the top of the work tree, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The text without tests and comments, each line with its number.
    fn code(&self) -> Vec<(usize, &str)> {
        if self.path.ends_with("tests.rs") || self.path.contains("/tests/") {
            return Vec::new();
        }
        let lines: Vec<_> = self.text.lines().collect();
        let tests = lines.windows(2).position(|pair| is_test_gate(pair[0]) && pair[1].contains("mod ") && pair[1].ends_with('{'));
        let code = &lines[..tests.unwrap_or(lines.len())];
        code.iter()
            .enumerate()
            .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
            .filter(|(_, line)| !line.trim().is_empty())
            .collect()
    }
}

/// Whether an attribute lets what follows exist in tests alone: `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn is_test_gate(line: &str) -> bool {
    line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test,")
}

/// Every Rust file below a folder of the work tree.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![top().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(top()).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "there are sources in {folder}");
    found
}

/// What each layer of core may name of the others, by the first component of its path.
const LAYERS: [(&str, &[&str]); 7] = [
    ("domain", &["domain"]),
    ("port", &["domain", "port"]),
    ("plan", &["domain", "port", "plan"]),
    ("flow", &["domain", "port", "plan", "flow"]),
    ("io", &["domain", "port", "io"]),
    ("action", &["domain", "port", "plan", "flow", "io", "action"]),
    ("lib.rs", &[]),
];

/// The one upward look: what `helm lint` printed is data that the check reads and that the edge trait returns.
const EXCEPTION: (&str, &str) = ("core/src/domain/check/", "crate::port::helm::LintOutput");

fn layer(path: &str) -> &str {
    let below = path.strip_prefix("core/src/").unwrap_or(path);
    let first = below.split('/').next().unwrap_or(below);
    if first == "lib.rs" { first } else { first.trim_end_matches(".rs") }
}

/// The layers that a line of a file names and may not.
fn upward(path: &str, line: &str) -> Vec<String> {
    let own = layer(path);
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == own) else {
        return vec![format!("layer {own:?} is not in the table of this test")];
    };
    let excepted = path.starts_with(EXCEPTION.0) && line.contains(EXCEPTION.1);
    let names = line.split("crate::").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
    names.filter(|name| LAYERS.iter().any(|(layer, _)| layer == name) && !allowed.contains(name) && !excepted).map(ToOwned::to_owned).collect()
}

#[test]
fn imports_run_one_way() {
    assert_eq!(upward("core/src/domain/x.rs", "use crate::plan::Plan;"), ["plan"]);
    assert_eq!(upward("core/src/plan/mod.rs", "let x = crate::io::git::open(crate::domain::x());"), ["io"]);
    assert_eq!(upward("core/src/domain/check/mod.rs", "use crate::port::helm::Helm;"), ["port"]);
    assert_eq!(upward("core/src/flow/tag.rs", "use crate::plan::tag;"), [""; 0]);
    let found: Vec<_> = sources("core/src")
        .iter()
        .flat_map(|source| {
            let at = |(number, line): (usize, &str)| {
                upward(&source.path, line).into_iter().map(move |name| format!("{}:{number} names {name}", source.path)).collect::<Vec<_>>()
            };
            source.code().into_iter().flat_map(at).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "domain ← plan ← flow ← action; port is for all of them, io for action alone:\n{}", found.join("\n"));
}

/// What reaches the clock, chance, the environment, files, the network or other programs.
const WORLD: [&str; 18] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::time::Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "tokio::",
    "octocrab",
    "oci_distribution",
    "gix::",
    "reqwest",
    "hyper::",
    "getrandom",
    "rand::",
    "println!",
];

/// The words of [`WORLD`] in a line; a word counts where nothing of an identifier stands before it.
fn worldly(line: &str) -> Vec<&'static str> {
    let starts = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    WORLD.into_iter().filter(|word| line.match_indices(word).any(|(at, _)| starts(at))).collect()
}

#[test]
fn only_the_edge_touches_the_world() {
    assert_eq!(worldly("let now = SystemTime::now();"), ["SystemTime"]);
    assert_eq!(worldly("    std::env::var(\"HOME\")"), ["std::env"]);
    assert_eq!(worldly("operand::x(brand::y)"), [""; 0]);
    let edge = |path: &str| matches!(layer(path), "io" | "action");
    let mut found = Vec::new();
    for source in sources("core/src").iter().filter(|source| !edge(&source.path)) {
        for (number, line) in source.code() {
            found.extend(worldly(line).into_iter().map(|word| format!("{}:{number} uses {word}", source.path)));
        }
    }
    assert!(found.is_empty(), "files, network, programs, clock, chance and environment are arguments outside core/src/io:\n{}", found.join("\n"));
}

/// What of the actions is pure: how text has to look for the runner, what is declared, what a run comes to.
const PURE_ACTION: [&str; 8] = ["checked.rs", "declaration/", "environment.rs", "inputs.rs", "outcome.rs", "protocol/", "step.rs", "summary.rs"];

#[test]
fn what_the_runner_reads_is_made_without_the_world() {
    let mut found = Vec::new();
    let mut seen = 0;
    for source in sources("core/src/action") {
        let below = source.path.trim_start_matches("core/src/action/");
        if !PURE_ACTION.iter().any(|pure| below.starts_with(pure)) {
            continue;
        }
        seen += 1;
        for (number, line) in source.code() {
            found.extend(worldly(line).into_iter().map(|word| format!("{}:{number} uses {word}", source.path)));
        }
    }
    assert!(seen >= PURE_ACTION.len() && found.is_empty(), "the edge hands in what these need:\n{}", found.join("\n"));
}

#[test]
fn the_programs_of_the_actions_are_thin() {
    for source in sources("actions").iter().filter(|source| source.path.ends_with("src/main.rs")) {
        assert!(source.text.lines().count() < 60 && source.text.contains("chartflow_core::action"), "{} only names its action", source.path);
    }
}

#[test]
fn decisions_wait_for_nothing() {
    let mut found = Vec::new();
    for source in sources("core/src").iter().filter(|source| matches!(layer(&source.path), "domain" | "plan")) {
        let waits = |line: &str| line.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).any(|word| word == "async" || word == "await");
        found.extend(source.code().into_iter().filter(|(_, line)| waits(line)).map(|(number, _)| format!("{}:{number}", source.path)));
    }
    assert!(found.is_empty(), "domain and plan are pure; these lines are async:\n{}", found.join("\n"));
}

const FOLDERS: [&str; 7] = ["core/src", "cli/src", "sandbox/src", "sandbox/tests", "tests", "examples/library", "actions"];

#[test]
fn files_are_short() {
    let long: Vec<_> = FOLDERS
        .iter()
        .flat_map(|folder| sources(folder))
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, _)| *lines > LINES)
        .map(|(lines, path)| format!("{path} has {lines} lines"))
        .collect();
    assert!(long.is_empty(), "at most {LINES} lines a file:\n{}", long.join("\n"));
}

/// Shortcuts that belong into no finished code. The needles are put together so that this file holds none.
fn shortcuts(line: &str) -> bool {
    let calls = [["to", "do!("].concat(), ["unimple", "mented!("].concat(), [".unw", "rap()"].concat(), [".exp", "ect(\""].concat(), ["pan", "ic!("].concat()];
    calls.iter().any(|call| line.contains(call.as_str()))
}

#[test]
fn no_shortcuts_are_left() {
    assert!(shortcuts(&["let x = y.unw", "rap();"].concat()));
    assert!(!shortcuts("let x = y.unwrap_or_default();"));
    let mut found = Vec::new();
    for folder in ["core/src", "cli/src", "sandbox/src", "examples/library", "actions"] {
        for source in sources(folder) {
            found.extend(
                source.code().into_iter().filter(|(_, line)| shortcuts(line)).map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())),
            );
        }
    }
    assert!(found.is_empty(), "an error is a value:\n{}", found.join("\n"));
}

#[test]
fn every_package_takes_the_workspace_s_lints() {
    let root = fs::read_to_string(top().join("Cargo.toml")).unwrap();
    assert!(root.contains("unsafe_code = \"forbid\""), "the workspace forbids unsafe code");
    let members = root.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    let members: Vec<_> = members.split(',').map(|member| member.trim().trim_matches('"')).filter(|member| !member.is_empty()).collect();
    assert!(members.len() >= 5, "{members:?}");
    let folders = |member: &str| match member.strip_suffix("/*") {
        Some(above) => fs::read_dir(top().join(above)).unwrap().map(|entry| entry.unwrap().path()).collect(),
        None => vec![top().join(member)],
    };
    for member in members.iter().flat_map(|member| folders(member)) {
        let manifest = fs::read_to_string(member.join("Cargo.toml")).unwrap();
        let member = member.display();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member}/Cargo.toml takes the workspace's lints");
        assert!(manifest.contains("rust-version.workspace = true"), "{member}/Cargo.toml takes the workspace's rust-version");
    }
}

#[test]
fn the_toolchain_is_the_stated_minimum() {
    let value = |file: &str, key: &str| {
        let text = fs::read_to_string(top().join(file)).unwrap();
        text.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= \"")?.strip_suffix('"').map(ToOwned::to_owned)).unwrap()
    };
    let (minimum, channel) = (value("Cargo.toml", "rust-version"), value("rust-toolchain.toml", "channel"));
    assert_eq!(channel.strip_suffix(".0").unwrap_or(&channel), minimum, "the tests run with the oldest Rust that is promised");
}

#[test]
fn the_invariants_name_tests_that_exist() {
    let page = fs::read_to_string(top().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<_> = page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).filter(|(file, _)| file.ends_with(".rs")).collect();
    assert!(named.len() >= 8, "ARCHITECTURE.md names its tests as `FILE.rs::TEST`: {named:?}");
    for (file, test) in named {
        let text = fs::read_to_string(top().join(file)).unwrap_or_else(|error| panic!("ARCHITECTURE.md names {file}: {error}"));
        assert!(text.contains(&format!("fn {test}(")), "ARCHITECTURE.md names {file}::{test}, which is not there");
    }
}
