//! `chartflow rehearse`.

mod origin;
mod preflight;
mod present;

use std::path::{Path, PathBuf};

use chartflow_core::io::file::read_at_most;
use chartflow_core::io::git::LocalRepository;
use chartflow_sandbox::rehearsal::{self, KEY_NOTE, Options, Origin, RehearsalError, prepare};
use clap::Args;

use crate::Answer;
use crate::error::{CommandError, Kind, file_kind};
use crate::interruption::Interruption;
use crate::output::{Format, Output};

/// Run the whole train for a contribution, against an embedded GitHub and registry.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chartflow rehearse                                  the branch you are on, against main
  chartflow rehearse --base origin/main --head HEAD
  chartflow rehearse . --head feature/a --head feature/b
  chartflow rehearse examples/repository              a plain directory of charts
  chartflow rehearse --serve                          and keep the embedded GitHub up to look around")]
pub(crate) struct Arguments {
    /// The top of a git work tree, a bare repository, or a plain directory of charts.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// What main starts at [default: the configured main branch].
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// A contribution; may be repeated: they are opened together and merged in this order [default: HEAD].
    #[arg(long, value_name = "REF")]
    head: Vec<String>,
    /// Where everything is left: absent, empty, or an earlier rehearsal's.
    #[arg(long, value_name = "DIR", default_value = "rehearsal")]
    out: PathBuf,
    /// Write the rehearsal's private key (PKCS#8 PEM) to a file, to try forgeries with.
    #[arg(long, value_name = "FILE")]
    keep_key: Option<PathBuf>,
    /// Keep the embedded GitHub up afterwards, until it is interrupted.
    #[arg(long)]
    serve: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::new(Kind::Outside, "the program's threads could not be started").because(error))?;
    runtime.block_on(rehearse(arguments, output))
}

async fn rehearse(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    git_is_there()?;
    let origin = origin::origin(&arguments.path, arguments.base.as_deref(), &arguments.head, output).await?;
    let out = std::path::absolute(&arguments.out)
        .map_err(|error| CommandError::new(Kind::Request, format!("{} is no path", arguments.out.display())).because(error).hint("name a folder with --out"))?;
    if let Some(file) = &arguments.keep_key {
        key_place(file, &out)?;
    }
    let _claim = prepare(&arguments.out)?;
    let options = Options { origin, out: out.clone(), keep_key: arguments.keep_key.clone() };
    let done = rehearsal::rehearse(&options, &mut |progress| present::show(&progress, output)).await.map_err(|error| stopped(error, &options))?;
    if output.format() == Format::Json {
        output.document(&done.summary)?;
    } else {
        output.text(&present::conclude(&done.summary, &arguments.out.to_string_lossy()))?;
    }
    if arguments.serve {
        let interruption = Interruption::listen()?;
        let server = rehearsal::serve(done.hub.clone(), 0).await?;
        let text = present::serving(&server.url(), &done.registry.host(), &done.summary);
        // Standard output is the document's alone.
        if output.format() == Format::Json {
            output.notice(&text)
        } else {
            output.text(&text)?
        }
        interruption.wait().await;
    }
    Ok(Answer::from(done.summary.refused.is_empty()))
}

/// Merges are git's own, so nothing can be rehearsed without it.
fn git_is_there() -> Result<(), CommandError> {
    let asked = std::process::Command::new("git").arg("--version").output();
    asked.map(drop).map_err(|error| CommandError::new(Kind::Outside, "git cannot be run").because(error).hint("install git, or put it on the PATH"))
}

/// No private key is left in the rehearsal's folder, which people hand on.
fn key_place(file: &Path, out: &Path) -> Result<(), CommandError> {
    let shown = file.display();
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The folder may not be there yet; what it lies in decides as well.
    let real = |path: &Path| path.ancestors().find_map(|above| Some(above.canonicalize().ok()?.join(path.strip_prefix(above).ok()?)));
    let place = std::path::absolute(parent).ok().and_then(|parent| real(&parent));
    if place.zip(real(out)).is_some_and(|(place, out)| place.starts_with(out)) {
        let message = format!("{shown} lies in the rehearsal's folder, where no private key is left");
        return Err(CommandError::new(Kind::Request, message).hint("name a file elsewhere with --keep-key"));
    }
    if file.is_dir() || !parent.is_dir() {
        return Err(CommandError::new(Kind::Request, format!("{shown} is no file that can be written")).hint("name a file in a folder that is there"));
    }
    if file.is_file() && !is_a_rehearsal_s(file) {
        let message = format!("{shown} is there and is not the key of a rehearsal, so it is not overwritten");
        return Err(CommandError::new(Kind::Request, message).hint("name a file that is not there yet, or remove this one"));
    }
    Ok(())
}

/// Whether a file begins as the one does that `--keep-key` writes, or is empty. What cannot be read is no key of ours.
fn is_a_rehearsal_s(file: &Path) -> bool {
    let begins = read_at_most(file, KEY_NOTE.len());
    begins.is_ok_and(|bytes| bytes.is_empty() || bytes.starts_with(KEY_NOTE.as_bytes()))
}

/// What stopped a rehearsal. Two causes are named in whatever disguise they reached a stage: a disk that is full, and a
/// clone that lacks objects.
fn stopped(error: RehearsalError, options: &Options) -> CommandError {
    let out = &options.out;
    let partial = match &options.origin {
        Origin::Repository { git_directory, .. } => LocalRepository::open(git_directory).is_ok_and(|repository| repository.is_partial()),
        Origin::Directory { .. } => false,
    };
    match rehearsal::has_room(out) {
        _ if partial => CommandError::new(Kind::Request, "the rehearsal stopped: this is a partial clone, which lacks objects")
            .because(error)
            .hint("fetch them with `git fetch --refetch --no-filter`, or rehearse in a full clone"),
        Err(full) if file_kind(&full) == Kind::Outside => {
            CommandError::new(Kind::Outside, format!("the rehearsal stopped: nothing more can be written to {}", out.display()))
                .because(full)
                .hint("make room, or name another place with --out, and run it again; your repository was not touched")
        }
        _ => error.into(),
    }
}
