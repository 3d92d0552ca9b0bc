//! The people that a message names beside its author.

use crate::domain::commit::Author;

/// The trailer's name; git compares the names of trailers without regard to case.
const TRAILER: &str = "Co-authored-by:";

/// Who a message names in lines `Co-authored-by: NAME <ADDRESS>`, in their order, each address once
/// (<https://docs.github.com/pull-requests/committing-changes-to-your-project/creating-and-editing-commits/creating-a-commit-with-multiple-authors>).
/// They count wherever such a line stands, because a squash holds the trailers of every commit in it.
///
/// ```
/// use chartflow_core::domain::commit::conventional::co_authors;
/// let names: Vec<String> = co_authors("fix: a\n\nCo-authored-by: Bo <bo@example.com>").into_iter().map(|author| author.name).collect();
/// assert_eq!(names, ["Bo"]);
/// ```
#[must_use]
pub fn co_authors(message: &str) -> Vec<Author> {
    let mut found: Vec<Author> = Vec::new();
    for author in message.lines().filter_map(co_author) {
        if !found.iter().any(|known| known.email.eq_ignore_ascii_case(&author.email)) {
            found.push(author);
        }
    }
    found
}

fn co_author(line: &str) -> Option<Author> {
    let (token, value) = line.split_at_checked(TRAILER.len())?;
    let (name, address) = value.trim().strip_suffix('>').filter(|_| token.eq_ignore_ascii_case(TRAILER))?.rsplit_once('<')?;
    let (name, email) = (name.trim(), address.trim());
    let usable = !name.is_empty() && !email.is_empty() && !email.contains(char::is_whitespace);
    usable.then(|| Author { name: name.to_owned(), email: email.to_owned() })
}
