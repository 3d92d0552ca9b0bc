//! Git's smart HTTP protocol, for reading: `git clone` and `git fetch` through `git upload-pack`.

use std::io::Read as _;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use http_body::Frame;
use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};
use tokio::process::{Child, ChildStdout, Command};

use super::plain;
use crate::github::Hub;
use crate::github::store::hermetic;

/// The longest unpacked request: the list of what a client has.
const REQUEST_LIMIT: u64 = 64 * 1024 * 1024;

/// What a git client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// The list of refs.
    Advertisement,
    /// Objects.
    UploadPack,
    /// Something that writes.
    Refused,
}

impl Service {
    /// The service behind a request for `/OWNER/NAME.git/…`; `None` when it is none of git's.
    pub(super) fn of(hub: &Hub, head: &Parts) -> Option<Self> {
        let full_name = hub.lock().settings.full_name();
        let path = head.uri.path().trim_start_matches('/');
        let rest = path.strip_prefix(&format!("{full_name}.git/")).or_else(|| path.strip_prefix(&format!("{full_name}/")))?;
        let query = head.uri.query().unwrap_or_default();
        match (head.method.as_str(), rest) {
            ("GET", "info/refs") if query.contains("service=git-upload-pack") => Some(Self::Advertisement),
            ("POST", "git-upload-pack") => Some(Self::UploadPack),
            (_, "info/refs" | "git-receive-pack") => Some(Self::Refused),
            _ => None,
        }
    }

    /// Runs git and streams what it writes.
    pub(super) async fn answer(self, hub: &Hub, head: &Parts, body: Bytes) -> Response {
        if self == Self::Refused {
            return plain(StatusCode::FORBIDDEN, "this repository is changed through the API alone");
        }
        let directory = hub.git_directory();
        let mut command = hermetic(directory);
        // GitHub serves every object it has, and partial clones.
        command.args(["-c", "uploadpack.allowAnySHA1InWant=true", "-c", "uploadpack.allowFilter=true", "upload-pack", "--stateless-rpc"]);
        if self == Self::Advertisement {
            command.arg("--advertise-refs");
        }
        if let Some(version) = head.headers.get("git-protocol").and_then(|value| value.to_str().ok()) {
            command.env("GIT_PROTOCOL", version);
        }
        command.arg(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Some(input) = unpacked(head, body) else { return plain(StatusCode::BAD_REQUEST, "the request cannot be unpacked") };
        let Ok(mut child) = Command::from(command).kill_on_drop(true).spawn() else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "git cannot be run");
        };
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "git cannot be spoken to");
        };
        tokio::spawn(async move {
            // A client that went away makes git end early; there is nobody to tell.
            let _ = stdin.write_all(&input).await;
        });
        let (kind, first) = match self {
            Self::Advertisement => ("advertisement", Bytes::from_static(b"001e# service=git-upload-pack\n0000")),
            _ => ("result", Bytes::new()),
        };
        let mut response = Response::new(Body::new(Output { first, stdout, _child: child }));
        if let Ok(value) = http::HeaderValue::try_from(format!("application/x-git-upload-pack-{kind}")) {
            response.headers_mut().insert(http::header::CONTENT_TYPE, value);
        }
        response.headers_mut().insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-cache"));
        response
    }
}

/// git compresses long requests.
fn unpacked(head: &Parts, body: Bytes) -> Option<Vec<u8>> {
    if head.headers.get("content-encoding").is_none_or(|value| value != "gzip") {
        return Some(body.into());
    }
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(body.as_ref()).take(REQUEST_LIMIT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A process' output as a body; dropping it ends the process.
struct Output {
    first: Bytes,
    stdout: ChildStdout,
    _child: Child,
}

impl HttpBody for Output {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.first)))));
        }
        let mut chunk = vec![0; 64 * 1024];
        let mut buffer = ReadBuf::new(&mut chunk);
        match Pin::new(&mut self.stdout).poll_read(context, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(None),
            Poll::Ready(Ok(())) => Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(buffer.filled()))))),
        }
    }
}
