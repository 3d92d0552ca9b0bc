//! Pull requests of the train that are open although nothing happens any more, and of which no stage said why: whoever
//! reads "released" would not look for them.

use super::summary::{PullRow, RefusedRow};
use super::world::World;

/// The rule.
const LEFT_OPEN: &str = "train/left-open";

/// Refuses each of them. A contribution is not the train's: why it is open is said where it is judged.
pub(super) fn refuse(world: &mut World) {
    let open: Vec<PullRow> = world
        .hub
        .pulls()
        .iter()
        .filter(|pull| pull.open && !world.contributions.contains(&pull.number))
        .map(|pull| super::output::pull_row(world, pull))
        .collect();
    for pull in open {
        let row = left_open(&pull, &world.refused);
        world.refused.extend(row);
    }
}

/// The refusal of an open pull request, unless its chart or the pull request itself is refused already.
fn left_open(pull: &PullRow, refused: &[RefusedRow]) -> Option<RefusedRow> {
    let told = |row: &RefusedRow| (pull.chart.is_some() && row.chart == pull.chart) || mentions(&row.message, pull.number);
    if refused.iter().any(told) {
        return None;
    }
    Some(RefusedRow {
        chart: pull.chart.clone(),
        stage: pull.stage.to_owned(),
        rule: LEFT_OPEN.to_owned(),
        message: format!("pull request {} from {} into {} is left open, and no stage says why", pull.number, pull.head, pull.base),
        hint: "look at its checks, its conflicts and the rules of the branch it goes into; close it to have it made anew".to_owned(),
        ..RefusedRow::default()
    })
}

/// Whether a text speaks of a pull request by its number.
fn mentions(text: &str, number: u64) -> bool {
    let name = format!("pull request {number}");
    text.match_indices(&name).any(|(at, _)| text.get(at + name.len()..).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(chart: Option<&str>, message: &str) -> RefusedRow {
        RefusedRow { chart: chart.map(str::to_owned), stage: "bump".to_owned(), rule: "x/y".to_owned(), message: message.to_owned(), ..RefusedRow::default() }
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let pull = |chart: Option<&str>| PullRow {
            number: 12,
            stage: "filter",
            chart: chart.map(str::to_owned),
            title: "Promote a".to_owned(),
            base: "integration-a".to_owned(),
            head: "chartflow-promote-a".to_owned(),
            state: "open",
            body: String::new(),
            author: "chartflow[bot]".to_owned(),
            approved: vec![],
            merged_by: None,
        };
        let row = left_open(&pull(Some("a")), &[refusal(Some("b"), "other"), refusal(None, "pull request 1 and pull request 123")]).unwrap();
        insta::assert_snapshot!(format!("{} {:?} {}: {}", row.stage, row.chart, row.rule, row.message), @r#"filter Some("a") train/left-open: pull request 12 from chartflow-promote-a into integration-a is left open, and no stage says why"#);
        assert!(left_open(&pull(Some("a")), &[refusal(Some("a"), "why")]).is_none());
        assert!(left_open(&pull(None), &[refusal(None, "pull request 12 cannot be merged")]).is_none());
        assert!(left_open(&pull(None), &[refusal(None, "another")]).is_some());
    }
}
