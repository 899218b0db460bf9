//! A transition as the text of a script.

use super::{Statement, Transition};

/// The text of a script: `heading`, todos, and statements.
pub fn script(heading: &str, transition: &Transition) -> String {
    let mut text = comment(heading);
    if !transition.todos.is_empty() {
        text.push_str("--\n");
        for todo in &transition.todos {
            text.push_str(&comment(&format!("TODO: {todo}.")));
        }
    }
    let mut before = None;
    for statement in &transition.statements {
        let group = group(statement);
        // Short statements of one kind are kept together.
        if before != Some(group) || group.is_none() {
            text.push('\n');
        }
        before = Some(group);
        for remark in &statement.remarks {
            text.push_str(&comment(remark));
        }
        text.push_str(&statement.sql);
        text.push('\n');
    }
    text
}

/// The first word of a statement on one line; none for one that has a paragraph of its own.
fn group(statement: &Statement) -> Option<&str> {
    let is_short = !statement.sql.contains('\n') && statement.remarks.is_empty();
    statement.sql.split(' ').next().filter(|_| is_short)
}

fn comment(text: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { "--\n".to_owned() } else { format!("-- {line}\n") })
        .collect()
}
