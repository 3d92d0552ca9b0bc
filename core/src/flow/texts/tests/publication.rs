use super::*;

#[test]
fn a_publication() {
    let (chain, built) = (released(), built());
    let mut lines = chain.lines();
    lines.push(package_line('8', &built.package.file_name, built.package.sha256, false));
    lines.push(package_line('9', &built.package.file_name, built.package.sha256, true));
    let numbers = lines.iter().rev().take(2).map(|line| line.digest).zip(41..).collect();
    let listed = Listed { newest: "1.2.3".parse().ok(), added: vec!["charts/redis-1.3.0.tgz".to_owned()] };
    let text = words().publication_body(&redis(), &chain, &built, (&lines, &numbers), &listed, "").unwrap();
    let shown = text.replace(&built.package.sha256.to_string(), "<package>").replace(&built.image.manifest.digest.to_string(), "<manifest>");
    insta::assert_snapshot!(shown.split("\n\n```").next().unwrap(), @"
    <!-- chartflow:begin -->
    Publishes `redis` 1.3.0: the package, its entry in the index and its lineage, in one commit.

    | | before | after |
    |---|---|---|
    | newest in the index | `1.2.3` | `1.3.0` |
    | `charts/redis-1.3.0.tgz` | – | new |
    | `index.yaml` | | one version more |

    **What happens next:** `package` has verified the lineage and merges this. `publish` then pushes to the registry, publishes the release and checks what it published as a stranger would.

    | | |
    |---|---|
    | tag | [`redis-v1.3.0`](https://github.com/o/r/releases/tag/redis-v1.3.0) |
    | package | `redis-1.3.0.tgz` |
    | sha256 | `<package>` |
    | OCI | `ghcr.io/o/charts/redis:1.3.0` |
    | manifest | `sha256:<manifest>` |
    | lineage | 9 attestations |

    - [x] validate/helm-lint passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] filter/promotion passed · [`sha256:3333333333`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] bump/version passed · [`sha256:5555555555`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [x] bump/release-gate passed · [`sha256:6666666666`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [x] tag/tag passed · [`sha256:7777777777`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [x] package/build passed · [`42`](https://github.com/o/r/attestations/42)
    - [x] package/root passed · [`41`](https://github.com/o/r/attestations/41)
    ");
    insta::assert_snapshot!(map(&text), @"
    bump/release-gate sha256:6666666
    bump/version sha256:5555555
    enforce/gate sha256:4444444
    filter/promotion sha256:3333333
    package/build 42
    package/root 41
    tag/tag sha256:7777777
    validate/helm-lint sha256:1111111
    validate/scan sha256:2222222
    validate/schema sha256:1111111
    ");
    // The next run is not told the numbers again.
    assert_eq!(words().publication_body(&redis(), &chain, &built, (&lines, &Numbers::new()), &listed, &text).unwrap(), text);
}

#[test]
fn notes_of_a_release() {
    let built = built();
    let text = words().release_notes(&redis(), &built, &released()).replace(&built.package.sha256.to_string(), "<package>");
    insta::assert_snapshot!(text, @"
    ### Features

    - a switch ([#12](https://github.com/o/r/pull/12), [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222))

    ### Fixes

    - @&#8203;ann's &lt;b&gt; ([`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333))

    Contributors: Ann

    ### Get and verify

    ```shell
    helm pull oci://ghcr.io/o/charts/redis --version 1.3.0
    chartflow verify redis-1.3.0.tgz --lineage redis-1.3.0.lineage.jsonl --repository o/r
    ```

    The lineage is beside the package; it leads from the package back to the contributions, and `chartflow verify` needs no network. The package of `redis` is `sha256:<package>`.
    ");
    insta::assert_snapshot!(tag_message(&redis(), &"redis-v1.3.0".parse().unwrap(), &released(), released().gate.unwrap().digest), @"
    redis-v1.3.0

    Chartflow-Chart: redis
    Chartflow-Source: 1111111111111111111111111111111111111111
    Chartflow-Release-Gate: sha256:6666666666666666666666666666666666666666666666666666666666666666
    ");
}
