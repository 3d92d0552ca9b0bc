use super::*;

fn contributed() -> Contributed {
    Contributed {
        chart: redis(),
        before: Some(state("1.2.3", "a")),
        after: Some(state("1.3.0", "b")),
        decision: Some((Level::Minor, "it follows 1.2.3 by the commits".to_owned())),
        commits: vec![counted("2", "feat: a switch\n\nbody", None), counted("3", "thanks @everyone <!-- --> | `x`", None)],
        checks: vec![check_line("validate/helm-lint", CheckState::Passed, None, None)],
        entry: Some("## 1.3.0 (2026-01-01)\n\n### Features\n\n- a switch\n".to_owned()),
        branch: Some("integration-redis".parse().unwrap()),
        tag: Some("redis-v1.3.0".parse().unwrap()),
    }
}

fn contribution_of(charts: &[Contributed], refusals: &[Refusal]) -> String {
    contribution(&Contribution { pull: 12, charts, refusals, raised_by_hand: false }, &links())
}

#[test]
fn the_contribution() {
    insta::assert_snapshot!(contribution_of(&[contributed()], &[]), @r#"
    Would release `redis` 1.3.0.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** Once this is reviewed and merged, the chart goes on by itself, in pull requests of its own. Do not raise its version or write its changelog here: both are derived from the commits.

    - [x] validate/helm-lint passed

    ```mermaid
    flowchart LR
      p["contribution<br/>#35;12<br/>this pull request"]:::here
      i["integration"]:::ahead
      m["main"]:::ahead
      r["release"]:::ahead
      c0["redis<br/>1 check passed"]:::done
      b0["integration-redis"]:::ahead
      t0["tag<br/>redis-v1.3.0"]:::ahead
      p --> c0 --> i --> b0 --> m --> t0 --> r
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
      classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e
    ```

    ### Commits

    - [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222) feat: a switch (Ann)
    - [`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333) thanks @&#8203;everyone &lt;!-- --&gt; \| \`x\` (Ann)

    <details><summary>What CHANGELOG.md gains</summary>

    ## 1.3.0 (2026-01-01)

    ### Features

    - a switch

    </details>
    "#);
    let summary = |one: Contributed| contribution_of(&[one], &[]).lines().next().unwrap().to_owned();
    let removal = contribution_of(&[Contributed { after: None, ..contributed() }], &[]);
    insta::assert_snapshot!(removal.lines().find(|line| line.starts_with("**What")).unwrap(), @"**What happens next:** Once this is reviewed and merged, the removal goes on by itself, in pull requests of its own.");
    insta::assert_snapshot!(summary(Contributed { after: None, ..contributed() }), @"Removes `redis`. What was published stays.");
    insta::assert_snapshot!(summary(Contributed { decision: None, ..contributed() }), @"Changes `redis`.");
    insta::assert_snapshot!(summary(Contributed { decision: Some((Level::None, String::new())), ..contributed() }), @"Changes nothing of `redis` that is packaged: it goes to main without a version.");
    insta::assert_snapshot!(contribution_of(&[], &[]), @"
    This pull request touches no chart.

    **What happens next:** Review and merge. No chart goes on from here.
    ");
    let refusals = [Refusal { rule: "layout/outside".to_owned(), message: "it changes README.md".to_owned(), hint: "open another".to_owned() }];
    insta::assert_snapshot!(contribution_of(&[], &refusals), @"
    **Refused** (layout/outside): it changes README.md

    What to do: open another

    **What happens next:** This cannot be merged as it is. Push what is asked for above; the checks run again by themselves.
    ");
    let by_hand = contribution(&Contribution { pull: 12, charts: &[contributed()], refusals: &[], raised_by_hand: true }, &links());
    insta::assert_snapshot!(by_hand.lines().find(|line| line.starts_with("**What")).unwrap(), @"**What happens next:** Once this is reviewed and merged, the chart goes on by itself, in pull requests of its own. The version is the one that Chart.yaml has here; the changelog is written from the commits.");
}

#[test]
fn the_contribution_of_several_charts() {
    let checks = |state| vec![check_line("validate/helm-lint", state, None, None)];
    let other = |name: &str, checks| Contributed {
        chart: name.parse().unwrap(),
        branch: Some(format!("integration-{name}").parse().unwrap()),
        decision: None,
        commits: Vec::new(),
        entry: None,
        checks,
        ..contributed()
    };
    let skipped = [checks(CheckState::Passed), checks(CheckState::Skipped)].concat();
    let charts = [
        contributed(),
        Contributed { before: None, tag: None, ..other("new", checks(CheckState::Pending)) },
        other("bad", checks(CheckState::Failed)),
        Contributed { decision: Some((Level::None, String::new())), ..other("docs", skipped) },
        Contributed { after: None, ..other("gone", Vec::new()) },
    ];
    insta::assert_snapshot!(contribution_of(&charts, &[]), @r#"
    | chart | on main | would become | level | checks |
    |---|---|---|---|---|
    | `redis` | `1.2.3` | `1.3.0` | minor | passed |
    | `new` | – | `1.3.0` | – | 1 awaited |
    | `bad` | `1.2.3` | `1.3.0` | – | **1 failed** |
    | `docs` | `1.2.3` | `1.3.0` | none | passed, 1 skipped |
    | `gone` | `1.2.3` | removed | – | – |

    **What happens next:** A check failed. Until it passes, bad goes no further than integration: mend that before merging.

    ```mermaid
    flowchart LR
      p["contribution<br/>#35;12<br/>this pull request"]:::here
      i["integration"]:::ahead
      m["main"]:::ahead
      r["release"]:::ahead
      c0["redis<br/>1 check passed"]:::done
      b0["integration-redis"]:::ahead
      t0["tag<br/>redis-v1.3.0"]:::ahead
      p --> c0 --> i --> b0 --> m --> t0 --> r
      c1["new<br/>1 check awaited"]:::ahead
      b1["integration-new"]:::ahead
      t1["tag"]:::ahead
      p --> c1 --> i --> b1 --> m --> t1 --> r
      c2["bad<br/>1 check failed"]:::failed
      b2["integration-bad"]:::ahead
      t2["tag<br/>redis-v1.3.0"]:::ahead
      p --> c2 --> i --> b2 --> m --> t2 --> r
      c3["docs<br/>1 check passed"]:::done
      b3["integration-docs"]:::ahead
      p --> c3 --> i --> b3 --> m
      c4["gone"]:::done
      b4["integration-gone"]:::ahead
      p --> c4 --> i --> b4 --> m
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
      classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e
      classDef failed fill:#ffebe9,stroke:#cf222e,color:#1f2328
    ```

    ### redis

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |
    | level | | minor: it follows 1.2.3 by the commits |

    - [x] validate/helm-lint passed

    #### Commits

    - [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222) feat: a switch (Ann)
    - [`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333) thanks @&#8203;everyone &lt;!-- --&gt; \| \`x\` (Ann)

    <details><summary>What CHANGELOG.md gains</summary>

    ## 1.3.0 (2026-01-01)

    ### Features

    - a switch

    </details>

    ### new

    | | before | after |
    |---|---|---|
    | version | – | `1.3.0` |
    | content | – | `bbbbbbbbbb` |

    - [ ] validate/helm-lint awaited

    ### bad

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |

    - [ ] validate/helm-lint **failed**

    ### docs

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |
    | level | | none: nothing that is packaged changed |

    - [x] validate/helm-lint passed
    - [ ] validate/helm-lint skipped

    ### gone

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | removed |
    | content | `aaaaaaaaaa` | removed |
    "#);
}

#[test]
fn many_charts_and_commits_are_counted() {
    let many = vec![counted("2", "fix: a", None); 101];
    let last = |text: &str| text.lines().rfind(|line| line.starts_with("- ")).unwrap().to_owned();
    insta::assert_snapshot!(last(&contribution_of(&[Contributed { commits: many.clone(), entry: None, ..contributed() }], &[])), @"- and 1 more");
    let charts: Vec<Contributed> =
        (0..30).map(|number| Contributed { chart: format!("chart-{number}").parse().unwrap(), commits: many.clone(), entry: None, ..contributed() }).collect();
    let text = contribution_of(&charts, &[]);
    insta::assert_snapshot!(last(&text), @"- and 81 more");
    assert_eq!(text.lines().filter(|line| line.contains("check passed")).count(), 20);
    insta::assert_snapshot!(text.lines().filter(|line| line.contains("more")).take(2).collect::<Vec<_>>().join("\n"), @r#"
    more["and 10 more"]:::ahead
    p --> more --> i
    "#);
}
