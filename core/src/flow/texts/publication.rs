//! What is said on the pull request to release, and on the GitHub Release.

use semver::Version;

use super::carried::carried;
use super::{Described, Numbers, Sides, Words, counted, keys, map_of};
use crate::domain::changelog;
use crate::domain::names::ChartName;
use crate::domain::pull::body::{self, Carried, Place, Published};
use crate::domain::pull::{AttestationId, AttestationMap, describe};
use crate::flow::judge::Chain;
use crate::flow::package::Built;
use crate::flow::store::Signed;

/// What the release branch lists before a publication, and what is added to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The newest version of the chart in the index.
    pub(crate) newest: Option<Version>,
    /// The paths that are new.
    pub(crate) added: Vec<String>,
}

impl Words {
    /// Stage 7: the description of the pull request to release. A number that an earlier run was given and that GitHub
    /// does not tell again stays.
    pub(crate) fn publication_body(
        &self,
        chart: &ChartName,
        chain: &Chain,
        built: &Built,
        (lines, numbers): (&[Signed], &Numbers),
        listed: &Listed,
        old: &str,
    ) -> Described {
        let Some((promotion, version)) = chain.promotion().zip(Version::parse(&built.package.version).ok()) else { return Ok(old.to_owned()) };
        let Ok(tag) = self.names.tag(chart, &version) else { return Ok(old.to_owned()) };
        let known = AttestationMap::read(old).ok().flatten().unwrap_or_default();
        let mut numbers = numbers.clone();
        for line in lines.iter().filter(|line| line.statement.subject.content().is_none()) {
            for (key, _) in keys(line) {
                if let Some(AttestationId::Number(number)) = known.get(&key) {
                    numbers.entry(line.digest).or_insert(*number);
                }
            }
        }
        let Carried { mut lineage, commits, .. } = carried(chart, promotion, Sides::default(), [Place::Tag, Place::Release]);
        lineage.version = Some(version.clone());
        lineage.tag = Some(tag.clone());
        let published = Published {
            chart: chart.clone(),
            version,
            tag,
            newest: listed.newest.clone(),
            added: listed.added.clone(),
            file: built.package.file_name.clone(),
            package: built.package.sha256,
            image: Some((format!("{}:{}", built.repository, built.image.tag), built.image.manifest.digest)),
            attestations: lines.len(),
            commits,
            checks: self.checklist(lines, &numbers, &[]),
            lineage,
        };
        describe(old, &body::publication(&published, &self.links), &map_of([(chart, &published.checks[..])]))
    }

    /// The text of the GitHub Release.
    pub(crate) fn release_notes(&self, chart: &ChartName, built: &Built, chain: &Chain) -> String {
        let Ok(version) = Version::parse(&built.package.version) else { return String::new() };
        let bump = chain.bump();
        let entry = bump.and_then(|bump| bump.witness.changelog_entry.clone()).or_else(|| {
            let commits = counted(&chain.promotion()?.commits);
            Some(changelog::Entry::new(chart, version.clone(), None, bump?.date, &commits).markdown(&self.links))
        });
        body::release_notes(&body::Notes {
            chart,
            version: &version,
            file: &built.package.file_name,
            package: built.package.sha256,
            image: &built.repository,
            repository: self.links.repository(),
            entry: entry.as_deref().unwrap_or_default(),
        })
    }
}
