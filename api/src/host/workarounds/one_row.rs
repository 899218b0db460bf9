//! Spin 4.0 and the first 4.1 never return from a query without rows (spinframework/spin#3671), and a component
//! of WASI 0.2 cannot give up the call. So a statement gets a row in any case there: of nulls, where it has none.

use crate::host::sql::Value;

/// What the statement is called within the one that is sent.
const BEGINNING: &str = "answer as (\n";

const END: &str = "\n)\nselect answer.* from (values (true)) as always left join answer on true";

/// The statement with a row in any case. What changes data has to stay at the top, so the statement is
/// put behind its own `with` queries, the last of which ends with a line of its own.
pub(crate) fn with_a_row(statement: &str) -> String {
    const LAST_QUERY: &str = "\n)\n";
    match statement.rfind(LAST_QUERY).filter(|_| statement.starts_with("with ")) {
        Some(end) => {
            let (queries, last) = (&statement[..end], &statement[end + LAST_QUERY.len()..]);
            [queries, "\n), ", BEGINNING, last, END].concat()
        }
        None => ["with ", BEGINNING, statement, END].concat(),
    }
}

/// True for the row that says that there is none: no statement has a row of nulls.
pub(crate) fn is_no_row(values: &[Value]) -> bool {
    values.iter().all(|value| matches!(value, Value::Null))
}

#[cfg(test)]
mod tests {
    use super::{Value, is_no_row, with_a_row};

    #[test]
    fn the_statement_stays_whole_and_its_changes_stay_at_the_top() {
        for (statement, expected) in [
            (
                "select 1",
                "with answer as (\nselect 1\n)\nselect answer.* from (values (true)) as always left join answer on true",
            ),
            (
                "with a as (\n  delete from t\n), b as (\n  select 1\n)\nselect from a",
                "with a as (\n  delete from t\n), b as (\n  select 1\n), answer as (\nselect from a\n)\nselect answer.* from (values (true)) as always left join answer on true",
            ),
        ] {
            assert_eq!(with_a_row(statement), expected);
        }
    }

    #[test]
    fn a_row_of_nulls_is_none() {
        assert!(is_no_row(&[Value::Null, Value::Null]));
        assert!(!is_no_row(&[Value::Null, Value::Bool(false)]));
    }
}
