//! The runner's side, to read back what was written: its parsers of command lines and of files, as its sources have them.

use std::collections::BTreeMap;

/// A command as the runner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) data: String,
}

fn unescape(text: &str, property: bool) -> String {
    let text = text.replace("%0D", "\r").replace("%0A", "\n");
    let text = if property { text.replace("%3A", ":").replace("%2C", ",") } else { text };
    text.replace("%25", "%")
}

/// `ActionCommand.TryParseV2`: leading blanks, `::`, name and properties up to the next `::`, data.
pub(crate) fn command(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, data) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let pairs = properties.trim().split(',').filter_map(|pair| pair.split_once('='));
    let properties = pairs.filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.trim().to_owned(), unescape(value, true))).collect();
    (!name.is_empty()).then(|| Command { name: name.to_ascii_lowercase(), properties, data: unescape(data, false) })
}

/// What a step printed, as the runner reads it: commands, and the lines it only shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) commands: Vec<Command>,
    pub(crate) shown: Vec<String>,
}

/// Reads output line by line; between `stop-commands` and its token nothing is a command.
pub(crate) fn log(text: &str) -> Log {
    let mut log = Log::default();
    let mut stopped: Option<String> = None;
    // .NET's `ReadLine` ends a line at each of the two.
    for line in text.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        match (command(line), &stopped) {
            (Some(found), Some(token)) if found.name == token.to_ascii_lowercase() => stopped = None,
            (_, Some(_)) | (None, None) => log.shown.push(line.to_owned()),
            (Some(found), None) if found.name == "stop-commands" => stopped = Some(found.data),
            (Some(found), None) => log.commands.push(found),
        }
    }
    log
}

/// `FileCommandManager`: `NAME=VALUE`, or `NAME<<DELIMITER`, lines and the delimiter; a problem fails the step.
pub(crate) fn file(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = after;
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (Some(at), other) if other.is_none_or(|other| at < other) => found.push((line[..at].to_owned(), line[at + 1..].to_owned())),
            (_, Some(at)) => {
                let (name, delimiter) = (&line[..at], &line[at + 2..]);
                if name.is_empty() || delimiter.is_empty() {
                    return Err(format!("Invalid format '{line}'"));
                }
                let mut value: Vec<&str> = Vec::new();
                loop {
                    let Some((line, after)) = rest.split_once('\n') else { return Err(format!("Matching delimiter not found '{delimiter}'")) };
                    rest = after;
                    if line == delimiter {
                        break;
                    }
                    value.push(line);
                }
                found.push((name.to_owned(), value.join("\n")));
            }
            _ => return Err(format!("Invalid format '{line}'")),
        }
    }
    Ok(found)
}
