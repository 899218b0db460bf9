//! The place of an error as rustc shows it: the file, the line, and a mark below it.

use crate::model::Position;

/// How wide a line may be, in columns of a terminal.
const WIDTH: usize = 120;

/// What stands for the part of a line that is left out.
const CUT: &str = "…";

/// The lines to print: where, the line itself, and the mark.
pub(crate) fn lines(path: &str, position: Position, source_line: &str) -> Vec<String> {
    let Position { line, column } = position;
    let (shown, before) = cut(source_line, column - 1);
    let margin = " ".repeat(line.to_string().len());
    vec![
        format!("{margin}--> {path}:{line}:{column}"),
        format!("{margin} |"),
        format!("{line} | {shown}"),
        format!("{margin} | {}^", " ".repeat(before)),
    ]
}

/// What fits of a line, and the number of columns before the character at `mark`.
fn cut(line: &str, mark: usize) -> (String, usize) {
    // What moves the cursor would move the mark, and worse.
    let characters: Vec<char> =
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mark = mark.min(characters.len());
    let text_width = |characters: &[char]| characters.iter().map(|c| width(*c)).sum::<usize>();
    let mut start = 0;
    // A third of the line is enough to see what comes before.
    if text_width(&characters) > WIDTH {
        while text_width(&characters[start..mark]) > WIDTH / 3
            && text_width(&characters[start..]) >= WIDTH
        {
            start += 1;
        }
    }
    let lead = if start > 0 { CUT } else { "" };
    let mut shown = lead.to_owned();
    let mut columns = lead.chars().count();
    for (index, c) in characters.iter().enumerate().skip(start) {
        let rest = usize::from(index + 1 < characters.len());
        if columns + width(*c) + rest > WIDTH {
            shown += CUT;
            break;
        }
        columns += width(*c);
        shown.push(*c);
    }
    (shown, lead.chars().count() + text_width(&characters[start..mark]))
}

/// How many columns a terminal gives a character. The scripts of East Asia and pictures take two,
/// marks that combine with the character before take none.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, cut, lines, width};
    use crate::model::Position;

    #[test]
    fn the_mark_stands_below_its_character() {
        for (label, line, column, shown, mark) in [
            ("plain", "select a", 8, "select a", "       ^"),
            ("after a tab", "\tx", 2, " x", " ^"),
            ("after wide characters", "'漢字' x", 6, "'漢字' x", "       ^"),
            ("after a combining mark", "'e\u{301}' x", 6, "'e\u{301}' x", "    ^"),
            ("at the end", "ab", 3, "ab", "  ^"),
            ("past the end", "ab", 9, "ab", "  ^"),
            ("an escape sequence", "\u{1b}[2Jx", 5, " [2Jx", "    ^"),
        ] {
            let shown_lines = lines("m/V1__x.sql", Position { line: 3, column }, line);
            assert_eq!(shown_lines[0], format!(" --> m/V1__x.sql:3:{column}"), "{label}");
            assert_eq!(shown_lines[1], "  |", "{label}");
            assert_eq!(shown_lines[2], format!("3 | {shown}"), "{label}");
            assert_eq!(shown_lines[3], format!("  | {mark}"), "{label}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let line: String = ('a'..='z').cycle().take(1000).collect();
        for mark in [0, 10, 119, 500, 995, 999, 1000] {
            let (shown, before) = cut(&line, mark);
            let columns: usize = shown.chars().map(width).sum();
            assert!(columns <= WIDTH, "{mark}: {columns}");
            assert_eq!(shown.chars().nth(before), line.chars().nth(mark), "{mark}");
            assert!(shown.contains('…'), "{mark}");
        }
        let wide = "漢".repeat(200);
        let (shown, before) = cut(&wide, 150);
        assert!(shown.chars().map(width).sum::<usize>() <= WIDTH);
        assert!(before <= WIDTH);
        assert_eq!(cut(&"x".repeat(WIDTH), 3), ("x".repeat(WIDTH), 3));
    }
}
