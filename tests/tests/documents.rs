//! The pages for people say what is there.

use std::fs;
use std::path::Path;

const PAGES: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"];

/// Every path of this repository that a page names in backquotes; one with a `<name>` to fill in as far as the folder.
#[test]
fn the_pages_name_files_that_exist() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders: Vec<String> = fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let mut count = 0;
    for page in PAGES {
        let text = fs::read_to_string(top.join(page)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let path = quoted.trim_start_matches("./").split("::").next().unwrap_or_default();
            let path = path.split('<').next().unwrap_or_default();
            if path.contains(char::is_whitespace) || !path.split_once('/').is_some_and(|(first, _)| folders.iter().any(|folder| folder == first)) {
                continue;
            }
            count += 1;
            assert!(top.join(path).exists(), "{page} names {path}, which does not exist");
        }
    }
    assert!(count > 20, "the pages are read: {count}");
}

/// A release makes `vX.Y.Z` and moves `vX`: whatever people copy must name that.
#[test]
fn the_tag_that_is_named_is_the_one_a_release_moves() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut open, mut count) = (vec![top.clone()], 0);
    while let Some(path) = open.pop() {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if !["target", ".git", "openapi", "testdata"].contains(&name.as_str()) {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            continue;
        }
        if ![".md", ".yml", ".yaml", ".rs"].iter().any(|end| name.ends_with(end)) {
            continue;
        }
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            // `chartflow/actions/tag@v1`, `chartflow/.github/workflows/tag.yml@v1`, and the tag itself in backquotes.
            for (before, behind) in line.match_indices("@v").map(|(at, found)| line.split_at(at + found.len())) {
                let own = ["chartflow/actions/", "chartflow/.github/workflows/"]
                    .iter()
                    .any(|place| before.rsplit([' ', '`', '"']).next().unwrap_or_default().contains(place));
                let major: String = behind.chars().take_while(char::is_ascii_digit).collect();
                if !(own || before.ends_with("`@v")) || major.is_empty() || before.contains("acme/") {
                    continue;
                }
                count += 1;
                assert_eq!(major, env!("CARGO_PKG_VERSION_MAJOR"), "{}:{}: {line}", path.display(), number + 1);
            }
        }
    }
    assert!(count > 40, "the files are read: {count}");
    let release = fs::read_to_string(top.join(".github/workflows/release.yml")).unwrap();
    assert!(release.contains(r#"refs/tags/v${VERSION%%.*}""#), "this is the tag that is moved");
}
