//! The `.tgz` that helm writes (helm `pkg/chart/v2/util/save.go` over Go's `archive/tar` and `compress/gzip`), with one
//! time for every member instead of the source files' times.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};

/// The extra field of the gzip header since helm 4.2: subfield `rr`, its length and helm's mark.
const EXTRA: &[u8] = b"rr\x28\x00aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";
/// "Unknown", which Go writes on every system.
const OPERATING_SYSTEM: u8 = 255;
/// The latest time a tar header holds in octal digits: 8 GiB of seconds after 1970.
pub(super) const LATEST: i64 = 0o77_777_777_777;

/// A regular file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) path: String,
    pub(super) bytes: &'a [u8],
}

/// The archive's bytes. Deterministic: the same entries and time give the same bytes.
pub(super) fn write<'a>(entries: impl Iterator<Item = Entry<'a>>, time: u64) -> std::io::Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().extra(EXTRA).comment("Helm").operating_system(OPERATING_SYSTEM).write(Vec::new(), Compression::default());
    for entry in entries {
        let fits = entry.path.is_ascii() && split(&entry.path).is_some();
        if !fits {
            let record = pax_record("path", &entry.path);
            let (directory, file) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
            let name: String = format!("{directory}/PaxHeaders.0/{file}").chars().filter(char::is_ascii).take(100).collect();
            gzip.write_all(&header(name.trim_end_matches('/'), "", b'x', record.len(), 0, 0))?;
            padded(&mut gzip, record.as_bytes())?;
        }
        let ascii: String = entry.path.chars().filter(char::is_ascii).collect();
        let (prefix, name) =
            if fits { split(&entry.path).unwrap_or(("", &entry.path)) } else { ("", ascii.get(..100).unwrap_or(&ascii).trim_end_matches('/')) };
        gzip.write_all(&header(name, prefix, b'0', entry.bytes.len(), 0o644, time))?;
        padded(&mut gzip, entry.bytes)?;
    }
    gzip.write_all(&[0; 1024])?;
    gzip.finish()
}

fn padded(out: &mut impl std::io::Write, bytes: &[u8]) -> std::io::Result<()> {
    out.write_all(bytes)?;
    let tail = bytes.len() % 512;
    if tail > 0 { out.write_all(&[0; 512][tail..]) } else { Ok(()) }
}

/// The two fields that hold a path in the USTAR format: 155 bytes before and 100 behind a `/`.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= 100 {
        return Some(("", path));
    }
    let reach = path.len().min(156);
    let cut = path.as_bytes().get(..reach)?.iter().rposition(|&b| b == b'/')?;
    let (prefix, name) = (path.get(..cut)?, path.get(cut + 1..)?);
    (!prefix.is_empty() && !name.is_empty() && name.len() <= 100).then_some((prefix, name))
}

/// A header block of a file that belongs to nobody.
fn header(name: &str, prefix: &str, kind: u8, size: usize, mode: u32, time: u64) -> [u8; 512] {
    let mut block = [0; 512];
    let mut field = |at: usize, text: &str| {
        for (place, byte) in block.iter_mut().skip(at).zip(text.bytes()) {
            *place = byte;
        }
    };
    field(0, name);
    field(100, &format!("{mode:07o}"));
    field(108, "0000000");
    field(116, "0000000");
    field(124, &format!("{size:011o}"));
    field(136, &format!("{time:011o}"));
    // The checksum counts its own field as spaces.
    field(148, "        ");
    field(156, if kind == b'x' { "x" } else { "0" });
    field(257, "ustar\u{0}00");
    if kind == b'0' {
        field(329, "0000000");
        field(337, "0000000");
        field(345, prefix);
    }
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    for (place, byte) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *place = byte;
    }
    block
}

/// `<length> <key>=<value>\n`, the length counting itself (POSIX pax).
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}
