//! Which plain texts Go's YAML library (version 2) reads as something other than a string (YAML 1.1 with its own
//! exceptions); those it quotes when it writes them.

/// Whether the text, written plainly, is read back as a string.
pub(super) fn is_string(text: &str) -> bool {
    !resolves(text) && !is_base_60(text)
}

fn resolves(text: &str) -> bool {
    let Some(&first) = text.as_bytes().first() else { return true };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => is_word(text),
        b'.' => is_word(text) || text.parse::<f64>().is_ok_and(f64::is_finite),
        b'+' | b'-' | b'0'..=b'9' => is_word(text) || is_timestamp(text) || is_number(&text.replace('_', "")),
        _ => false,
    }
}

fn is_word(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "true"
            | "True"
            | "TRUE"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "false"
            | "False"
            | "FALSE"
            | "off"
            | "Off"
            | "OFF"
    ) || matches!(text, "~" | "null" | "Null" | "NULL" | ".nan" | ".NaN" | ".NAN")
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
}

fn is_number(text: &str) -> bool {
    is_integer(text)
        || (is_float(text) && text.parse::<f64>().is_ok_and(f64::is_finite))
        || text.strip_prefix("0b").is_some_and(|digits| i64::from_str_radix(digits, 2).is_ok())
}

/// Go's `strconv.ParseInt` or `ParseUint` with base 0.
fn is_integer(text: &str) -> bool {
    let (signed, digits) = text.strip_prefix(['+', '-']).map_or((false, text), |digits| (true, digits));
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let limit = match (signed, text.starts_with('-')) {
        (true, true) => 1 << 63,
        (true, false) => i64::MAX.unsigned_abs(),
        (false, _) => u64::MAX,
    };
    digits.bytes().all(|b| b.is_ascii_hexdigit()) && u64::from_str_radix(digits, radix).is_ok_and(|value| value <= limit)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, the whole text.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent)
        })
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`, the whole text.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').map_or((text, ""), |(whole, fraction)| (whole, fraction));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let sixtieth = |part: &str| match part.as_bytes() {
        [ones] => ones.is_ascii_digit(),
        [b'0'..=b'5', ones] => ones.is_ascii_digit(),
        _ => false,
    };
    let rest: Vec<&str> = parts.collect();
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && !rest.is_empty()
        && rest.into_iter().all(sixtieth)
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// A date, a date and a time behind a space, or a date, `T`, time and zone, with one or two digits a field.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 5 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let mut rest = &text[5..];
    let Some(month) = field(&mut rest) else { return false };
    let Some(after) = rest.strip_prefix('-') else { return false };
    rest = after;
    let Some(day) = field(&mut rest) else { return false };
    let year: u32 = text[..4].parse().unwrap_or_default();
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    if day == 0 || day > days {
        return false;
    }
    match rest.as_bytes().first() {
        None => true,
        Some(b' ') => time(&rest[1..]).is_some_and(str::is_empty),
        Some(b'T' | b't') => time(&rest[1..]).is_some_and(is_zone),
        Some(_) => false,
    }
}

/// Takes a number of one or two digits.
fn field(rest: &mut &str) -> Option<u32> {
    let length = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let value = rest.get(..length)?.parse().ok()?;
    *rest = rest.get(length..)?;
    Some(value)
}

/// What follows `hour:minute:second[.fraction]`, when that is what the text begins with.
fn time(text: &str) -> Option<&str> {
    let mut rest = text;
    let hour = field(&mut rest)?;
    rest = rest.strip_prefix(':')?;
    let minute = field(&mut rest)?;
    rest = rest.strip_prefix(':')?;
    let second = field(&mut rest)?;
    if hour >= 24 || minute >= 60 || second >= 60 {
        return None;
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            rest = fraction.get(digits..)?;
        }
    }
    Some(rest)
}

fn is_zone(text: &str) -> bool {
    let number = |part: &str, most: u32| part.parse::<u32>().is_ok_and(|value| value <= most) && part.bytes().all(|b| b.is_ascii_digit());
    text == "Z"
        || (text.len() == 6 && text.is_ascii() && text.starts_with(['+', '-']) && &text[3..4] == ":" && number(&text[1..3], 24) && number(&text[4..6], 60))
}
