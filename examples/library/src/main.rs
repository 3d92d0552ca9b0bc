//! chartflow-core in another program: which charts does a branch change, and does a package hold what its lineage says?
//!
//! `chartflow-example-library changed REPOSITORY BASE HEAD`
//! `chartflow-example-library verify PACKAGE LINEAGE TRUST`

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::read;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use chartflow_core::domain::detection::Globs;
use chartflow_core::domain::lineage::{Artifact, anchor, verify};
use chartflow_core::domain::policy::{Format, Policy};
use chartflow_core::flow::detect::{Request, detect};
use chartflow_core::io::git::{LocalRepository, ready};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["changed", repository, base, head] => changed(repository, base, head),
        ["verify", package, lineage, trust] => verified(package, lineage, trust),
        _ => Err("usage: changed REPOSITORY BASE HEAD | verify PACKAGE LINEAGE TRUST".into()),
    }
}

/// Lists the charts that HEAD changes since it left BASE, as a pull request would.
fn changed(repository: &str, base: &str, head: &str) -> Result<ExitCode, Box<dyn Error>> {
    let repository = LocalRepository::open(Path::new(repository))?;
    let globs = Globs::new(&["charts/*".to_owned()])?;
    let (base, head) = (repository.resolve(base)?, repository.resolve(head)?);
    let request = Request { base, head, exact: false, dependents: true, globs, map: BTreeMap::new() };
    let (detection, _notices) = ready(detect(&repository, &request)).ok_or("a local repository never waits")??;
    for change in &detection.charts {
        writeln!(stdout(), "{} {} {}", change.kind.as_str(), change.chart, change.path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Holds a package against its lineage, trusting whom the policy in the trust folder trusts and nobody else.
fn verified(package: &str, lineage: &str, trust: &str) -> Result<ExitCode, Box<dyn Error>> {
    let policy = Policy::read(&read(Path::new(trust).join("policy.json"))?, Format::Json)?;
    let report = verify(&Artifact::Package { bytes: &read(package)? }, &read(lineage)?, &policy, &anchor(&policy, None)?, None);
    for link in &report.chain {
        writeln!(stdout(), "{} {}", link.stage, link.statement)?;
    }
    for refusal in &report.refused {
        writeln!(stdout(), "refused: {}: {}", refusal.rule.id(), refusal.message)?;
    }
    Ok(if report.verified() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
