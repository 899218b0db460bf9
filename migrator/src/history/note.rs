//! One change of the history tables, as a value: the migrator executes it, `migrator sql` prints it.

use chrono::{SecondsFormat, Utc};
use tokio_postgres::GenericClient;
use tokio_postgres::types::{ToSql, Type};

use crate::sql::literal;

/// The time in UTC, as [`Value::Now`] has it.
const NOW: &str = "pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

/// A statement and its parameters.
pub(crate) struct Note {
    /// Statements before it, or none.
    before: &'static str,
    sql: &'static str,
    values: Vec<Value>,
}

/// A parameter.
pub(crate) enum Value {
    Number(i32),
    /// A migration's version. The column may be narrower, where no version needs more.
    Version(i64),
    Boolean(bool),
    Text(String),
    Oid(Option<u32>),
    Oids(Option<Vec<u32>>),
    /// When the statement is executed, by the clock of who executes it: RFC 3339 with so many
    /// digits. A script has the server's clock and microseconds.
    Now(SecondsFormat),
}

impl Note {
    pub(crate) fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { before: "", sql, values }
    }

    /// The same after other statements, in the same transaction.
    pub(crate) fn after(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    /// Executes the statement with its parameters.
    pub(crate) async fn execute(
        &self,
        client: &impl GenericClient,
    ) -> Result<(), tokio_postgres::Error> {
        if !self.before.is_empty() {
            client.batch_execute(self.before).await?;
        }
        let bound: Vec<_> = self.values.iter().map(Value::bind).collect();
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            bound.iter().map(|(value, kind)| (&**value as _, kind.clone())).collect();
        client.execute_typed(self.sql, &parameters).await.map(drop)
    }

    /// The statement with its parameters written into it.
    pub(crate) fn to_script(&self) -> String {
        let mut parts = self.sql.split('$');
        let mut script = self.before.to_owned() + parts.next().unwrap_or_default();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(digits);
            let index = number.parse::<usize>().expect("`$` begins a parameter, and nothing else");
            script += &self.values[index - 1].to_literal();
            script += rest;
        }
        script + ";\n"
    }
}

impl Value {
    fn bind(&self) -> (Box<dyn ToSql + Sync + Send>, Type) {
        match self {
            Self::Number(number) => (Box::new(*number), Type::INT4),
            Self::Version(version) => (Box::new(*version), Type::INT8),
            Self::Boolean(value) => (Box::new(*value), Type::BOOL),
            Self::Text(text) => (Box::new(text.clone()), Type::VARCHAR),
            Self::Oid(oid) => (Box::new(*oid), Type::OID),
            Self::Oids(oids) => (Box::new(oids.clone()), Type::OID_ARRAY),
            Self::Now(digits) => {
                (Box::new(Utc::now().to_rfc3339_opts(*digits, true)), Type::VARCHAR)
            }
        }
    }

    fn to_literal(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Version(version) => version.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::Text(text) => literal(text),
            Self::Oid(None) | Self::Oids(None) => "null".to_owned(),
            Self::Oid(Some(oid)) => oid.to_string(),
            Self::Oids(Some(oids)) => {
                let oids: Vec<String> = oids.iter().map(u32::to_string).collect();
                format!("'{{{}}}'", oids.join(","))
            }
            Self::Now(_) => NOW.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::{NOW, Note, Value};

    #[test]
    fn a_script_has_the_parameters_in_its_text() {
        for (value, sql) in [
            (Value::Number(-1), "-1"),
            (Value::Version(20_240_131_123_456), "20240131123456"),
            (Value::Boolean(true), "true"),
            (Value::Text("it's $2".to_owned()), "'it''s $2'"),
            (Value::Oid(None), "null"),
            (Value::Oid(Some(7)), "7"),
            (Value::Oids(None), "null"),
            (Value::Oids(Some(vec![7, 8])), "'{7,8}'"),
            (Value::Now(SecondsFormat::Nanos), NOW),
        ] {
            let note = Note::new("a = $2, b = $1 where c", vec![value, Value::Number(10)]);
            assert_eq!(note.to_script(), format!("a = 10, b = {sql} where c;\n"));
        }
    }
}
