//! The text as the parser reads it.

use saphyr_parser::input::SkipTabs;
use saphyr_parser::{Input, StrInput};

/// A text in which a tab separates like a space does (YAML 1.2 §6.2, `s-separate-in-line`): the parser itself wants a space
/// behind a `:`. Tabs that indent are not asked for here, and stay an error.
pub(super) struct Text<'a>(StrInput<'a>);

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(StrInput::new(text))
    }
}

/// Everything else is the parser's own; what it has by default is written for other sources and slower.
macro_rules! delegate {
    ($($(#[$mutable:ident])? fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(delegate!(@ $($mutable)? $method ($($argument: $type),*) $answer);)*
    };
    (@ mutable $method:ident ($($argument:ident: $type:ty),*) $answer:ty) => {
        fn $method(&mut self, $($argument: $type),*) -> $answer {
            self.0.$method($($argument),*)
        }
    };
    (@ $method:ident ($($argument:ident: $type:ty),*) $answer:ty) => {
        fn $method(&self, $($argument: $type),*) -> $answer {
            self.0.$method($($argument),*)
        }
    };
}

impl Input for Text<'_> {
    fn skip_ws_to_eol(&mut self, skip_tabs: SkipTabs) -> (usize, Result<SkipTabs, &'static str>) {
        let (skipped, found) = self.0.skip_ws_to_eol(skip_tabs);
        (skipped, found.map(|found| SkipTabs::Result(found.found_tabs(), found.has_valid_yaml_ws() || found.found_tabs())))
    }

    delegate! {
        #[mutable] fn lookahead(count: usize) -> ();
        #[mutable] fn raw_read_ch() -> char;
        #[mutable] fn raw_read_non_breakz_ch() -> Option<char>;
        #[mutable] fn skip() -> ();
        #[mutable] fn skip_n(count: usize) -> ();
        #[mutable] fn look_ch() -> char;
        #[mutable] fn skip_while_non_breakz() -> usize;
        #[mutable] fn skip_while_blank() -> usize;
        #[mutable] fn fetch_while_is_alpha(out: &mut String) -> usize;
        #[mutable] fn fetch_while_is_yaml_non_space(out: &mut String) -> usize;
        fn buflen() -> usize;
        fn bufmaxlen() -> usize;
        fn buf_is_empty() -> bool;
        fn peek() -> char;
        fn peek_nth(n: usize) -> char;
        fn peek_opt() -> Option<char>;
        fn next_char_is(c: char) -> bool;
        fn nth_char_is(n: usize, c: char) -> bool;
        fn next_2_are(c1: char, c2: char) -> bool;
        fn next_3_are(c1: char, c2: char, c3: char) -> bool;
        fn next_is_document_indicator() -> bool;
        fn next_is_document_start() -> bool;
        fn next_is_document_end() -> bool;
        fn next_can_be_plain_scalar(in_flow: bool) -> bool;
        fn next_is_blank_or_break() -> bool;
        fn next_is_blank_or_breakz() -> bool;
        fn next_is_blank() -> bool;
        fn next_is_break() -> bool;
        fn next_is_breakz() -> bool;
        fn next_is_z() -> bool;
        fn next_is_flow() -> bool;
        fn next_is_digit() -> bool;
        fn next_is_alpha() -> bool;
    }
}
