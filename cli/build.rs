//! Links the command so that it starts quickly, on Linux with glibc.
//!
//! Half of the time of `chartflow detect` is the start of the program, which made it slower than the `git diff` it replaces:
//!
//! - At a fixed address: a position-independent executable of this size relocates 20,000 pointers before `main`. What is
//!   given up is that the program's own image is placed at random; its stack and heap still are.
//! - Without shared libraries, as the released programs are built anyway: nothing is looked for, mapped and bound, which
//!   was 39 of the 166 system calls of `detect` and 0.34 of its 3.4 million instructions. This needs the C library's
//!   archives (Debian's libc6-dev has them). Where one is absent the libraries stay shared, and the program does the same,
//!   later. Given up is what comes with a static glibc: a way to look names up that nsswitch.conf adds has to be of the
//!   version that was there at the build.

#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What a Rust program is linked with, and the archive that holds the same.
const ARCHIVES: [(&str, &str); 7] = [
    ("libc.a", "libc.a"),
    ("libdl.a", "libdl.a"),
    ("libgcc_s.a", "libgcc_eh.a"),
    ("libm.a", "libm.a"),
    ("libpthread.a", "libpthread.a"),
    ("librt.a", "librt.a"),
    ("libutil.a", "libutil.a"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name| env::var(name).unwrap_or_default();
    if variable("CARGO_CFG_TARGET_OS") != "linux" || variable("CARGO_CFG_TARGET_ENV") != "gnu" {
        return Ok(());
    }
    println!("cargo::rustc-link-arg-bins=-no-pie");
    if variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static") {
        // rustc asks for a static program at any address. Of that, `-no-pie` alone leaves one that crashes when it starts.
        println!("cargo::rustc-link-arg-bins=-static");
        return Ok(());
    }
    // The archives of this machine are of no use for another one.
    if variable("HOST") != variable("TARGET") {
        return Ok(());
    }
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("archives");
    if gather(&folder, &env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned()))? {
        // rustc names the shared libraries, and takes the first folder's of that name, whatever they are.
        println!("cargo::rustc-link-arg-bins=-static");
        println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
    }
    Ok(())
}

/// A folder in which the archives go by the names of the shared libraries; whether there are all of them.
fn gather(folder: &Path, compiler: &str) -> io::Result<bool> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (name, archive) in ARCHIVES {
        let Ok(answer) = Command::new(compiler).arg(format!("-print-file-name={archive}")).output() else { return Ok(false) };
        // A file that the compiler does not find is answered by its name alone.
        let found = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
        if !found.is_absolute() || !found.is_file() {
            return Ok(false);
        }
        link(&found, &folder.join(name))?;
    }
    Ok(true)
}

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

#[cfg(not(unix))]
fn link(original: &Path, link: &Path) -> io::Result<()> {
    fs::copy(original, link).map(|_| ())
}
