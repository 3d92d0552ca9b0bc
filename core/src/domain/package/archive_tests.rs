use std::path::PathBuf;

use proptest::prelude::*;

use super::ignore::IgnoreRules;
use super::tests::{chart, package_at, packaged, tar_of};
use super::*;

/// An archive of entries (kind, path, size claimed, bytes).
fn hostile(entries: &[(u8, &str, Option<u64>, &[u8])]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for (kind, path, claimed, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_mode(0o644);
        header.set_size(claimed.unwrap_or(bytes.len() as u64));
        header.set_cksum();
        std::io::Write::write_all(&mut gzip, header.as_bytes()).unwrap();
        std::io::Write::write_all(&mut gzip, bytes).unwrap();
        std::io::Write::write_all(&mut gzip, &[0; 512][..(512 - bytes.len() % 512) % 512]).unwrap();
    }
    std::io::Write::write_all(&mut gzip, &[0; 1024]).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn hostile_archives_are_refused() {
    let chart_file: (u8, &str, Option<u64>, &[u8]) = (b'0', "a/Chart.yaml", None, b"name: a\nversion: 1.0.0\n");
    let limits = Limits { total: 2000, file: 1000, entries: 5 };
    let check = |more: &[(u8, &str, Option<u64>, &[u8])]| {
        let archive = hostile(&[&[chart_file], more].concat());
        match read_package(&archive, limits) {
            Ok(contents) => format!("{} members", contents.members.len()),
            Err(PackageError::Archive { source, .. }) => source.to_string(),
            Err(other) => other.to_string(),
        }
    };
    insta::assert_snapshot!(check(&[(b'0', "a/values.yaml", None, b""), (b'5', "a/templates", None, b""), (b'0', "a/templates/", None, b"")]), @"2 members");
    for path in ["a/../b", "../a", "/a/b", "a", "b/values.yaml", "a/c:/x", "a\\..\\x", "a/\u{1}x"] {
        assert!(check(&[(b'0', path, None, b"")]).ends_with("is not a path below a chart's directory"), "{path}");
    }
    for kind in *b"12346" {
        assert_eq!(check(&[(kind, "a/link", None, b"")]), "a/link is not a regular file");
    }
    insta::assert_snapshot!(check(&[(b'0', "a/x", None, b""), (b'0', "a/./x", None, b"")]), @"a/./x is there twice");
    insta::assert_snapshot!(check(&[(b'0', "a/x", None, &[0; 1001])]), @"a/x is larger than 1000 bytes");
    insta::assert_snapshot!(check(&[(b'0', "a/x", None, &[0; 1000]), (b'0', "a/y", None, &[0; 1000])]), @"the archive unpacks to more than 2000 bytes");
    insta::assert_snapshot!(check(&[(b'5', "a/x", None, b"".as_slice()); 5]), @"the archive holds more than 5 entries");
    let short = hostile(&[chart_file, (b'0', "a/x", Some(4096), b"short")]);
    assert!(matches!(read_package(&short, Limits::default()), Err(PackageError::Archive { source: ArchiveError::Garbled { .. }, .. })));
    insta::assert_snapshot!(check(&[(b'L', "a/x", Some(1 << 40), b"")]), @"not a complete gzip-compressed tar archive");
    // A bomb: a long name that unpacks to 16 MiB and is no file at all.
    insta::assert_snapshot!(check(&[(b'L', "././@LongLink", None, &vec![b'x'; 16 << 20])]), @"the archive unpacks to more than 2000 bytes");
    assert!(matches!(read_package(b"", limits), Err(PackageError::Archive { .. })));
    assert!(matches!(read_package(&hostile(&[]), limits), Err(PackageError::Archive { source: ArchiveError::Empty, .. })));
    assert!(matches!(read_package(&hostile(&[(b'0', "a/x", None, b"")]), limits), Err(PackageError::NoChartFile { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..400) {
        prop_assert!(read_package(&bytes, Limits::default()).is_err());
        let package = package_at(&chart(&[("values.yaml", "a: 1\n")]), 0).unwrap().bytes;
        if cut < package.len() {
            let mut garbled = package.clone();
            garbled.truncate(cut);
            prop_assert!(read_package(&garbled, Limits::default()).is_err());
        }
    }

    #[test]
    fn patterns_never_panic(pattern in "[a-c*?\\[\\]^\\\\/!-]{0,12}", path in "[a-c/]{0,12}") {
        if let Ok(rules) = IgnoreRules::parse(pattern.as_bytes()) {
            prop_assert_eq!(rules.ignores("", false), rules.ignores(".", path.is_empty()));
            let _ = rules.ignores(&path, false);
        }
    }
}

/// Packages that helm published, where they are at hand.
fn published() -> Vec<PathBuf> {
    let Some(data) = std::env::var_os("CHARTFLOW_TEST_DATA") else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(PathBuf::from(data).join("packages")) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|extension| extension == "tgz")).collect()
}

#[test]
fn published_packages_come_out_as_they_are() {
    for path in published() {
        let bytes = std::fs::read(&path).unwrap();
        let contents = read_package(&bytes, Limits::default()).unwrap();
        let chart_file = String::from_utf8_lossy(&contents.members[0].1).into_owned();
        if ["\nengine:", "\ntillerVersion:"].into_iter().any(|key| chart_file.contains(key)) {
            // Made by Helm 2, which kept keys that helm drops since.
            continue;
        }
        let mut unpacked = Files::new();
        for (path, bytes) in &contents.members {
            unpacked.insert(path.split_once('/').unwrap().1, bytes.clone());
        }
        let again = package_at(&unpacked, 0).unwrap();
        let sorted = |mut members: Vec<(String, Sha256)>| {
            // Helm writes the charts inside in any order.
            let charts = members.iter().position(|(path, _)| path.split('/').count() > 3 && path.split('/').nth(1) == Some("charts")).unwrap_or(members.len());
            members[charts..].sort();
            members
        };
        let theirs = sorted(contents.members.iter().map(|(path, bytes)| (path.clone(), Sha256::of(bytes))).collect());
        let ours = sorted(again.members.iter().map(|member| (member.path.clone(), member.sha256)).collect());
        assert_eq!(ours, theirs, "{}", path.display());
        assert_eq!(again.file_name, path.file_name().unwrap().to_str().unwrap());
    }
}

fn helm() -> Option<PathBuf> {
    let candidates = std::env::var_os("CHARTFLOW_HELM").map(PathBuf::from).into_iter();
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).map(|directory| directory.join("helm")).collect::<Vec<_>>());
    candidates.chain(on_path.into_iter().flatten()).find(|helm| helm.is_file())
}

/// With the time fixed, the real helm 4.3 writes the very same tar stream.
#[test]
fn real_helm_agrees() {
    let Some(helm) = helm() else { return };
    let long = format!("files/{}/{}.txt", "d".repeat(80), "f".repeat(60));
    let unicode = format!("files/{}.txt", "é".repeat(80));
    let too_long = format!("files/{}.txt", "x".repeat(120));
    let chart = chart(&[
        ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3+b.1\nappVersion: 1.10\nkeywords: [on, '1', a: b]\n".replace(", a: b", "").as_str()),
        ("values.yaml", "a: 1\n"),
        ("values.schema.json", "{}"),
        ("templates/b/x.yaml", "x"),
        ("templates/b.yaml", "y"),
        (&long, "l"),
        (&unicode, "u"),
        (&too_long, "t"),
        ("empty", ""),
        (".helmignore", "*.bak\n"),
        ("x.bak", ""),
        ("charts/sub/Chart.yaml", "name: sub\nversion: 0.1.0\nmaintainers:\n- name: \"a: b\"\n"),
    ]);
    let directory = tempfile::tempdir().unwrap();
    for (path, file) in chart.iter() {
        let place = directory.path().join("web").join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, &file.bytes).unwrap();
    }
    let mut command = std::process::Command::new(helm);
    command.args(["package", "web", "-d", "out"]).current_dir(directory.path()).env("SOURCE_DATE_EPOCH", "1700000000").env("HOME", directory.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let package = packaged(&chart, &BTreeMap::new()).unwrap();
    let theirs = std::fs::read(directory.path().join("out").join(&package.file_name)).unwrap();
    assert_eq!(theirs.get(..61), package.bytes.get(..61), "gzip header");
    let (theirs, ours) = (tar_of(&theirs), tar_of(&package.bytes));
    let differ = theirs.iter().zip(&ours).position(|(one, other)| one != other);
    assert_eq!((theirs.len(), differ), (ours.len(), None));
}
