use super::*;

fn github() -> &'static Description {
    super::github().unwrap()
}

/// Violations, one a line.
fn said(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn request(operation: &str, query: &[(&str, &str)], body: &str) -> String {
    let path = [("owner", "o"), ("repo", "r")];
    said(&github().check_request(operation, &Sent { path: &path, query, content_type: Some("application/json"), body: body.as_bytes() }))
}

fn response(operation: &str, status: u16, body: &str) -> String {
    said(&github().check_response(operation, &Answered { status, content_type: Some("application/json; charset=utf-8"), body: body.as_bytes() }))
}

#[test]
fn the_extract_holds_the_listed_operations() {
    let listed: Vec<_> = include_str!("../../openapi/operations.txt").lines().collect();
    assert!(listed.is_sorted(), "operations.txt is sorted");
    for operation in &listed {
        assert!(github().knows(operation), "{operation}: run scripts/openapi-extract");
    }
    assert_eq!(github().operations.len(), listed.len(), "run scripts/openapi-extract");
}

/// Every example of the description against its own schema, with the name it has there.
fn examples() -> Vec<Violation> {
    let description = github();
    let mut all = Vec::new();
    let mut check = |operation: &str, part: &str, content: &Value| {
        for (media_type, inner) in content.as_object().into_iter().flatten() {
            for (name, example) in inner["examples"].as_object().into_iter().flatten() {
                let value = &description.resolve(example)["value"];
                let mut found = Found { operation, violations: Vec::new() };
                let key = format!("{operation} {part} {media_type}");
                description.check_value(&key, &inner["schema"], value, &format!("example:{part}:{name}"), "", &mut found);
                all.append(&mut found.violations);
            }
        }
    };
    for (operation, described) in &description.operations {
        check(operation, "body", &described["requestBody"]["content"]);
        for (status, response) in described["responses"].as_object().into_iter().flatten() {
            check(operation, &format!("response:{status}"), &description.resolve(response)["content"]);
        }
    }
    all
}

#[test]
fn github_s_own_examples_are_as_described_but_for_the_allowed() {
    let all = examples();
    let left: Vec<_> = all.iter().filter(|violation| !github().allowed.covers(violation)).cloned().collect();
    assert!(left.is_empty(), "{}", said(&left));
    for line in github().allowed.0.iter().filter(|line| line.part.starts_with("example:")) {
        assert!(all.iter().any(|violation| line.covers(violation)), "this line of allowed.txt allows nothing: {line:?}");
    }
}

#[test]
fn requests() {
    assert_eq!(request("pulls/create", &[], r#"{"title":"t","head":"h","base":"b","body":"x"}"#), "");
    insta::assert_snapshot!(request("pulls/create", &[], r#"{"title":"t","head":"h","bse":"b"}"#), @r#"
    pulls/create body /bse: is not a property of this request
    pulls/create body: "base" is a required property
    "#);
    insta::assert_snapshot!(request("pulls/create", &[], "{"), @"pulls/create body: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(request("pulls/create", &[], ""), @"pulls/create body: is required");
    insta::assert_snapshot!(request("pulls/list", &[("state", "opened"), ("per_page", "x"), ("heads", "o:b")], ""), @r#"
    pulls/list query state: "opened" is not one of "open", "closed" or "all"
    pulls/list query per_page: "x" is not of type "integer"
    pulls/list query heads: is not a parameter of this operation
    "#);
    insta::assert_snapshot!(request("pulls/get", &[], "{}"), @r"
    pulls/get path pull_number: is required
    pulls/get body: this operation takes none
    ");
    insta::assert_snapshot!(request("pulls/invent", &[], ""), @"pulls/invent operation: is not in sandbox/openapi/operations.txt; add it there and run scripts/openapi-extract");
    let path = [("owner", "o"), ("repo", "r"), ("release_id", "1")];
    let upload = Sent { path: &path, query: &[("name", "a.tgz")], content_type: Some("application/octet-stream"), body: b"\x1f\x8b" };
    assert_eq!(said(&github().check_request("repos/upload-release-asset", &upload)), "");
}

#[test]
fn responses() {
    let reference = r#"{"ref":"refs/heads/main","node_id":"x","url":"https://api.example.com/x","object":{"type":"commit","sha":"a1b2c3d4e5a1b2c3d4e5a1b2c3d4e5a1b2c3d4e5","url":"https://api.example.com/y"}}"#;
    assert_eq!(response("git/get-ref", 200, reference), "");
    insta::assert_snapshot!(response("git/get-ref", 200, &reference.replace("commit", "com").replace("a1b2c3d4e5a1b2c3d4e5", "z").replace("\"node_id\":\"x\",", "")), @r#"
    git/get-ref response:200: "node_id" is a required property
    git/get-ref response:200 /object/sha: "zz" is shorter than 40 characters
    "#);
    insta::assert_snapshot!(response("git/get-ref", 202, reference), @r"
    git/get-ref response:202: the description does not list this status
    git/get-ref response:202: the description has no content for this answer
    ");
    assert_eq!(response("git/delete-ref", 204, ""), "");
    insta::assert_snapshot!(response("git/delete-ref", 204, "{}"), @"git/delete-ref response:204: the description has no content for this answer");
    assert_eq!(response("pulls/get", 404, r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}"#), "");
    insta::assert_snapshot!(response("pulls/get", 404, r#"{"message":404}"#), @r#"pulls/get response:404 /message: 404 is not of type "string""#);
    assert_eq!(response("pulls/get", 401, r#"{"message":"Bad credentials"}"#), "", "allowed for every operation");
}

#[test]
fn null_is_allowed_where_it_is_nullable() {
    let description = github();
    let schema = serde_json::json!({ "type": "object", "properties": { "nullable": { "type": "string", "nullable": true }, "plain": { "type": "string" } } });
    let check = |value: Value| {
        let mut found = Found { operation: "x", violations: Vec::new() };
        description.check_value("test null", &schema, &value, "body", "", &mut found);
        said(&found.violations)
    };
    assert_eq!(check(serde_json::json!({ "nullable": null, "plain": "x" })), "");
    insta::assert_snapshot!(check(serde_json::json!({ "nullable": "x", "plain": null })), @r#"x body /plain: null is not of type "string""#);
}

#[test]
fn allow_lists_need_reasons() {
    let error = |text: &str| Allowed::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("# a comment\n\npulls/get response:401 -\n"), @"line 3: a reason is missing behind ` # `");
    insta::assert_snapshot!(error("pulls/get response:401 # why"), @"line 1: it is not OPERATION PART POINTER # REASON");
    let allowed = Allowed::parse("pulls/get response:200 /files/*/url # why\n* response:401 - # why").unwrap();
    let violation =
        |operation: &str, part: &str, at: &str| Violation { operation: operation.to_owned(), part: part.to_owned(), at: at.to_owned(), message: String::new() };
    assert!(allowed.covers(&violation("pulls/get", "response:200", "/files/3/url")));
    assert!(allowed.covers(&violation("git/get-ref", "response:401", "")));
    for other in [
        violation("pulls/list", "response:200", "/files/3/url"),
        violation("pulls/get", "response:200", "/files/url"),
        violation("pulls/get", "response:401", "/message"),
    ] {
        assert!(!allowed.covers(&other), "{other}");
    }
}
