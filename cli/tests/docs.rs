//! The documentation says what is so: its commands exist, those marked with `<!-- run -->` are run, and its links lead
//! somewhere.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod common;

use std::path::{Path, PathBuf};

use common::TestEnvironment;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The pages, by name.
fn pages() -> Vec<(String, String)> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(top().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.push(top().join("README.md"));
    names.retain(|path| path.extension().is_some_and(|end| end == "md"));
    names.sort();
    names.iter().map(|path| (path.strip_prefix(top()).unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The blocks of shell commands of a page, and whether they are to be run.
fn blocks(page: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    let mut run = false;
    let mut open: Option<String> = None;
    for line in page.lines() {
        let bare = line.trim_start();
        match &mut open {
            Some(text) if bare == "```" => found.push((std::mem::take(&mut run), std::mem::take(text))),
            Some(text) => text.push_str(&format!("{bare}\n")),
            None => {}
        }
        if bare == "```" {
            open = None;
        } else if bare == "```sh" {
            open = Some(String::new());
        } else if bare == "<!-- run -->" {
            run = true;
        }
    }
    found
}

#[test]
fn commands_exist() {
    let test = TestEnvironment::new();
    let mut seen = 0;
    for (name, page) in pages() {
        for line in blocks(&page).iter().flat_map(|(_, block)| block.lines()) {
            // What `gh` and others are told may hold the name too.
            let Some((before, rest)) = line.split_once("chartflow ") else { continue };
            if !["", "! ", "GH_TOKEN=$(gh auth token) "].contains(&before) {
                continue;
            }
            let mut arguments: Vec<&str> = rest.split('>').next().unwrap().split_whitespace().collect();
            arguments.push("--help");
            let ran = test.chartflow("", &arguments);
            assert_eq!(ran.exit, Some(0), "{name}: {line}\n{ran}");
            seen += 1;
        }
    }
    assert!(seen > 10, "the pages show commands: {seen}");
}

/// Runs the blocks of each page one after the other, in a repository with the project's example charts.
#[test]
fn marked_commands_run() {
    let mut seen = 0;
    for (name, page) in pages() {
        let marked: Vec<String> = blocks(&page).into_iter().filter(|(run, _)| *run).map(|(_, block)| block).collect();
        let test = TestEnvironment::new();
        test.commit("r", &[("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")], "feat: web");
        std::fs::create_dir_all(test.path("r").join("examples")).unwrap();
        copy(&top().join("examples/repository"), &test.path("r").join("examples/repository"));
        let folder = Path::new(env!("CARGO_BIN_EXE_chartflow")).parent().unwrap().to_owned();
        for block in marked {
            let mut command = test.command("sh", &test.path("r"));
            let path = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).unwrap_or_default().to_owned();
            let path = std::env::join_paths(std::iter::once(folder.clone()).chain(std::env::split_paths(&path))).unwrap();
            let output = command.args(["-eu", "-c", &block]).env("PATH", path).output().unwrap();
            assert!(output.status.success(), "{name}:\n{block}\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            seen += 1;
        }
    }
    assert!(seen >= 4, "blocks are marked: {seen}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn links_lead_somewhere() {
    for (name, page) in pages() {
        let folder = top().join(&name).parent().unwrap().to_owned();
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let path = if file.is_empty() { top().join(&name) } else { folder.join(file) };
            assert!(path.exists(), "{name} links to {target}");
            if let Some(anchor) = anchor {
                assert!(anchors(&std::fs::read_to_string(&path).unwrap()).iter().any(|one| one == anchor), "{name} links to {target}");
            }
        }
    }
}

/// What the page about errors quotes is what the code says, as far as it is not filled in.
#[test]
fn messages_are_those_of_the_code() {
    let mut code = String::new();
    let mut open: Vec<PathBuf> = ["core/src", "cli/src", "sandbox/src"].map(|folder| top().join(folder)).to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            code.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
    let page = std::fs::read_to_string(top().join("docs/errors.md")).unwrap();
    let mut seen = 0;
    for message in page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(message, _)| message).filter(|message| message.contains(' '))
    {
        let mut parts = vec![message];
        for filled in ["…", "PATH", "FILE", "LINE", "COLUMN"] {
            parts = parts.into_iter().flat_map(|part| part.split(filled)).collect();
        }
        for part in parts.into_iter().map(|part| part.trim_matches([' ', ':', '(', ')', ','])).filter(|part| part.len() > 3) {
            assert!(code.contains(part), "docs/errors.md quotes {message:?}; the code does not say {part:?}");
            seen += 1;
        }
    }
    assert!(seen > 15, "the page quotes messages: {seen}");
}

/// The anchors that GitHub gives the headings of a page.
fn anchors(page: &str) -> Vec<String> {
    let slug = |heading: &str| {
        heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-')).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#').trim()));
    let named = page.split("<a id=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    headings.chain(named).collect()
}
