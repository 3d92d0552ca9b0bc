//! What can be wrong with a chart or package.

use super::super::chart::ChartError;
use super::super::yaml::YamlError;
use super::ignore::IgnoreError;
use super::lock::LockError;
use super::read::ArchiveError;
use super::walk::WalkError;

/// Why a chart cannot be packaged or a package not be read. Paths begin with [`super::Source::path`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Chart.yaml or requirements.yaml cannot be used.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// Chart.lock or requirements.lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// values.yaml is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// values.yaml is something else than values.
    #[error("{path} holds {found}, a mapping is expected")]
    Values {
        /// The file.
        path: String,
        /// What it holds.
        found: &'static str,
    },
    /// values.schema.json is not JSON.
    #[error("{path} is not JSON")]
    Schema {
        /// The file.
        path: String,
        /// The cause.
        source: serde_json::Error,
    },
    /// No Chart.yaml, or an ignored one.
    #[error("{chart:?} holds no Chart.yaml that is not ignored")]
    NoChartFile {
        /// The directory or archive.
        chart: String,
    },
    /// `.helmignore` cannot be used.
    #[error("the chart in {chart:?} cannot be packaged")]
    Ignore {
        /// The chart's directory.
        chart: String,
        /// The cause.
        source: IgnoreError,
    },
    /// The directory cannot be walked.
    #[error("the chart in {chart:?} cannot be packaged")]
    Walk {
        /// The chart's directory.
        chart: String,
        /// The cause.
        source: WalkError,
    },
    /// An archive, in `charts/` or the package itself, is refused.
    #[error("{path} is no chart package")]
    Archive {
        /// The archive.
        path: String,
        /// The cause.
        source: ArchiveError,
    },
    /// A directory in `charts/` whose name promises an archive.
    #[error("{path} is not a file")]
    NoArchive {
        /// The path.
        path: String,
    },
    /// One file is too large.
    #[error("{path} has {size} bytes, at most {limit} may be packaged; list it in .helmignore if it is not needed")]
    FileTooLarge {
        /// The file.
        path: String,
        /// Its bytes.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// Everything together is too large.
    #[error("the package would hold more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Too many files.
    #[error("the package would hold more than {limit} files")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Charts within charts within charts.
    #[error("{chart} lies within more than {limit} charts")]
    Nesting {
        /// The chart.
        chart: String,
        /// The limit.
        limit: usize,
    },
    /// A declared dependency that is not there.
    #[error("chart {chart} depends on {name} {version} from {repository:?}, which is not in its charts directory")]
    MissingDependency {
        /// The chart that declares it.
        chart: String,
        /// The dependency's name.
        name: String,
        /// The version or range.
        version: String,
        /// Where it would come from.
        repository: String,
    },
    /// A `file://` dependency that is another chart than declared.
    #[error("the chart in {chart:?} depends on {name}, but the chart in {path:?} is called {found}")]
    DependencyName {
        /// The directory of the chart that declares it.
        chart: String,
        /// The name declared.
        name: String,
        /// Where the dependency points.
        path: String,
        /// The name found there.
        found: String,
    },
    /// Charts that contain each other.
    #[error("charts depend on each other in a circle: {}", charts.join(" -> "))]
    DependencyCycle {
        /// Their directories, the first one last again.
        charts: Vec<String>,
    },
    /// Two charts in `charts/` with one name: helm would write both to the same paths, and readers disagree on which counts.
    #[error("chart {chart} contains two charts called {name}: {} and {}; remove one", sources[0], sources[1])]
    SameName {
        /// The chart around them.
        chart: String,
        /// Their name.
        name: String,
        /// The Chart.yaml or archive of each.
        sources: [String; 2],
    },
    /// An apiVersion of which helm makes no package.
    #[error("{path}:{line}: apiVersion {value:?} is unknown; write `apiVersion: v2`")]
    ApiVersion {
        /// Chart.yaml.
        path: String,
        /// The line.
        line: u32,
        /// The value.
        value: String,
    },
    /// Name and version make a file name that no file system holds.
    #[error("{path}:{line}: name and version make a file name of {length} bytes, {name}…; at most {limit} are possible")]
    FileName {
        /// Chart.yaml.
        path: String,
        /// The line of the name.
        line: u32,
        /// How the file name begins.
        name: String,
        /// Its length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A time before 1970 or beyond what a tar header holds.
    #[error("{epoch} is no time an archive can hold")]
    Epoch {
        /// Seconds since 1970.
        epoch: i64,
    },
    /// Compressing failed.
    #[error("the archive could not be written")]
    Write {
        /// The cause.
        source: std::io::Error,
    },
}

impl PackageError {
    /// What to do about it, where that is not in the message.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::MissingDependency { repository, name, .. } if repository.starts_with("file://") => {
                Some(format!("`chartflow package --dependency-update` takes {name} from its directory; or add it to the charts directory"))
            }
            Self::MissingDependency { repository, name, .. } if repository.is_empty() => Some(format!("add {name} to the chart's charts directory")),
            Self::MissingDependency { .. } => Some("run `helm dependency update` in the chart first; charts are not downloaded".to_owned()),
            Self::Walk { source: WalkError::LinkOutside { .. }, .. } => Some("copy the file into the chart, or make it a `file://` dependency".to_owned()),
            Self::DependencyCycle { .. } => Some("take one of the dependencies out".to_owned()),
            Self::DependencyName { .. } => Some("write the name that the chart has, or correct `repository`".to_owned()),
            Self::FileName { .. } => Some("shorten the chart's `name`, or its `version`".to_owned()),
            _ => None,
        }
    }
}
