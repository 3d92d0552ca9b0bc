mod back;
mod contribution;

use semver::Version;

use super::*;
use crate::domain::commit::Author;
use crate::domain::commit::range::Counted;
use crate::domain::digest::{CommitId, Sha256};
use crate::domain::markdown::Links;
use crate::domain::names::ChartName;
use crate::domain::pull::AttestationId;
use crate::domain::version::Level;

fn links() -> Links {
    Links::new("https://github.com", "o/r".parse().unwrap())
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn redis() -> ChartName {
    "redis".parse().unwrap()
}

fn commit_id(digit: &str) -> CommitId {
    CommitId::new(digit.repeat(40)).unwrap()
}

fn state(text: &str, digit: &str) -> State {
    State { version: Some(version(text)), content: TreeId::new(digit.repeat(40)).unwrap() }
}

fn person(name: &str, email: &str) -> Author {
    Author { name: name.to_owned(), email: email.to_owned() }
}

fn counted(digit: &str, message: &str, pull: Option<u64>) -> Counted {
    Counted { id: commit_id(digit), author: person("Ann", "ann@example.com"), committed: 0, message: message.to_owned(), pull }
}

fn check_line(key: &str, state: CheckState, message: Option<&str>, attestation: Option<AttestationId>) -> CheckLine {
    let url = attestation.map(|id| format!("https://github.com/o/r/attestations/{id}"));
    CheckLine { key: key.to_owned(), state, message: message.map(str::to_owned), attestation, url }
}

fn lineage(at: Place, step: Place) -> Lineage {
    let branch = "integration-redis".parse().unwrap();
    Lineage { pulls: vec![12, 14], source: Some(commit_id("1")), branch, version: None, tag: None, at, step: Some(step), unreleased: false }
}

fn carried() -> Carried {
    Carried {
        chart: redis(),
        before: Some(state("1.2.3", "a")),
        after: Some(state("1.2.3", "b")),
        decision: None,
        commits: vec![counted("2", "feat: a switch (#12)\n\nbody", Some(12)), counted("3", "thanks @everyone <!-- --> | `x`", None)],
        checks: vec![
            check_line("validate/helm-lint", CheckState::Passed, None, Some(AttestationId::Number(7))),
            check_line("validate/scan|<b>", CheckState::Failed, Some("found\n# two"), Some(AttestationId::Payload(Sha256::of(b"")))),
        ],
        lineage: lineage(Place::Integration, Place::Promoted),
        notices: Vec::new(),
    }
}

#[test]
fn the_promotion() {
    insta::assert_snapshot!(promotion(&carried(), &commit_id("1"), &"integration-redis".parse().unwrap(), &links()), @r#"
    Carries `redis` as it is on integration at [`1111111111`](https://github.com/o/r/commit/1111111111111111111111111111111111111111), and nothing else, to `integration-redis`.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.2.3` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |

    **What happens next:** `enforce` proves that the content is integration's and merges this, or closes it and says why. Nobody has to do anything.

    - [x] validate/helm-lint passed · [`7`](https://github.com/o/r/attestations/7)
    - [ ] validate/scan\|&lt;b&gt; **failed**: found # two · [`sha256:e3b0c44298`](https://github.com/o/r/attestations/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855)

    ```mermaid
    flowchart LR
      p0["contribution<br/>#35;12, #35;14"]:::done
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

    - [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222) feat: a switch (Ann, [#12](https://github.com/o/r/pull/12))
    - [`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333) thanks @&#8203;everyone &lt;!-- --&gt; \| \`x\` (Ann)
    "#);
    let removal = Carried { after: None, checks: Vec::new(), commits: Vec::new(), ..carried() };
    let text = promotion(&removal, &commit_id("1"), &"integration-redis".parse().unwrap(), &links());
    insta::assert_snapshot!(text.split("\n\n**What").next().unwrap(), @"
    Carries the removal of `redis` from integration at [`1111111111`](https://github.com/o/r/commit/1111111111111111111111111111111111111111), and nothing else, to `integration-redis`.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | removed |
    | content | `aaaaaaaaaa` | removed |
    ");
}

#[test]
fn the_promotion_with_its_gate() {
    let gate = check_line("enforce/gate", CheckState::Passed, None, Some(AttestationId::Number(8)));
    let text = promotion(&Carried { checks: vec![gate], ..carried() }, &commit_id("1"), &"integration-redis".parse().unwrap(), &links());
    insta::assert_snapshot!(text.lines().find(|line| line.starts_with("**What")).unwrap(), @"**What happens next:** `enforce` has proved that the content is integration's, and merges this. The pull request to main follows by itself.");
}

#[test]
fn the_way_of_what_has_no_version_ends_on_main() {
    insta::assert_snapshot!(Lineage { unreleased: true, ..lineage(Place::Bumped, Place::Main) }.mermaid(&redis()), @r#"
    ```mermaid
    flowchart LR
      p0["contribution<br/>#35;12, #35;14"]:::done
      p1["integration<br/>1111111111"]:::done
      p2["integration-redis<br/>promoted"]:::done
      p3["main<br/>this pull request"]:::here
      p0 --> p1 --> p2 --> p3
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
    ```
    "#);
    insta::assert_snapshot!(Lineage { step: None, ..lineage(Place::Main, Place::Main) }.mermaid(&redis()), @r#"
    ```mermaid
    flowchart LR
      p0["contribution<br/>#35;12, #35;14"]:::done
      p1["integration<br/>1111111111"]:::done
      p2["integration-redis<br/>promoted"]:::done
      p3["integration-redis<br/>version"]:::done
      p4["main"]:::here
      p5["tag"]:::ahead
      p6["release<br/>redis"]:::ahead
      p0 --> p1 --> p2 --> p3 --> p4 --> p5 --> p6
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
      classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e
    ```
    "#);
}

/// Everything before the checklist.
fn beginning(text: &str) -> String {
    text.split("\n\n- [").next().unwrap().to_owned()
}

fn bumped() -> Carried {
    Carried {
        after: Some(state("1.3.0", "c")),
        decision: Some((Level::Minor, "it follows 1.2.3 by the commits".to_owned())),
        lineage: Lineage { version: Some(version("1.3.0")), ..lineage(Place::Promoted, Place::Bumped) },
        ..carried()
    }
}

#[test]
fn the_bump() {
    insta::assert_snapshot!(beginning(&bump(&bumped(), &"integration-redis".parse().unwrap(), &links())), @"
    Brings the version and the changelog of `redis` to `integration-redis`, both derived from the commits below.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `cccccccccc` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** `enforce` derives both again and merges this when they are the same. Nobody has to do anything.
    ");
}

#[test]
fn the_pull_request_to_main() {
    let noted = Carried { notices: vec!["main was changed by hand at <x>".to_owned(), "two".to_owned()], ..bumped() };
    insta::assert_snapshot!(beginning(&to_main(&noted, "hold", &links())), @"
    Releases `redis` 1.3.0.

    > main was changed by hand at &lt;x&gt;
    >
    > two

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `cccccccccc` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** Review and merge (squash). The tag, the package, the release and the way back to integration follow by themselves. Newer content on integration refreshes this pull request and dismisses the approval; the label `hold` keeps it as it is.
    ");
    let first_lines = |carried: Carried| {
        let text = to_main(&carried, "hold", &links());
        let next = text.lines().find(|line| line.starts_with("**What")).unwrap().to_owned();
        format!("{}\n{next}", text.lines().next().unwrap())
    };
    insta::assert_snapshot!(first_lines(carried()), @"
    Brings `redis` to main.
    **What happens next:** Wait: the version and the changelog are still to come, and the status `chartflow/main` is not green until then.
    ");
    insta::assert_snapshot!(first_lines(Carried { decision: Some((Level::None, String::new())), ..carried() }), @"
    Brings `redis` to main. Nothing that is packaged changes.
    **What happens next:** Review and merge. There is no version and no tag.
    ");
    insta::assert_snapshot!(first_lines(Carried { after: None, ..carried() }), @"
    Removes `redis` from main. What was published stays.
    **What happens next:** Review and merge. There is no version and no tag.
    ");
}

#[test]
fn the_publication() {
    let published = Published {
        chart: redis(),
        version: version("1.3.0"),
        tag: "redis-v1.3.0".parse().unwrap(),
        newest: Some(version("1.2.3")),
        added: vec!["charts/redis-1.3.0.tgz".to_owned(), "charts/redis-1.3.0.lineage.jsonl".to_owned()],
        file: "redis-1.3.0.tgz".to_owned(),
        package: Sha256::of(b""),
        image: Some(("ghcr.io/o/charts/redis:1.3.0".to_owned(), Sha256::of(b"m"))),
        attestations: 9,
        commits: Vec::new(),
        checks: Vec::new(),
        lineage: Lineage { version: Some(version("1.3.0")), tag: Some("redis-v1.3.0".parse().unwrap()), ..lineage(Place::Tag, Place::Release) },
    };
    let text = publication(&published, &links());
    insta::assert_snapshot!(text.split("\n\n```").next().unwrap(), @"
    Publishes `redis` 1.3.0: the package, its entry in the index and its lineage, in one commit.

    | | before | after |
    |---|---|---|
    | newest in the index | `1.2.3` | `1.3.0` |
    | `charts/redis-1.3.0.tgz` | – | new |
    | `charts/redis-1.3.0.lineage.jsonl` | – | new |
    | `index.yaml` | | one version more |

    **What happens next:** `package` has verified the lineage and merges this. `publish` then pushes to the registry, publishes the release and checks what it published as a stranger would.

    | | |
    |---|---|
    | tag | [`redis-v1.3.0`](https://github.com/o/r/releases/tag/redis-v1.3.0) |
    | package | `redis-1.3.0.tgz` |
    | sha256 | `e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855` |
    | OCI | `ghcr.io/o/charts/redis:1.3.0` |
    | manifest | `sha256:62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a` |
    | lineage | 9 attestations |
    ");
    let beginning = |published: &Published| publication(published, &links()).split("\n\n**What").next().unwrap().to_owned();
    insta::assert_snapshot!(beginning(&Published { newest: None, added: Vec::new(), ..published.clone() }), @"
    Publishes `redis` 1.3.0: its entry in the index; package and lineage are files of the GitHub Release.

    | | before | after |
    |---|---|---|
    | newest in the index | – | `1.3.0` |
    | `index.yaml` | | one version more |
    ");
    let later = Published { newest: Some(version("2.0.0")), ..published };
    insta::assert_snapshot!(beginning(&later).lines().find(|line| line.starts_with("| newest")).unwrap(), @"| newest in the index | `2.0.0` | `2.0.0` |");
}

#[test]
fn a_refusal() {
    insta::assert_snapshot!(refusal("enforce/content", "the branch holds `charts/b` too", "push <nothing> here"), @r"
    **Refused** (enforce/content): the branch holds \`charts/b\` too

    What to do: push &lt;nothing&gt; here
    ");
}
