//! A description that people and chartflow write together.

use std::ops::Range;

use super::map::{self, AttestationMap};

/// GitHub refuses longer descriptions: "body is too long (maximum is 65536 characters)", answered with 422.
pub const BODY_LIMIT: usize = 65_536;

const BEGIN: &str = "<!-- chartflow:begin -->";
const END: &str = "<!-- chartflow:end -->";
/// Stands before the section where there is no map, because it alone is longer than a description may be: hundreds of
/// charts in one pull request. Nothing that a person shortens would help, so nothing is refused.
const WITHOUT_MAP: &str =
    "*The attestation map is left out: it is longer than a description on GitHub may be. The statements are under `refs/chartflow/attestations`.*";
const NOTICE: &str = "\n\n*Cut here: a description on GitHub holds at most 65,536 characters.*";

/// Why a description cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// What people wrote and the map fill it alone.
    #[error("the description holds {characters} characters besides chartflow's section, at most {limit} are allowed")]
    Full {
        /// Characters of people's text and the map.
        characters: usize,
        /// The limit.
        limit: usize,
    },
}

/// Where the first closed section stands, else the first that is not closed. Of that one only its beginning is ours.
fn find_section(description: &str) -> Option<Range<usize>> {
    let found = || {
        description.match_indices(BEGIN).filter_map(|(start, _)| {
            let inner = start + BEGIN.len();
            let rest = description.get(inner..)?;
            let end = rest.find(END).filter(|end| rest.find(BEGIN).is_none_or(|other| other > *end));
            Some(end.map_or((start..inner, false), |end| (start..inner + end + END.len(), true)))
        })
    };
    found().find(|(_, closed)| *closed).or_else(|| found().next()).map(|(range, _)| range)
}

/// The description with chartflow's section and map replaced, or added at the end; everything else is kept byte for byte.
///
/// Too long a section is cut at the end of a line and says so, and is left out where there is no room at all; what people
/// wrote and the map never are. A map that no description can hold is left out, and it is said.
///
/// # Errors
/// [`DescriptionError::Full`] when what people wrote leaves no room for the map.
///
/// ```
/// use chartflow_core::domain::pull::{AttestationMap, describe};
/// let map = AttestationMap::new();
/// let once = describe("Please merge.", "one", &map).unwrap();
/// let twice = describe(&once, "two", &map).unwrap();
/// assert!(twice.starts_with("Please merge.\n\n<!-- chartflow:begin -->\ntwo\n<!-- chartflow:end -->"));
/// assert_eq!(describe(&twice, "one", &map).unwrap(), once);
/// ```
pub fn describe(existing: &str, section: &str, map: &AttestationMap) -> Result<String, DescriptionError> {
    let section_at = find_section(existing);
    let map_at = map::find(existing, section_at.as_ref()).map(|(range, _)| range);
    let mut parts: Vec<(Range<usize>, bool)> = Vec::new();
    parts.extend(section_at.map(|range| (range, true)));
    parts.extend(map_at.map(|range| (range, false)));
    parts.sort_by_key(|(range, _)| range.start);

    let whole = map.comment();
    let oversized = whole.chars().count() > BODY_LIMIT;
    let comment = if oversized { String::new() } else { whole };
    let place = |block: &str| {
        let mut text = String::new();
        let mut at = 0;
        for (range, is_section) in &parts {
            text.push_str(existing.get(at..range.start).unwrap_or_default());
            text.push_str(if *is_section { block } else { &comment });
            at = range.end;
        }
        text.push_str(existing.get(at..).unwrap_or_default());
        for (own, is_section) in [(block, true), (comment.as_str(), false)] {
            if !own.is_empty() && !parts.iter().any(|(_, is)| *is == is_section) {
                let gap = if text.is_empty() { "" } else { "\n\n" };
                text.push_str(gap);
                text.push_str(own);
            }
        }
        text
    };

    // Our own texts hold no markers; a caller's mistake must not open or close a section.
    let section = section.trim().replace("<!-- chartflow:", "&lt;!-- chartflow:");
    let section = if oversized { format!("{WITHOUT_MAP}\n\n{section}") } else { section };
    let block = |section: &str| format!("{BEGIN}\n{section}\n{END}");
    if let Some(room) = BODY_LIMIT.checked_sub(place(&block("")).chars().count()) {
        return Ok(place(&block(&cut(&section, room))));
    }
    // The map is for programs, which have nothing else to read; the section is for people, who have the checks' pages.
    let bare = place("");
    let characters = bare.chars().count();
    if characters > BODY_LIMIT { Err(DescriptionError::Full { characters, limit: BODY_LIMIT }) } else { Ok(bare) }
}

/// At most `room` characters: whole lines, no open code fence, no open fold, and a notice when something is missing.
fn cut(section: &str, room: usize) -> String {
    if section.chars().count() <= room {
        return section.to_owned();
    }
    let Some(room) = room.checked_sub(NOTICE.chars().count()) else { return String::new() };
    let mut kept = String::new();
    let mut characters = 0;
    // Where a fence or a fold begins that is still open: behind an open fold, people's text would be folded away as well.
    let (mut fence, mut fold) = (None, None);
    for line in section.split_inclusive('\n') {
        characters += line.chars().count();
        if characters > room {
            break;
        }
        if line.starts_with("```") {
            fence = if fence.is_some() { None } else { Some(kept.len()) };
        }
        if line.starts_with("<details>") {
            fold = Some(kept.len());
        } else if line.starts_with("</details>") {
            fold = None;
        }
        kept.push_str(line);
    }
    let open = fence.into_iter().chain(fold).min();
    if let Some(start) = open {
        kept.truncate(start);
    }
    if kept.is_empty() && open.is_none() {
        kept = section.chars().take(room).collect();
    }
    format!("{}{NOTICE}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::AttestationId;
    use super::*;
    use crate::domain::digest::Sha256;

    #[test]
    fn a_map_that_no_description_can_hold_is_left_out() {
        let mut map = AttestationMap::new();
        for chart in 0..1000 {
            map.insert(format!("validate/schema/{chart}"), AttestationId::Payload(Sha256::of(b"")));
        }
        let text = describe("Mine.", "chartflow's", &map).unwrap();
        insta::assert_snapshot!(text, @"
        Mine.

        <!-- chartflow:begin -->
        *The attestation map is left out: it is longer than a description on GitHub may be. The statements are under `refs/chartflow/attestations`.*

        chartflow's
        <!-- chartflow:end -->
        ");
        assert_eq!(describe(&text, "chartflow's", &map).unwrap(), text);
    }

    /// Behind an open fold, what people wrote would be folded away as well.
    #[test]
    fn a_cut_leaves_no_fold_open() {
        let section = format!("first\n\n<details><summary>more</summary>\n\n{}\n</details>", "x\n".repeat(40_000));
        let text = describe("", &section, &AttestationMap::new()).unwrap();
        insta::assert_snapshot!(text, @"
        <!-- chartflow:begin -->
        first

        *Cut here: a description on GitHub holds at most 65,536 characters.*
        <!-- chartflow:end -->

        <!-- chartflow:attestations
        {}
        -->
        ");
        // One that is closed stays.
        let section = format!("<details>\n\nx\n\n</details>\n\n{}", "y\n".repeat(40_000));
        assert!(describe("", &section, &AttestationMap::new()).unwrap().contains("</details>\n\ny"));
    }

    /// Where not even an empty section has room, the map still stands.
    #[test]
    fn the_section_gives_way_to_the_map() {
        let mut map = AttestationMap::new();
        map.insert("validate/schema".to_owned(), AttestationId::Number(7));
        let mine = "x".repeat(BODY_LIMIT - map.comment().chars().count() - 2);
        let bare = describe(&mine, "new", &map).unwrap();
        assert_eq!((bare.chars().count(), bare.starts_with(&mine), bare.contains("chartflow:begin")), (BODY_LIMIT, true, false));
        assert_eq!(AttestationMap::read(&bare).unwrap().unwrap(), map);
        assert_eq!(describe(&bare, "newer", &map).unwrap(), bare);
        assert!(describe(&format!("{mine}x"), "new", &map).is_err());
    }
}
