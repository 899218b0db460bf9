//! Changes of a column's type: which keep every value, which depend on a time zone, and which may lose something.

use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::{Catalog, Kind, ObjectId};
use crate::sql::literal;

/// The way from one type to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Every value that the new type accepts stays the same; any other makes the statement fail.
    Plain,
    /// By this expression.
    Using(String),
    /// Depends on a time zone that was not named.
    NeedsZone,
    /// May lose something, or mean something else.
    MayLose,
}

/// A type as `format_type` prints it, apart from its modifier: `timestamp(3) with time zone` is
/// `timestamp with time zone` and 3.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) base: String,
    pub(super) modifiers: Vec<i32>,
}

impl TypeName {
    pub(super) fn parse(printed: &str) -> Self {
        let parts = printed.split_once('(').and_then(|(base, rest)| {
            let (modifiers, rest) = rest.split_once(')')?;
            let modifiers: Result<Vec<i32>, _> = modifiers.split(',').map(str::parse).collect();
            Some((format!("{base}{rest}"), modifiers.ok()?))
        });
        let (base, modifiers) = parts.unwrap_or_else(|| (printed.to_owned(), Vec::new()));
        Self { base, modifiers }
    }

    pub(super) fn is_text(&self) -> bool {
        ["character varying", "text", "character"].contains(&self.base.as_str())
    }

    /// Number of characters that fit, if it is limited.
    pub(super) fn length(&self) -> Option<i32> {
        self.modifiers.first().copied().filter(|_| self.is_text())
    }

    /// The least and the greatest number, of an integer type.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        match self.base.as_str() {
            "smallint" => Some((i16::MIN.into(), i16::MAX.into())),
            "integer" => Some((i32::MIN.into(), i32::MAX.into())),
            "bigint" => Some((i64::MIN, i64::MAX)),
            _ => None,
        }
    }
}

const TIMESTAMP: &str = "timestamp without time zone";
const TIMESTAMPTZ: &str = "timestamp with time zone";

/// The way from the type `from` to the type `to`, as `format_type` prints them. `catalogs` have the enumerated types.
pub(super) fn conversion(
    column: &ObjectId,
    from: &str,
    to: &str,
    zone: Option<&str>,
    catalogs: [&Catalog; 2],
) -> Conversion {
    if from == to {
        return Conversion::Plain;
    }
    let (old, new) = (TypeName::parse(from), TypeName::parse(to));
    let own = quote(&column.name);
    let in_zone = |expression: &str| match zone {
        Some(zone) => Conversion::Using(format!("{expression} at time zone {}", literal(zone))),
        None => Conversion::NeedsZone,
    };
    let precision = |kind: &TypeName| kind.modifiers.first().copied().unwrap_or(6);
    match (old.base.as_str(), new.base.as_str()) {
        (TIMESTAMP | TIMESTAMPTZ, TIMESTAMP | TIMESTAMPTZ) if precision(&new) < precision(&old) => {
            Conversion::MayLose
        }
        (TIMESTAMP, TIMESTAMPTZ) | (TIMESTAMPTZ, TIMESTAMP) => in_zone(&own),
        ("date", TIMESTAMPTZ) => in_zone(&format!("{own}::timestamp")),
        ("date", TIMESTAMP) | ("real", "double precision") => Conversion::Plain,
        (_, "character")
            if old != new && !(old.base == new.base && old.length() <= new.length()) =>
        {
            Conversion::MayLose
        }
        ("numeric", "numeric") if !holds_numeric(&new, &old) => Conversion::MayLose,
        ("smallint" | "integer" | "bigint", "numeric") if new.modifiers.is_empty() => {
            Conversion::Plain
        }
        ("numeric", "numeric") | (TIMESTAMP, TIMESTAMP) | (TIMESTAMPTZ, TIMESTAMPTZ) => {
            Conversion::Plain
        }
        (one, other) if one == other && (old.is_text() || new.modifiers.is_empty()) => {
            Conversion::Plain
        }
        // An explicit cast, as between types of other names, would cut a text that is too long.
        _ if old.is_text() && new.is_text() => Conversion::Using(own),
        _ if old.range().is_some() && new.range().is_some() => Conversion::Plain,
        _ if old.is_text() && labels(to, catalogs).is_some() => Conversion::Plain,
        _ if new.is_text() && labels(from, catalogs).is_some() => {
            // As a text first: a cast to a limited type would cut it.
            if new.length().is_none() {
                Conversion::Plain
            } else {
                Conversion::Using(format!("{own}::text"))
            }
        }
        ("uuid", _) if new.is_text() => Conversion::Using(format!("{own}::text")),
        _ => Conversion::MayLose,
    }
}

/// The labels of an enumerated type, as a list of literals.
pub(super) fn labels<'a>(printed: &str, catalogs: [&'a Catalog; 2]) -> Option<&'a str> {
    use crate::schema::catalog::{Property, render};
    catalogs.into_iter().find_map(|catalog| {
        let mut objects = catalog.objects.iter();
        let (_, found) =
            objects.find(|(id, _)| id.kind == Kind::Enum && render::name(id) == printed)?;
        found.properties.get(&Property::Labels).map(String::as_str)
    })
}

/// True if every number of the second type is one of the first.
fn holds_numeric(new: &TypeName, old: &TypeName) -> bool {
    match (&new.modifiers[..], &old.modifiers[..]) {
        ([], _) => true,
        ([precision, scale], [old_precision, old_scale]) => {
            scale >= old_scale && precision - scale >= old_precision - old_scale
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Conversion, conversion};
    use crate::schema::catalog::{Catalog, Kind, ObjectId, Property};

    #[test]
    fn only_what_keeps_every_value_is_done() {
        let id =
            |kind, name: &str| ObjectId { schema: None, kind, table: None, name: name.to_owned() };
        let mut catalog = Catalog::default();
        let mut mood = crate::schema::catalog::Object::default();
        mood.properties.insert(Property::Labels, "'a', 'b'".to_owned());
        catalog.objects.insert(id(Kind::Enum, "mood"), mood);
        let using = |text: &str| Conversion::Using(text.to_owned());
        for (from, to, zone, expected) in [
            ("character varying", "character varying(255)", None, Conversion::Plain),
            ("character varying(9)", "text", None, using("\"At\"")),
            ("text", "character(9)", None, Conversion::MayLose),
            ("character(3)", "character(9)", None, Conversion::Plain),
            ("integer", "bigint", None, Conversion::Plain),
            ("bigint", "integer", None, Conversion::Plain),
            ("integer", "numeric", None, Conversion::Plain),
            ("integer", "numeric(4,2)", None, Conversion::MayLose),
            ("numeric", "integer", None, Conversion::MayLose),
            ("numeric(10,2)", "numeric(12,2)", None, Conversion::Plain),
            ("numeric(10,4)", "numeric(10,2)", None, Conversion::MayLose),
            ("real", "double precision", None, Conversion::Plain),
            ("double precision", "real", None, Conversion::MayLose),
            ("json", "jsonb", None, Conversion::MayLose),
            ("text", "uuid", None, Conversion::MayLose),
            ("text", "mood", None, Conversion::Plain),
            ("mood", "text", None, Conversion::Plain),
            ("mood", "character varying(20)", None, using("\"At\"::text")),
            ("uuid", "character varying", None, using("\"At\"::text")),
            ("uuid", "character(36)", None, Conversion::MayLose),
            ("text", "integer", None, Conversion::MayLose),
            ("time(6) without time zone", "time(0) without time zone", None, Conversion::MayLose),
            ("date", "timestamp without time zone", None, Conversion::Plain),
            ("timestamp without time zone", "date", None, Conversion::MayLose),
            (
                "timestamp without time zone",
                "timestamp with time zone",
                None,
                Conversion::NeedsZone,
            ),
            (
                "timestamp without time zone",
                "timestamp with time zone",
                Some("UTC"),
                using("\"At\" at time zone 'UTC'"),
            ),
            (
                "timestamp with time zone",
                "timestamp(0) without time zone",
                Some("UTC"),
                Conversion::MayLose,
            ),
            (
                "date",
                "timestamp with time zone",
                Some("UTC"),
                using("\"At\"::timestamp at time zone 'UTC'"),
            ),
        ] {
            let found = conversion(&id(Kind::Column, "At"), from, to, zone, [&catalog; 2]);
            assert_eq!(found, expected, "{from} → {to}");
        }
    }
}
