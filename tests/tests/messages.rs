//! Every message of an error stands on one page, with what it means, written from the code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Fields, Item, Lit, LitStr, Meta};

const HEAD: &str = "<!-- Written from the code; a test compares them. -->\n# Messages\n\n\
    Every message of an error, by the file it comes from. Words in braces stand for values; where a message is that of its\n\
    cause, the cause says all there is to say. What to do is said with the message (`hint:`); [errors.md](errors.md) begins with the exit codes,\n\
    and [rules.md](rules.md) has what the train refuses.\n";

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A message, and what it means.
struct Row {
    message: String,
    meaning: String,
}

/// The doc comment of an item.
fn documented(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// What `#[error(…)]` says; `None` without one.
fn message(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("error"))?;
    let first = attribute.meta.require_list().unwrap().tokens.clone().into_iter().next().unwrap().to_string();
    Some(syn::parse_str::<LitStr>(&first).map_or_else(|_| "the message of its cause".to_owned(), |text| format!("`{}`", shown(&text.value()))))
}

/// Values by their names; what is computed on the spot has none.
fn shown(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template.replace("{{", "\u{1}").replace("}}", "\u{2}");
    while let Some((before, after)) = rest.clone().split_once('{') {
        let (inside, behind) = after.split_once('}').unwrap();
        let name = inside.split(':').next().unwrap_or_default();
        let name = if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) { "…" } else { name };
        let _ = write!(text, "{before}{{{name}}}");
        rest = behind.to_owned();
    }
    (text + &rest).replace('\u{1}', "{").replace('\u{2}', "}").replace(['\n', '\r'], " ").replace('`', "'")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn of_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().contains("test")))
}

/// The errors of some items: by the type's name, its meaning and its messages.
fn errors(items: &[Item], found: &mut BTreeMap<String, (String, Vec<Row>)>) {
    for item in items {
        match item {
            Item::Mod(module) if !of_tests(&module.attrs) => errors(module.content.as_ref().map_or(&[], |(_, items)| items), found),
            Item::Enum(item) => {
                let rows: Vec<Row> =
                    item.variants.iter().filter_map(|variant| Some(Row { message: message(&variant.attrs)?, meaning: documented(&variant.attrs) })).collect();
                if !rows.is_empty() {
                    found.insert(item.ident.to_string(), (documented(&item.attrs), rows));
                }
            }
            Item::Struct(item) if !matches!(item.fields, Fields::Unit) || message(&item.attrs).is_some() => {
                if let Some(message) = message(&item.attrs) {
                    let meaning = documented(&item.attrs);
                    found.insert(item.ident.to_string(), (String::new(), vec![Row { message, meaning }]));
                }
            }
            _ => {}
        }
    }
}

/// The files with Rust below a folder, tests aside.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![folder]);
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn page() -> (String, usize) {
    let (mut page, mut count) = (HEAD.to_owned(), 0);
    for path in ["core/src", "cli/src", "sandbox/src"].into_iter().flat_map(|folder| files(top().join(folder))) {
        let mut found = BTreeMap::new();
        errors(&syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap().items, &mut found);
        if found.is_empty() {
            continue;
        }
        let shown = path.strip_prefix(top()).unwrap().to_string_lossy().replace('\\', "/");
        let _ = write!(page, "\n## {shown}\n");
        for (name, (about, rows)) in found {
            let whole = about.clone();
            let about = if about.is_empty() { String::new() } else { format!(": {about}") };
            let _ = write!(page, "\n`{name}`{about}\n\n| message | what it means |\n|---|---|\n");
            for Row { message, meaning } in rows {
                // What is private need not say it for each; then all of them mean what the type does.
                let meaning = if meaning.is_empty() { whole.clone() } else { meaning };
                assert!(!meaning.is_empty(), "{shown}: {name}: {message} says nowhere what it means");
                let _ = writeln!(page, "| {} | {} |", cell(&message), cell(&meaning));
                count += 1;
            }
        }
    }
    (page, count)
}

/// `CHARTFLOW_REGENERATE=1 cargo test` writes it.
#[test]
fn the_documentation_holds_every_message() {
    let (page, count) = page();
    let path = top().join("docs/messages.md");
    if std::env::var_os("CHARTFLOW_REGENERATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(count > 250, "the code is read: {count}");
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "docs/messages.md is not what the code says; set CHARTFLOW_REGENERATE=1 to write it");
}

#[test]
fn templates_are_shown_as_people_meet_them() {
    assert_eq!(shown("{FILE}:{line}: {} and {0:?} {value:?} {{x}} `y`"), "{FILE}:{line}: {…} and {…} {value} {x} 'y'");
}
