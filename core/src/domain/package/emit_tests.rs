use serde_json::json;

use super::*;

#[track_caller]
fn check(value: Value, expected: &str) {
    assert_eq!(to_yaml(&value), expected);
}

/// Every expectation is what `sigs.k8s.io/yaml` 1.6 printed for the same value.
#[test]
fn strings_are_quoted_as_helm_quotes_them() {
    let texts: Vec<String> = include_str!("testdata/scalars.json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<&str> = include_str!("testdata/scalars.yaml").split("# next\n").skip(1).collect();
    assert_eq!(texts.len(), expected.len());
    for (text, expected) in texts.iter().zip(expected) {
        check(json!({ "outer": { "key": text, text.as_str(): ["a"], "list": [text, { "k": text }] } }), expected);
    }
}

#[test]
fn collections_are_block_style() {
    check(json!({}), "{}\n");
    check(json!([]), "[]\n");
    check(json!("text"), "text\n");
    check(
        json!({ "b": [], "a": {}, "c": null, "d": true, "e": 1, "f": 1.5, "g": 1e21, "h": 1e6 }),
        "a: {}\nb: []\nc: null\nd: true\ne: 1\nf: 1.5\ng: 1e+21\nh: 1000000\n",
    );
    check(json!({ "a": [[1, 2], [{ "x": 1, "y": [1] }]] }), "a:\n- - 1\n  - 2\n- - x: 1\n    \"y\":\n    - 1\n");
}

#[test]
fn keys_are_sorted_as_helm_sorts_them() {
    let keys = ["a10", "a9", "A", "b", "a-b", "a.b", "ab", "a", "1.0.10", "1.0.9", "artifacthub.io/links", "artifacthub.io/changes", "é", "_x", "1"];
    let value = Value::Object(keys.iter().map(|key| ((*key).to_owned(), json!(0))).collect());
    let printed = to_yaml(&value);
    let order: Vec<&str> = printed.lines().map(|line| line.trim_end_matches(": 0").trim_matches('"')).collect();
    assert_eq!(order, ["_x", "1", "1.0.9", "1.0.10", "A", "a", "a-b", "a.b", "a9", "a10", "ab", "artifacthub.io/changes", "artifacthub.io/links", "b", "é"]);
}

proptest::proptest! {
    #[test]
    fn what_is_written_reads_back(text in "\\PC{0,120}|[ a:#'\"\n-]{0,60}|[0-9._:+-]{0,12}", key in "[a-z0-9 .:/-]{1,40}") {
        let value = json!({ key.as_str(): [text.as_str(), { "k": text.as_str() }], "z": text.as_str() });
        let read: Value = serde_yaml::from_str(&to_yaml(&value)).unwrap();
        proptest::prop_assert_eq!(read, value);
    }
}
