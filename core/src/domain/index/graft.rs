//! Putting one version into an index of any block layout: comments, line ends, indentation and quotes stay as they are.

use std::ops::Range;

use serde_json::json;

use super::super::package::emit::{key_is_less, to_yaml};
use super::super::yaml::{Node, Style, Value};
use super::{Entry, Index};

/// The text with one more version at a position of its chart's list, when that can be written between the lines that are
/// there. `root` is the text's tree, without a byte order mark. It is proved: what the result says is exactly `expected`.
pub(super) fn add(text: &str, root: &Node, new: &Entry, position: usize, expected: &Index) -> Option<Vec<u8>> {
    let (mark, body) = text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body));
    let end = if body.contains("\r\n") { "\r\n" } else { "\n" };
    let mut body = body.to_owned();
    if !body.ends_with('\n') {
        body.push_str(end);
    }
    let lines = Lines::new(&body)?;
    let mut edits = vec![lines.version(root, new, position)?, lines.generated(root, expected.generated.as_deref()?)?];
    // The sort is stable: a version at the end of the file stays before a new `generated`.
    edits.sort_by_key(|edit| (edit.place.start, edit.place.end));
    let mut out = mark.to_owned();
    let mut from = 0;
    for Edit { place, with } in edits {
        out.push_str(body.get(from..place.start)?);
        out.push_str(&with.replace('\n', end));
        from = place.end;
    }
    out.push_str(body.get(from..)?);
    Index::parse(out.as_bytes()).is_ok_and(|index| index == *expected).then(|| out.into_bytes())
}

/// Bytes of the text, and what stands there instead.
struct Edit {
    place: Range<usize>,
    with: String,
}

/// The lines of a text.
struct Lines<'t> {
    text: &'t str,
    /// Where each begins, and the end of the text.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// `None` for line ends that only old programs write.
    fn new(text: &'t str) -> Option<Self> {
        let lone = text.bytes().zip(text.bytes().skip(1)).any(|(one, next)| one == b'\r' && next != b'\n');
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        (!lone).then_some(Self { text, starts })
    }

    /// The line of this number, from 0.
    fn line(&self, number: usize) -> Option<&'t str> {
        self.text.get(*self.starts.get(number)?..*self.starts.get(number + 1)?)
    }

    fn start(&self, number: usize) -> Option<usize> {
        self.starts.get(number).copied()
    }

    /// The number, from 0, of the line on which a value begins.
    fn of(node: &Node) -> usize {
        (node.at.line as usize).saturating_sub(1)
    }

    /// The spaces before a list's dash, where the item begins on the dash's line.
    fn dash(&self, item: &Node) -> Option<usize> {
        let line = self.line(Self::of(item))?;
        let trimmed = line.trim_start_matches(' ');
        trimmed.starts_with("- ").then_some(line.len() - trimmed.len())
    }

    /// The first line behind what begins on a line and is indented by more than `indent`; a list may stand as far left as
    /// its key. Comments and empty lines at the end are left to what follows.
    fn behind(&self, number: usize, indent: usize, list: bool) -> usize {
        let mut end = number + 1;
        for next in number + 1.. {
            let Some(line) = self.line(next) else { break };
            let trimmed = line.trim_start_matches(' ');
            let by = line.len() - trimmed.len();
            if trimmed.trim().is_empty() || trimmed.starts_with('#') && by <= indent {
                continue;
            }
            if by > indent || list && by == indent && trimmed.starts_with("- ") {
                end = next + 1;
            } else {
                break;
            }
        }
        end
    }

    /// The line to write something before: above the comments that stand above a line.
    fn above(&self, number: usize, indent: usize) -> usize {
        let comment = |line: &str| line.trim_start_matches(' ').starts_with('#') && line.len() - line.trim_start_matches(' ').len() <= indent;
        (0..number).rev().take_while(|line| self.line(*line).is_some_and(comment)).last().unwrap_or(number)
    }

    /// Where the version is written, and how.
    fn version(&self, root: &Node, new: &Entry, position: usize) -> Option<Edit> {
        let name = new.metadata.name.as_str();
        let (key, charts) = root.entry("entries")?;
        let insert = |line: usize, with: String| self.start(line).map(|at| Edit { place: at..at, with });
        let indented = |by: usize, lines: &str| lines.lines().map(|line| format!("{:by$}{line}\n", "")).collect::<String>();
        let whole = to_yaml(&json!({ name: [new.to_json()] }));
        let (_, listed) = whole.split_once('\n')?;
        if let Some((chart, versions)) = charts.entry(name).filter(|(_, versions)| !versions.items().is_empty()) {
            let items = versions.items();
            let by = self.dash(items.first()?)?;
            let line = match items.get(position) {
                Some(item) => self.above(Self::of(item), by),
                None => self.behind(Self::of(items.last()?), by, false),
            };
            // Not above the chart's own key.
            return insert(line.max(Self::of(chart) + 1), indented(by, listed));
        }
        if charts.entry(name).is_some() {
            return None;
        }
        let Some((first, _)) = charts.entries().first() else {
            return self.first(key, charts, &indented(2, &whole));
        };
        let by = first.at.column as usize - 1;
        let later = charts.entries().iter().find(|(other, _)| other.as_text().is_some_and(|other| key_is_less(name, other)));
        let line = match later {
            Some((other, _)) => self.above(Self::of(other), by),
            None => self.behind(Self::of(&charts.entries().last()?.0), by, true),
        };
        insert(line.max(Self::of(key) + 1), indented(by, &whole))
    }

    /// The first chart of all: below `entries:`, whose `{}` goes.
    fn first(&self, key: &Node, charts: &Node, with: &str) -> Option<Edit> {
        let next = self.start(Self::of(key) + 1)?;
        let none = match charts.value {
            Value::Null => next..next,
            _ => self.text.get(key.span.end..next)?.find("{}").map(|at| key.span.end + at..next)?,
        };
        let rest = self.text.get(none.clone())?.strip_prefix("{}").map_or("", |rest| rest.trim_end_matches(['\r', '\n']));
        Some(Edit { with: if none.is_empty() { with.to_owned() } else { format!("{rest}\n{with}") }, place: none })
    }

    /// The time of the newest version.
    fn generated(&self, root: &Node, time: &str) -> Option<Edit> {
        match root.get("generated") {
            Some(node) if matches!(node.style, Style::Plain | Style::SingleQuoted | Style::DoubleQuoted) && !node.is_null() => {
                Some(Edit { place: node.span.clone(), with: format!("\"{time}\"") })
            }
            Some(_) => None,
            None => Some(Edit { place: self.text.len()..self.text.len(), with: format!("generated: \"{time}\"\n") }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::entry;
    use super::super::{Extended, extend};

    fn check(index: &str, name: &str, version: &str) -> String {
        let Extended { bytes, rewritten } = extend(Some(index.as_bytes()), &entry(name, version, 0)).unwrap();
        assert!(!rewritten, "{index}");
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn comments_line_ends_and_indentation_stay() {
        let index = "# ours\r\napiVersion: v1\r\nentries:\r\n    # the web\r\n    web: # a chart\r\n      # newest\r\n      - version: 2.0.0\r\n        name: web\r\n        created: 2020-01-01T00:00:00Z # kept\r\n      # older\r\n      - {name: web, version: '1.0.0'}\r\n# the end\r\n";
        insta::assert_snapshot!(check(index, "web", "1.5.0").replace('\r', "␍"), @r#"
        # ours␍
        apiVersion: v1␍
        entries:␍
            # the web␍
            web: # a chart␍
              # newest␍
              - version: 2.0.0␍
                name: web␍
                created: 2020-01-01T00:00:00Z # kept␍
              - apiVersion: v2␍
                appVersion: "1.10"␍
                created: "1970-01-01T00:00:00Z"␍
                digest: 1f4dc096d58f7d21e3875671aee6f29b120ab84218fa47db2cb53bc9eb5b4dac␍
                name: web␍
                urls:␍
                - charts/web-1.5.0.tgz␍
                version: 1.5.0␍
              # older␍
              - {name: web, version: '1.0.0'}␍
        # the end␍
        generated: "2020-01-01T00:00:00Z"␍
        "#);
        insta::assert_snapshot!(check(&index.replace('\r', ""), "web", "0.5.0"), @r#"
        # ours
        apiVersion: v1
        entries:
            # the web
            web: # a chart
              # newest
              - version: 2.0.0
                name: web
                created: 2020-01-01T00:00:00Z # kept
              # older
              - {name: web, version: '1.0.0'}
              - apiVersion: v2
                appVersion: "1.10"
                created: "1970-01-01T00:00:00Z"
                digest: d1f62539db82b51da84bda2f4885db5e847db8389183be41389efd0ae6edab94
                name: web
                urls:
                - charts/web-0.5.0.tgz
                version: 0.5.0
        # the end
        generated: "2020-01-01T00:00:00Z"
        "#);
        insta::assert_snapshot!(check(&index.replace('\r', ""), "db", "1.0.0"), @r#"
        # ours
        apiVersion: v1
        entries:
            db:
            - apiVersion: v2
              appVersion: "1.10"
              created: "1970-01-01T00:00:00Z"
              digest: 92521fc3cbd964bdc9f584a991b89fddaa5754ed1cc96d6d42445338669c1305
              name: db
              urls:
              - charts/db-1.0.0.tgz
              version: 1.0.0
            # the web
            web: # a chart
              # newest
              - version: 2.0.0
                name: web
                created: 2020-01-01T00:00:00Z # kept
              # older
              - {name: web, version: '1.0.0'}
        # the end
        generated: "2020-01-01T00:00:00Z"
        "#);
        insta::assert_snapshot!(check(&index.replace('\r', ""), "zoo", "1.0.0"), @r#"
        # ours
        apiVersion: v1
        entries:
            # the web
            web: # a chart
              # newest
              - version: 2.0.0
                name: web
                created: 2020-01-01T00:00:00Z # kept
              # older
              - {name: web, version: '1.0.0'}
            zoo:
            - apiVersion: v2
              appVersion: "1.10"
              created: "1970-01-01T00:00:00Z"
              digest: 92521fc3cbd964bdc9f584a991b89fddaa5754ed1cc96d6d42445338669c1305
              name: zoo
              urls:
              - charts/zoo-1.0.0.tgz
              version: 1.0.0
        # the end
        generated: "2020-01-01T00:00:00Z"
        "#);
        insta::assert_snapshot!(check("\u{feff}entries: {} # none yet\napiVersion: v1\ngenerated: 2020-01-01T00:00:00Z # then", "web", "1.0.0").trim_start_matches('\u{feff}'), @r#"
        entries:  # none yet
          web:
          - apiVersion: v2
            appVersion: "1.10"
            created: "1970-01-01T00:00:00Z"
            digest: 92521fc3cbd964bdc9f584a991b89fddaa5754ed1cc96d6d42445338669c1305
            name: web
            urls:
            - charts/web-1.0.0.tgz
            version: 1.0.0
        apiVersion: v1
        generated: "1970-01-01T00:00:00Z" # then
        "#);
    }

    #[test]
    fn what_has_no_lines_is_written_anew() {
        for index in ["{\"apiVersion\": \"v1\", \"entries\": {}}", "apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0}]}\n"] {
            assert!(extend(Some(index.as_bytes()), &entry("web", "2.0.0", 0)).unwrap().rewritten, "{index}");
        }
        // What is there already stays, whatever it looks like.
        let listed = String::from_utf8(extend(None, &entry("web", "1.0.0", 0)).unwrap().bytes).unwrap();
        for index in [listed.trim_end().to_owned(), listed.replace('\n', "\r\n"), format!("# ours\n{listed}")] {
            assert_eq!(extend(Some(index.as_bytes()), &entry("web", "1.0.0", 0)).unwrap(), Extended { bytes: index.into_bytes(), rewritten: false });
        }
    }

    proptest! {
        #[test]
        fn every_other_byte_survives(
            charts in prop::collection::btree_map("[a-d]", prop::collection::btree_set(0_u64..6, 1..4), 1..4),
            (outer, inner) in (1_usize..5, 0_usize..4),
            (crlf, comments, quoted, order) in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
            (name, version) in ("[a-e]", 6_u64..9),
            older in any::<bool>(),
        ) {
            let mut text = String::from("apiVersion: v1\n");
            if order {
                text.push_str("generated: 2000-01-01T00:00:00Z # then\n");
            }
            text.push_str("entries:\n");
            for (chart, versions) in &charts {
                if comments {
                    text.push_str(&format!("{:outer$}# about {chart}\n", ""));
                }
                let key = if quoted { format!("'{chart}'") } else { chart.clone() };
                text.push_str(&format!("{:outer$}{key}:\n", ""));
                let by = outer + inner;
                for version in versions.iter().rev() {
                    if comments {
                        text.push_str(&format!("{:by$}# {version}\n\n", ""));
                    }
                    text.push_str(&format!("{:by$}-   name: {chart}\n{:by$}    description: |\n{:by$}      # no comment\n{:by$}    version: 1.{version}.0 # x\n", "", "", "", ""));
                }
            }
            if comments {
                text.push_str("# the end\n");
            }
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            let version = if older { "0.1.0".to_owned() } else { format!("1.{version}.0") };
            let added = check(&text, &name, &version);
            let lines = |text: &str| text.split_inclusive('\n').filter(|line| !line.starts_with("generated:")).map(str::to_owned).collect::<Vec<_>>();
            let (before, after) = (lines(&text), lines(&added));
            let same = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
            let rest = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
            prop_assert!(same + rest >= before.len() && after.len() > before.len(), "{added}");
            prop_assert!(added.split_inclusive('\n').all(|line| line.ends_with("\r\n") == crlf));
        }
    }
}
