//! The comments of a script.

use std::ops::Range;

use squawk_syntax::{SourceFile, SyntaxElement, SyntaxKind};

/// The places of the comments, in order, as byte offsets.
pub(crate) fn comments(script: &str) -> Vec<Range<usize>> {
    let root = SourceFile::parse(script).syntax_node();
    let tokens = root.descendants_with_tokens().filter_map(SyntaxElement::into_token);
    let comments = tokens.filter(|token| token.kind() == SyntaxKind::COMMENT);
    comments
        .map(|token| {
            let range = token.text_range();
            usize::from(range.start())..usize::from(range.end())
        })
        .collect()
}
