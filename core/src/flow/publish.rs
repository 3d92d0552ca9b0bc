//! Stage 8: pushes the package to the registry with its lineage as referrers, publishes the GitHub Release once every
//! file is up, then downloads what it published and verifies it as a stranger.

use super::judge::{Chain, chain};
use super::listing::root;
use super::package::{Built, build, find_release, new_release, tagged_commit, work};
use super::served::{Files, LINEAGE_LIMIT, PACKAGE_LIMIT, Served};
use super::store::{Signed, Store};
use super::tag::move_marker;
use super::tips::{Pair, Tips};
use super::{FlowError, Outcome, Report, Train, texts};
use crate::domain::branch::{PUBLISHED, RELEASED};
use crate::domain::digest::Sha256;
use crate::domain::names::ChartName;
use crate::domain::oci;
use crate::domain::statement::{Downloaded, Gate, Level, Predicate, Row, Stage, Statement};
use crate::flow::compose::Graft;
use crate::port::github::Release;

/// Publishes every package on release that is not published yet.
///
/// # Errors
/// When GitHub, the registry, the store or the signer fails.
pub async fn run(train: &Train) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Publish);
    let tips = Tips::read(train).await?;
    let mut finished: Vec<Graft> = Vec::new();
    let mut store = Store::new(train, &tips);
    for (chart, pair) in work(train, &tips).await?.charts {
        let grafts = super::tag::entries(&pair);
        let mut job = Job { train, tips: &tips, store: &mut store, chart, pair };
        if job.run(&mut report).await? {
            finished.extend(grafts);
        }
    }
    // Mostly all that is released is published then.
    let released = root(&*train.objects, tips.marker(train, RELEASED).await?).await?;
    move_marker(train, PUBLISHED, tips.marker(train, PUBLISHED).await?, finished, &[released]).await?;
    Ok(report)
}

struct Job<'a> {
    train: &'a Train,
    tips: &'a Tips,
    store: &'a mut Store,
    chart: ChartName,
    pair: Pair,
}

impl Job<'_> {
    /// Whether there is nothing left to publish of this content.
    async fn run(&mut self, report: &mut Report) -> Result<bool, FlowError> {
        if self.pair.removed {
            return Ok(true);
        }
        let tree = super::content_tree(self.pair.new.as_ref())?;
        let chain = chain(self.store, &self.chart, &tree).await?;
        let Some(chain) = chain.filter(|chain| chain.gate.is_some()) else { return Ok(false) };
        let Some(version) = chain.bump().filter(|bump| bump.level != Level::None).map(|bump| bump.to.clone()) else { return Ok(true) };
        let version = super::parse_version(&version)?;
        let name = self.tips.names.tag(&self.chart, &version)?;
        let files = Files { train: self.train, tips: self.tips, chart: &self.chart, version: &version, tag: &name };
        let (Some(served), Some(at)) = (files.served(self.tips.release()?).await?, tagged_commit(&chain)) else {
            report.add(Some(&self.chart), Outcome::Waiting, format!("{} {version} is not on {} yet", self.chart, self.tips.names.release()));
            return Ok(false);
        };
        let built = build(self.train, self.tips, &self.chart, &self.pair, &chain, &at, &version).await?;
        if Sha256::of(&served.package) != built.package.sha256 {
            let place = if files.are_assets() { format!("the release {name}") } else { self.tips.names.release().to_string() };
            let message = format!("the package of {} {version} on {place} is not the one its tag builds", self.chart);
            report.refuse(Some(&self.chart), "publish/foreign-content", message, "revert the commit on the release branch that is not the train's");
            return Ok(false);
        }
        self.push(&served, &built).await?;
        let release = self.release(&files, &served, &built, &chain).await?;
        let downloaded = match self.download(&release, &served, &built).await? {
            Ok(downloaded) => downloaded,
            Err(problem) => {
                report.refuse(Some(&self.chart), "publish/not-what-was-published", problem, "find out who changed it; the next patch release replaces it");
                return Ok(false);
            }
        };
        self.sign(&built, &served, downloaded).await?;
        report.add(Some(&self.chart), Outcome::Done, format!("published {} {version} and verified it as a stranger", self.chart));
        Ok(true)
    }

    /// The lines of the lineage that are about the package itself.
    fn package_lines(&self, served: &Served) -> Vec<Signed> {
        let text = String::from_utf8_lossy(&served.lineage);
        let lines = text.lines().filter_map(|line| self.train.read_line(line));
        lines.filter(|line| matches!(line.row(), Some(Row::Build | Row::Root))).collect()
    }

    /// Pushes chart and lineage. A tag that names another manifest is refused: versions are immutable.
    async fn push(&self, served: &Served, built: &Built) -> Result<(), FlowError> {
        let registry = &*self.train.registry;
        let tag = built.image.tag.as_str();
        let manifest = &built.image.manifest;
        match registry.manifest(&built.repository, tag).await? {
            Some(bytes) if Sha256::of(&bytes) != manifest.digest => {
                return Err(FlowError::Published { reference: format!("{}:{tag}", built.repository), found: Sha256::of(&bytes), expected: manifest.digest });
            }
            Some(_) => {}
            None => {
                registry.push_blob(&built.repository, &built.image.config.bytes).await?;
                registry.push_blob(&built.repository, &built.package.bytes).await?;
                registry.push_manifest(&built.repository, Some(tag), manifest.media_type, &manifest.bytes).await?;
            }
        }
        for line in self.package_lines(served) {
            self.refer_bundle(built, &line).await?;
        }
        let file = format!("{}.lineage.jsonl", built.package.file_name.trim_end_matches(".tgz"));
        let referrer = oci::lineage_referrer(&manifest.descriptor(), &served.lineage, &file, built.epoch).map_err(|error| self.failed(error))?;
        self.refer(built, &referrer).await
    }

    fn failed(&self, source: oci::OciError) -> FlowError {
        FlowError::Chart { chart: self.chart.to_string(), what: "making a referrer", source: Box::new(source) }
    }

    async fn refer_bundle(&self, built: &Built, line: &Signed) -> Result<(), FlowError> {
        let subject = built.image.manifest.descriptor();
        let referrer =
            oci::bundle_referrer(&subject, line.bundle.as_bytes(), line.statement.predicate_type(), built.epoch).map_err(|error| self.failed(error))?;
        self.refer(built, &referrer).await
    }

    /// Pushes one referrer and, where the registry keeps no referrers itself, adds it to the fallback tag.
    async fn refer(&self, built: &Built, referrer: &oci::Referrer) -> Result<(), FlowError> {
        let registry = &*self.train.registry;
        registry.push_blob(&built.repository, &referrer.config.bytes).await?;
        registry.push_blob(&built.repository, &referrer.layer.bytes).await?;
        let pushed = registry.push_manifest(&built.repository, None, referrer.manifest.media_type, &referrer.manifest.bytes).await?;
        if pushed.referrers_kept {
            return Ok(());
        }
        let fallback = oci::fallback_tag(&built.image.manifest.digest);
        let present = registry.manifest(&built.repository, &fallback).await?;
        if let Some(index) = oci::fallback_index(present.as_deref(), &referrer.descriptor).map_err(|error| self.failed(error))? {
            registry.push_manifest(&built.repository, Some(&fallback), oci::INDEX, &index).await?;
        }
        Ok(())
    }

    /// The published release with all its files.
    async fn release(&self, files: &Files<'_>, served: &Served, built: &Built, chain: &Chain) -> Result<Release, FlowError> {
        if let Some(release) = &served.release {
            return Ok(release.clone());
        }
        let release = match find_release(self.train, files.tag).await? {
            Some(release) => release,
            None => self.train.github.draft_release(&new_release(self.train, self.tips, &self.chart, files.tag, built, chain)).await?,
        };
        files.publish(release, &served.package, &served.lineage).await
    }

    /// Downloads what was published and compares it; a text says what is not as it should be.
    async fn download(&self, release: &Release, served: &Served, built: &Built) -> Result<Result<Vec<Downloaded>, String>, FlowError> {
        let registry = &*self.train.registry;
        let mut downloaded = Vec::new();
        let stem = built.package.file_name.trim_end_matches(".tgz");
        for (file, expected, limit) in
            [(built.package.file_name.clone(), &served.package, PACKAGE_LIMIT), (format!("{stem}.lineage.jsonl"), &served.lineage, LINEAGE_LIMIT)]
        {
            let Some(asset) = release.assets.iter().find(|asset| asset.name == file) else {
                return Ok(Err(format!("the release {} has no file {file}", release.tag_name)));
            };
            // Where the files are served there, they were downloaded just now.
            let bytes = if served.release.is_some() { expected.clone() } else { self.train.github.download_asset(asset.id, limit).await? };
            if bytes != *expected {
                return Ok(Err(format!("{file} of the release {} is not what was uploaded", release.tag_name)));
            }
            downloaded.push(Downloaded { uri: texts::links(self.train).asset(&release.tag_name, &file), sha256: Sha256::of(&bytes) });
        }
        let tag = built.image.tag.as_str();
        let manifest = registry.manifest(&built.repository, tag).await?.unwrap_or_default();
        let layer = registry.blob(&built.repository, &built.package.sha256, PACKAGE_LIMIT).await?.unwrap_or_default();
        if Sha256::of(&manifest) != built.image.manifest.digest || layer != served.package {
            return Ok(Err(format!("{}:{tag} is not what was pushed", built.repository)));
        }
        downloaded.push(Downloaded { uri: format!("oci://{}:{tag}", built.repository), sha256: Sha256::of(&manifest) });
        let report = (self.train.verify)(&layer, &served.lineage, None);
        Ok(match report {
            Ok(()) => Ok(downloaded),
            Err(problem) => Err(format!("a stranger would refuse {}: {problem}", built.package.file_name)),
        })
    }

    /// Row 9, which is in the store and beside the package, not in the file.
    async fn sign(&mut self, built: &Built, served: &Served, downloaded: Vec<Downloaded>) -> Result<(), FlowError> {
        let statement = &built.statement;
        let Some(root) = self.package_lines(served).into_iter().find(|line| line.row() == Some(Row::Root)) else { return Ok(()) };
        let predicate = Predicate::Gate(Gate {
            verifier: self.train.home.builder.clone(),
            resource: self.train.resource(&format!("refs/heads/{}", self.tips.names.release()), &statement.source.path),
            policy: super::enforce::configuration_reference(self.train, self.tips),
            passed: true,
            levels: vec!["CHARTFLOW_PUBLISHED".to_owned()],
            configuration: None,
            downloaded,
        });
        let statement =
            Statement { stage: Stage::Publish, source: statement.source.clone(), subject: statement.subject.clone(), inputs: vec![root.as_input()], predicate };
        let signed = self.store.sign(statement).await?;
        if self.store.is_pending(&signed) {
            self.store.flush().await?;
            super::attestation(self.train, &signed).await?;
            self.refer_bundle(built, &signed).await?;
        }
        Ok(())
    }
}
