//! Patterns as Go's `path/filepath.Match` reads them on Unix; `.helmignore` is written in them.
//!
//! `*` and `?` stop at `/`, a class such as `[^a-z]` does not, and a `*` takes the first place where what follows fits.

/// One character's worth of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`
    Any,
    /// `[…]` or `[^…]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A stretch of a pattern without `*`, except for the one that may stand before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chunk {
    star: bool,
    tokens: Vec<Token>,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    chunks: Vec<Chunk>,
}

impl Glob {
    /// Compiles a pattern; `None` when a class is not closed, is empty or lacks an end of a range, or when a `\` has
    /// nothing behind it.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let mut chunks = vec![Chunk { star: false, tokens: Vec::new() }];
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            let token = match c {
                '*' => {
                    match chunks.last_mut() {
                        Some(last) if last.tokens.is_empty() => last.star = true,
                        _ => chunks.push(Chunk { star: true, tokens: Vec::new() }),
                    }
                    continue;
                }
                '?' => Token::Any,
                '\\' => Token::Literal(rest.next()?),
                '[' => class(&mut rest)?,
                other => Token::Literal(other),
            };
            chunks.last_mut()?.tokens.push(token);
        }
        Some(Self { chunks })
    }

    /// Whether the pattern fits the whole name.
    pub(super) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let mut rest = name.as_slice();
        for (position, chunk) in self.chunks.iter().enumerate() {
            let last = position + 1 == self.chunks.len();
            if chunk.star && chunk.tokens.is_empty() {
                return !rest.contains(&'/');
            }
            let reach = if chunk.star { rest.iter().take_while(|&&c| c != '/').count() } else { 0 };
            let fit = (0..=reach).filter_map(|skipped| fit(&chunk.tokens, rest.get(skipped..)?)).find(|behind| !last || behind.is_empty());
            match fit {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        rest.is_empty()
    }
}

fn class(rest: &mut std::str::Chars<'_>) -> Option<Token> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    while ranges.is_empty() || !rest.as_str().starts_with(']') {
        let low = class_character(rest)?;
        let high = if rest.as_str().starts_with('-') {
            rest.next();
            class_character(rest)?
        } else {
            low
        };
        ranges.push((low, high));
    }
    rest.next();
    Some(Token::Class { negated, ranges })
}

fn class_character(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        other => Some(other),
    }
}

/// What is left of the name behind the tokens, when they fit its beginning.
fn fit<'n>(tokens: &[Token], name: &'n [char]) -> Option<&'n [char]> {
    let mut rest = name;
    for token in tokens {
        let (&c, behind) = rest.split_first()?;
        let fits = match token {
            Token::Literal(literal) => c == *literal,
            Token::Any => c != '/',
            Token::Class { negated, ranges } => ranges.iter().any(|&(low, high)| low <= c && c <= high) != *negated,
        };
        if !fits {
            return None;
        }
        rest = behind;
    }
    Some(rest)
}
