//! The workflow files that users get, run by a real workflow runner (nektos/act) against the embedded GitHub.
//!
//! What act is given in place of the world: a job image, the repository of the actions as a release has it (`action.yml`
//! names the published image), and the embedded GitHub's address. `scripts/test` builds the images and names them in
//! CHARTFLOW_IMAGE and CHARTFLOW_JOB_IMAGE.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod needs_act {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::{Mutex, PoisonError};

    use chartflow_core::domain::event::StageName;
    use chartflow_core::domain::ruleset::Mode;
    use chartflow_tests::container::image;
    use chartflow_tests::identities::APP;
    use chartflow_tests::yard::{CONTRIBUTOR, Due, REPOSITORY, SERVER, Yard, git};

    /// The repository of the actions as a release has it.
    fn released_actions(folder: &Path) -> PathBuf {
        let top = folder.join("released");
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../actions")).unwrap() {
            let action = entry.unwrap();
            let text = fs::read_to_string(action.path().join("action.yml")).unwrap();
            let pinned = text.replace("image: ../../Dockerfile", &format!("image: docker://{}", image()));
            assert_ne!(pinned, text);
            let to = top.join("actions").join(action.file_name());
            fs::create_dir_all(&to).unwrap();
            fs::write(to.join("action.yml"), pinned).unwrap();
        }
        top
    }

    /// A work tree of the commit whose workflow files an event reads.
    fn work_tree(yard: &Yard, due: &Due, to: &Path) {
        let commit = due.started.workflow_commit.clone().unwrap();
        let source = yard.hub.git_directory().to_str().unwrap();
        git(to.parent().unwrap(), &["clone", "--quiet", "--no-checkout", source, to.to_str().unwrap()], b"");
        git(to, &["checkout", "--quiet", "--detach", commit.as_str()], b"");
        git(to, &["remote", "set-url", "origin", &format!("https://github.com/{REPOSITORY}.git")], b"");
        // Newer than act 0.2.89, which runs one job after the other in any case.
        let workflow = to.join(due.start.stage.workflow_path());
        let text = fs::read_to_string(&workflow).unwrap();
        fs::write(&workflow, text.replace("  queue: max\n", "")).unwrap();
    }

    fn act(yard: &Yard, due: &Due, number: usize, actions: &Path) {
        let stage = due.start.stage;
        let folder = yard.folder().join(format!("run-{number}"));
        fs::create_dir(&folder).unwrap();
        let (tree, event) = (folder.join("tree"), folder.join("event.json"));
        work_tree(yard, due, &tree);
        fs::write(&event, yard.document(&due.started.event).to_string()).unwrap();
        let given = yard.given(stage);
        let job_image = std::env::var("CHARTFLOW_JOB_IMAGE").expect("CHARTFLOW_JOB_IMAGE names the image that jobs run in");
        let mut command = Command::new("act");
        command.current_dir(&tree).args([due.started.event.name(), "--workflows", stage.workflow_path(), "--eventpath"]).arg(&event);
        command.args(["--platform", &format!("ubuntu-latest={job_image}"), "--pull=false", "--rm", "--no-recurse", "--actor", CONTRIBUTOR]);
        command.arg("--local-repository").arg(format!("chartflow/chartflow@v1={}", actions.display()));
        for (name, value) in given.secrets {
            // Without a value it is taken from the environment.
            command.args(["--secret", name]).env(name, value);
        }
        for (name, value) in given.variables {
            command.args(["--var", &format!("{name}={value}")]);
        }
        for (name, value) in
            [("GITHUB_API_URL", yard.url().as_str()), ("GITHUB_SERVER_URL", SERVER), ("GITHUB_REPOSITORY", REPOSITORY), ("GITHUB_REPOSITORY_ID", "1001")]
        {
            command.args(["--env", &format!("{name}={value}")]);
        }
        // What it remembers of the user stays out.
        command.env("XDG_CACHE_HOME", folder.join("cache")).env("XDG_CONFIG_HOME", folder.join("config"));
        let output = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{stage} ended with {}:\n{said}", output.status);
    }

    /// act names its containers after the workflow and the job.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    fn carries_a_contribution(mode: Mode) {
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let yard = Yard::working_as(mode, "");
        let actions = released_actions(&yard.folder());
        yard.contribute();
        let (mut ran, mut number) = (BTreeSet::new(), 0);
        yard.settle(&mut |due| {
            number += 1;
            act(&yard, due, number, &actions);
            ran.insert(due.start.stage);
        });
        assert_eq!(ran.len(), StageName::ALL.len() - 1, "{ran:?}");
        let released = yard.released();
        assert_eq!(released.iter().map(|one| one.chart.as_str()).collect::<Vec<_>>(), ["cache", "ticker"]);
        for one in &released {
            yard.verified(&one.chart, &one.version);
        }
        assert_eq!(yard.rehearsed().1, released, "a rehearsal of the same contribution");
    }

    #[test]
    #[ignore = "runs act"]
    fn the_workflow_files_carry_a_contribution_to_a_release() {
        carries_a_contribution(Mode::App { id: APP });
    }

    #[test]
    #[ignore = "runs act"]
    fn so_do_those_that_work_with_their_own_token_alone() {
        carries_a_contribution(Mode::WorkflowToken);
    }
}
