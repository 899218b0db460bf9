//! From the component to PostgreSQL. A value binds only to the type it stands for: an `int64` is not an `int4`.

use tokio_postgres::types::ToSql;

use super::numeric::Numeric;
use super::range::Range;
use super::wire::{Encoded, Json, Null};
use crate::host::bindings::postgres::ParameterValue as Value;

/// The driver's form of a parameter.
pub(super) fn to_sql(value: &Value) -> anyhow::Result<Box<dyn ToSql + Send + Sync>> {
    Ok(match value {
        Value::Boolean(value) => Box::new(*value),
        Value::Int8(value) => Box::new(*value),
        Value::Int16(value) => Box::new(*value),
        Value::Int32(value) => Box::new(*value),
        Value::Int64(value) => Box::new(*value),
        Value::Floating32(value) => Box::new(*value),
        Value::Floating64(value) => Box::new(*value),
        Value::Str(value) => Box::new(value.clone()),
        Value::Binary(value) => Box::new(value.clone()),
        Value::Date(value) => Box::new(Encoded::date(*value)?),
        Value::Time(value) => Box::new(Encoded::time(*value)?),
        Value::Datetime(value) => Box::new(Encoded::datetime(*value)?),
        Value::Timestamp(value) => Box::new(Encoded::timestamp(*value)?),
        Value::Uuid(value) => Box::new(Encoded::uuid(value)?),
        Value::Jsonb(value) => Box::new(Json::new(value)?),
        Value::Decimal(value) => Box::new(Numeric::parse(value)?),
        Value::RangeInt32(value) => Box::new(Range::new(*value)),
        Value::RangeInt64(value) => Box::new(Range::new(*value)),
        Value::RangeDecimal(value) => {
            Box::new(Range::new(value.clone()).try_map(|text| Numeric::parse(&text))?)
        }
        Value::ArrayInt32(values) => Box::new(values.clone()),
        Value::ArrayInt64(values) => Box::new(values.clone()),
        Value::ArrayDecimal(values) => Box::new(
            values
                .iter()
                .map(|value| value.as_deref().map(Numeric::parse).transpose())
                .collect::<anyhow::Result<Vec<_>>>()?,
        ),
        Value::ArrayStr(values) => Box::new(values.clone()),
        Value::Interval(value) => Box::new(Encoded::interval(*value)),
        Value::DbNull => Box::new(Null),
    })
}
