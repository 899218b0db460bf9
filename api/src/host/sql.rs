//! What goes to PostgreSQL and what comes back, whatever the SDK.

/// A value for a statement's `$n`. PostgreSQL must infer exactly this type there, so every
/// statement casts: `$1::text`, `$2::int4`, `$3::bool`.
#[derive(Clone, Debug)]
pub(crate) enum Param {
    /// `text`.
    Text(String),
    /// `text`, or null.
    OptionalText(Option<String>),
    /// `int4`.
    Int4(i32),
    /// `bool`.
    Bool(bool),
}

/// A value of a row.
#[derive(Debug)]
pub(crate) enum Value {
    /// Null, of any type.
    Null,
    /// `text`.
    Text(String),
    /// `bytea`.
    Bytes(Vec<u8>),
    /// `int4`.
    Int4(i32),
    /// `int8`.
    Int8(i64),
    /// `bool`.
    Bool(bool),
    /// A type that no statement here selects.
    Other,
}

/// Why there is no row. The texts are the host's own: they can hold the connection string.
#[derive(Debug)]
pub(crate) enum SqlFailure {
    /// The connection could not be opened, or broke.
    Connection(String),
    /// PostgreSQL refused the statement.
    Refused {
        /// The SQLSTATE; empty where the host does not tell.
        code: String,
        /// The violated constraint, where there is one.
        constraint: Option<String>,
        /// PostgreSQL's message.
        message: String,
    },
    /// A value that the host or PostgreSQL could not take: a fault of this program.
    Other(String),
}
