//! `chartflow package --sign`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]
#![cfg(unix)]

mod common;

use common::TestEnvironment;

fn chart() -> TestEnvironment {
    let test = TestEnvironment::new();
    std::fs::create_dir(test.path("web")).unwrap();
    std::fs::write(test.path("web/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: \"- serves  \\n-----BEGIN\"\n").unwrap();
    test
}

#[test]
fn what_cannot_be_signed_is_not_packaged() {
    let test = chart();
    let check = |arguments: &[&str], path: &str| {
        let told = test.chartflow_with("", &[&["package", "web", "-d", "out"], arguments].concat(), &[("PATH", path)]);
        assert!(!test.path("out").exists(), "{told}");
        told.to_string()
    };
    insta::assert_snapshot!(check(&["--sign"], ""), @r#"
    -- stderr
    error: the following required arguments were not provided:
      --key <KEY>

    Usage: chartflow package --sign --key <KEY> --destination <DIR> <CHART>...

    For more information, try '--help'.
    -- exit 2
    "#);
    insta::assert_snapshot!(check(&["--key", "x"], ""), @r#"
    -- stderr
    error: the following required arguments were not provided:
      --sign

    Usage: chartflow package --key <KEY> --sign --destination <DIR> <CHART>...

    For more information, try '--help'.
    -- exit 2
    "#);
    insta::assert_snapshot!(check(&["--sign", "--key", "x", "--keyring", "absent"], ""), @r#"
    -- stderr
    error: the keyring absent is no file
    hint: name the file of a keyring, or leave --keyring out to sign with gpg's own
    -- exit 2
    "#);
    insta::assert_snapshot!(check(&["--sign", "--key", "x"], "/nowhere"), @r#"
    -- stderr
    error: there is no gpg on the PATH
      caused by: No such file or directory (os error 2)
    hint: install GnuPG, or let `helm package --sign` make and sign the package
    -- exit 3
    "#);
    // A gpg that does not have the key.
    std::fs::create_dir(test.path("bin")).unwrap();
    std::fs::write(test.path("bin/gpg"), "#!/bin/sh\necho 'gpg: skipped \"x\": No secret key' >&2; exit 2\n").unwrap();
    std::fs::set_permissions(test.path("bin/gpg"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    insta::assert_snapshot!(check(&["--sign", "--key", "x"], test.path("bin").to_str().unwrap()), @r#"
    -- stderr
    error: gpg does not sign with the key "x": skipped "x": No secret key
    hint: `gpg --list-secret-keys` lists the keys that sign, `gpg --import FILE` adds those of a file
    -- exit 2
    "#);
}

mod needs_gpg {
    mod needs_helm {
        use super::super::*;
        use std::ffi::OsStr;
        use std::process::Command;

        /// Runs a program with gpg's folder below the test's; it must succeed.
        fn run(test: &TestEnvironment, program: &str, arguments: &[&str]) -> Vec<u8> {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(test.path("")).env("HOME", test.path("")).env("GNUPGHOME", test.path("gpg"));
            let done = command.output().unwrap();
            assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
            done.stdout
        }

        #[test]
        #[ignore = "runs gpg and helm"]
        fn helm_verifies_what_gpg_signed() {
            let test = chart();
            std::fs::create_dir(test.path("gpg")).unwrap();
            std::fs::set_permissions(test.path("gpg"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
            run(&test, "gpg", &["--batch", "--passphrase", "", "--quick-generate-key", "Jane Doe <jane@example.com>", "rsa3072", "sign", "never"]);
            std::fs::write(test.path("public.gpg"), run(&test, "gpg", &["--export"])).unwrap();
            let sign = |arguments: &[&str]| {
                let home = test.path("gpg");
                let told = test.chartflow_with(
                    "",
                    &[&["package", "web", "--sign", "--key", "jane@example.com"], arguments].concat(),
                    &[("GNUPGHOME", home.to_str().unwrap())],
                );
                assert_eq!(told.exit, Some(0), "{told}");
                let signed = |path: &std::path::Path| path.extension() == Some(OsStr::new("prov"));
                let written = std::fs::read_dir(test.path("out")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| signed(path)).count();
                assert_eq!(written, 1, "{told}");
                run(&test, "helm", &["verify", "out/web-1.0.0.tgz", "--keyring", "public.gpg"]);
                std::fs::remove_file(test.path("out/web-1.0.0.tgz.prov")).unwrap();
                told.stdout
            };
            let told = sign(&["-d", "out"]);
            assert!(told.ends_with("  signed in out/web-1.0.0.tgz.prov\n"), "{told}");
            let told: serde_json::Value = serde_json::from_str(&sign(&["-d", "out", "--keyring", "public.gpg", "--format", "json"])).unwrap();
            assert_eq!(told["packages"][0]["provenance"], "out/web-1.0.0.tgz.prov");
            run(&test, "gpgconf", &["--kill", "all"]);
        }
    }
}
