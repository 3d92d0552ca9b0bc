//! The files a step writes to, read by the runner's grammar (`FileCommandManager.cs`).

use std::collections::BTreeMap;

/// The commands, each a file.
pub(super) const COMMANDS: [&str; 5] = ["OUTPUT", "STATE", "ENV", "PATH", "STEP_SUMMARY"];

/// The names and values of GITHUB_OUTPUT, GITHUB_STATE or GITHUB_ENV.
///
/// # Errors
/// What the runner would fail the step with.
pub fn values(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let line = line.trim_end_matches('\n');
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (Some(at), other) if other.is_none_or(|other| at < other) => {
                found.insert(line[..at].to_owned(), line[at + 1..].to_owned());
            }
            (_, Some(at)) => {
                let (name, delimiter) = (&line[..at], &line[at + 2..]);
                if name.is_empty() || delimiter.is_empty() {
                    return Err(format!("Invalid format {line:?}. Name and delimiter must not be empty"));
                }
                let mut value = Vec::new();
                loop {
                    let Some(line) = lines.next() else { return Err(format!("Invalid value. Matching delimiter not found {delimiter:?}")) };
                    let Some(line) = line.strip_suffix('\n') else {
                        if line == delimiter {
                            break;
                        }
                        return Err("Invalid value. EOF marker missing new line".to_owned());
                    };
                    if line == delimiter {
                        break;
                    }
                    value.push(line);
                }
                found.insert(name.to_owned(), value.join("\n"));
            }
            _ => return Err(format!("Invalid format {line:?}")),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar() {
        let read = values("a=b<<c\n\nx<<END\none\n\ntwo=2\nEND\nempty<<E\nE\n").unwrap();
        let expected = [("a", "b<<c"), ("empty", ""), ("x", "one\n\ntwo=2")];
        assert_eq!(read, expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        for wrong in ["name\n", "a<<END\nb\n", "<<END\nEND\n", "a<<\n\n"] {
            assert!(values(wrong).is_err(), "{wrong:?}");
        }
    }
}
