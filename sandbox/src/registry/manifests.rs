//! Manifests, tags and referrers ("Pulling manifests", "Pushing Manifests", "Content Discovery").

use std::collections::BTreeMap;

use chartflow_core::domain::digest::Sha256;
use chartflow_core::port::registry::Descriptor;

use super::Call;
use super::answer::{Answer, Code};
use super::layout::{Kept, Layout, Repository};
use super::manifest::{self, Manifest, OCI_INDEX};
use super::name::Reference;

fn reference(text: &str) -> Result<Reference, Answer> {
    let code = if text.contains(':') { Code::DigestInvalid } else { Code::ManifestInvalid };
    Reference::parse(text).ok_or_else(|| Answer::refusal(400, code, &format!("{text:?} is neither a tag nor a sha256 digest")))
}

fn unknown(text: &str) -> Answer {
    Answer::refusal(404, Code::ManifestUnknown, &format!("there is no manifest {text:?} in this repository"))
}

/// `GET` and `HEAD /v2/<name>/manifests/<reference>`: the bytes as they were pushed.
pub(super) fn get(layout: &Layout, name: &str, text: &str) -> Result<Answer, Answer> {
    let reference = reference(text)?;
    let repository = layout.repositories.get(name).ok_or_else(|| unknown(text))?;
    let digest = match &reference {
        Reference::Tag(tag) => repository.tags.get(tag).ok_or_else(|| unknown(text))?,
        Reference::Digest(digest) => digest,
    };
    let kept = repository.manifests.get(digest).ok_or_else(|| unknown(text))?;
    let bytes = layout.blob(digest)?.ok_or_else(|| unknown(text))?;
    Ok(Answer::new(200).header("docker-content-digest", digest.prefixed()).header("etag", format!("\"{}\"", digest.prefixed())).body(&kept.media_type, bytes))
}

/// `PUT /v2/<name>/manifests/<reference>`.
pub(super) fn put(call: &Call<'_>, layout: &mut Layout, name: &str, text: &str) -> Result<Answer, Answer> {
    let reference = reference(text)?;
    let limit = call.options.limits.manifest;
    if call.body.len() > limit {
        return Err(Answer::refusal(413, Code::SizeInvalid, &format!("a manifest may have {limit} bytes at most")));
    }
    let digest = Sha256::of(call.body);
    if let Reference::Digest(expected) = &reference
        && *expected != digest
    {
        return Err(Answer::refusal(400, Code::DigestInvalid, &format!("the content is {digest:?}, not {expected:?}")));
    }
    let media_type = call.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
    let manifest = manifest::parse(&media_type, call.body).map_err(|problem| Answer::refusal(400, Code::ManifestInvalid, &problem))?;
    complete(layout, name, &manifest)?;
    layout.put_blob(&digest, call.body)?;
    let subject = manifest.subject;
    let repository = layout.repositories.entry(name.to_owned()).or_default();
    repository.manifests.insert(digest, Kept { media_type, size: call.body.len() as u64, manifest });
    if let Reference::Tag(tag) = reference {
        repository.tags.insert(tag, digest);
    }
    layout.save()?;
    let answer = Answer::new(201).header("location", format!("/v2/{name}/manifests/{}", digest.prefixed())).header("docker-content-digest", digest.prefixed());
    // The header is the promise that the referrers API lists it ("Pushing Manifests with Subject").
    Ok(match subject {
        Some(subject) if call.options.referrers() => answer.header("oci-subject", subject.prefixed()),
        _ => answer,
    })
}

/// Refuses a manifest that names something this repository does not hold. A subject may be absent.
fn complete(layout: &Layout, name: &str, manifest: &Manifest) -> Result<(), Answer> {
    let repository = layout.repositories.get(name);
    let missing =
        |what: &str, digest: &Sha256| Answer::refusal(404, Code::ManifestBlobUnknown, &format!("{what} {digest:?} was not pushed to this repository"));
    for blob in &manifest.blobs {
        let held = repository.is_some_and(|repository| repository.blobs.contains(&blob.digest));
        let size = layout.blob_size(&blob.digest).filter(|_| held).ok_or_else(|| missing("blob", &blob.digest))?;
        if size != blob.size {
            return Err(Answer::refusal(400, Code::ManifestInvalid, &format!("blob {:?} has {size} bytes, not {}", blob.digest, blob.size)));
        }
    }
    for entry in &manifest.manifests {
        let kept = repository.and_then(|repository| repository.manifests.get(&entry.digest)).ok_or_else(|| missing("manifest", &entry.digest))?;
        if kept.size != entry.size {
            return Err(Answer::refusal(400, Code::ManifestInvalid, &format!("manifest {:?} has {} bytes, not {}", entry.digest, kept.size, entry.size)));
        }
    }
    Ok(())
}

/// `GET /v2/<name>/referrers/<digest>[?artifactType=…]`. An unknown digest has an empty list, not an error.
pub(super) fn referrers(call: &Call<'_>, layout: &Layout, name: &str, text: &str) -> Result<Answer, Answer> {
    let Some(Reference::Digest(subject)) = Reference::parse(text) else {
        return Err(Answer::refusal(400, Code::DigestInvalid, &format!("{text:?} is not a sha256 digest")));
    };
    let wanted = call.parameter("artifactType");
    let descriptors: Vec<_> = layout
        .repositories
        .get(name)
        .into_iter()
        .flat_map(|repository| &repository.manifests)
        .filter(|(_, kept)| kept.manifest.subject == Some(subject))
        .filter(|(_, kept)| wanted.is_none() || kept.manifest.artifact_type.as_deref() == wanted)
        .map(|(digest, kept)| descriptor(digest, kept))
        .collect();
    let body = serde_json::json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors });
    let answer = Answer::new(200).body(OCI_INDEX, body.to_string().into_bytes());
    Ok(if wanted.is_some() { answer.header("oci-filters-applied", "artifactType") } else { answer })
}

fn descriptor(digest: &Sha256, kept: &Kept) -> Descriptor {
    Descriptor {
        media_type: kept.media_type.clone(),
        digest: digest.prefixed(),
        size: kept.size,
        artifact_type: kept.manifest.artifact_type.clone(),
        annotations: kept.manifest.annotations.clone(),
    }
}

/// One page of sorted names: those after `last`, at most `n`; and whether more follow.
fn page<'a, T>(call: &Call<'_>, names: &'a BTreeMap<String, T>) -> Result<(Vec<&'a str>, bool), Answer> {
    let limit = match call.parameter("n").map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(limit)) => limit,
        Some(Err(_)) => return Err(Answer::refusal(400, Code::Unsupported, "n is not a number")),
    };
    let after: Vec<_> = names.keys().map(String::as_str).filter(|name| call.parameter("last").is_none_or(|last| *name > last)).collect();
    let more = after.len() > limit && limit > 0;
    Ok((after.into_iter().take(limit).collect(), more))
}

fn list(path: &str, key: &str, mut body: serde_json::Value, (names, more): (Vec<&str>, bool)) -> Answer {
    let next = names.last().filter(|_| more).map(|last| format!("<{path}?n={}&last={last}>; rel=\"next\"", names.len()));
    if let Some(object) = body.as_object_mut() {
        object.insert(key.to_owned(), names.into());
    }
    let answer = Answer::new(200).json(body.to_string().into_bytes());
    match next {
        Some(link) => answer.header("link", link),
        None => answer,
    }
}

/// `GET /v2/<name>/tags/list[?n=…&last=…]`.
pub(super) fn tags(call: &Call<'_>, layout: &Layout, name: &str) -> Result<Answer, Answer> {
    let repository = layout.repositories.get(name).filter(|repository| !repository.manifests.is_empty());
    let Some(Repository { tags, .. }) = repository else {
        return Err(Answer::refusal(404, Code::NameUnknown, &format!("there is no repository {name:?}")));
    };
    Ok(list(&format!("/v2/{name}/tags/list"), "tags", serde_json::json!({ "name": name }), page(call, tags)?))
}

/// `GET /v2/_catalog[?n=…&last=…]`: not in the specification, but what `crane catalog` asks.
pub(super) fn catalog(call: &Call<'_>, layout: &Layout) -> Result<Answer, Answer> {
    Ok(list("/v2/_catalog", "repositories", serde_json::json!({}), page(call, &layout.repositories)?))
}
