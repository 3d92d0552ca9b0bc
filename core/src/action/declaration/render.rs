//! `action.yml` and README.md, as the declarations say.

use std::fmt::Write as _;

use super::{Declaration, Input, Kind};

/// A text as a double-quoted YAML scalar, which is JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The colour of all actions.
const COLOR: &str = "blue";

/// The file `action.yml` of an action. The image is built from the repository's one Dockerfile; a release names the
/// published image by its digest instead.
#[must_use]
pub fn action_yml(declaration: &Declaration) -> String {
    let verb = declaration.verb.as_str();
    let mut text = format!(
        "# Written from core/src/action/declaration; a test compares them.\nname: {}\ndescription: {}\nauthor: The chartflow authors\nbranding:\n  icon: {}\n  color: {COLOR}\ninputs:\n",
        quoted(&format!("chartflow {verb}")),
        quoted(&plain(declaration.summary)),
        declaration.icon,
    );
    // Writing to a String cannot fail.
    for input in &declaration.inputs {
        let _ = writeln!(text, "  {}:\n    description: {}\n    required: {}", input.name, quoted(&plain(&described(input))), input.required);
        if !input.default.is_empty() {
            let _ = writeln!(text, "    default: {}", quoted(input.default));
        }
    }
    text.push_str("outputs:\n");
    for output in &declaration.outputs {
        let description = format!("{} Example: {}", output.description, output.example);
        let _ = writeln!(text, "  {}:\n    description: {}", output.name, quoted(&plain(&description)));
    }
    let reason = "zizmor: ignore[unpinned-images] built from this very tree; a release names the image by its digest";
    let _ = write!(text, "runs:\n  using: docker\n  image: ../../Dockerfile # {reason}\n  entrypoint: /{verb}\n");
    text
}

/// A description without the marks of Markdown, for places that show plain text.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

fn described(input: &Input) -> String {
    match input.kind {
        Kind::Choice(words) => format!("{} One of {}.", input.description, words.join(", ")),
        _ => input.description.to_owned(),
    }
}

/// A cell of a table: one line, and no bar that would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The README.md of an action. `uses` is where it is found up to its name, such as `chartflow/chartflow/actions`.
#[must_use]
pub fn readme(declaration: &Declaration, uses: &str, version: &str) -> String {
    let verb = declaration.verb.as_str();
    let mut text =
        format!("<!-- Written from core/src/action/declaration; a test compares them. -->\n# {verb}\n\n{}\n\n{}\n\n", declaration.summary, declaration.about);
    let _ = write!(text, "```yaml\n    permissions:\n");
    for (permission, access) in declaration.verb.job_permissions() {
        let _ = writeln!(text, "      {}: {}", permission.workflow_key(), access.as_str());
    }
    let _ = write!(text, "    steps:\n      - uses: {uses}/{verb}@{version}\n");
    let with: Vec<&Input> = declaration.inputs.iter().filter(|input| input.required).collect();
    if !with.is_empty() {
        text.push_str("        with:\n");
        for input in with {
            let _ = writeln!(text, "          {}: …", input.name);
        }
    }
    text.push_str("```\n\n");
    let _ = writeln!(
        text,
        "With an App the job keeps of these only `id-token`, and `packages` where it is named; the App has the others. {}\n",
        if declaration.helm { "This image carries helm." } else { "This image holds one static program and nothing else." }
    );
    text.push_str("## Inputs\n\n| name | accepts | default | |\n|---|---|---|---|\n");
    for input in &declaration.inputs {
        let default = match (input.required, input.default) {
            (true, _) => "mandatory".to_owned(),
            (false, "") => String::new(),
            (false, default) => format!("`{default}`"),
        };
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", input.name, cell(&input.kind.accepted()), cell(&default), cell(input.description));
    }
    text.push_str("\n## Outputs\n\n| name | | example |\n|---|---|---|\n");
    for output in &declaration.outputs {
        let _ = writeln!(text, "| `{}` | {} | `{}` |", output.name, cell(output.description), cell(output.example));
    }
    text
}
