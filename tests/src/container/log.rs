//! What a step printed, as the runner reads it (`ActionCommand.cs`, `ActionCommandManager.cs`).

/// An annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// `error`, `warning` or `notice`.
    pub level: String,
    /// Its properties as they stand there: `file=…,line=…,title=…`.
    pub properties: String,
    /// What it says.
    pub message: String,
}

/// A log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The annotations.
    pub annotations: Vec<Annotation>,
    /// What was masked.
    pub masked: Vec<String>,
    /// The names of all other commands, but for groups and those that stop and resume commands.
    pub others: Vec<String>,
}

impl Log {
    /// Reads a log.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut log = Self::default();
        let mut stopped: Option<String> = None;
        for line in text.lines() {
            let Some((command, message)) = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::")) else { continue };
            let (name, properties) = command.split_once(' ').unwrap_or((command, ""));
            let name = name.to_lowercase();
            if let Some(token) = &stopped {
                if *token == command {
                    stopped = None;
                }
                continue;
            }
            match name.as_str() {
                "error" | "warning" | "notice" => {
                    log.annotations.push(Annotation { level: name, properties: properties.to_owned(), message: unescaped(message) });
                }
                "add-mask" => log.masked.push(unescaped(message)),
                "stop-commands" => stopped = Some(message.to_owned()),
                "group" | "endgroup" | "debug" => {}
                _ => log.others.push(name),
            }
        }
        log
    }

    /// The messages of one level.
    #[must_use]
    pub fn messages(&self, level: &str) -> Vec<&str> {
        self.annotations.iter().filter(|annotation| annotation.level == level).map(|annotation| annotation.message.as_str()).collect()
    }
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar() {
        let log = Log::read(
            "hello\n  ::error file=a%2Cb,line=1::one%0Atwo 100%25\n::stop-commands::T\n::set-env name=x::y\n::T::\n::Set-Output name=x::y\n::add-mask::s\n",
        );
        assert_eq!(log.messages("error"), ["one\ntwo 100%"]);
        assert_eq!(log.annotations[0].properties, "file=a%2Cb,line=1");
        assert_eq!((log.others, log.masked), (vec!["set-output".to_owned()], vec!["s".to_owned()]));
    }
}
