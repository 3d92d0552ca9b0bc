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
