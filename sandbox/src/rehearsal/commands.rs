//! The command lines with which people try what a rehearsal left.

use chartflow_core::domain::shell::word;

use super::summary::ChartRow;

/// The port that the printed commands serve the Helm repository at.
pub const PORT: u16 = 8000;

/// How to verify a package; `directory` is the rehearsal's folder, `None` for a shell that is in it.
#[must_use]
pub fn verify(chart: &ChartRow, directory: Option<&str>) -> String {
    format!("chartflow verify {} --trust {}", word(&below(directory, &chart.package.file)), word(&below(directory, "trust")))
}

/// How to serve the Helm repository, which is a folder, to helm.
#[must_use]
pub fn serve_release(directory: Option<&str>) -> String {
    format!("python3 -m http.server {PORT} --bind 127.0.0.1 --directory {}", word(&below(directory, "release")))
}

/// Whether the package is served beside the index. One that is a file of its GitHub Release has an address that ends with
/// the rehearsal.
#[must_use]
pub fn is_served(chart: &ChartRow) -> bool {
    chart.package.file.starts_with("release/")
}

/// How helm gets a chart from there, or reads the package where it is served by nobody.
#[must_use]
pub fn pull(chart: &ChartRow, directory: Option<&str>) -> String {
    if !is_served(chart) {
        return format!("helm show chart {}", word(&below(directory, &chart.package.file)));
    }
    format!("helm pull {} --version {} --repo http://127.0.0.1:{PORT}", word(&chart.chart), word(&chart.to))
}

fn below(directory: Option<&str>, path: &str) -> String {
    // What begins with a dash would be taken for an option.
    let named = |directory: &str| if directory.starts_with('-') { format!("./{directory}/{path}") } else { format!("{directory}/{path}") };
    directory.map_or_else(|| path.to_owned(), |directory| named(directory.trim_end_matches('/')))
}
