//! What a plain scalar means to helm.
//!
//! The rules of go-yaml v2 (`resolve.go`), which helm reads every YAML file with: YAML 1.1 booleans, octal and binary
//! integers, underscores in numbers. Timestamps are handed on as the text that is written.

use super::Value;

/// The value of a plain scalar.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') => float(text),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| float(&digits))
        }
        _ => None,
    };
    number.unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// Whether a text can stand without quotes, in blocks and braces alike, and reads back as itself.
#[must_use]
pub fn plain_text(text: &str) -> bool {
    let indicator = |c: char| ",[]{}#&*!|>'\"%@`".contains(c);
    let first_is_free = text.chars().next().is_some_and(|c| !indicator(c) && !c.is_whitespace() && !matches!(c, '-' | '?' | ':' | '='));
    let inside = text.chars().all(|c| !matches!(c, ',' | '[' | ']' | '{' | '}') && !c.is_control());
    let ends = !text.ends_with([' ', ':']) && !text.contains(": ") && !text.contains(" #");
    first_is_free && inside && ends && text != "<<" && matches!(plain(text), Value::Text(_))
}

/// Go's `strconv.ParseInt` with base 0.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, rest) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?)
    } else {
        (10, lower.as_str())
    };
    if rest.is_empty() || !rest.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(rest, radix).ok()?;
    Some(Value::Integer(if negative { -value } else { value }))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, and within the range of a double.
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let whole = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((before, fraction)) => digits(before) && (fraction.is_empty() || digits(fraction)),
    };
    if !whole || !exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Value::Float)
}

/// A number as Go's `strconv.FormatFloat(f, 'g', -1, 64)` writes it: the shortest digits, with an exponent (of at least
/// two digits) when it is below -4 or above 5.
#[must_use]
pub fn go_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    with_exponent(&format!("{value:e}"), &format!("{value}"))
}

/// As [`go_float`] with 32 bits: what sigs.k8s.io/yaml makes of a number where text is wanted.
pub(super) fn go_float_32(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "losing digits is what helm does")]
    let short = value as f32;
    if short.is_finite() { with_exponent(&format!("{short:e}"), &format!("{short}")) } else { go_float(f64::from(short)) }
}

/// The one of Rust's two notations, which hold the same shortest digits, that Go would choose, in Go's form.
fn with_exponent(scientific: &str, plain: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return plain.to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
