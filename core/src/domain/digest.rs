//! Digests and object ids: the algorithm travels with the bytes and the length is checked once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// A text that is no digest or object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a {expected}")]
pub struct DigestError {
    /// The text, shortened.
    pub value: String,
    /// What was expected.
    pub expected: &'static str,
}

/// A SHA-256 digest. Printed and serialised as 64 lower-case hexadecimal digits, without an algorithm prefix;
/// [`Sha256::prefixed`] adds `sha256:` as OCI writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// A digest from its raw bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `sha256:` and the hexadecimal digits.
    #[must_use]
    pub fn prefixed(&self) -> String {
        format!("sha256:{self}")
    }

    /// Reads `sha256:` and 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// When the prefix, the length or a digit is not as said.
    pub fn from_prefixed(text: &str) -> Result<Self, DigestError> {
        text.strip_prefix("sha256:")
            .and_then(|hex| hex.parse().ok())
            .ok_or_else(|| DigestError { value: shortened(text), expected: "digest of the form sha256:<64 lower-case hexadecimal digits>" })
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

fn lower_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The lower-case hexadecimal digits of some bytes. `hex::encode` collects them digit by digit, which is a twentieth of the
/// time that detection takes.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len() * 2];
    // The buffer has the length that is asked for, and hexadecimal digits are UTF-8.
    let _ = hex::encode_to_slice(bytes, &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{self}")
    }
}

impl FromStr for Sha256 {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let error = || DigestError { value: shortened(text), expected: "SHA-256 digest of 64 lower-case hexadecimal digits" };
        if !lower_hex(text) {
            return Err(error());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| error())?;
        Ok(Self(bytes))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The hash function of a git repository (`extensions.objectFormat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectFormat {
    /// The default, and the only one GitHub serves.
    Sha1,
    /// `git init --object-format=sha256`.
    Sha256,
}

impl ObjectFormat {
    /// Bytes of one raw object id.
    #[must_use]
    pub const fn raw_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The id of a git object: the hash of `<kind> <length>\0<content>`.
    #[must_use]
    pub fn hash(self, kind: &str, content: &[u8]) -> Vec<u8> {
        let header = format!("{kind} {}\0", content.len());
        match self {
            Self::Sha1 => sha1::Sha1::new().chain_update(header.as_bytes()).chain_update(content).finalize().to_vec(),
            Self::Sha256 => sha2::Sha256::new().chain_update(header.as_bytes()).chain_update(content).finalize().to_vec(),
        }
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $type:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Checks 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
            ///
            /// # Errors
            /// When the text is anything else.
            pub fn new(text: impl Into<String>) -> Result<Self, DigestError> {
                let text = text.into();
                if matches!(text.len(), 40 | 64) && lower_hex(&text) {
                    Ok(Self(text))
                } else {
                    Err(DigestError { value: shortened(&text), expected: $expected })
                }
            }

            /// An id from its 20 or 32 raw bytes.
            ///
            /// # Errors
            /// When there are more or fewer bytes.
            pub fn from_raw(bytes: &[u8]) -> Result<Self, DigestError> {
                Self::new(hexadecimal(bytes))
            }

            /// The hexadecimal digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first ten digits, for people.
            #[must_use]
            pub fn short(&self) -> &str {
                self.0.get(..10).unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = DigestError;
            fn from_str(text: &str) -> Result<Self, DigestError> {
                Self::new(text)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

object_id!(
    /// The id of a commit.
    CommitId,
    "commit id of 40 or 64 lower-case hexadecimal digits"
);
object_id!(
    /// The id of a tree: a directory's content.
    TreeId,
    "tree id of 40 or 64 lower-case hexadecimal digits"
);
object_id!(
    /// The id of a blob: a file's content.
    BlobId,
    "blob id of 40 or 64 lower-case hexadecimal digits"
);
object_id!(
    /// The id of an annotated tag object.
    TagObjectId,
    "tag object id of 40 or 64 lower-case hexadecimal digits"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_hex_crate() {
        for length in [0, 1, 20, 32] {
            let bytes: Vec<u8> = (0..length).map(|byte| byte * 7).collect();
            assert_eq!(hexadecimal(&bytes), hex::encode(&bytes));
        }
    }

    #[test]
    fn digests_are_strict() {
        let digest = Sha256::of(b"");
        assert_eq!(digest.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(Sha256::from_prefixed(&digest.prefixed()), Ok(digest));
        for bad in ["", "e3b0", &digest.to_string().to_uppercase(), &format!("{digest}00")] {
            assert!(bad.parse::<Sha256>().is_err(), "{bad}");
        }
        assert!(Sha256::from_prefixed(&digest.to_string()).is_err());
        insta::assert_snapshot!("x".parse::<CommitId>().unwrap_err(), @r#""x" is not a commit id of 40 or 64 lower-case hexadecimal digits"#);
    }

    #[test]
    fn object_hashes_are_git_s() {
        assert_eq!(hex::encode(ObjectFormat::Sha1.hash("blob", b"")), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(hex::encode(ObjectFormat::Sha256.hash("blob", b"")), "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
    }
}
