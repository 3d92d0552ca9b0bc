//! The way back: main's content returns to integration, computed and not merged (stage 6).
//!
//! A textual merge conflicts wherever a contribution touched a line beside `version`, and silently restores what
//! integration had reverted. So it is computed per chart: where integration is still at the source that main's content
//! was carried from, main's content; where integration moved on, integration's content with the bump's edits replayed.

use serde::Serialize;

use super::Place;
use crate::domain::names::ChartName;

/// What is known of one chart that differs between main and integration, or that main changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The chart.
    pub chart: ChartName,
    /// On integration.
    pub integration: Option<Place>,
    /// On main.
    pub main: Option<Place>,
    /// At the merge base: what main held when it last came back.
    pub returned: Option<Place>,
    /// Whether one of the two has no chart of this name any more, whatever is left of its directory.
    pub removed: bool,
    /// What main's content was carried from, when signed statements say so; `Some(None)` when they carried a removal.
    pub carried: Option<Option<Place>>,
}

/// What becomes of one chart on integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Integration's content stays.
    Keep,
    /// Main's content comes.
    Take,
    /// Integration's content stays and the bump's edits are replayed in it.
    Replay,
    /// A person has to merge the two: main's content came past the train and integration moved on as well.
    Conflict,
}

/// Decides about one chart.
#[must_use]
pub fn plan(facts: &Facts) -> Outcome {
    if facts.main == facts.returned || facts.integration == facts.main {
        return Outcome::Keep;
    }
    match &facts.carried {
        Some(source) if *source == facts.integration => Outcome::Take,
        // A release that removed the chart has no edits to replay; what integration has by now is a re-addition. And where
        // integration has removed it, there is nothing to replay them in.
        Some(_) if facts.removed => Outcome::Keep,
        Some(_) => Outcome::Replay,
        // Main's content came past the train.
        None if facts.integration == facts.returned => Outcome::Take,
        None => Outcome::Conflict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::TreeId;

    fn place(content: char) -> Option<Place> {
        (content != '-').then(|| Place { path: "charts/a".parse().unwrap(), tree: TreeId::new(content.to_string().repeat(40)).unwrap() })
    }

    /// One character a content; `-` is absent, and a digit is what is left of a removed chart's directory.
    fn check(integration: char, main: char, returned: char, carried: Option<char>, expected: Outcome) {
        let removed = |content: char| content == '-' || content.is_ascii_digit();
        let facts = Facts {
            chart: "a".parse().unwrap(),
            integration: place(integration),
            main: place(main),
            returned: place(returned),
            removed: removed(integration) || removed(main),
            carried: carried.map(place),
        };
        assert_eq!(plan(&facts), expected, "{integration}{main}{returned} {carried:?}");
    }

    #[test]
    fn per_chart() {
        check('b', 'a', 'a', None, Outcome::Keep);
        check('b', 'c', 'a', Some('b'), Outcome::Take);
        check('d', 'c', 'a', Some('b'), Outcome::Replay);
        // Reverted on integration while its release was on the way: the revert stays, the version comes.
        check('a', 'c', 'a', Some('b'), Outcome::Replay);
        check('c', 'c', 'a', Some('b'), Outcome::Keep);
        check('-', '-', 'a', Some('-'), Outcome::Keep);
        check('d', '-', 'a', Some('-'), Outcome::Keep);
        check('-', 'c', 'a', Some('b'), Outcome::Keep);
        check('1', 'c', 'a', Some('b'), Outcome::Keep);
        check('d', '1', 'a', Some('1'), Outcome::Keep);
        check('1', '1', 'a', Some('1'), Outcome::Keep);
    }

    #[test]
    fn past_the_train() {
        check('a', 'e', 'a', None, Outcome::Take);
        check('b', 'e', 'a', None, Outcome::Conflict);
        check('-', 'e', '-', None, Outcome::Take);
    }
}
