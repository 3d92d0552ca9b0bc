use super::*;
use crate::flow::Entry;

#[test]
fn a_contribution() {
    let line = || Some(signed('1', Stage::Validate, content('b'), checks(None)));
    let known = Judgement { outside: vec![signed('2', Stage::Validate, content('b'), checks(Some("scan")))], ..judgement("redis", "passed", line()) };
    insta::assert_snapshot!(words().contribution_body(std::slice::from_ref(&known), &[], 12, "Adds a switch.\r\n\r\nSee #3.").unwrap(), @r#"
    Adds a switch.

    See #3.

    <!-- chartflow:begin -->
    Would release `redis` 1.3.0.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** Once this is reviewed and merged, the chart goes on by itself, in pull requests of its own. Do not raise its version or write its changelog here: both are derived from the commits.

    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [ ] validate/helm-lint skipped: there is no helm
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)

    ```mermaid
    flowchart LR
      p["contribution<br/>#35;12<br/>this pull request"]:::here
      i["integration"]:::ahead
      m["main"]:::ahead
      r["release"]:::ahead
      c0["redis<br/>2 checks passed"]:::done
      b0["integration-redis"]:::ahead
      t0["tag<br/>redis-v1.3.0"]:::ahead
      p --> c0 --> i --> b0 --> m --> t0 --> r
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
      classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e
    ```

    ### Commits

    - [`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333) fix: @&#8203;ann's &lt;b&gt; (Ann)
    - [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222) feat: a switch (Ann)

    <details><summary>What CHANGELOG.md gains</summary>

    ## 1.3.0 (2023-11-14)

    - one

    </details>
    <!-- chartflow:end -->

    <!-- chartflow:attestations
    {
      "validate/scan": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
      "validate/schema": "sha256:1111111111111111111111111111111111111111111111111111111111111111"
    }
    -->
    "#);
    let two = words().contribution_body(&[known, judgement("loki", "failed", None)], &[], 12, "").unwrap();
    insta::assert_snapshot!(map(&two), @"
    validate/scan/redis sha256:2222222
    validate/schema/redis sha256:1111111
    ");
    insta::assert_snapshot!(list(&two), @"
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [ ] validate/helm-lint skipped: there is no helm
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [ ] validate/schema **failed**
    - [ ] validate/helm-lint skipped: there is no helm
    - [ ] validate/scan awaited
    ");
    let refused = Entry {
        chart: None,
        outcome: crate::flow::Outcome::Refused,
        message: "pull request 3 changes files outside the charts".to_owned(),
        rule: Some("layout/outside".to_owned()),
        hint: Some("open another".to_owned()),
        file: None,
        line: None,
    };
    insta::assert_snapshot!(words().contribution_body(&[], &[refused], 12, "").unwrap(), @"
    <!-- chartflow:begin -->
    **Refused** (layout/outside): pull request 3 changes files outside the charts

    What to do: open another

    **What happens next:** This cannot be merged as it is. Push what is asked for above; the checks run again by themselves.
    <!-- chartflow:end -->

    <!-- chartflow:attestations
    {}
    -->
    ");
}
