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
    error: gpg has no secret key "x": skipped "x": No secret key
    hint: `gpg --list-secret-keys` lists the keys that sign, `gpg --import FILE` adds those of a file
    -- exit 2
    "#);
}

mod needs_gpg {
    use super::*;
    use std::ffi::OsStr;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use common::Ran;

    /// A chart, gpg's folder with the keys of these people, and an agent that goes with it.
    struct Signing {
        test: TestEnvironment,
    }

    impl Signing {
        fn new(people: &[&str]) -> Self {
            let signing = Self { test: chart() };
            for folder in ["gpg", "tmp"] {
                std::fs::create_dir(signing.test.path(folder)).unwrap();
                std::fs::set_permissions(signing.test.path(folder), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
            }
            for person in people {
                signing.gpg(&["--passphrase", "", "--quick-generate-key", person, "rsa3072", "sign", "never"]);
            }
            signing
        }

        /// Runs a program with gpg's folder below the test's; it must succeed.
        fn run(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(self.test.path("")).env("HOME", self.test.path("")).env("GNUPGHOME", self.test.path("gpg"));
            let done = command.output().unwrap();
            assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
            done.stdout
        }

        fn gpg(&self, arguments: &[&str]) -> Vec<u8> {
            self.run("gpg", &[&["--batch", "--pinentry-mode", "loopback"], arguments].concat())
        }

        fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
            std::fs::write(self.test.path(name), bytes).unwrap();
        }

        /// Packages and signs, with gpg's folder at `home`.
        fn sign_in(&self, home: &str, arguments: &[&str]) -> Ran {
            let (home, temporary) = (self.test.path(home), self.test.path("tmp"));
            let environment = [("GNUPGHOME", home.to_str().unwrap()), ("TMPDIR", temporary.to_str().unwrap())];
            let told = self.test.chartflow_with("", &[&["package", "web", "--sign", "-d", "out"], arguments].concat(), &environment);
            assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0, "{told}");
            told
        }

        fn sign(&self, arguments: &[&str]) -> Ran {
            self.sign_in("gpg", arguments)
        }

        /// What is told when nothing is signed, and so nothing is written.
        fn refused(&self, arguments: &[&str]) -> String {
            let told = self.sign(arguments);
            assert!(!self.test.path("out").exists(), "{told}");
            let digits = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            let masked =
                |word: &str| if digits(word.trim_end_matches(',')) { word.replace(word.trim_end_matches(','), "<fingerprint>") } else { word.to_owned() };
            told.to_string().split(' ').map(masked).collect::<Vec<_>>().join(" ")
        }
    }

    impl Drop for Signing {
        fn drop(&mut self) {
            let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.test.path("gpg")).status();
        }
    }

    #[test]
    #[ignore = "runs gpg"]
    fn only_the_key_that_was_asked_for_signs() {
        let signing = Signing::new(&["Jane Doe <jane@example.com>", "Jane Roe <roe@example.com>"]);
        insta::assert_snapshot!(signing.refused(&["--key", "Jane"]), @r#"
        -- stderr
        error: more than one key is meant by "Jane": <fingerprint> Jane Doe <jane@example.com>, <fingerprint> Jane Roe <roe@example.com>
        hint: name one of them by its fingerprint
        -- exit 2
        "#);
        insta::assert_snapshot!(signing.refused(&["--key", "nobody"]), @r#"
        -- stderr
        error: gpg has no secret key "nobody": error reading key: No secret key
        hint: `gpg --list-secret-keys` lists the keys that sign, `gpg --import FILE` adds those of a file
        -- exit 2
        "#);
        insta::assert_snapshot!(signing.refused(&["--key", ""]), @r#"
        -- stderr
        error: gpg has no secret key "": error reading key: Invalid user ID
        hint: `gpg --list-secret-keys` lists the keys that sign, `gpg --import FILE` adds those of a file
        -- exit 2
        "#);
        signing.write("gpg/gpg.conf", "local-user roe@example.com\n");
        insta::assert_snapshot!(signing.refused(&["--key", "jane@example.com"]), @"
        -- stderr
        error: gpg signed with <fingerprint> and <fingerprint>, not with <fingerprint> alone
        hint: take `local-user` out of gpg.conf; nothing was written
        -- exit 2
        ");
        assert_eq!(signing.sign(&["--key", "roe@example.com"]).exit, Some(0));
    }

    #[test]
    #[ignore = "runs gpg"]
    fn what_gpg_cuts_is_not_written() {
        let signing = Signing::new(&["Jane Doe <jane@example.com>"]);
        signing.write("web/Chart.yaml", format!("apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: {}\n", "a".repeat(30_000)));
        insta::assert_snapshot!(signing.refused(&["--key", "jane@example.com"]), @"
        -- stderr
        error: gpg signed another text than it was given, whose longest line has 30013 bytes
        hint: gpg cuts lines after about 20,000 bytes: shorten that value in Chart.yaml, or let `helm package --sign` sign; nothing was written
        -- exit 2
        ");
    }

    #[test]
    #[ignore = "runs gpg"]
    fn an_exported_secret_keyring_signs() {
        let signing = Signing::new(&["Jane Doe <jane@example.com>"]);
        signing.write("secret.gpg", signing.gpg(&["--export-secret-keys"]));
        signing.write("secret.asc", signing.gpg(&["--armor", "--export-secret-keys"]));
        signing.write("public.gpg", signing.gpg(&["--export"]));
        for keyring in ["secret.gpg", "secret.asc"] {
            // gpg's own folder has no key, and gets none.
            let told = signing.sign_in("none", &["--key", "Jane Doe", "--keyring", keyring]);
            assert_eq!(told.exit, Some(0), "{told}");
            assert!(!signing.test.path("none").exists());
            signing.gpg(&["--verify", "out/web-1.0.0.tgz.prov"]);
            std::fs::remove_dir_all(signing.test.path("out")).unwrap();
        }
        insta::assert_snapshot!(signing.refused(&["--key", "Jane Roe", "--keyring", "secret.gpg"]), @r#"
        -- stderr
        error: gpg has no secret key "Jane Roe" in secret.gpg: error reading key: No secret key
        hint: `gpg --export-secret-keys KEY > FILE` writes a keyring that signs, `gpg --show-keys FILE` lists one
        -- exit 2
        "#);
        signing.write("garbage", "no key at all");
        insta::assert_snapshot!(signing.refused(&["--key", "Jane Doe", "--keyring", "garbage"]), @r#"
        -- stderr
        error: gpg has no secret key "Jane Doe" in garbage: [don't know]: invalid packet (ctb=6e); keydb_search failed: Invalid packet; error reading key: Invalid packet
        hint: `gpg --export-secret-keys KEY > FILE` writes a keyring that signs, `gpg --show-keys FILE` lists one
        -- exit 2
        "#);
    }

    #[test]
    #[ignore = "runs gpg"]
    fn a_passphrase_needs_a_terminal() {
        let signing = Signing::new(&[]);
        signing.gpg(&["--passphrase", "locked", "--quick-generate-key", "Jane Doe <jane@example.com>", "rsa3072", "sign", "never"]);
        signing.write("secret.gpg", signing.gpg(&["--passphrase", "locked", "--export-secret-keys"]));
        let told = signing.refused(&["--key", "Jane Doe", "--keyring", "secret.gpg"]);
        // The words of whatever asks for passphrases here.
        let (before, after) = (told.split_once("ask for it: ").unwrap().0, told.split_once("\nhint: ").unwrap().1);
        insta::assert_snapshot!(format!("{before}ask for it: …\nhint: {after}"), @r#"
        -- stderr
        error: the key "Jane Doe" has a passphrase, and gpg cannot ask for it: …
        hint: run this at a terminal, with GPG_TTY=$(tty) in the environment; where there is none, sign with a key that has no passphrase
        -- exit 2
        "#);
    }

    #[test]
    #[ignore = "runs gpg"]
    fn an_interrupted_signature_leaves_no_key() {
        let signing = Signing::new(&["Jane Doe <jane@example.com>"]);
        signing.write("secret.gpg", signing.gpg(&["--export-secret-keys"]));
        // A gpg that takes its time over the signature.
        std::fs::create_dir(signing.test.path("bin")).unwrap();
        signing.write("bin/gpg", "#!/bin/sh\nPATH=${PATH#*:}\ncase \"$*\" in *--clearsign*) exec sleep 60 ;; esac\nexec gpg \"$@\"\n");
        std::fs::set_permissions(signing.test.path("bin/gpg"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", signing.test.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_chartflow"));
        command.args(["package", "web", "--sign", "-d", "out", "--key", "Jane", "--keyring", "secret.gpg"]).current_dir(signing.test.path(""));
        let mut child = command.env("PATH", path).env("TMPDIR", signing.test.path("tmp")).spawn().unwrap();
        let keys = || std::fs::read_dir(signing.test.path("tmp")).unwrap().flatten().any(|home| home.path().join("private-keys-v1.d").exists());
        let begun = Instant::now();
        while !keys() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(keys());
        std::thread::sleep(Duration::from_millis(300));
        let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(std::fs::read_dir(signing.test.path("tmp")).unwrap().count(), 0);
        assert!(!signing.test.path("out").exists());
    }

    mod needs_helm {
        use super::*;

        #[test]
        #[ignore = "runs gpg and helm"]
        fn helm_verifies_what_gpg_signed() {
            let signing = Signing::new(&["Jane Doe <jane@example.com>"]);
            signing.write("public.gpg", signing.gpg(&["--export"]));
            let sign = |arguments: &[&str]| {
                let told = signing.sign(&[&["--key", "jane@example.com"], arguments].concat());
                assert_eq!(told.exit, Some(0), "{told}");
                let signed = |path: &std::path::Path| path.extension() == Some(OsStr::new("prov"));
                let written = std::fs::read_dir(signing.test.path("out")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| signed(path)).count();
                assert_eq!(written, 1, "{told}");
                signing.run("helm", &["verify", "out/web-1.0.0.tgz", "--keyring", "public.gpg"]);
                std::fs::remove_file(signing.test.path("out/web-1.0.0.tgz.prov")).unwrap();
                told.stdout
            };
            let told = sign(&[]);
            assert!(told.ends_with("  signed in out/web-1.0.0.tgz.prov\n"), "{told}");
            let told: serde_json::Value = serde_json::from_str(&sign(&["--keyring", "public.gpg", "--format", "json"])).unwrap();
            assert_eq!(told["packages"][0]["provenance"], "out/web-1.0.0.tgz.prov");
        }
    }
}
