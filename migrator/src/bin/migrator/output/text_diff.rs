//! Line diff.

use similar::{ChangeTag, TextDiff};

/// How many lines around a difference are shown.
const CONTEXT: usize = 3;

/// What makes the new text of the old one: each line with `+`, `-` or a space in front, those far
/// from any difference left out and marked with `…`.
pub(crate) fn compare(old: &str, new: &str) -> Vec<(char, String)> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push((' ', "…".to_owned()));
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push((sign, change.value().trim_end_matches('\n').to_owned()));
        }
    }
    lines
}
