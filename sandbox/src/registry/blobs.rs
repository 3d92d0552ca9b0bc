//! Blobs: reading, and uploads in one piece or in chunks ("Pulling blobs", "Pushing Blobs").

use std::collections::BTreeMap;

use chartflow_core::domain::digest::Sha256;

use super::answer::{Answer, Code};
use super::layout::Layout;
use super::{Call, State, UPLOAD_LIMIT};

/// The uploads that are not finished.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    started: u64,
    open: BTreeMap<String, Upload>,
}

#[derive(Debug)]
struct Upload {
    repository: String,
    bytes: Vec<u8>,
}

fn digest(text: &str) -> Result<Sha256, Answer> {
    Sha256::from_prefixed(text).map_err(|error| Answer::refusal(400, Code::DigestInvalid, &error.to_string()))
}

fn unknown_blob(digest: &Sha256) -> Answer {
    Answer::refusal(404, Code::BlobUnknown, &format!("{digest:?} is not in this repository"))
}

/// The one range `bytes=FIRST-[LAST]` of a request within a length; `None` asks for everything, an error for what is not there.
fn range(header: Option<&str>, length: usize) -> Result<Option<(usize, usize)>, ()> {
    let Some((first, last)) = header.and_then(|value| value.strip_prefix("bytes=")).and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let Ok(first) = first.parse::<usize>() else { return Ok(None) };
    let last = if last.is_empty() { length.saturating_sub(1) } else { last.parse().map_err(|_| ())? };
    if first >= length || last < first { Err(()) } else { Ok(Some((first, last.min(length - 1)))) }
}

/// `GET` and `HEAD /v2/<name>/blobs/<digest>`.
pub(super) fn get(call: &Call<'_>, layout: &Layout, name: &str, reference: &str) -> Result<Answer, Answer> {
    let digest = digest(reference)?;
    if !layout.repositories.get(name).is_some_and(|repository| repository.blobs.contains(&digest)) {
        return Err(unknown_blob(&digest));
    }
    let bytes = layout.blob(&digest)?.ok_or_else(|| unknown_blob(&digest))?;
    let answer = |status| Answer::new(status).header("docker-content-digest", digest.prefixed()).header("accept-ranges", "bytes");
    let length = bytes.len();
    match range(call.header("range"), length) {
        Ok(None) => Ok(answer(200).body("application/octet-stream", bytes)),
        Ok(Some((first, last))) => {
            let part = bytes.get(first..=last).unwrap_or_default().to_vec();
            Ok(answer(206).header("content-range", format!("bytes {first}-{last}/{length}")).body("application/octet-stream", part))
        }
        Err(()) => Err(Answer::refusal(416, Code::SizeInvalid, &format!("the blob has {length} bytes")).header("content-range", format!("bytes */{length}"))),
    }
}

fn location(name: &str, id: &str) -> String {
    format!("/v2/{name}/blobs/uploads/{id}")
}

/// `Range` of an upload: the bytes that are here, as `0-LAST`.
fn progress(answer: Answer, name: &str, id: &str, length: usize) -> Answer {
    let range = format!("0-{}", length.saturating_sub(1));
    answer.header("location", location(name, id)).header("range", range).header("docker-upload-uuid", id)
}

fn keep(call: &Call<'_>, layout: &mut Layout, name: &str, expected: &str, bytes: &[u8]) -> Result<Answer, Answer> {
    let digest = digest(expected)?;
    if bytes.len() > call.options.limits.blob {
        return Err(too_long(call));
    }
    let found = Sha256::of(bytes);
    if found != digest {
        return Err(Answer::refusal(400, Code::DigestInvalid, &format!("the content is {found:?}, not {digest:?}")));
    }
    layout.put_blob(&digest, bytes)?;
    layout.repositories.entry(name.to_owned()).or_default().blobs.insert(digest);
    Ok(Answer::new(201).header("location", format!("/v2/{name}/blobs/{}", digest.prefixed())).header("docker-content-digest", digest.prefixed()))
}

fn too_long(call: &Call<'_>) -> Answer {
    Answer::refusal(413, Code::SizeInvalid, &format!("a blob may have {} bytes at most", call.options.limits.blob))
}

/// `POST /v2/<name>/blobs/uploads/`: opens an upload, or with `digest` takes it whole, or with `mount` takes over a
/// blob of another repository.
pub(super) fn start(call: &Call<'_>, state: &mut State, name: &str) -> Result<Answer, Answer> {
    if let Some(expected) = call.parameter("digest") {
        return keep(call, &mut state.layout, name, expected, call.body);
    }
    if let Some(mount) = call.parameter("mount") {
        let digest = digest(mount)?;
        let here = call.parameter("from").and_then(|from| state.layout.repositories.get(from)).is_some_and(|from| from.blobs.contains(&digest));
        if here {
            state.layout.repositories.entry(name.to_owned()).or_default().blobs.insert(digest);
            return Ok(Answer::new(201).header("location", format!("/v2/{name}/blobs/{mount}")).header("docker-content-digest", mount));
        }
    }
    if state.uploads.open.len() >= UPLOAD_LIMIT {
        return Err(Answer::refusal(429, Code::TooManyRequests, &format!("{UPLOAD_LIMIT} uploads are open already")));
    }
    state.uploads.started += 1;
    let id = format!("{:08}", state.uploads.started);
    state.uploads.open.insert(id.clone(), Upload { repository: name.to_owned(), bytes: Vec::new() });
    Ok(progress(Answer::new(202), name, &id, 0))
}

/// `GET`, `PATCH`, `PUT` and `DELETE /v2/<name>/blobs/uploads/<id>`.
pub(super) fn session(call: &Call<'_>, state: &mut State, name: &str, id: &str) -> Result<Answer, Answer> {
    let unknown = || Answer::refusal(404, Code::BlobUploadUnknown, &format!("there is no upload {id:?} in this repository"));
    let upload = state.uploads.open.get_mut(id).filter(|upload| upload.repository == name).ok_or_else(unknown)?;
    match call.method.as_str() {
        "GET" => Ok(progress(Answer::new(204), name, id, upload.bytes.len())),
        "PATCH" => {
            append(call, upload, name, id)?;
            Ok(progress(Answer::new(202), name, id, upload.bytes.len()))
        }
        "PUT" => {
            let Some(expected) = call.parameter("digest") else {
                return Err(Answer::refusal(400, Code::DigestInvalid, "the digest is missing"));
            };
            append(call, upload, name, id)?;
            let Upload { bytes, .. } = state.uploads.open.remove(id).ok_or_else(unknown)?;
            keep(call, &mut state.layout, name, expected, &bytes)
        }
        _ => {
            state.uploads.open.remove(id);
            Ok(Answer::new(204))
        }
    }
}

/// Adds a chunk. With `Content-Range` it must begin where the last one ended.
fn append(call: &Call<'_>, upload: &mut Upload, name: &str, id: &str) -> Result<(), Answer> {
    let here = upload.bytes.len();
    let out_of_order = |message: &str| Err(progress(Answer::refusal(416, Code::BlobUploadInvalid, message), name, id, here));
    if *call.method == http::Method::PATCH && call.body.len() > call.options.chunk_limit() {
        return out_of_order(&format!("a chunk may have {} bytes at most", call.options.chunk_limit()));
    }
    if let Some(range) = call.header("content-range") {
        let bounds = range.split_once('-').and_then(|(first, last)| Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?)));
        let Some((first, last)) = bounds else {
            return Err(Answer::refusal(400, Code::BlobUploadInvalid, &format!("content-range {range:?} is not FIRST-LAST")));
        };
        if first != here {
            return out_of_order(&format!("the chunk begins at {first}, {here} bytes are here"));
        }
        if last.checked_sub(first).and_then(|span| span.checked_add(1)) != Some(call.body.len()) {
            return Err(Answer::refusal(400, Code::SizeInvalid, &format!("content-range {range:?} came with {} bytes", call.body.len())));
        }
    }
    if here + call.body.len() > call.options.limits.blob {
        return Err(too_long(call));
    }
    upload.bytes.extend_from_slice(call.body);
    Ok(())
}
