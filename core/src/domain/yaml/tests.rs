use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn tree(text: &str) -> String {
    match parse("f.yaml", text.as_bytes(), &Limits::default(), Duplicates::Keep) {
        Ok(document) => document.root.to_json("f.yaml").map_or_else(|error| error.to_string(), |json| json.to_string()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn scalars_mean_what_they_mean_to_helm() {
    for (text, json) in [
        ("", "null"),
        ("# nothing\n", "null"),
        ("yes", "true"),
        ("Off", "false"),
        ("~", "null"),
        ("010", "8"),
        ("08", "8"),
        ("0x1F", "31"),
        ("-0b11", "-3"),
        ("0o17", "15"),
        ("1_000", "1000"),
        ("1.10", "1.1"),
        ("1.0", "1"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("1.2.3", "\"1.2.3\""),
        ("2020-01-02", "\"2020-01-02\""),
        ("'1.10'", "\"1.10\""),
        ("!!str 1.10", "\"1.10\""),
        ("!custom 1.10", "\"1.10\""),
        ("!!float 1", "1"),
        ("!!binary aGk=", "\"hi\""),
        ("{3.14159265358979: a}", r#"{"3.1415927":"a"}"#),
        ("18446744073709551615", "18446744073709551615"),
        ("1:30", "\"1:30\""),
        ("-", "[null]"),
        ("{1: a, true: b, 1.5: c}", r#"{"1":"a","true":"b","1.5":"c"}"#),
    ] {
        assert_eq!(tree(text), json, "{text:?}");
    }
    insta::assert_snapshot!(tree("a: .inf"), @"f.yaml:1:4: JSON has no number for this");
    insta::assert_snapshot!(tree("a: !!int x"), @r#"f.yaml:1:4: "x" cannot be read as !!int"#);
    insta::assert_snapshot!(tree("[a]: b"), @"f.yaml:1:1: a key must be text or a number");
}

#[test]
fn floats_as_go_writes_them() {
    for (value, text) in [
        (1.1, "1.1"),
        (1e21, "1e+21"),
        (1_234_567.5, "1.2345675e+06"),
        (100_000.0, "100000"),
        (1e6, "1e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        (0.0, "0"),
    ] {
        assert_eq!(go_float(value), text);
    }
}

#[test]
fn aliases_merges_duplicates_and_documents() {
    insta::assert_snapshot!(tree("a: &x {b: 1}\nc: *x\n"), @r#"{"a":{"b":1},"c":{"b":1}}"#);
    insta::assert_snapshot!(tree("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n"), @r#"{"a":{"b":1,"c":2},"d":{"c":3,"b":1}}"#);
    insta::assert_snapshot!(tree("a: {<<: 1}"), @"f.yaml:1:9: only mappings can be merged");
    insta::assert_snapshot!(tree("a: 1\nb: 2\na: 3\n"), @r#"{"a":3,"b":2}"#);
    let document = parse("f.yaml", b"a: 1\n---\n}}}", &Limits::default(), Duplicates::Refuse).unwrap();
    assert!(document.more && document.root.get("a").is_some());
    assert!(!parse("f.yaml", b"---\na: 1\n...\n", &Limits::default(), Duplicates::Refuse).unwrap().more);
}

#[test]
fn places_are_exact() {
    let text = "\u{feff}# ünï\nname: 'a'\nvérsion: \"1.0.0\" # x\nplain:   b c  # y\nit: 'it''s' # it's\nesc: \"\\\"\" # \"\n";
    let root = parse("f.yaml", text.as_bytes(), &Limits::default(), Duplicates::Refuse).unwrap().root;
    let written = |key: &str| text.get(root.get(key).unwrap().span.clone()).unwrap();
    assert_eq!((written("name"), written("vérsion"), written("plain")), ("'a'", "\"1.0.0\"", "b c"));
    assert_eq!((written("it"), written("esc")), ("'it''s'", r#""\"""#));
    assert_eq!(root.get("vérsion").unwrap().at, Position { line: 3, column: 10 });
}

#[test]
fn tabs_separate_and_do_not_indent() {
    assert_eq!(tree("name:\tweb\nv:\t1.0.0\nn:\t-1\nq:\t\"x\"\nc: web\t# c\n"), tree("name: web\nv: 1.0.0\nn: -1\nq: \"x\"\nc: web # c\n"));
    assert_eq!(tree("a:\t{b:\tc}\nd: [e,\tf]\ng\t: h\ni: |\n  j:\tk\n"), tree("a: {b: c}\nd: [e, f]\ng : h\ni: \"j:\\tk\\n\"\n"));
    let text = "name:\tweb\nversion:\t \t1.0.0\t# x\n";
    let root = parse("f.yaml", text.as_bytes(), &Limits::default(), Duplicates::Refuse).unwrap().root;
    assert_eq!(text.get(root.get("version").unwrap().span.clone()), Some("1.0.0"));
    assert_eq!(root.get("version").unwrap().at, Position { line: 2, column: 12 });
    insta::assert_snapshot!(tree("a:\n\tb: c\n"), @"f.yaml:2:2: not YAML: tabs disallowed within this context (block indentation)");
    insta::assert_snapshot!(tree("a:\n  b: c\n\td: e\n"), @"f.yaml:2:6: not YAML: while scanning a plain scalar, found a tab");
    insta::assert_snapshot!(tree("a:\tb: c\n"), @"f.yaml:1:5: not YAML: mapping values are not allowed in this context");
    insta::assert_snapshot!(tree("a:\t- c\n"), @"f.yaml:1:4: not YAML: block sequence entries are not allowed in this context");
    // Here helm is stricter than YAML 1.2.
    insta::assert_snapshot!(tree("a:\n-\tb\n"), @"f.yaml:2:2: not YAML: found character that cannot start any token; helm reads no tab here, put spaces in its place");
    insta::assert_snapshot!(tree("a: b\n\t\nc: d\n"), @"f.yaml:2:1: not YAML: found a tab character that violates indentation; helm reads no tab here, put spaces in its place");
}

#[test]
fn hostile_input_is_refused() {
    let check = |text: &[u8]| parse("f.yaml", text, &Limits::default(), Duplicates::Refuse).map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(check(&vec![b'#'; 50 << 20]), @"f.yaml has 52428800 bytes, at most 1048576 are read");
    insta::assert_snapshot!(check(b"a: b\nc: \xff"), @"f.yaml:2:4: not UTF-8");
    insta::assert_snapshot!(check(b"a: \x07"), @r"f.yaml:1:4: the control character '\u{7}' is not allowed in YAML");
    insta::assert_snapshot!(check(b"a: &x [*x]"), @"f.yaml:1:8: an alias stands inside the value it refers to");
    insta::assert_snapshot!(check(b"a: 1\na: 2"), @r#"f.yaml:2:1: the key "a" stands twice, first on line 1; remove one of them"#);
    insta::assert_snapshot!(check("- ".repeat(100).as_bytes()), @"f.yaml:1:131: more than 64 values within each other");
    assert!(check("[".repeat(1 << 20).as_bytes()).contains("limit") || check("[".repeat(1 << 20).as_bytes()).contains("within each other"));
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let before = format!("*a{}", i - 1);
        laughs += &format!("a{i}: &a{i} [{}]\n", [before.as_str(); 10].join(", "));
    }
    insta::assert_snapshot!(check(laughs.as_bytes()), @"f.yaml:6:45: with its aliases the document holds more than 1000000 values");
}

#[test]
fn types_are_read_with_places() {
    let check = |text: &str| read::<BTreeMap<String, u8>>("f.yaml", text.as_bytes(), &Limits::default());
    assert_eq!(check("\u{feff}a: 1\n").unwrap(), BTreeMap::from([("a".to_owned(), 1)]));
    insta::assert_snapshot!(check("a: 1\nb: x\n").unwrap_err(), @r#"f.yaml:2:4: b: invalid type: string "x", expected u8"#);
    insta::assert_snapshot!(check("a: 1\n---\nb: 1").unwrap_err(), @"f.yaml:1:1: deserializing from YAML containing more than one document is not supported");
    insta::assert_snapshot!(check("a: 1\na: 1").unwrap_err(), @r#"f.yaml:2:1: the key "a" stands twice, first on line 1; remove one of them"#);
}

proptest! {
    #[test]
    fn never_panics(text in "[-a1 :{}\\[\\],&*!|>'\"#%@\n\r\té.]{0,60}") {
        let _ = parse("f.yaml", text.as_bytes(), &Limits::default(), Duplicates::Keep).map(|document| document.root.to_json("f.yaml"));
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse("f.yaml", &bytes, &Limits::default(), Duplicates::Keep);
    }

    #[test]
    fn json_is_read_as_json(keys in proptest::collection::btree_map("[a-z]{2,5}x", "[ -~]{0,12}", 0..6)) {
        let json = serde_json::to_string(&keys).unwrap();
        prop_assert_eq!(tree(&json), json);
    }
}
