//! An OCI registry in memory, whose tags cannot be moved.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chartflow_core::domain::digest::Sha256;
use chartflow_core::port::registry::{Descriptor, PushedManifest, Registry, RegistryError};

use crate::brakes::Brakes;

/// What was pushed.
#[derive(Debug, Default)]
pub struct Shelf {
    blobs: Mutex<BTreeMap<(String, Sha256), Vec<u8>>>,
    manifests: Mutex<BTreeMap<(String, String), Vec<u8>>>,
}

impl Shelf {
    /// The tags of a repository that are no digests.
    #[must_use]
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let manifests = self.manifests.lock().unwrap();
        manifests.keys().filter(|(name, tag)| name == repository && !tag.starts_with("sha256")).map(|(_, tag)| tag.clone()).collect()
    }
}

/// The registry as one run sees it.
#[derive(Debug)]
pub struct MemoryRegistry {
    shelf: Arc<Shelf>,
    brakes: Arc<Brakes>,
}

impl MemoryRegistry {
    /// A client of a shelf.
    #[must_use]
    pub const fn new(shelf: Arc<Shelf>, brakes: Arc<Brakes>) -> Self {
        Self { shelf, brakes }
    }

    fn go(&self, change: bool) -> Result<(), RegistryError> {
        let stopped = || RegistryError::Failed { registry: "memory".to_owned(), operation: "anything".to_owned(), source: "stopped".into() };
        if self.brakes.allow(change) { Ok(()) } else { Err(stopped()) }
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Result<Sha256, RegistryError> {
        self.go(true)?;
        let digest = Sha256::of(bytes);
        self.shelf.blobs.lock().unwrap().insert((repository.to_owned(), digest), bytes.to_vec());
        Ok(digest)
    }

    async fn push_manifest(&self, repository: &str, tag: Option<&str>, _: &str, bytes: &[u8]) -> Result<PushedManifest, RegistryError> {
        self.go(true)?;
        let digest = Sha256::of(bytes);
        let mut manifests = self.shelf.manifests.lock().unwrap();
        for name in tag.map(str::to_owned).into_iter().chain([digest.prefixed()]) {
            let known = manifests.insert((repository.to_owned(), name.clone()), bytes.to_vec());
            let moved = known.is_some_and(|known| known != bytes);
            assert!(!moved || name.starts_with("sha256"), "{repository}:{name} was pushed twice with different content");
        }
        Ok(PushedManifest { digest, referrers_kept: false })
    }

    async fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        self.go(false)?;
        Ok(self.shelf.manifests.lock().unwrap().get(&(repository.to_owned(), reference.to_owned())).cloned())
    }

    async fn blob(&self, repository: &str, digest: &Sha256, _: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        self.go(false)?;
        Ok(self.shelf.blobs.lock().unwrap().get(&(repository.to_owned(), *digest)).cloned())
    }

    async fn referrers(&self, _: &str, _: &Sha256) -> Result<Vec<Descriptor>, RegistryError> {
        self.go(false)?;
        Ok(Vec::new())
    }
}
