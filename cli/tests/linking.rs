//! That a program linked as `build.rs` asks for starts, unwinds and ends, in the ordinary build and in the release's.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "everything here is part of a test")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// A package of one program whose build script is the command's.
fn package(folder: &Path) {
    fs::create_dir(folder.join("src")).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs"), folder.join("build.rs")).unwrap();
    fs::write(folder.join("Cargo.toml"), "[package]\nname = \"linked\"\nedition = \"2024\"\n[workspace]\n").unwrap();
    let program = r#"
        fn main() {
            std::panic::set_hook(Box::new(|_| {}));
            let caught = std::panic::catch_unwind(|| assert_ne!(std::env::args().count(), 1));
            let thread = std::thread::spawn(|| 2.0_f64.powf(std::env::args().count() as f64)).join();
            println!("caught: {}, thread: {}", caught.is_err(), thread.unwrap());
        }
    "#;
    fs::write(folder.join("src/main.rs"), program).unwrap();
}

/// Builds the package with these flags for the compiler, as the release does with a target named, and runs it.
fn check(flags: &str) {
    let folder = tempfile::tempdir().unwrap();
    package(folder.path());
    let target = String::from_utf8(Command::new("rustc").arg("--print=host-tuple").output().unwrap().stdout).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder.path()).args(["build", "--offline", "--quiet", "--target", target.trim(), "--target-dir", "target"]);
    cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_RUSTFLAGS").env("RUSTFLAGS", flags);
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let run = Command::new(folder.path().join("target").join(target.trim()).join("debug/linked")).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), "caught: true, thread: 2\n", "{}", run.status);
}

#[test]
fn the_ordinary_build_starts() {
    check("");
}

#[test]
fn the_release_s_static_build_starts() {
    let archive = Command::new("cc").arg("-print-file-name=libc.a").output().unwrap().stdout;
    if !archive.starts_with(b"/") {
        eprintln!("skipped: no static program can be built here, as the C library's archive is absent");
        return;
    }
    check("-C target-feature=+crt-static");
}
