//! The members of a package, read with limits: a package is input from outside.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;

/// Longer packages are refused.
pub const PACKAGE_LIMIT: usize = 128 << 20;
/// Packages that unpack to more than this are refused.
pub const UNPACKED_LIMIT: u64 = 512 << 20;
/// Packages with more members than this are refused.
pub const MEMBER_LIMIT: usize = 50_000;

/// Why a package cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Too long, packed or unpacked, or too many members.
    #[error("the package is larger than {limit} {unit}")]
    Limit {
        /// The limit.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// Not a gzipped tar archive, or cut short.
    #[error("the package is not a gzipped tar archive")]
    Format {
        /// The cause.
        source: std::io::Error,
    },
    /// A member that helm never writes.
    #[error("the package's member {name:?} {problem}")]
    Member {
        /// Its name.
        name: String,
        /// What is wrong, as a clause.
        problem: &'static str,
    },
}

/// Reads all members: their bytes by name. Only regular files, each name once, none that leads elsewhere.
///
/// # Errors
/// See [`ArchiveError`].
pub fn members(package: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    if package.len() > PACKAGE_LIMIT {
        return Err(ArchiveError::Limit { limit: PACKAGE_LIMIT as u64, unit: "bytes" });
    }
    let format = |source| ArchiveError::Format { source };
    let mut archive = tar::Archive::new(GzDecoder::new(package).take(UNPACKED_LIMIT + 1));
    let mut members = BTreeMap::new();
    let mut total = 0_u64;
    for entry in archive.entries().map_err(format)? {
        let mut entry = entry.map_err(format)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let member = |problem| ArchiveError::Member { name: name.chars().take(200).collect(), problem };
        if !entry.header().entry_type().is_file() {
            return Err(member("is not a regular file"));
        }
        if name.starts_with('/') || name.contains('\\') || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(member("has a path that leads elsewhere"));
        }
        total = total.saturating_add(entry.size());
        if total > UNPACKED_LIMIT {
            return Err(ArchiveError::Limit { limit: UNPACKED_LIMIT, unit: "bytes unpacked" });
        }
        if members.len() >= MEMBER_LIMIT {
            return Err(ArchiveError::Limit { limit: MEMBER_LIMIT as u64, unit: "members" });
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(format)?;
        if members.insert(name.clone(), bytes).is_some() {
            return Err(member("stands twice"));
        }
    }
    Ok(members)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    pub(crate) fn package(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            // Written raw: `append_data` refuses the names that this module must refuse itself.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&builder.into_inner().unwrap()).unwrap();
        encoder.finish().unwrap()
    }

    fn check(package: &[u8]) -> String {
        match members(package) {
            Ok(members) => members.into_keys().collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn reads_files_and_nothing_else() {
        assert_eq!(check(&package(&[("a/Chart.yaml", b"name: a"), ("a/values.yaml", b"")])), "a/Chart.yaml a/values.yaml");
        insta::assert_snapshot!(check(&package(&[("a/b", b""), ("a/b", b"")])), @r#"the package's member "a/b" stands twice"#);
        insta::assert_snapshot!(check(&package(&[("a/../../b", b"")])), @r#"the package's member "a/../../b" has a path that leads elsewhere"#);
        insta::assert_snapshot!(check(&package(&[("/b", b"")])), @r#"the package's member "/b" has a path that leads elsewhere"#);
        insta::assert_snapshot!(check(b"not a package"), @"the package is not a gzipped tar archive");
        let whole = package(&[("a/b", &[7; 5000])]);
        insta::assert_snapshot!(check(&whole[..whole.len() / 2]), @"the package is not a gzipped tar archive");
    }
}
