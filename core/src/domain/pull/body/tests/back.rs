use super::*;

#[test]
fn the_way_back() {
    let redis = Returned {
        chart: redis(),
        version: Some(version("1.3.0")),
        replayed: false,
        before: Some(state("1.2.3", "a")),
        after: Some(state("1.3.0", "c")),
        checks: vec![check_line("tag/tag", CheckState::Passed, None, Some(AttestationId::Number(7)))],
    };
    let other = |name: &str, text: &str| Returned { chart: name.parse().unwrap(), version: Some(version(text)), checks: Vec::new(), ..redis.clone() };
    let returned = [
        redis.clone(),
        Returned { replayed: true, after: Some(state("2.0.0", "d")), ..other("loki", "2.0.0") },
        Returned { version: None, after: None, ..other("old", "0.1.0") },
        Returned { before: None, ..other("new", "1.3.0") },
        Returned { after: redis.before.clone(), ..other("same", "1.2.3") },
        Returned { version: None, before: None, after: None, ..other("gone", "1.2.3") },
    ];
    insta::assert_snapshot!(way_back(&returned, &commit_id("4"), false, &links()), @r#"
    Brings main at [`4444444444`](https://github.com/o/r/commit/4444444444444444444444444444444444444444) back into integration. Outside charts integration gets what main has.

    | chart | integration before | integration after | what it gets |
    |---|---|---|---|
    | `redis` | `1.2.3` · `aaaaaaaaaa` | `1.3.0` · `cccccccccc` | main's content |
    | `loki` | `1.2.3` · `aaaaaaaaaa` | `2.0.0` · `dddddddddd` | its newer content, with main's version and changelog entry |
    | `old` | `1.2.3` · `aaaaaaaaaa` | removed | main removed it |
    | `new` | – | `1.3.0` · `cccccccccc` | main's content |
    | `same` | `1.2.3` · `aaaaaaaaaa` | `1.2.3` · `aaaaaaaaaa` | it has this already |
    | `gone` | – | – | it has this already |

    **What happens next:** **Please merge this with a merge commit**; after a squash or rebase the next way back would start over. Until then the charts above are held.

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
      c3["new<br/>1.3.0"]:::done
      m --> c3 --> i
      c4["same<br/>1.2.3"]:::done
      m --> c4 --> i
      c5["gone<br/>removed"]:::done
      m --> c5 --> i
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
    ```

    ### redis

    - [x] tag/tag passed · [`7`](https://github.com/o/r/attestations/7)
    "#);
    insta::assert_snapshot!(way_back(std::slice::from_ref(&redis), &commit_id("4"), true, &links()), @r#"
    Brings main at [`4444444444`](https://github.com/o/r/commit/4444444444444444444444444444444444444444) back into integration. Outside charts integration gets what main has.

    | chart | integration before | integration after | what it gets |
    |---|---|---|---|
    | `redis` | `1.2.3` · `aaaaaaaaaa` | `1.3.0` · `cccccccccc` | main's content |

    **What happens next:** chartflow proves this by computing it again and merges it. Nobody has to do anything.

    ```mermaid
    flowchart LR
      m["main<br/>4444444444"]:::done
      i["integration<br/>this pull request"]:::here
      c0["redis<br/>1.3.0"]:::done
      m --> c0 --> i
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
    ```

    - [x] tag/tag passed · [`7`](https://github.com/o/r/attestations/7)
    "#);
    insta::assert_snapshot!(way_back(&[], &commit_id("4"), true, &links()), @r#"
    Brings main at [`4444444444`](https://github.com/o/r/commit/4444444444444444444444444444444444444444) back into integration. Outside charts integration gets what main has.

    No chart changed on main.

    **What happens next:** chartflow proves this by computing it again and merges it. Nobody has to do anything.

    ```mermaid
    flowchart LR
      m["main<br/>4444444444"]:::done
      i["integration<br/>this pull request"]:::here
      m --> i
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
    ```
    "#);
}
