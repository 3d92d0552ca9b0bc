//! Stage 7: builds the package of each new tag, signs the build and the root, opens the pull request to release complete
//! with package, index entry and lineage, drafts the GitHub Release, is the pull request's check, and merges it.

mod build;
mod judge;

use super::compose::{commit, point};
use super::judge::{Chain, chain};
use super::listing::{file, root};
use super::pulls::{Offered, offer};
use super::served::{Files, INDEX_LIMIT};
use super::store::{Signed, Store};
use super::succession::announced;
use super::tips::{Difference, Pair, Tips};
use super::{FlowError, Outcome, Report, Train, texts};
use crate::domain::branch::{PUBLISHED, RELEASED};
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, Sha256, TagObjectId, TreeId};
use crate::domain::index;
use crate::domain::names::{ChartName, TagName};
use crate::domain::pull::{message, title};
use crate::domain::statement::{Level, Predicate, Stage};
use crate::domain::tree::Mode;
use crate::port::github::{Merge, MergeMethod, NewContent, NewEntry, NewRelease, Pull, RefTarget, Release, Status, StatusState};

pub(crate) use build::local_dependencies;
pub(crate) use build::{Built, build};

/// The status that release demands.
pub const STATUS: &str = "chartflow/release";

/// Packages every tag that is not on release yet. `hint` is a pull request to release that wants its check.
///
/// # Errors
/// When GitHub, the store or the signer fails.
pub async fn run(train: &Train, hint: Option<u64>) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Package);
    let hinted = super::pulls::hinted(train, hint).await?;
    if hinted.as_ref().is_some_and(Vec::is_empty) {
        return Ok(report);
    }
    let tips = Tips::read(train).await?;
    for pull in hinted.into_iter().flatten() {
        foreign(train, &tips, &pull, &mut report).await?;
    }
    let mut release = tips.release()?.clone();
    let mut store = Store::new(train, &tips);
    for (chart, pair) in work(train, &tips).await?.charts {
        if pair.removed {
            continue;
        }
        let mut job = Job { train, tips: &tips, store: &mut store, chart, pair, release: release.clone() };
        job.run(&mut report).await?;
        release = job.release;
    }
    announced(train, report).await
}

/// What `tag` has finished with and `publish` has not.
pub(crate) async fn work(train: &Train, tips: &Tips) -> Result<Difference, FlowError> {
    let objects = &*train.objects;
    let (published, released) = (root(objects, tips.marker(train, PUBLISHED).await?).await?, root(objects, tips.marker(train, RELEASED).await?).await?);
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    Difference::between(train, &patterns, &published, &released).await
}

/// A pull request to release that no release of the train opened is red for ever.
async fn foreign(train: &Train, tips: &Tips, pull: &Pull, report: &mut Report) -> Result<(), FlowError> {
    if pull.base.branch != tips.names.release().as_str() {
        return Ok(());
    }
    let prefix = tips.names.release_head(&ChartName::new("x")?, &semver::Version::new(0, 0, 0))?.to_string();
    let prefix = prefix.split("x-0.0.0").next().unwrap_or_default().to_owned();
    if !pull.from_fork() && pull.head.branch.starts_with(&prefix) {
        return Ok(());
    }
    let text = "only releases of the train reach this branch";
    super::pulls::status(train, false, &pull.head.sha, Status { context: STATUS.to_owned(), state: StatusState::Failure, description: Some(text.to_owned()) })
        .await?;
    report.refuse(None, "flow/foreign-release", format!("pull request {}: {text}", pull.number), "close it");
    Ok(())
}

/// A package with the lineage that a stranger accepts.
struct Ready {
    built: Built,
    lines: Vec<Signed>,
    lineage: Vec<u8>,
    numbers: texts::Numbers,
}

/// Makes the description from what the release branch gets and from what stands there.
type Description<'a> = dyn Fn(&texts::Listed, &str) -> texts::Described + Sync + 'a;

struct Job<'a> {
    train: &'a Train,
    tips: &'a Tips,
    store: &'a mut Store,
    chart: ChartName,
    pair: Pair,
    release: CommitId,
}

impl Job<'_> {
    async fn run(&mut self, report: &mut Report) -> Result<(), FlowError> {
        let tree = super::content_tree(self.pair.new.as_ref())?;
        let Some(chain) = chain(self.store, &self.chart, &tree).await?.filter(|chain| chain.tag.is_some()) else {
            if self.pair.new.is_some() {
                report.add(Some(&self.chart), Outcome::Waiting, "its content has no complete lineage up to a tag");
            }
            return Ok(());
        };
        let Some(version) = chain.bump().filter(|bump| bump.level != Level::None).map(|bump| bump.to.clone()) else { return Ok(()) };
        let version = super::parse_version(&version)?;
        let name = self.tips.names.tag(&self.chart, &version)?;
        let Some(at) = tagged_commit(&chain) else { return Ok(()) };
        let named = self.chart.clone();
        let files = Files { train: self.train, tips: self.tips, chart: &named, version: &version, tag: &name };
        let release_root = root(&*self.train.objects, &self.release).await?;
        if files.are_named(&release_root).await? {
            report.add(Some(&self.chart), Outcome::Nothing, format!("{} is on {}", files.package(), self.tips.names.release()));
            return Ok(());
        }
        // The tag must be the very object that was signed for: an annotated one, on that commit, of that message.
        let signed = tag_object(&chain);
        if self.train.github.get_ref(&format!("tags/{name}")).await? != signed.map(RefTarget::Tag) {
            report.refuse(
                Some(&self.chart),
                "repo/tag",
                format!("tag {name} is not the one that was signed for"),
                "restore the tag; the rules of the tags forbid moving it",
            );
            return Ok(());
        }
        let built = build(self.train, self.tips, &self.chart, &self.pair, &chain, &at, &version).await?;
        let Some(ready) = self.complete(&files, &chain, built, report).await? else { return Ok(()) };
        let words = texts::Words::new(self.train, self.tips);
        let body = |listed: &texts::Listed, old: &str| words.publication_body(&self.chart, &chain, &ready.built, (&ready.lines, &ready.numbers), listed, old);
        let message = message::publication(&self.chart, &version, &at);
        let offered = self.propose(&files, &release_root, &ready, (&message, &body)).await?;
        offered.tell(Some(&self.chart), report);
        if !files.are_assets() {
            self.draft(&name, &ready.built, &chain, offered.new).await?;
        }
        self.land(&offered.pull, &version, report).await
    }

    /// The lineage to the package, judged as a stranger would; nothing when it is refused. Where the GitHub Release serves
    /// both, it is public when this returns: the index may name nothing that cannot be downloaded.
    async fn complete(&mut self, files: &Files<'_>, chain: &Chain, built: Built, report: &mut Report) -> Result<Option<Ready>, FlowError> {
        let chart = self.chart.clone();
        let foreign = |report: &mut Report| {
            let message = format!("the release {} does not hold the package that its tag builds", files.tag);
            report.refuse(Some(&chart), "publish/not-what-was-published", message, "find out who changed it; the next patch release replaces it");
        };
        let release = if files.are_assets() { files.published().await? } else { None };
        let public = match release {
            Some(release) => match files.downloaded(release).await?.filter(|served| Sha256::of(&served.package) == built.package.sha256) {
                Some(served) => Some(served),
                None => {
                    foreign(report);
                    return Ok(None);
                }
            },
            None => None,
        };
        let lines: Vec<Signed> = match &public {
            // What is public may not be changeable any more, and is what the index is going to name.
            Some(served) => String::from_utf8_lossy(&served.lineage).lines().filter_map(|line| self.train.read_line(line)).collect(),
            None => self.sign(chain, &built).await?,
        };
        let lineage = match &public {
            Some(served) => served.lineage.clone(),
            None => lines.iter().map(|line| format!("{}\n", line.bundle)).collect::<String>().into_bytes(),
        };
        if let Some(problem) = judge::objection(self.train, self.tips, chain, &built, &lineage).await? {
            let message = format!("a stranger would refuse {}, so it is not published: {problem}", built.package.file_name);
            let hint = "docs/rules.md says what the rule means that is named there; the next release of the chart replaces this one";
            report.refuse(Some(&self.chart), "package/unverifiable", message, hint);
            return Ok(None);
        }
        let numbers = if public.is_some() { texts::Numbers::new() } else { self.keep(&lines).await? };
        if files.are_assets() && public.is_none() {
            let draft = match find_release(self.train, files.tag).await? {
                Some(release) => release,
                None => self.train.github.draft_release(&new_release(self.train, self.tips, &self.chart, files.tag, &built, chain)).await?,
            };
            let release = files.publish(draft, &built.package.bytes, &lineage).await?;
            let served = files.downloaded(release).await?;
            if served.is_none_or(|served| served.package != built.package.bytes || served.lineage != lineage) {
                foreign(report);
                return Ok(None);
            }
        }
        Ok(Some(Ready { built, lines, lineage, numbers }))
    }

    /// Signs rows 7 and 8: the lineage's lines.
    async fn sign(&mut self, chain: &Chain, built: &Built) -> Result<Vec<Signed>, FlowError> {
        let row7 = self.store.sign(built.statement.clone()).await?;
        let mut lines = chain.lines();
        lines.push(row7);
        let inputs = lines.iter().map(Signed::as_input).collect();
        lines.push(self.store.sign(build::root_statement(self.train, self.tips, built, inputs)).await?);
        Ok(lines)
    }

    /// Stores what is new; GitHub's numbers of the lines that were posted there.
    async fn keep(&mut self, lines: &[Signed]) -> Result<texts::Numbers, FlowError> {
        let fresh: Vec<Signed> = lines.iter().filter(|line| self.store.is_pending(line)).cloned().collect();
        self.store.flush().await?;
        let mut numbers = texts::Numbers::new();
        for line in fresh {
            numbers.extend(super::attestation(self.train, &line).await?.map(|number| (line.digest, number)));
        }
        Ok(numbers)
    }

    /// The pull request to release, on its present tip: package, lineage and index entry in one commit, or the index entry
    /// alone where it names the files of the GitHub Release.
    async fn propose(&self, files: &Files<'_>, release_root: &TreeId, ready: &Ready, (message, body): (&str, &Description<'_>)) -> Result<Offered, FlowError> {
        let (github, objects, version) = (&self.train.github, &*self.train.objects, files.version);
        let package = &ready.built.package;
        let index = file(objects, release_root, "index.yaml", INDEX_LIMIT).await?;
        let path = |name: &str| format!("charts/{name}");
        let url = match &self.tips.configuration.configuration.index.url {
            _ if files.are_assets() => texts::links(self.train).asset(files.tag.as_str(), &files.package()),
            Some(base) => format!("{}/{}", base.trim_end_matches('/'), path(&package.file_name)),
            None => path(&package.file_name),
        };
        let entry = index::NewEntry { metadata: package.metadata.clone(), digest: package.sha256, urls: vec![url], created: ready.built.epoch };
        let failed = |source| FlowError::Chart { chart: self.chart.to_string(), what: "adding to the index", source: Box::new(source) };
        // For people alone: what is wrong with the index is told where it is added to.
        let newest = index.as_deref().and_then(|index| index::highest_version(index, self.chart.as_str()).ok().flatten());
        let index = index::add(index.as_deref(), &entry).map_err(failed)?;
        let new = |path: String, content: NewContent| NewEntry { path, mode: Mode::File, content };
        let text = |bytes: &[u8]| NewContent::Text(String::from_utf8_lossy(bytes).into_owned());
        let mut entries = vec![new("index.yaml".to_owned(), text(&index))];
        if !files.are_assets() {
            let blob = github.create_blob(&package.bytes).await?;
            entries.push(new(path(&files.package()), NewContent::Object(blob.to_string())));
            entries.push(new(path(&files.lineage()), text(&ready.lineage)));
        }
        let added = entries.iter().skip(1).map(|entry| entry.path.clone()).collect();
        let listed = texts::Listed { newest, added };
        let tree = github.create_tree(Some(release_root), &entries).await?;
        let head = self.tips.names.release_head(&self.chart, version)?.to_string();
        let held = self.tips.branches.get(&head).cloned();
        let made = commit(github, objects, held.as_ref(), &tree, std::slice::from_ref(&self.release), message).await?;
        point(github, &head, held.as_ref(), &made).await?;
        let title = title::publication(&self.chart, version);
        let mut offered = offer(self.train, &head, self.tips.names.release().as_str(), &title, held.is_some(), |old| body(&listed, old)).await?;
        // GitHub answers with the head it had.
        offered.pull.head.sha = made;
        Ok(offered)
    }

    /// The draft of the GitHub Release, unless it is there.
    async fn draft(&self, name: &TagName, built: &Built, chain: &Chain, new: bool) -> Result<(), FlowError> {
        // The pull request comes first, so beside a new one there is no draft.
        if !new && find_release(self.train, name).await?.is_some() {
            return Ok(());
        }
        self.train.github.draft_release(&new_release(self.train, self.tips, &self.chart, name, built, chain)).await?;
        Ok(())
    }

    /// Posts the check and merges.
    async fn land(&mut self, pull: &Pull, version: &semver::Version, report: &mut Report) -> Result<(), FlowError> {
        let github = self.train.github.clone();
        let description = Some("the package is built from its tag and its lineage is complete".to_owned());
        github.create_status(&pull.head.sha, &Status { context: STATUS.to_owned(), state: StatusState::Success, description }).await?;
        match github.merge_pull(pull.number, &pull.head.sha, MergeMethod::Merge, &texts::merge_title(pull), "").await? {
            Merge::Merged(tip) => {
                // The next package of this run starts where this one landed.
                self.release = tip;
                github.delete_ref(&format!("heads/{}", pull.head.branch)).await?;
                report.add(Some(&self.chart), Outcome::Done, format!("{} {version} is on {}", self.chart, pull.base.branch));
            }
            Merge::Refused(words) => report.add(Some(&self.chart), Outcome::Waiting, format!("pull request {} could not be merged: {words}", pull.number)),
        }
        Ok(())
    }
}

/// The draft of a release.
pub(crate) fn new_release(train: &Train, tips: &Tips, chart: &ChartName, name: &TagName, built: &Built, chain: &Chain) -> NewRelease {
    let version = semver::Version::parse(&built.package.version).ok();
    NewRelease {
        tag: name.to_string(),
        name: version.as_ref().map_or_else(|| name.to_string(), |version| title::release(chart, version)),
        body: texts::Words::new(train, tips).release_notes(chart, built, chain),
        prerelease: version.is_some_and(|version| !version.pre.is_empty()),
    }
}

/// The release of a tag, published or draft.
pub(crate) async fn find_release(train: &Train, name: &TagName) -> Result<Option<Release>, FlowError> {
    // Drafts are found by listing alone, and what is under way is among the newest.
    Ok(train.github.newest_releases().await?.into_iter().find(|release| release.tag_name == name.as_str()))
}

/// The commit that a chain's tag names.
pub(crate) fn tagged_commit(chain: &Chain) -> Option<CommitId> {
    match &chain.tag.as_ref()?.statement.predicate {
        Predicate::Tag(tag) => Some(tag.commit.clone()),
        _ => None,
    }
}

fn tag_object(chain: &Chain) -> Option<TagObjectId> {
    match &chain.tag.as_ref()?.statement.predicate {
        Predicate::Tag(tag) => Some(tag.tag_object.clone()),
        _ => None,
    }
}
