//! Where a GitHub server's API is, and who may be given its credentials.

use http::Uri;
use http::uri::Authority;

/// Why a URL cannot be a GitHub server's API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It is no absolute HTTP URL.
    #[error("{url:?} is not the URL of a GitHub API, such as https://api.github.com or https://HOST/api/v3")]
    Url {
        /// The URL.
        url: String,
    },
    /// It would carry the credentials in the clear.
    #[error("{url:?} is not encrypted; http:// is allowed on this machine only")]
    Clear {
        /// The URL.
        url: String,
    },
    /// It holds a user name or password.
    #[error("the URL of a GitHub API cannot hold credentials")]
    Credentials,
}

/// The API of one GitHub server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Without a slash at the end.
    base: String,
    api: Authority,
    uploads: Authority,
    loopback: bool,
}

impl Server {
    /// The server whose API has this base URL: `https://api.github.com`, `https://HOST/api/v3` (Enterprise Server) or a
    /// server on this machine.
    ///
    /// Release assets go to `uploads.` where the API is at `api.` (docs.github.com, REST API endpoints for release
    /// assets), else to the API's own host.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn new(base: &str) -> Result<Self, ServerError> {
        let base = base.trim_end_matches('/');
        let error = || ServerError::Url { url: base.chars().take(200).collect() };
        let uri: Uri = base.parse().map_err(|_| error())?;
        let api = uri.authority().cloned().ok_or_else(error)?;
        if api.as_str().contains('@') {
            return Err(ServerError::Credentials);
        }
        if uri.query().is_some() {
            return Err(error());
        }
        let loopback = is_loopback(api.host());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if loopback => {}
            Some("http") => return Err(ServerError::Clear { url: base.to_owned() }),
            _ => return Err(error()),
        }
        let uploads = match api.as_str().strip_prefix("api.") {
            Some(rest) => format!("uploads.{rest}").parse().map_err(|_| error())?,
            None => api.clone(),
        };
        Ok(Self { base: base.to_owned(), api, uploads, loopback })
    }

    /// Whether it runs on this machine, where nobody's limits have to be spared.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The absolute URL of a request's target.
    pub(super) fn url(&self, target: &str) -> Result<Uri, http::uri::InvalidUri> {
        if target.starts_with('/') { format!("{}{target}", self.base).parse() } else { target.parse() }
    }

    /// Whether a URL is this server's, so that it may be given the credentials and be written to.
    pub(super) fn owns(&self, url: &Uri) -> bool {
        let encrypted = url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && self.loopback);
        encrypted && url.authority().is_some_and(|authority| *authority == self.api || *authority == self.uploads)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_credentials_may_go() {
        let check = |base: &str, url: &str| Server::new(base).unwrap().owns(&url.parse().unwrap());
        assert!(check("https://api.github.com", "https://api.github.com/repos/o/r"));
        assert!(check("https://api.github.com/", "https://uploads.github.com/repos/o/r/releases/1/assets?name=x"));
        assert!(check("https://ghe.example/api/v3", "https://ghe.example/api/uploads/repos/o/r/releases/1/assets"));
        assert!(check("https://api.sub.ghe.com", "https://uploads.sub.ghe.com/x"));
        assert!(check("http://127.0.0.1:3000", "http://127.0.0.1:3000/x"));
        for elsewhere in [
            "https://github.com/x",
            "https://api.github.com.evil.example/x",
            "http://api.github.com/x",
            "https://api.github.com:444/x",
            "https://evil.example/api.github.com",
        ] {
            assert!(!check("https://api.github.com", elsewhere), "{elsewhere}");
        }
        assert!(!check("http://127.0.0.1:3000", "http://127.0.0.1:3001/x"));
    }

    #[test]
    fn what_is_no_server() {
        let check = |base: &str| Server::new(base).unwrap_err().to_string();
        insta::assert_snapshot!(check("http://github.example"), @r#""http://github.example" is not encrypted; http:// is allowed on this machine only"#);
        insta::assert_snapshot!(check("api.github.com"), @r#""api.github.com" is not the URL of a GitHub API, such as https://api.github.com or https://HOST/api/v3"#);
        insta::assert_snapshot!(check("https://u:p@github.example"), @"the URL of a GitHub API cannot hold credentials");
        for bad in ["", "ftp://x", "https://", "https://x?y", "/api"] {
            assert!(Server::new(bad).is_err(), "{bad}");
        }
        assert!(Server::new("http://[::1]:80").is_ok() && Server::new("http://localhost:1/api/v3").is_ok());
    }

    #[test]
    fn targets() {
        let server = Server::new("https://ghe.example/api/v3/").unwrap();
        assert_eq!(server.url("/repos/o/r?x=%2F").unwrap().to_string(), "https://ghe.example/api/v3/repos/o/r?x=%2F");
        assert_eq!(server.url("https://ghe.example/api/uploads/x").unwrap().to_string(), "https://ghe.example/api/uploads/x");
    }
}
