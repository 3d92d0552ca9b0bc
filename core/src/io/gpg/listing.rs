//! The keys that `gpg --list-secret-keys --with-colons` tells of (GnuPG's doc/DETAILS).

/// Which key is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// None of those that are listed.
    None,
    /// The one with this fingerprint; or its subkey with it.
    One(String),
    /// Several: fingerprints and user ids.
    Several(Vec<String>),
}

/// A key with its user id and its subkeys, of which the first is the key itself.
#[derive(Default)]
struct Key<'a> {
    name: &'a str,
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    fingerprint: &'a str,
    /// Neither expired, revoked, disabled nor invalid.
    valid: bool,
    /// It is one to sign with, and its secret half is there.
    signs: bool,
}

/// The key to sign with among those of a listing, which are all that `key` can mean. Keys that no longer hold count only
/// where there are no others. The key itself signs, as with helm; a subkey does where it was named, or the key itself cannot.
pub(super) fn choose(listing: &str, key: &str) -> Choice {
    let mut keys = keys(listing);
    keys.retain(|key| !key.parts.is_empty());
    if keys.iter().any(holds) {
        keys.retain(holds);
    }
    match keys.as_slice() {
        [] => Choice::None,
        [one] => Choice::One(part(one, key).to_owned()),
        several => Choice::Several(several.iter().map(|key| format!("{} {}", key.parts.first().map_or("", |part| part.fingerprint), key.name)).collect()),
    }
}

fn holds(key: &Key<'_>) -> bool {
    key.parts.first().is_some_and(|part| part.valid)
}

/// The fingerprint of the part of a key that signs.
fn part<'a>(key: &Key<'a>, asked: &str) -> &'a str {
    let digits = asked.trim_end_matches('!').trim_start_matches("0x").replace(' ', "").to_uppercase();
    let named = |part: &&Part<'_>| digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && part.fingerprint.ends_with(&digits);
    let usable = |part: &&Part<'_>| part.valid && part.signs;
    let (first, subkeys) = key.parts.split_at(key.parts.len().min(1));
    // The first where none is usable: gpg says why it does not sign.
    let chosen = subkeys.iter().find(named).or_else(|| first.iter().find(usable)).or_else(|| subkeys.iter().rfind(usable)).or(first.first());
    chosen.map_or("", |part| part.fingerprint)
}

fn keys(listing: &str) -> Vec<Key<'_>> {
    let mut keys: Vec<Key<'_>> = Vec::new();
    // What the record above tells of the fingerprint that follows it.
    let mut above = None;
    for line in listing.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let field = |number: usize| fields.get(number - 1).copied().unwrap_or_default();
        match field(1) {
            kind @ ("sec" | "ssb") => {
                if kind == "sec" {
                    keys.push(Key::default());
                }
                above = Some((!matches!(field(2), "e" | "r" | "d" | "i" | "n"), field(12).contains('s') && field(15) != "#"));
            }
            "fpr" => {
                if let (Some(key), Some((valid, signs))) = (keys.last_mut(), above.take()) {
                    key.parts.push(Part { fingerprint: field(10), valid, signs });
                }
            }
            "uid" => {
                if let Some(key) = keys.last_mut().filter(|key| key.name.is_empty()) {
                    key.name = field(10);
                }
            }
            _ => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key's lines: validity, what it does and where it is, then the same of its subkeys.
    fn key(name: &str, parts: &[(&str, &str, &str, &str)]) -> String {
        let mut text = String::new();
        for (number, (fingerprint, validity, does, place)) in parts.iter().enumerate() {
            let kind = if number == 0 { "sec" } else { "ssb" };
            text.push_str(&format!("{kind}:{validity}:3072:1:{fingerprint}:1:::u:::{does}:::{place}:::23::0:\nfpr:::::::::{fingerprint}:\ngrp:::::::::FF:\n"));
            if number == 0 {
                text.push_str(&format!("uid:u::::1::FF::{name}::::::::::0:\nuid:u::::1::FF::another::::::::::0:\n"));
            }
        }
        text
    }

    #[test]
    fn the_key_that_is_meant() {
        let check = |listing: &[String], asked: &str| choose(&listing.concat(), asked);
        let one = |fingerprint: &str| Choice::One(fingerprint.to_owned());
        let [a, b, c] = ["AAAAAAAA00000000", "BBBBBBBB11111111", "CCCCCCCC22222222"];
        let (jane, roe) = (key("Jane", &[(a, "u", "scSC", "+")]), key("Roe", &[(b, "-", "scSC", "+")]));
        assert_eq!(check(&[], "J"), Choice::None);
        assert_eq!(check(&["tru::1:2:3\nfpr:::::::::X:\n".to_owned()], "J"), Choice::None);
        assert_eq!(check(std::slice::from_ref(&jane), "J"), one(a));
        assert_eq!(check(&[jane.clone(), roe.clone()], "J"), Choice::Several(vec![format!("{a} Jane"), format!("{b} Roe")]));
        let old = key("Jane", &[(c, "e", "scSC", "+")]);
        assert_eq!(check(&[old.clone(), roe], "J"), one(b));
        assert_eq!(check(std::slice::from_ref(&old), "J"), one(c));
        assert_eq!(check(&[old.clone(), old], "J"), Choice::Several(vec![format!("{c} Jane"), format!("{c} Jane")]));
        // The key itself, but for a subkey that is named, or when the key itself is elsewhere or does not sign.
        let both = [key("Jane", &[(a, "u", "scSC", "+"), (b, "u", "s", "+"), (c, "u", "e", "+")])];
        assert_eq!(check(&both, "Jane"), one(a));
        assert_eq!(check(&both, "bbbb bbbb1111 1111!"), one(b));
        assert_eq!(check(&both, "0xAAAAAAAA00000000"), one(a));
        assert_eq!(check(&[key("Jane", &[(a, "u", "scSC", "#"), (b, "u", "s", "D27600"), (c, "r", "s", "+")])], "Jane"), one(b));
        assert_eq!(check(&[key("Jane", &[(a, "u", "cSC", "+"), (b, "u", "s", "+"), (c, "u", "s", "+")])], "Jane"), one(c));
        assert_eq!(check(&[key("Jane", &[(a, "u", "cSC", "+"), (b, "u", "e", "+")])], "Jane"), one(a));
    }
}
