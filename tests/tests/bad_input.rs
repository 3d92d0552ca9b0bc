//! Every input of every action with a value it does not take: named, with what it takes, before anything is asked.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chartflow_core::action::Verb;
use chartflow_core::action::declaration::{Input, Kind};
use chartflow_core::domain::event::StageName;
use chartflow_core::io::signing::KeySigner;
use chartflow_tests::alone::Alone;
use chartflow_tests::runner::Ran;
use chartflow_tests::tiny_http::serve;
use serde_json::json;

/// What an action cannot do without.
fn mandatory(input: &Input) -> Option<&'static str> {
    input.required.then_some(match input.name {
        "check" => "scan",
        "result" => "passed",
        "path" => "charts/app",
        _ => "a.tgz",
    })
}

/// Values of another kind.
const fn wrong(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Boolean => &["perhaps", "1", "yes", "tRUE", "true\n::set-output name=result::done"],
        Kind::Number => &["chartflow", "-1", "+1", "1.5", "0x1", "99999999999999999999", "1\n::error::x"],
        Kind::Choice(_) => &["neither", "Check", "PASSED", "plan,apply", "%0A::error::x"],
        Kind::Json => &["{", "nothing", "[1,]", "\u{feff}{}"],
        Kind::Text | Kind::Secret => &[],
    }
}

/// An action whose API counts what it is asked.
fn counting(verb: Verb) -> (Alone, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let api = serve(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        (500, json!({}))
    });
    let given = verb.declaration().inputs.into_iter().filter_map(|input| Some((input.name, mandatory(&input)?)));
    (given.fold(Alone::new(&api), |alone, (name, value)| alone.with(name, value)), asked)
}

/// What is said of an action with these inputs.
fn check(verb: Verb, inputs: &[(&str, &str)]) -> String {
    let (alone, asked) = counting(verb);
    let ran = inputs.iter().fold(alone, |alone, (name, value)| alone.with(name, value)).run(verb);
    let case = format!("{} with {inputs:?}", verb.as_str());
    assert_eq!(ran.code, 2, "{case}: {ran:#?}");
    assert_eq!(asked.load(Ordering::Relaxed), 0, "{case}: something was asked");
    let said = only_error(&ran);
    assert!(ran.outputs.is_empty(), "{case}: {ran:#?}");
    said
}

/// The one error; no other command but masks came through.
fn only_error(ran: &Ran) -> String {
    let commands: Vec<&str> = ran.log.lines().filter(|line| line.starts_with("::") && !line.starts_with("::add-mask::")).collect();
    let [only] = commands.as_slice() else { panic!("{ran:#?}") };
    only.strip_prefix("::error title=chartflow::").unwrap().to_owned()
}

#[test]
fn ill_typed_values_are_named() {
    let mut cases = 0;
    for verb in Verb::ALL {
        for input in verb.declaration().inputs {
            for value in wrong(input.kind) {
                let said = check(verb, &[(input.name, value)]);
                assert!(said.starts_with(&format!("the input {} ", input.name)), "{verb:?} {value:?}: {said}");
                assert!(input.kind == Kind::Json || said.ends_with(&format!("which is not {}", input.kind.accepted())), "{verb:?} {value:?}: {said}");
                cases += 1;
            }
        }
    }
    assert!(cases > 150, "{cases}");
}

#[test]
fn unknown_inputs_are_named_with_the_known() {
    for verb in Verb::ALL {
        let said = check(verb, &[("dry-rnu", "true")]);
        assert!(said.starts_with(&format!("the input dry-rnu is unknown to {}; known inputs are ", verb.as_str())), "{said}");
        assert!(said.ends_with("did you mean dry-run?"), "{said}");
    }
}

#[test]
fn absent_inputs_are_named() {
    for verb in [Verb::Attest, Verb::Verify] {
        for input in verb.declaration().inputs.iter().filter(|input| input.required) {
            let said = check(verb, &[(input.name, " ")]);
            assert!(said.starts_with(&format!("the input {} is mandatory: ", input.name)), "{said}");
        }
    }
}

#[test]
fn keys_that_are_none_are_named_and_not_shown() {
    let key = KeySigner::generate().unwrap().to_pkcs8_pem();
    for verb in Verb::ALL.into_iter().filter(|verb| *verb != Verb::Verify) {
        let said = check(verb, &[("app-id", "1"), ("private-key", "MIInokey"), ("signing-key", &key)]);
        assert!(said.starts_with("the input private-key cannot be used") && !said.contains("MIInokey"), "{verb:?}: {said}");
        let said = check(verb, &[("private-key", "MIInokey"), ("signing-key", &key)]);
        assert!(said.starts_with("the input app-id is absent"), "{verb:?}: {said}");
        if verb != Verb::Rulesets {
            let said = check(verb, &[("app-id", "1"), ("signing-key", &key)]);
            assert!(said.starts_with("the input private-key is absent"), "{verb:?}: {said}");
        }
        let signs = matches!(verb, Verb::Attest) || matches!(verb, Verb::Stage(stage) if stage != StageName::Format);
        if signs {
            let said = check(verb, &[("signing-key", "MIInokey")]);
            assert!(said.starts_with("the input signing-key cannot be used") && !said.contains("MIInokey"), "{verb:?}: {said}");
            let said = check(verb, &[("signing-key", &key), ("trusted-keys", "no key")]);
            assert!(said.starts_with("the input trusted-keys holds what is not a public key"), "{verb:?}: {said}");
        }
    }
}

#[test]
fn values_that_mean_nothing_are_named() {
    let key = KeySigner::generate().unwrap().to_pkcs8_pem();
    let attest = |name, value| check(Verb::Attest, &[("signing-key", key.as_str()), (name, value)]);
    for path in ["../charts/app", "/etc", "charts//app", "charts/../.."] {
        assert!(attest("path", path).starts_with("the input path cannot be used"), "{path}");
    }
    assert!(attest("commit", "main").starts_with("the input commit cannot be used"));
    for definitions in ["[]", r#"{"scan":"x"}"#, r#"{"scan":1}"#] {
        assert!(attest("definitions", definitions).starts_with("the input definitions cannot be read"), "{definitions}");
    }
    let both: &[(&str, &str)] = &[("trust", "trust"), ("repository", "acme/charts")];
    for more in [both, &[]] {
        let (alone, _) = counting(Verb::Verify);
        for name in ["a.tgz", "a.lineage.jsonl"] {
            std::fs::write(alone.workspace().join(name), "x").unwrap();
        }
        let ran = more.iter().fold(alone, |alone, (name, value)| alone.with(name, value)).run(Verb::Verify);
        assert!(ran.code == 2 && only_error(&ran).starts_with("whom to trust cannot be used"), "{ran:#?}");
    }
}
