use super::*;
use crate::flow::back::{Returning, Way};

#[test]
fn the_way_back() {
    let chart = |name: &str, lines: &[Signed], replayed| Returning {
        chart: name.parse().unwrap(),
        main: None,
        before: None,
        after: None,
        replayed,
        lines: lines.to_vec(),
    };
    let charts = vec![chart("redis", &released().lines(), false), chart("loki", &bumped(Level::Minor).lines()[3..], true), chart("old", &[], false)];
    let versions = ["1.3.0", "2.0.0", ""].map(|text| text.parse().ok());
    let sides = [[state("1.2.3", 'a'), state("1.3.0", 'c')], [state("1.9.0", 'b'), state("2.0.0", 'd')], [state("0.1.0", 'e'), None]];
    let returned: Vec<_> = charts.iter().zip(versions).zip(sides).map(|((one, version), sides)| words().returned(one, version, sides)).collect();
    let way = Way { tree: content('a').sha1, parents: [commit('1'), commit('4')], charts, grafts: vec![], replays: vec![] };
    let (title, text) = words().way_back(&way, &returned, "");
    let text = text.unwrap();
    insta::assert_snapshot!(title, @"Bring main back into integration: redis 1.3.0, loki 2.0.0, old");
    insta::assert_snapshot!(text, @r#"
    <!-- chartflow:begin -->
    Brings main at [`4444444444`](https://github.com/o/r/commit/4444444444444444444444444444444444444444) back into integration. Outside charts integration gets what main has.

    | chart | integration before | integration after | what it gets |
    |---|---|---|---|
    | `redis` | `1.2.3` · `aaaaaaaaaa` | `1.3.0` · `cccccccccc` | main's content |
    | `loki` | `1.9.0` · `bbbbbbbbbb` | `2.0.0` · `dddddddddd` | its newer content, with main's version and changelog entry |
    | `old` | `0.1.0` · `eeeeeeeeee` | removed | main removed it |

    **What happens next:** chartflow proves this by computing it again and merges it. Nobody has to do anything.

    ```mermaid
    flowchart LR
      m["main<br/>4444444444"]:::done
      i["integration<br/>this pull request"]:::here
      c0["redis<br/>1.3.0"]:::done
      m --> c0 --> i
      c1["loki<br/>2.0.0"]:::done
      m --> c1 --> i
      c2["old<br/>removed"]:::done
      m --> c2 --> i
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
    ```

    ### redis

    - [x] validate/helm-lint passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] filter/promotion passed · [`sha256:3333333333`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] bump/version passed · [`sha256:5555555555`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [x] bump/release-gate passed · [`sha256:6666666666`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [x] tag/tag passed · [`sha256:7777777777`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)

    ### loki

    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] bump/version passed · [`sha256:5555555555`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    <!-- chartflow:end -->

    <!-- chartflow:attestations
    {
      "bump/release-gate/redis": "sha256:6666666666666666666666666666666666666666666666666666666666666666",
      "bump/version/loki": "sha256:5555555555555555555555555555555555555555555555555555555555555555",
      "bump/version/redis": "sha256:5555555555555555555555555555555555555555555555555555555555555555",
      "enforce/gate/loki": "sha256:4444444444444444444444444444444444444444444444444444444444444444",
      "enforce/gate/redis": "sha256:4444444444444444444444444444444444444444444444444444444444444444",
      "filter/promotion/redis": "sha256:3333333333333333333333333333333333333333333333333333333333333333",
      "tag/tag/redis": "sha256:7777777777777777777777777777777777777777777777777777777777777777",
      "validate/helm-lint/redis": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
      "validate/scan/redis": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
      "validate/schema/redis": "sha256:1111111111111111111111111111111111111111111111111111111111111111"
    }
    -->
    "#);
    insta::assert_snapshot!(back_message(&way), @"
    chore: bring main back into integration

    Chartflow-Chart: redis
    Chartflow-Chart: loki
    Chartflow-Chart: old
    Chartflow-Source: 4444444444444444444444444444444444444444
    ");
}
