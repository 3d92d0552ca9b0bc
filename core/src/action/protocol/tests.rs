use proptest::prelude::*;

use super::command::{Annotation, Level, MESSAGE_LIMIT, command, escape_data, escape_property, has_commands, maskable, quoted};
use super::file::{SUMMARY_LIMIT, entry, fit};
use super::grammar;

/// Text as somebody would write it who wants to be more than text.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("::"),
        Just("::error::x"),
        Just("::set-output name=a::b"),
        Just("::add-mask::x"),
        Just("::stop-commands::t"),
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("%"),
        Just("%0A"),
        Just("%25"),
        Just("%3A"),
        Just(":"),
        Just(","),
        Just("="),
        Just("<<"),
        Just("EOF"),
        Just("result<<EOF"),
        Just("a=b"),
        Just(" "),
        Just("ghadelimiter_"),
        Just("::endgroup::"),
        Just("é"),
        Just("\u{2028}"),
        Just("\u{0}"),
        Just("##[error]x"),
        Just("```"),
        Just("\n## ")
    ]
    .prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![piece, "(?s).{0,6}"], 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn commands_carry_any_text(data in hostile(), value in hostile(), file in hostile()) {
        let line = command("notice", &[("file", &file), ("title", &value)], &data);
        prop_assert_eq!(line.lines().count(), 1);
        let read = grammar::log(&line);
        prop_assert!(read.shown.is_empty());
        let [found] = read.commands.as_slice() else { panic!("{read:?}") };
        prop_assert_eq!(&found.name, "notice");
        prop_assert_eq!(&found.data, &data);
        prop_assert_eq!(found.properties.get("title").map_or("", String::as_str), value.trim());
        prop_assert_eq!(found.properties.get("file").map_or("", String::as_str), file.trim());
    }

    #[test]
    fn annotations_are_one_line_and_within_the_limit(message in "(?s).{0,5000}", title in hostile(), file in hostile()) {
        let line = Annotation { level: Level::Error, title, message, file: Some(file), line: Some(3) }.command();
        let read = grammar::log(&line);
        prop_assert_eq!(read.commands.len(), 1);
        prop_assert!(read.commands[0].data.chars().count() <= MESSAGE_LIMIT);
    }

    #[test]
    fn outputs_carry_any_text(values in prop::collection::vec(hostile(), 1..4)) {
        let mut text = String::new();
        for (index, value) in values.iter().enumerate() {
            text.push_str(&entry(&format!("name-{index}"), value, "ghadelimiter_5d1b").unwrap());
        }
        let read = grammar::file(&text).unwrap();
        let expected: Vec<(String, String)> = values.iter().enumerate().map(|(index, value)| (format!("name-{index}"), value.clone())).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn quoted_text_gives_no_command(text in hostile()) {
        let whole = format!("{}::notice::after\n", quoted(&text, "stop-5d1b").unwrap());
        let read = grammar::log(&whole);
        prop_assert_eq!(read.commands.len(), 1);
        prop_assert_eq!(&read.commands[0].data, "after");
    }

    #[test]
    fn what_needs_no_quoting_is_no_command(text in hostile()) {
        prop_assert!(has_commands(&text) || grammar::log(&text).commands.is_empty());
    }

    #[test]
    fn every_line_of_a_secret_is_masked(lines in prop::collection::vec("[!-~]{0,20}", 0..6), end in prop_oneof![Just("\n"), Just("\r\n")]) {
        let secret = lines.join(end);
        let masked = maskable(&secret);
        for line in lines.iter().filter(|line| line.len() >= 4 && !(line.starts_with("-----") && line.ends_with("-----"))) {
            prop_assert!(masked.contains(&line.as_str()));
        }
        prop_assert!(masked.iter().all(|line| !line.contains(['\r', '\n'])));
    }

    #[test]
    fn a_summary_fits(text in hostile(), times in 1_usize..40, room in 0_usize..600) {
        let summary = text.repeat(times);
        let fitted = fit(&summary, room);
        prop_assert!(fitted.len() <= room);
        prop_assert_eq!(fitted == summary, summary.len() <= room);
    }
}

#[test]
fn a_delimiter_in_a_value_is_refused() {
    insta::assert_snapshot!(entry("plan", "x\nD\nresult=pwned", "D").unwrap_err(), @"the output plan holds the delimiter that was to end it");
    assert!(quoted("a token b", "token").is_none());
}

#[test]
fn escapes_of_both_tables() {
    assert_eq!(escape_data("50%: a,\r\nb"), "50%25: a,%0D%0Ab");
    assert_eq!(escape_property("50%: a,\r\nb"), "50%25%3A a%2C%0D%0Ab");
    insta::assert_snapshot!(command("error", &[("file", "a,b.yaml"), ("line", ""), ("title", "x")], "why"), @"::error file=a%2Cb.yaml,title=x::why");
}

#[test]
fn a_key_is_masked_line_by_line() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\nMBMG\nA=\n-----END PRIVATE KEY-----\n";
    assert_eq!(maskable(key), ["MIGHAgEA", "MBMG"]);
}

#[test]
fn a_long_summary_ends_between_two_charts() {
    let section = |n: usize| format!("## chart-{n}\n\n{}\n", "word ".repeat(2000));
    let whole: String = (0..200).map(section).collect();
    let fitted = fit(&whole, SUMMARY_LIMIT);
    assert!(fitted.len() <= SUMMARY_LIMIT && fitted.len() > SUMMARY_LIMIT - 20_000, "{}", fitted.len());
    let kept = fitted.strip_suffix("\n\n> [!NOTE]\n> The rest did not fit into GitHub's limit for summaries; the log of this step has everything.\n").unwrap();
    assert!(whole.starts_with(kept) && whole[kept.len()..].starts_with("\n## chart-"));
    let code = format!("text\n```mermaid\n{}", "a --> b\n".repeat(100));
    assert!(fit(&code, 300).contains("\n```\n"), "an open fence is closed");
}
