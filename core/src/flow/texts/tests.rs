mod back;
mod contribution;
mod fixture;
mod publication;

use fixture::*;

use super::carried::reason;
use super::*;
use crate::domain::digest::Sha256;
use crate::domain::statement::*;

/// The lines of the checklist.
fn list(text: &str) -> String {
    text.lines().filter(|line| line.starts_with("- [") && !line.starts_with("- [`")).collect::<Vec<_>>().join("\n")
}

fn map(text: &str) -> String {
    let map = AttestationMap::read(text).unwrap().unwrap();
    map.iter().map(|(key, id)| format!("{key} {:.14}", id.to_string())).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_promotion() {
    let chain = promoted(promotion());
    let lines = [&chain.checks[..], std::slice::from_ref(&chain.promotion)].concat();
    let sides = Sides { before: state("1.2.3", 'a'), after: state("1.2.3", 'b') };
    let text = words().promotion_body(&redis(), &promotion(), &sides, &lines, "Mine.\r\n").unwrap();
    assert!(text.starts_with("Mine.\r\n\n\n<!-- "), "{text}");
    insta::assert_snapshot!(text, @r#"
    Mine.


    <!-- chartflow:begin -->
    Carries `redis` as it is on integration at [`1111111111`](https://github.com/o/r/commit/1111111111111111111111111111111111111111), and nothing else, to `integration-redis`.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.2.3` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |

    **What happens next:** `enforce` proves that the content is integration's and merges this, or closes it and says why. Nobody has to do anything.

    - [x] validate/helm-lint passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] filter/promotion passed · [`sha256:3333333333`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [ ] enforce/gate awaited

    ```mermaid
    flowchart LR
      p0["contribution<br/>#35;12"]:::done
      p1["integration<br/>1111111111"]:::done
      p2["integration-redis<br/>promoted<br/>this pull request"]:::here
      p3["integration-redis<br/>version"]:::ahead
      p4["main"]:::ahead
      p5["tag"]:::ahead
      p6["release<br/>redis"]:::ahead
      p0 --> p1 --> p2 --> p3 --> p4 --> p5 --> p6
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
      classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e
    ```

    ### Commits

    - [`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333) fix: @&#8203;ann's &lt;b&gt; (Ann)
    - [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222) feat: a switch (Ann, [#12](https://github.com/o/r/pull/12))
    <!-- chartflow:end -->

    <!-- chartflow:attestations
    {
      "filter/promotion": "sha256:3333333333333333333333333333333333333333333333333333333333333333",
      "validate/helm-lint": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
      "validate/scan": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
      "validate/schema": "sha256:1111111111111111111111111111111111111111111111111111111111111111"
    }
    -->
    "#);
    let gated = words().promotion_body(&redis(), &promotion(), &sides, &chain.lines(), &text).unwrap();
    let (before, after): (Vec<_>, Vec<_>) = (text.lines().collect(), gated.lines().collect());
    insta::assert_snapshot!(after.iter().filter(|line| !before.contains(line)).copied().collect::<Vec<_>>().join("\n"), @r#"
    **What happens next:** `enforce` has proved that the content is integration's, and merges this. The pull request to main follows by itself.
    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
      "enforce/gate": "sha256:4444444444444444444444444444444444444444444444444444444444444444",
    "#);
    insta::assert_snapshot!(before.iter().filter(|line| !after.contains(line)).copied().collect::<Vec<_>>().join("\n"), @"
    **What happens next:** `enforce` proves that the content is integration's and merges this, or closes it and says why. Nobody has to do anything.
    - [ ] enforce/gate awaited
    ");
    insta::assert_snapshot!(promotion_message(&redis(), &promotion(), &[Author { name: "Ann [skip ci]".to_owned(), email: "ann@example.com".to_owned() }]), @"
    chore(redis): promote from integration

    Chartflow-Chart: redis
    Chartflow-Source: 1111111111111111111111111111111111111111
    Co-authored-by: Ann <ann@example.com>
    ");
    insta::assert_snapshot!(merge_message(&redis(), Some(&chain)), @"
    Chartflow-Chart: redis
    Chartflow-Source: 1111111111111111111111111111111111111111
    ");
}

#[test]
fn commits_left_out_are_said() {
    let promotion = Promotion { omitted: Some(Omitted { count: 4, sha256: Sha256::of(b"") }), ..promotion() };
    let text = words().promotion_body(&redis(), &promotion, &against_main("1.2.3"), &[], "").unwrap();
    insta::assert_snapshot!(text.lines().find(|line| line.starts_with("> ")).unwrap(), @"> Not listed: 4 more commits, none of which decides the version.");
}

#[test]
fn a_bump() {
    let (chain, after) = (promoted(promotion()), bumped(Level::Minor));
    let derived = derived(&after);
    let text = words().bump_body(&redis(), &chain, &derived, after.bump.as_ref().unwrap(), "").unwrap();
    insta::assert_snapshot!(text.split("\n\n```").next().unwrap(), @"
    <!-- chartflow:begin -->
    Brings the version and the changelog of `redis` to `integration-redis`, both derived from the commits below.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `cccccccccc` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** `enforce` derives both again and merges this when they are the same. Nobody has to do anything.

    - [x] validate/helm-lint passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] filter/promotion passed · [`sha256:3333333333`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] bump/version passed · [`sha256:5555555555`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    ");
    insta::assert_snapshot!(bump_title(&redis(), &derived).unwrap(), @"Bump redis from 1.2.3 to 1.3.0");
    insta::assert_snapshot!(bump_message(&redis(), &promotion(), &derived).unwrap(), @"
    chore(redis): 1.3.0

    Chartflow-Chart: redis
    Chartflow-Source: 1111111111111111111111111111111111111111
    Co-authored-by: Ann <ann@example.com>
    ");
}

/// Title, first line and what happens next.
fn to_main(chain: &Chain, sides: &Sides) -> String {
    let (title, text) = words().to_main(&redis(), chain, sides, "");
    let text = text.unwrap();
    let line = |begin: &str| text.lines().find(|line| line.starts_with(begin)).unwrap_or_default().to_owned();
    format!("{title}\n{}\n{}", text.lines().nth(1).unwrap(), line("| level"))
}

#[test]
fn to_main_as_far_as_it_has_come() {
    insta::assert_snapshot!(to_main(&promoted(promotion()), &against_main("1.2.3")), @"
    Update redis
    Brings `redis` to main.
    ");
    insta::assert_snapshot!(to_main(&bumped(Level::Minor), &against_main("1.3.0")), @"
    Release redis 1.3.0
    Releases `redis` 1.3.0.
    | level | | minor: it follows 1.2.3 by the commits |
    ");
    insta::assert_snapshot!(to_main(&bumped(Level::None), &against_main("1.2.3")), @"
    Update redis
    Brings `redis` to main. Nothing that is packaged changes.
    | level | | none: nothing that is packaged changed |
    ");
    let removal = promoted(Promotion { removed: true, ..promotion() });
    insta::assert_snapshot!(to_main(&removal, &Sides { after: None, ..against_main("") }), @"
    Remove redis
    Removes `redis` from main. What was published stays.
    ");
    insta::assert_snapshot!(list(&words().to_main(&redis(), &promoted(promotion()), &against_main("1.2.3"), "").1.unwrap()), @"
    - [x] validate/helm-lint passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] filter/promotion passed · [`sha256:3333333333`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [ ] bump/version awaited
    - [ ] bump/release-gate awaited
    ");
}

#[test]
fn to_main_with_its_gate() {
    let (_, text) = words().to_main(&redis(), &released(), &against_main("1.3.0"), "Please look at the switch.");
    let text = text.unwrap();
    insta::assert_snapshot!(text, @r#"
    Please look at the switch.

    <!-- chartflow:begin -->
    Releases `redis` 1.3.0.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `cccccccccc` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** Review and merge (squash). The tag, the package, the release and the way back to integration follow by themselves. Newer content on integration refreshes this pull request and dismisses the approval; the label `hold` keeps it as it is.

    - [x] validate/helm-lint passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] filter/promotion passed · [`sha256:3333333333`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] bump/version passed · [`sha256:5555555555`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [x] bump/release-gate passed · [`sha256:6666666666`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [x] tag/tag passed · [`sha256:7777777777`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)

    ```mermaid
    flowchart LR
      p0["contribution<br/>#35;12"]:::done
      p1["integration<br/>1111111111"]:::done
      p2["integration-redis<br/>promoted"]:::done
      p3["integration-redis<br/>1.3.0"]:::done
      p4["main<br/>this pull request"]:::here
      p5["tag<br/>redis-v1.3.0"]:::ahead
      p6["release<br/>redis"]:::ahead
      p0 --> p1 --> p2 --> p3 --> p4 --> p5 --> p6
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
      classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e
    ```

    ### Commits

    - [`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333) fix: @&#8203;ann's &lt;b&gt; (Ann)
    - [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222) feat: a switch (Ann, [#12](https://github.com/o/r/pull/12))
    <!-- chartflow:end -->

    <!-- chartflow:attestations
    {
      "bump/release-gate": "sha256:6666666666666666666666666666666666666666666666666666666666666666",
      "bump/version": "sha256:5555555555555555555555555555555555555555555555555555555555555555",
      "enforce/gate": "sha256:4444444444444444444444444444444444444444444444444444444444444444",
      "filter/promotion": "sha256:3333333333333333333333333333333333333333333333333333333333333333",
      "tag/tag": "sha256:7777777777777777777777777777777777777777777777777777777777777777",
      "validate/helm-lint": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
      "validate/scan": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
      "validate/schema": "sha256:1111111111111111111111111111111111111111111111111111111111111111"
    }
    -->
    "#);
    let waiting = Chain { gate: None, tag: None, ..released() };
    let (_, before) = words().to_main(&redis(), &waiting, &against_main("1.3.0"), "Please look at the switch.");
    let before = before.unwrap();
    insta::assert_snapshot!(list(&before), @"
    - [x] validate/helm-lint passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/schema passed · [`sha256:1111111111`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] validate/scan passed · [`sha256:2222222222`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] filter/promotion passed · [`sha256:3333333333`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] enforce/gate passed · [`sha256:4444444444`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/bb/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl)
    - [x] bump/version passed · [`sha256:5555555555`](https://github.com/o/r/blob/refs/chartflow/attestations/trees/cc/cccccccccccccccccccccccccccccccccccccc.jsonl)
    - [ ] bump/release-gate awaited
    ");
    let (_, again) = words().to_main(&redis(), &released(), &against_main("1.3.0"), &format!("{before}\n\nP.S. [skip ci]\r\n"));
    let again = again.unwrap();
    assert_eq!(again, format!("{text}\n\nP.S. [skip ci]\r\n"));
}

#[test]
fn what_people_wrote_is_never_cut() {
    let mine = "x".repeat(crate::domain::pull::BODY_LIMIT);
    assert!(words().to_main(&redis(), &released(), &against_main("1.3.0"), &mine).1.is_err());
}

#[test]
fn reasons_are_decided_again() {
    assert_eq!(reason(&bump(Level::Minor)), "it follows 1.2.3 by the commits");
    assert_eq!(reason(&bump(Level::None)), "nothing that is packaged changed");
    assert_eq!(reason(&Bump { to: "7.0.0".to_owned(), ..bump(Level::Minor) }), "as the bump says");
    let initial = Bump { from: None, to: "1.2.3".to_owned(), ..bump(Level::Initial) };
    assert_eq!(reason(&initial), "a chart that is new to main keeps the version it comes with");
}

#[test]
fn the_weight_of_a_commit_is_what_its_statements_hold() {
    let links = &words().links;
    let weigh = |message: &str| weight(&redis(), links, &record('2', message, Some(1)));
    assert!(weigh("fix: a") > 400 && weigh("fix: a") < 800, "{}", weigh("fix: a"));
    assert!(weigh(&format!("fix: {}", "a".repeat(100))) >= weigh("fix: a") + 3 * 99);
}
