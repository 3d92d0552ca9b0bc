//! The declarations themselves.

use super::{Declaration, Input, Kind, Output, Verb};
use crate::domain::event::{Job, StageName, jobs};

const fn input(name: &'static str, kind: Kind, description: &'static str) -> Input {
    Input { name, description, required: false, default: "", kind }
}

const TOKEN: Input = Input {
    name: "token",
    description: "The token the action works with. Beside an App it only identifies the run, reads the event's repository and writes to the container registry.",
    required: false,
    default: "${{ github.token }}",
    kind: Kind::Secret,
};
const APP_ID: Input = input("app-id", Kind::Number, "The number of the GitHub App that the train works as. Without one, `token` is used for everything.");
const PRIVATE_KEY: Input =
    input("private-key", Kind::Secret, "The App's private key in PEM. An installation token that may do what this stage needs, and no more, is made from it.");
const SIGNING_KEY: Input = input(
    "signing-key",
    Kind::Secret,
    "The key that signs statements in profile `key`: ECDSA P-256, PKCS#8 in PEM. Without one, the run's own identity signs, for which its job needs `id-token: write`.",
);
const SIGNS_NOTHING: Input = input("signing-key", Kind::Secret, "Accepted like everywhere, and without effect: this action signs nothing.");
const WRITES_NOTHING: Input = Input { description: "Accepted like everywhere, and without effect: this action writes nothing in any case.", ..DRY_RUN };
const TRUSTED_KEYS: Input = input(
    "trusted-keys",
    Kind::Text,
    "Public keys in PEM. In profile `key` their statements count beside those of `signing-key`, such as the key before a change of keys. Where runs sign by their identity, they may sign outside checks that have no `max-age`, for checks that run elsewhere.",
);
const DRY_RUN: Input = Input {
    name: "dry-run",
    description: "Whether to only plan: everything is read and decided, nothing is written, and the output `plan` says what would have been.",
    required: false,
    default: "false",
    kind: Kind::Boolean,
};
const REGISTRY: Input = input(
    "registry",
    Kind::Text,
    "The OCI repository below which charts are pushed, such as `ghcr.io/acme/charts`. Without one, what `registry` in `.chartflow.yaml` says.",
);
const REGISTRY_USERNAME: Input = input("registry-username", Kind::Text, "The account at the registry. Without one, who started the run.");
const REGISTRY_PASSWORD: Input =
    input("registry-password", Kind::Secret, "The password or token of that account. Without one, `token`, which is what ghcr.io wants.");
const JOB: Input = input(
    "job",
    Kind::Choice(&["check", "sign"]),
    "Which half to do: `check` runs helm on contributed content and needs no more than `contents: read`; `sign` decides and signs by what `check` found. Without it, both at once.",
);
const CHECKS: Input = input("checks", Kind::Json, "The output `checks` of the job `check`. With `job: sign` it is mandatory.");

const RESULT: Output =
    Output { name: "result", description: "How it ended: `done`, `nothing to do`, `waiting`, or `refused` (the step fails then).", example: "done" };
const CHARTS: Output = Output {
    name: "charts",
    description: "What was decided for each chart, and why: a JSON list. Entries about the repository have no `chart`.",
    example: r#"[{"stage":"tag","chart":"web","outcome":"done","message":"tagged web-v1.3.0","attestations":[{"id":"sha256:9f2c…","url":"https://github.com/…"}]}]"#,
};
const PLAN: Output = Output {
    name: "plan",
    description: "What was written, or with `dry-run` would have been, in order: a JSON object with the list `steps`. `complete` is false where a dry run could not see further.",
    example: r#"{"dryRun":true,"complete":true,"steps":[{"does":"create a ref","method":"POST","target":"git/refs","detail":"refs/tags/web-v1.3.0"}]}"#,
};
const ATTESTATION_ID: Output = Output {
    name: "attestation-id",
    description: "The newest statement that was signed: GitHub's number where it was posted there, else `sha256:` and the digest of its payload. Empty where nothing was signed; `charts` has all of them.",
    example: "sha256:4c9d0f3e…",
};
const ATTESTATION_URL: Output = Output {
    name: "attestation-url",
    description: "Where that statement can be read.",
    example: "https://github.com/acme/charts/blob/0f1e2d…/trees/ab/cdef….jsonl",
};
const NO_PLAN: Output = Output {
    name: "plan",
    description: "Like everywhere; `steps` is always empty, because this action writes nothing.",
    example: r#"{"dryRun":false,"complete":true,"steps":[]}"#,
};
const NO_ATTESTATION_ID: Output = Output { description: "Like everywhere, and always empty: this action signs nothing.", example: "", ..ATTESTATION_ID };
const NO_ATTESTATION_URL: Output = Output { description: "Always empty, too.", example: "", ..ATTESTATION_URL };
const CHECKS_OUTPUT: Output = Output {
    name: "checks",
    description: "With `job: check`: what helm said, by the SHA-256 tree id of the files it was given. For the input `checks` of the job `sign`.",
    example: r#"{"helm":"v4.0.1","results":{"7d1f…":{"chart":"web","success":true,"text":""}}}"#,
};

fn stage(stage: StageName) -> Declaration {
    let checked = jobs(stage).contains(&Job::Check);
    let mut inputs = vec![TOKEN, APP_ID, PRIVATE_KEY, SIGNING_KEY, TRUSTED_KEYS, DRY_RUN, REGISTRY];
    if matches!(stage, StageName::Publish | StageName::Reconcile) {
        inputs.extend([REGISTRY_USERNAME, REGISTRY_PASSWORD]);
    }
    if checked {
        inputs.extend([JOB, CHECKS]);
    }
    let mut outputs = vec![RESULT, CHARTS, PLAN, ATTESTATION_ID, ATTESTATION_URL];
    if checked {
        outputs.push(CHECKS_OUTPUT);
    }
    let (summary, about, icon) = words(stage);
    Declaration { verb: Verb::Stage(stage), summary, about, icon, helm: checked, inputs, outputs }
}

const fn words(stage: StageName) -> (&'static str, &'static str, &'static str) {
    match stage {
        StageName::Validate => (
            "Checks a contribution to integration, chart by chart, and says the result on its pull request.",
            "Stage 1. Reads the pull request's charts as data, through the API; nothing of theirs is checked out or run but templates, by helm, in a job that holds no secret. The result is the commit status `chartflow/validate`, the description of the pull request, and for each chart that passes a signed statement about its exact content.",
            "check-circle",
        ),
        StageName::Filter => (
            "Promotes each chart that is due to a branch and pull request of its own.",
            "Stage 2. Compares integration with what has been carried already; signs what checks the exact content still lacks, and the promotion; makes `integration-<chart>` from main and opens the pull request that carries this chart alone. What integration has overtaken or reverted is withdrawn.",
            "filter",
        ),
        StageName::Enforce => (
            "Proves that a pull request to a chart's branch carries exactly that chart, and merges it.",
            "Stage 3. The whole tree is compared: main's at some commit, with this chart replaced by integration's content or by the re-derived version, and nothing else. The pull request is merged, closed with the reason, or waits.",
            "shield",
        ),
        StageName::Format => (
            "Opens or refreshes the pull request that brings a chart to main.",
            "Stage 4. Draws what is carried: before and after, commits, lineage, attestations. It is a view, rewritten from signed statements; text that people write around it stays.",
            "edit-3",
        ),
        StageName::Bump => (
            "Derives a chart's version, brings it in, and is main's gate.",
            "Stage 5. Verifies the lineage so far, derives the version from the commits, and brings Chart.yaml and CHANGELOG.md in by a pull request to the chart's branch. Its status `chartflow/main` is on every pull request to main; it turns red when integration moves on.",
            "trending-up",
        ),
        StageName::Tag => (
            "Tags each version on main that has a complete lineage, and brings main back to integration.",
            "Stage 6. The tag is annotated and immutable, and its message carries the digest of the release gate. The way back is computed chart by chart, not merged as text. Packaging is started.",
            "tag",
        ),
        StageName::Package => (
            "Builds the package of each new tag and brings it to the release branch with its lineage.",
            "Stage 7. The package is reproducible: whoever builds the tag again gets the same bytes. Package, index entry and lineage come in one pull request, whose status `chartflow/release` this action posts, and which it merges.",
            "package",
        ),
        StageName::Publish => (
            "Pushes packages to the registry, publishes the GitHub Release, and verifies both as a stranger.",
            "Stage 8. Pushes chart and referrers, publishes the release once every file is up, then downloads what it has published and verifies it with no other knowledge than the policy.",
            "send",
        ),
        StageName::Reconcile => (
            "Runs every stage over every chart: finds again what a lost event or a crash has left.",
            "Runs on a schedule and by hand. Events are only hints: whatever one of them did not bring about is found by comparing what is with what should be, and finished.",
            "refresh-cw",
        ),
    }
}

fn detect() -> Declaration {
    Declaration {
        verb: Verb::Detect,
        summary: "Lists the charts that a pull request or push changes, as a finished matrix.",
        about: "Compares directory trees, not lists of changed files, so it has no limit of 300 files and sees renames, removals and dependents. Nothing has to be checked out.",
        icon: "search",
        helm: false,
        inputs: vec![
            Input { description: "The token the action reads with, where there is no App.", ..TOKEN },
            APP_ID,
            Input { description: "The App's private key in PEM. An installation token that may read contents, and no more, is made from it.", ..PRIVATE_KEY },
            SIGNS_NOTHING,
            WRITES_NOTHING,
            input(
                "base",
                Kind::Text,
                "The branch, tag or commit to compare with. Without one, what the event says: a pull request's base, what a push moved from, else main.",
            ),
            input("head", Kind::Text, "The branch, tag or commit whose changes to list. Without one, a pull request's head, else the commit of the run."),
            Input {
                default: "false",
                ..input("exact", Kind::Boolean, "Whether to compare the two commits themselves instead of their merge base with `head`.")
            },
            Input { default: "false", ..input("dependents", Kind::Boolean, "Whether to list charts too that use a changed one through `file://`.") },
        ],
        outputs: vec![
            Output {
                name: "matrix",
                description: "For `strategy.matrix`: the charts that are there, removed ones left out.",
                example: r#"{"include":[{"chart":"web","path":"charts/web"}]}"#,
            },
            Output {
                name: "count",
                description: "The number of entries in `matrix`. A matrix of none fails a job, so ask for `count != '0'` first.",
                example: "1",
            },
            Output {
                name: "charts",
                description: "Every change: `added`, `modified`, `removed`, `renamed` or `dependent`.",
                example: r#"[{"chart":"web","path":"charts/web","change":"modified"}]"#,
            },
            Output { name: "result", description: "`done`, or `nothing to do` where no chart differs.", example: "done" },
            NO_PLAN,
            NO_ATTESTATION_ID,
            NO_ATTESTATION_URL,
        ],
    }
}

fn attest() -> Declaration {
    let required = |name, kind, description| Input { required: true, ..input(name, kind, description) };
    Declaration {
        verb: Verb::Attest,
        summary: "Records what a check of your own found on a chart's content, so that the train can demand it.",
        about: "For scanners, tests in a cluster, or whatever else decides about a chart. Name the check in `.chartflow.yaml` below `checks.outside`; this action signs the result for the exact content it was found on. What the statement is about is computed from the commit: nobody hands in a digest of it.",
        icon: "award",
        helm: false,
        inputs: vec![
            required("check", Kind::Text, "The key of the check in `checks.outside` of `.chartflow.yaml`."),
            required("result", Kind::Choice(&["passed", "warned", "failed"]), "How the check ended."),
            required("path", Kind::Text, "The chart's directory, from the top of the repository."),
            input("commit", Kind::Text, "The commit whose content was checked. Without one, a pull request's head, else the commit of the run."),
            input("definitions", Kind::Json, "What the check ran by, a SHA-256 for each name, such as its program and rules."),
            TOKEN,
            APP_ID,
            PRIVATE_KEY,
            SIGNING_KEY,
            TRUSTED_KEYS,
            DRY_RUN,
        ],
        outputs: vec![RESULT, CHARTS, PLAN, ATTESTATION_ID, ATTESTATION_URL],
    }
}

fn verify() -> Declaration {
    let required = |name, kind, description| Input { required: true, ..input(name, kind, description) };
    Declaration {
        verb: Verb::Verify,
        summary: "Verifies a package against its lineage and your policy.",
        about: "Nothing is fetched: the package and its lineage lie in the workspace, and whom to trust is yours to say, with `trust` or `repository`. What a package says of its own origin is never a reason to trust it.",
        icon: "lock",
        helm: false,
        inputs: vec![
            required("artifact", Kind::Text, "The package, from the top of the workspace."),
            input("lineage", Kind::Text, "Its lineage. Without one, the package's name with `.lineage.jsonl` in place of `.tgz`."),
            input("trust", Kind::Text, "The folder with `policy.yaml` or `policy.json`. Either this or `repository` is mandatory."),
            input("repository", Kind::Text, "A public repository on github.com whose charts you trust, as `OWNER/NAME`."),
            input("token", Kind::Secret, "Accepted like everywhere, and without effect: this action asks nothing of GitHub."),
            input("app-id", Kind::Number, "Without effect, too."),
            input("private-key", Kind::Secret, "Without effect, too."),
            SIGNS_NOTHING,
            WRITES_NOTHING,
        ],
        outputs: vec![
            Output { name: "result", description: "`verified` or `refused` (the step fails then).", example: "verified" },
            Output { name: "chart", description: "The chart's name.", example: "web" },
            Output { name: "version", description: "Its version.", example: "1.3.0" },
            Output {
                name: "report",
                description: "The chain link by link, or why it was refused: a JSON document.",
                example: r#"{"result":"verified","chart":"web","version":"1.3.0","chain":[…],"refused":[]}"#,
            },
            Output {
                name: "charts",
                description: "The same in short, like everywhere: a JSON list of one entry.",
                example: r#"[{"chart":"web","version":"1.3.0","outcome":"verified"}]"#,
            },
            NO_PLAN,
            NO_ATTESTATION_ID,
            NO_ATTESTATION_URL,
        ],
    }
}

fn rulesets() -> Declaration {
    Declaration {
        verb: Verb::Rulesets,
        summary: "Compares the branch and tag rules of the repository with those the train needs, or brings them there.",
        about: "Rulesets whose names do not begin with `chartflow: ` are left alone. To see everything and to change anything the token needs the repository permission Administration, which a workflow's own token never has: use an App that was given it, or a fine-grained token.",
        icon: "sliders",
        helm: false,
        inputs: vec![
            Input { description: "The token the action works with, where there is no `private-key`.", ..TOKEN },
            input(
                "app-id",
                Kind::Number,
                "The number of the GitHub App that the train works as: the rules are made for it. Without one, they are made for the workflow's own token.",
            ),
            input(
                "private-key",
                Kind::Secret,
                "The App's private key in PEM. With it the action works as the App: it reads, and with `mode: apply` the App needs the permission Administration. Without it, `token` is used.",
            ),
            SIGNS_NOTHING,
            Input {
                description: "Whether to only plan: with `mode: apply` nothing is written, and the output `plan` says what would have been; the step does not fail where something differs.",
                ..DRY_RUN
            },
            Input {
                default: "plan",
                ..input("mode", Kind::Choice(&["plan", "apply"]), "`plan` reports what differs and fails the step where something does; `apply` mends it.")
            },
        ],
        outputs: vec![
            Output {
                name: "result",
                description: "`done`, `nothing to do`, or with `mode: plan` `refused` where something differs (the step fails then).",
                example: "nothing to do",
            },
            Output { name: "drift", description: "Whether something differs, or with `apply` differed.", example: "false" },
            Output {
                name: "plan",
                description: "Each ruleset and what is, or was, to be done about it: a JSON list.",
                example: r#"[{"name":"chartflow: main","change":"none"}]"#,
            },
            Output { name: "charts", description: "Like everywhere, and always an empty list: rules are about no chart.", example: "[]" },
            NO_ATTESTATION_ID,
            NO_ATTESTATION_URL,
        ],
    }
}

pub(super) fn declaration(verb: Verb) -> Declaration {
    match verb {
        Verb::Stage(name) => stage(name),
        Verb::Detect => detect(),
        Verb::Attest => attest(),
        Verb::Verify => verify(),
        Verb::Rulesets => rulesets(),
    }
}
