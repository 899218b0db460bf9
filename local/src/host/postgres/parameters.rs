//! Converts parameters for the driver. A value binds to its own type only: an `int64` is not an `int4`.

use anyhow::Context;
use chrono::{DateTime, NaiveDate, NaiveTime};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::range::{Bound, Range};
use super::types::{Interval, Null, Numeric};
use crate::host::bindings::postgres::{ParameterValue as Value, RangeBoundKind};

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
        Value::Date((year, month, day)) => Box::new(date(*year, *month, *day)?),
        Value::Time((hour, minute, second, nano)) => {
            Box::new(time(*hour, *minute, *second, *nano)?)
        }
        Value::Datetime((year, month, day, hour, minute, second, nano)) => {
            Box::new(date(*year, *month, *day)?.and_time(time(*hour, *minute, *second, *nano)?))
        }
        Value::Timestamp(seconds) => Box::new(
            DateTime::from_timestamp(*seconds, 0)
                .with_context(|| format!("invalid epoch timestamp {seconds}"))?,
        ),
        Value::Uuid(text) => {
            Box::new(Uuid::parse_str(text).with_context(|| format!("invalid UUID {text}"))?)
        }
        Value::Jsonb(bytes) => Box::new(
            serde_json::from_slice::<serde_json::Value>(bytes)
                .with_context(|| format!("invalid JSON {}", String::from_utf8_lossy(bytes)))?,
        ),
        Value::Decimal(value) => Box::new(Numeric::parse(value)?),
        Value::RangeInt32((lower, upper)) => Box::new(Range(*lower, *upper)),
        Value::RangeInt64((lower, upper)) => Box::new(Range(*lower, *upper)),
        Value::RangeDecimal((lower, upper)) => {
            Box::new(Range(decimal_bound(lower.as_ref())?, decimal_bound(upper.as_ref())?))
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
        Value::Interval(value) => Box::new(Interval(*value)),
        Value::DbNull => Box::new(Null),
    })
}

fn date(year: i32, month: u8, day: u8) -> anyhow::Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .with_context(|| format!("invalid date y={year}, m={month}, d={day}"))
}

fn time(hour: u8, minute: u8, second: u8, nanosecond: u32) -> anyhow::Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .with_context(|| format!("invalid time {hour}:{minute}:{second}:{nanosecond}"))
}

fn decimal_bound(bound: Option<&(String, RangeBoundKind)>) -> anyhow::Result<Bound<Numeric>> {
    bound.map(|(text, kind)| Ok((Numeric::parse(text)?, *kind))).transpose()
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use tokio_postgres::types::Type;

    use super::*;

    #[test]
    fn a_timestamp_counts_seconds_since_1970() {
        let mut wire = BytesMut::new();
        let parameter = to_sql(&Value::Timestamp(946_684_801)).expect("a timestamp");
        parameter.to_sql_checked(&Type::TIMESTAMPTZ, &mut wire).expect("wire");
        // PostgreSQL counts microseconds since 2000.
        assert_eq!(wire[..], 1_000_000_i64.to_be_bytes());
        assert!(parameter.to_sql_checked(&Type::TIMESTAMP, &mut wire).is_err());
    }

    #[test]
    fn values_that_do_not_exist_are_refused() {
        for value in [
            Value::Date((2026, 2, 30)),
            Value::Time((24, 0, 0, 0)),
            Value::Datetime((2026, 13, 1, 0, 0, 0, 0)),
            Value::Timestamp(i64::MAX),
            Value::Uuid("67e55044-10b1-426f-9247-bb680e5fe0cg".to_owned()),
            Value::Jsonb(b"{".to_vec()),
            Value::Decimal("one".to_owned()),
        ] {
            assert!(to_sql(&value).is_err(), "{value:?}");
        }
    }
}
