//! A description that people and chartflow write together.

use std::ops::Range;

use super::map::{self, AttestationMap};

/// GitHub refuses longer descriptions: "body is too long (maximum is 65536 characters)", answered with 422.
pub const BODY_LIMIT: usize = 65_536;

const BEGIN: &str = "<!-- chartflow:begin -->";
const END: &str = "<!-- chartflow:end -->";
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
/// Too long a section is cut at the end of a line and says so; what people wrote and the map never are.
///
/// # Errors
/// [`DescriptionError::Full`] when not even an empty section fits.
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

    let comment = map.comment();
    let place = |section: &str| {
        let block = format!("{BEGIN}\n{section}\n{END}");
        let mut text = String::new();
        let mut at = 0;
        for (range, is_section) in &parts {
            text.push_str(existing.get(at..range.start).unwrap_or_default());
            text.push_str(if *is_section { &block } else { &comment });
            at = range.end;
        }
        text.push_str(existing.get(at..).unwrap_or_default());
        for (own, is_section) in [(&block, true), (&comment, false)] {
            if !parts.iter().any(|(_, is)| *is == is_section) {
                let gap = if text.is_empty() { "" } else { "\n\n" };
                text.push_str(gap);
                text.push_str(own);
            }
        }
        text
    };

    // Our own texts hold no markers; a caller's mistake must not open or close a section.
    let section = section.trim().replace("<!-- chartflow:", "&lt;!-- chartflow:");
    let without = place("").chars().count();
    let room = BODY_LIMIT.checked_sub(without).ok_or(DescriptionError::Full { characters: without, limit: BODY_LIMIT })?;
    Ok(place(&cut(&section, room)))
}

/// At most `room` characters: whole lines, no open code fence, and a notice when something is missing.
fn cut(section: &str, room: usize) -> String {
    if section.chars().count() <= room {
        return section.to_owned();
    }
    let Some(room) = room.checked_sub(NOTICE.chars().count()) else { return String::new() };
    let mut kept = String::new();
    let mut characters = 0;
    let mut fence = None;
    for line in section.split_inclusive('\n') {
        characters += line.chars().count();
        if characters > room {
            break;
        }
        if line.starts_with("```") {
            fence = if fence.is_some() { None } else { Some(kept.len()) };
        }
        kept.push_str(line);
    }
    if let Some(start) = fence {
        kept.truncate(start);
    }
    if kept.is_empty() && fence.is_none() {
        kept = section.chars().take(room).collect();
    }
    format!("{}{NOTICE}", kept.trim_end())
}
