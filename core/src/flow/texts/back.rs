//! What is said on the way back.

use semver::Version;

use super::{Described, Numbers, Words, map_of};
use crate::domain::names::ChartName;
use crate::domain::pull::body::{self, Returned, State};
use crate::domain::pull::{describe, title};
use crate::flow::back::{Returning, Way};

impl Words {
    /// Stage 6: title and description of the way back.
    pub(crate) fn way_back(&self, way: &Way, returned: &[Returned], old: &str) -> (String, Described) {
        let charts: Vec<(ChartName, Option<Version>)> = returned.iter().map(|one| (one.chart.clone(), one.version.clone())).collect();
        let [_, main] = &way.parents;
        let section = body::way_back(returned, main, self.app, &self.links);
        (title::way_back(&charts), describe(old, &section, &map_of(returned.iter().map(|one| (&one.chart, &one.checks[..])))))
    }

    /// A chart on its way back, with its version on main and its two sides on integration.
    pub(crate) fn returned(&self, one: &Returning, version: Option<Version>, [before, after]: [Option<State>; 2]) -> Returned {
        let checks = self.checklist(&one.lines, &Numbers::new(), &[]);
        Returned { chart: one.chart.clone(), version, replayed: one.replayed, before, after, checks }
    }
}
