//! Where packages and their lineages are served: on the release branch beside the index, or as files of the GitHub
//! Releases that the index names.

use super::listing::{file, root};
use super::tips::Tips;
use super::{FlowError, Train};
use crate::domain::configuration::Packages;
use crate::domain::digest::{CommitId, Sha256, TreeId};
use crate::domain::index::Index;
use crate::domain::names::{ChartName, TagName};
use crate::port::github::{Asset, Release};
use semver::Version;

/// The index of a large repository has a few megabytes; more than this is refused.
pub(crate) const INDEX_LIMIT: usize = 64 << 20;
/// The largest package that is read back.
pub(crate) const PACKAGE_LIMIT: usize = 100 << 20;
/// A lineage longer than this is not one of ours.
pub(crate) const LINEAGE_LIMIT: usize = 4 << 20;

/// What is served of one version.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) package: Vec<u8>,
    pub(crate) lineage: Vec<u8>,
    /// The GitHub Release that both were downloaded from, where they are served there.
    pub(crate) release: Option<Release>,
}

/// One version of a chart, as far as its files are concerned.
#[derive(Clone)]
pub(crate) struct Files<'a> {
    pub(crate) train: &'a Train,
    pub(crate) tips: &'a Tips,
    pub(crate) chart: &'a ChartName,
    pub(crate) version: &'a Version,
    pub(crate) tag: &'a TagName,
}

impl Files<'_> {
    /// Whether packages and lineages are files of the GitHub Releases.
    pub(crate) fn are_assets(&self) -> bool {
        self.tips.configuration.configuration.packages == Packages::Assets
    }

    /// The package's name.
    pub(crate) fn package(&self) -> String {
        format!("{}-{}.tgz", self.chart, self.version)
    }

    /// The lineage's name.
    pub(crate) fn lineage(&self) -> String {
        format!("{}-{}.lineage.jsonl", self.chart, self.version)
    }

    /// Whether the tree of release names the version already: by its package, or by the index alone.
    pub(crate) async fn are_named(&self, release: &TreeId) -> Result<bool, FlowError> {
        let objects = &*self.train.objects;
        if !self.are_assets() {
            return Ok(file(objects, release, &format!("charts/{}", self.package()), PACKAGE_LIMIT).await?.is_some());
        }
        let Some(text) = file(objects, release, "index.yaml", INDEX_LIMIT).await?.filter(|text| !text.trim_ascii().is_empty()) else { return Ok(false) };
        let index = Index::parse(&text).map_err(|source| FlowError::Index { source })?;
        let version = self.version.to_string();
        Ok(index.entries.get(self.chart.as_str()).is_some_and(|entries| entries.iter().any(|entry| entry.metadata.version == version)))
    }

    /// What is served; nothing while release does not name the version or a file is missing.
    pub(crate) async fn served(&self, release: &CommitId) -> Result<Option<Served>, FlowError> {
        let objects = &*self.train.objects;
        let tree = root(objects, release).await?;
        if self.are_assets() {
            if !self.are_named(&tree).await? {
                return Ok(None);
            }
            return match self.published().await? {
                Some(release) => self.downloaded(release).await,
                None => Ok(None),
            };
        }
        let package = file(objects, &tree, &format!("charts/{}", self.package()), PACKAGE_LIMIT).await?;
        let lineage = file(objects, &tree, &format!("charts/{}", self.lineage()), LINEAGE_LIMIT).await?;
        Ok(package.zip(lineage).map(|(package, lineage)| Served { package, lineage, release: None }))
    }

    /// The lineage that is served; nothing while there is none.
    pub(crate) async fn served_lineage(&self, release: &CommitId) -> Result<Option<Vec<u8>>, FlowError> {
        if self.are_assets() {
            let release = self.published().await?;
            return match release.as_ref().and_then(|release| asset(release, &self.lineage())) {
                Some(lineage) => Ok(Some(self.train.github.download_asset(lineage.id, LINEAGE_LIMIT).await?)),
                None => Ok(None),
            };
        }
        let tree = root(&*self.train.objects, release).await?;
        file(&*self.train.objects, &tree, &format!("charts/{}", self.lineage()), LINEAGE_LIMIT).await
    }

    /// The GitHub Release, once it is public.
    pub(crate) async fn published(&self) -> Result<Option<Release>, FlowError> {
        Ok(self.train.github.release_by_tag(self.tag.as_str()).await?)
    }

    /// The files of a GitHub Release; nothing when one is missing.
    pub(crate) async fn downloaded(&self, release: Release) -> Result<Option<Served>, FlowError> {
        let (Some(package), Some(lineage)) = (asset(&release, &self.package()), asset(&release, &self.lineage())) else { return Ok(None) };
        let package = self.train.github.download_asset(package.id, PACKAGE_LIMIT).await?;
        let lineage = self.train.github.download_asset(lineage.id, LINEAGE_LIMIT).await?;
        Ok(Some(Served { package, lineage, release: Some(release) }))
    }

    /// Fills a draft and publishes it: files first, because it may be immutable afterwards. One that is public stays as it is.
    pub(crate) async fn publish(&self, mut release: Release, package: &[u8], lineage: &[u8]) -> Result<Release, FlowError> {
        if !release.draft {
            return Ok(release);
        }
        let github = &self.train.github;
        for (name, content_type, bytes) in [(self.package(), "application/gzip", package), (self.lineage(), "application/x-ndjson", lineage)] {
            if let Some(present) = asset(&release, &name) {
                if present.state == "uploaded" && present.digest == Sha256::of(bytes).prefixed() {
                    continue;
                }
                github.delete_asset(present.id).await?;
            }
            let uploaded = github.upload_asset(&release, &name, content_type, bytes.to_vec()).await?;
            release.assets.retain(|asset| asset.name != name);
            release.assets.push(uploaded);
        }
        Ok(github.publish_release(release.id).await?)
    }
}

fn asset<'a>(release: &'a Release, name: &str) -> Option<&'a Asset> {
    release.assets.iter().find(|asset| asset.name == name)
}
