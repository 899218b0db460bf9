//! Changes of columns of one table in one statement, so that PostgreSQL rewrites the table once.

use crate::schema::generate::Statement;

/// Merges neighbouring changes of columns, by table.
pub(super) fn merge(statements: Vec<Statement>) -> Vec<Statement> {
    let mut merged = Vec::new();
    let mut tables: Vec<Changes> = Vec::new();
    for statement in statements {
        let Some((table, clause)) = clause(&statement.sql) else {
            merged.extend(tables.drain(..).map(Changes::statement));
            merged.push(statement);
            continue;
        };
        let (table, clause) = (table.to_owned(), clause.to_owned());
        let place = tables.iter().position(|changes| changes.table == table);
        let place = place.unwrap_or_else(|| {
            tables.push(Changes { table, clauses: Vec::new(), remarks: Vec::new() });
            tables.len() - 1
        });
        tables[place].clauses.push(clause);
        for remark in statement.remarks {
            if !tables[place].remarks.contains(&remark) {
                tables[place].remarks.push(remark);
            }
        }
    }
    merged.extend(tables.drain(..).map(Changes::statement));
    merged
}

struct Changes {
    /// `alter table t`
    table: String,
    clauses: Vec<String>,
    remarks: Vec<String>,
}

impl Changes {
    fn statement(self) -> Statement {
        let separator = if self.clauses.len() == 1 { " " } else { "\n  " };
        let clauses = self.clauses.join(&format!(",{separator}"));
        Statement { remarks: self.remarks, sql: format!("{}{separator}{clauses};", self.table) }
    }
}

/// The table and the clause of a change that may share a statement. A default that is dropped must be gone before the
/// type changes.
fn clause(sql: &str) -> Option<(&str, &str)> {
    let (table, rest) = sql.split_once(" alter column ")?;
    let shares = rest.contains(" type ")
        || rest.contains(" set default ")
        || rest.ends_with(" set not null;")
        || rest.ends_with(" drop not null;");
    let start = table.len() + 1;
    (shares && table.starts_with("alter table "))
        .then(|| (table, sql[start..].trim_end_matches(';')))
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::schema::generate::Statement;

    #[test]
    fn neighbours_of_one_table_share_a_statement() {
        let statements = [
            "alter table a alter column x drop default;",
            "alter table a alter column x type text;",
            "alter table b alter column y set not null;",
            "alter table a alter column z set default ';';",
            "create index i on a (x);",
            "alter table a alter column z drop not null;",
        ];
        let statements = statements
            .map(|sql| Statement { remarks: vec!["From x.".to_owned()], sql: sql.to_owned() });
        let merged = merge(statements.into());
        let sql: Vec<&str> = merged.iter().map(|statement| statement.sql.as_str()).collect();
        assert_eq!(
            sql,
            [
                "alter table a alter column x drop default;",
                "alter table a\n  alter column x type text,\n  alter column z set default ';';",
                "alter table b alter column y set not null;",
                "create index i on a (x);",
                "alter table a alter column z drop not null;",
            ]
        );
        assert_eq!(merged[1].remarks, ["From x."]);
    }
}
