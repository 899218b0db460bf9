//! The objects of a database and their identifiers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::dependencies::Dependencies;

/// Everything in a database that migrations create.
///
/// Objects that PostgreSQL creates implicitly are part of their owner: the index of a constraint, the
/// sequence of an identity column, the type of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Every object, by what it is called.
    pub objects: BTreeMap<ObjectId, Object>,
    /// Objects whose content is not read, and which are thus not compared: large objects.
    pub not_read: Vec<String>,
    /// Direct dependencies between the objects.
    pub(crate) dependencies: Dependencies,
    /// Constraints, and columns with defaults, that take a statement of their own after that of their
    /// table.
    pub(crate) late: BTreeSet<ObjectId>,
    /// Parts that need something which needs their table: they are dropped before both.
    pub(crate) entangled: BTreeSet<ObjectId>,
}

/// Identifier of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ObjectId {
    /// Its schema; none for the one in which unqualified names are created, and for objects without a
    /// schema.
    pub schema: Option<String>,
    /// Kind of object.
    pub kind: Kind,
    /// The table (or view, domain, composite type) that it is a part of: of a column, a constraint, an
    /// index, extended statistics, a rule, a trigger, a policy.
    pub table: Option<String>,
    /// Its own name, unquoted; of a function, an aggregate and an operator with the types of its
    /// arguments, as in `normalize(text, integer)`; of a cast and a transform the clause after that
    /// word; of [`Kind::Other`] the kind and the name in PostgreSQL's words.
    pub name: String,
}

/// Kinds of objects, in the order in which they can be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A schema other than the one in which unqualified names are created.
    Schema,
    /// An extension.
    Extension,
    /// An access method of tables or indexes.
    AccessMethod,
    /// A foreign-data wrapper.
    ForeignDataWrapper,
    /// A foreign server.
    Server,
    /// A collation.
    Collation,
    /// A conversion between encodings.
    Conversion,
    /// A dictionary of text search.
    TextSearchDictionary,
    /// A configuration of text search.
    TextSearchConfiguration,
    /// An enumerated type.
    Enum,
    /// A domain.
    Domain,
    /// A composite type that is not the row type of a table.
    CompositeType,
    /// A range type, with its multirange type.
    RangeType,
    /// A sequence that belongs to no identity column.
    Sequence,
    /// A function or a procedure.
    Function,
    /// An aggregate function.
    Aggregate,
    /// An operator.
    Operator,
    /// A cast.
    Cast,
    /// A transform of a type for a procedural language.
    Transform,
    /// A check of a domain.
    DomainConstraint,
    /// A table, ordinary or partitioned.
    Table,
    /// A foreign table, with its columns.
    ForeignTable,
    /// A column of a table.
    Column,
    /// A primary key, unique, check, foreign key or exclusion constraint.
    Constraint,
    /// An index that belongs to no constraint.
    Index,
    /// Extended statistics of a table.
    Statistics,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A rule of a table or view, except the one that makes a view.
    Rule,
    /// A trigger.
    Trigger,
    /// A policy of row-level security.
    Policy,
    /// An event trigger.
    EventTrigger,
    /// A publication.
    Publication,
    /// Anything else: compared, but not written into scripts.
    Other,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// Number of a column in its table; of everything else the position in an order in which all can be
    /// created, except for cycles. Not compared, because a column that was added later has another
    /// number and means the same.
    pub place: i32,
    /// Its properties, in PostgreSQL's own words. Those that do not apply are absent.
    pub properties: BTreeMap<Property, String>,
}

/// Properties of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// The type of a column, as `format_type` prints it; of a domain, the type below it.
    Type,
    /// A collation other than the type's own.
    Collation,
    /// `yes` where null is not allowed.
    NotNull,
    /// The default expression.
    Default,
    /// `always` or `by default`: how an identity column gets its numbers.
    Identity,
    /// The expression of a generated column, followed by `stored` or `virtual`.
    Generated,
    /// The whole definition, as `pg_get_constraintdef` and its siblings print it. An index, a
    /// trigger, a view and a function have little else. Of a domain its checks, of a composite type
    /// its columns in parentheses.
    Definition,
    /// `yes` where it is there and not in force: an index that is not valid, a trigger that is off.
    /// `replica` or `always` for a trigger that fires in those sessions only, or in all.
    Disabled,
    /// The labels of an enumerated type, in order, as a list of literals.
    Labels,
    /// `unlogged`, where a table or a sequence is. Of an identity column and of a sequence that a
    /// column owns, `logged` or `unlogged` where its table is otherwise.
    Persistence,
    /// The access method of a table other than `heap`.
    AccessMethod,
    /// The tablespace, where it is not the database's.
    Tablespace,
    /// The type of a typed table.
    OfType,
    /// Partition key of a table.
    PartitionKey,
    /// Of which table it is a partition, and for which values.
    PartitionOf,
    /// The tables that it inherits from without being a partition.
    Inherits,
    /// The column that owns a sequence, as in `tasks.id`.
    OwnedBy,
    /// Storage parameters, of a table with those of its TOAST table; of a sequence and of an identity
    /// column, how it counts where that is not the usual way; of an extension its schema.
    Options,
    /// Name of the sequence of an identity column, where PostgreSQL would choose another one.
    SequenceName,
    /// Name of a not-null constraint where PostgreSQL would choose another one, or one that is not
    /// inherited or not valid, as in `constraint c no inherit not valid`. From PostgreSQL 18 on.
    NotNullConstraint,
    /// How the values of a column are stored, and in parentheses what is usual for its type.
    Storage,
    /// Compression of a column.
    Compression,
    /// Statistics target: of a column, of extended statistics; of an index by column number, as in
    /// `1 500, 2 100`.
    StatisticsTarget,
    /// Options of a column, such as `n_distinct=5`.
    ColumnOptions,
    /// `full`, `nothing`, or the index: how a table identifies its rows to logical replication.
    ReplicaIdentity,
    /// The index by which `cluster` orders a table.
    ClusterOn,
    /// `enabled`, or `forced` where it holds for the owner too; `forced, not enabled` where it would.
    RowSecurity,
    /// Text of `comment on`.
    Comment,
    /// Text of `comment on index` for the index of a constraint.
    IndexComment,
    /// Privileges of PUBLIC where they are not the usual ones of that kind of object; `none` for none.
    PublicGrants,
    /// Privileges of roles, in the words of `grant`. Read on request only.
    Grants,
}

impl Kind {
    /// Kinds of objects that have parts, which are dropped with them.
    pub(crate) const WITH_PARTS: [Self; 6] = [
        Self::Table,
        Self::View,
        Self::MaterializedView,
        Self::ForeignTable,
        Self::CompositeType,
        Self::Domain,
    ];

    /// Kinds whose definition is the whole statement that creates them. A change of it drops and
    /// recreates them.
    pub(crate) const WHOLE: [Self; 15] = [
        Self::AccessMethod,
        Self::ForeignDataWrapper,
        Self::Server,
        Self::Collation,
        Self::Conversion,
        Self::TextSearchDictionary,
        Self::TextSearchConfiguration,
        Self::RangeType,
        Self::Aggregate,
        Self::Operator,
        Self::Cast,
        Self::Transform,
        Self::ForeignTable,
        Self::EventTrigger,
        Self::Publication,
    ];

    /// Name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Extension => "extension",
            Self::AccessMethod => "access method",
            Self::ForeignDataWrapper => "foreign data wrapper",
            Self::Server => "server",
            Self::Collation => "collation",
            Self::Conversion => "conversion",
            Self::TextSearchDictionary => "text search dictionary",
            Self::TextSearchConfiguration => "text search configuration",
            Self::Enum => "enum",
            Self::Domain => "domain",
            Self::CompositeType => "composite type",
            Self::RangeType => "range type",
            Self::Sequence => "sequence",
            Self::Function => "function",
            Self::Aggregate => "aggregate",
            Self::Operator => "operator",
            Self::Cast => "cast",
            Self::Transform => "transform",
            Self::DomainConstraint => "domain constraint",
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::Statistics => "statistics",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Rule => "rule",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::EventTrigger => "event trigger",
            Self::Publication => "publication",
            Self::Other => "object",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Property {
    /// Name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Collation => "collation",
            Self::NotNull => "not null",
            Self::Default => "default",
            Self::Identity => "identity",
            Self::Generated => "generated",
            Self::Definition => "definition",
            Self::Disabled => "disabled",
            Self::Labels => "labels",
            Self::Persistence => "persistence",
            Self::AccessMethod => "access method",
            Self::Tablespace => "tablespace",
            Self::OfType => "of type",
            Self::PartitionKey => "partition key",
            Self::PartitionOf => "partition of",
            Self::Inherits => "inherits",
            Self::OwnedBy => "owned by",
            Self::Options => "options",
            Self::SequenceName => "sequence name",
            Self::NotNullConstraint => "not-null constraint",
            Self::Storage => "storage",
            Self::Compression => "compression",
            Self::StatisticsTarget => "statistics target",
            Self::ColumnOptions => "column options",
            Self::ReplicaIdentity => "replica identity",
            Self::ClusterOn => "cluster on",
            Self::RowSecurity => "row security",
            Self::Comment => "comment",
            Self::IndexComment => "comment on its index",
            Self::PublicGrants => "grants to PUBLIC",
            Self::Grants => "grants",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `table tasks`, `column tasks.title`, `index by_title on tasks`, each with its schema in front
/// where that is not the usual one.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
        let Self { kind, table, name, .. } = self;
        match (kind, table) {
            (Kind::Column, Some(table)) => write!(f, "{kind} {schema}{table}.{name}"),
            (Kind::Other, _) => f.write_str(name),
            (_, Some(table)) => write!(f, "{kind} {name} on {schema}{table}"),
            (_, None) => write!(f, "{kind} {schema}{name}"),
        }
    }
}
