//! `chartflow rehearse`.

mod present;

use std::path::{Path, PathBuf};

use chartflow_core::io::git::LocalRepository;
use chartflow_core::port::objects::Objects;
use chartflow_sandbox::rehearsal::{self, Head, Options, Origin, RehearsalError, prepare};
use clap::Args;

use crate::Answer;
use crate::error::{CommandError, Kind, file_kind};
use crate::output::{Format, Output};

/// Run the whole train for a contribution, against an embedded GitHub and registry.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chartflow rehearse                                  the branch you are on, against main
  chartflow rehearse --base origin/main --head HEAD
  chartflow rehearse . --head feature/a --head feature/b
  chartflow rehearse examples/repository              a plain directory of charts")]
pub(crate) struct Arguments {
    /// The top of a git work tree, a bare repository, or a plain directory of charts.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// What main starts at.
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// A contribution; may be repeated.
    #[arg(long, value_name = "REF")]
    head: Vec<String>,
    /// Where everything is left: absent, empty, or an earlier rehearsal's.
    #[arg(long, value_name = "DIR", default_value = "rehearsal")]
    out: PathBuf,
    /// Write the rehearsal's private key (PKCS#8 PEM) to a file.
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
    let origin = origin(arguments).await?;
    prepare(&arguments.out)?;
    let out = std::path::absolute(&arguments.out)
        .map_err(|error| CommandError::new(Kind::Request, format!("{} is no path", arguments.out.display())).because(error))?;
    let options = Options { origin, out: out.clone(), keep_key: arguments.keep_key.clone() };
    let done = rehearsal::rehearse(&options, &mut |progress| present::show(&progress, output)).await.map_err(|error| stopped(error, &out))?;
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

/// What stopped a rehearsal: a disk that is full is named, in whatever disguise it reached a stage.
fn stopped(error: RehearsalError, out: &Path) -> CommandError {
    match rehearsal::has_room(out) {
        Err(full) if file_kind(&full) == Kind::Outside => {
            CommandError::new(Kind::Outside, format!("the rehearsal stopped: nothing more can be written to {}", out.display()))
                .because(full)
                .hint("make room, or name another place with --out, and run it again; your repository was not touched")
        }
        _ => error.into(),
    }
}

/// What ends the servers that stay up. It listens from the moment it is made, so that a word right after the lines that
/// ask for it is not lost.
struct Interruption {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Interruption {
    fn listen() -> Result<Self, CommandError> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let failed = |error| CommandError::new(Kind::Outside, "signals cannot be waited for").because(error);
            Ok(Self { signals: [signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?] })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for Ctrl-C or, where there is such a thing, the word to end.
    async fn wait(self) {
        #[cfg(unix)]
        {
            let [mut interrupt, mut terminate] = self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(not(unix))]
        {
            // Where it cannot be waited for, there is nothing to wait for.
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

async fn origin(arguments: &Arguments) -> Result<Origin, CommandError> {
    let path = &arguments.path;
    if !path.is_dir() {
        return Err(CommandError::new(Kind::Request, format!("{} is no directory", path.display())));
    }
    if !(path.join(".git").exists() || path.join("HEAD").is_file() && path.join("objects").is_dir()) {
        return Ok(Origin::Directory { path: std::path::absolute(path).map_err(|error| CommandError::new(Kind::Request, "no path").because(error))? });
    }
    let repository = LocalRepository::open(path)?;
    let base = repository.resolve(arguments.base.as_deref().unwrap_or("main"))?;
    let names = if arguments.head.is_empty() { vec!["HEAD".to_owned()] } else { arguments.head.clone() };
    let mut heads = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let commit = repository.resolve(name)?;
        let title = repository.commit(&commit).await.map_err(RehearsalError::from)?.message.lines().next().unwrap_or_default().to_owned();
        let short = name.strip_prefix("refs/heads/").unwrap_or(name);
        let plain = !["HEAD", "main", "integration", "release"].contains(&short)
            && !short.starts_with("integration-")
            && !short.starts_with("chartflow-")
            && short.len() < 40;
        let branch = if plain { short.to_owned() } else { format!("contribution-{}", number + 1) };
        heads.push(Head { branch, title, commit });
    }
    Ok(Origin::Repository { git_directory: repository.git_directory(), base, heads })
}
