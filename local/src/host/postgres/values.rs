//! From PostgreSQL to the component. A type without a place in the interface arrives as its bytes.

use std::mem::size_of;

use anyhow::{Context, bail};
use tokio_postgres::types::{FromSql, Type};

use super::numeric::Numeric;
use super::range::Range;
use super::wire::{
    Raw, decode_date, decode_datetime, decode_interval, decode_jsonb, decode_time, decode_uuid,
};
use crate::host::bindings::postgres::{Column, DbDataType, DbValue, Row};

/// Names and types of a row's columns.
pub(super) fn columns(row: &tokio_postgres::Row) -> Vec<Column> {
    row.columns()
        .iter()
        .map(|column| Column {
            name: column.name().to_owned(),
            data_type: data_type(column.type_()),
        })
        .collect()
}

/// A whole row.
pub(super) fn row_values(row: &tokio_postgres::Row) -> anyhow::Result<Row> {
    (0..row.len()).map(|index| value(row, index)).collect()
}

/// Roughly what a value takes in the host's memory.
pub(super) fn size_in_memory(value: &DbValue) -> usize {
    let more = match value {
        DbValue::Str(text) | DbValue::Uuid(text) | DbValue::Decimal(text) => text.len(),
        DbValue::Binary(bytes) | DbValue::Jsonb(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
        DbValue::ArrayInt32(values) => size_of::<Option<i32>>() * values.len(),
        DbValue::ArrayInt64(values) => size_of::<Option<i64>>() * values.len(),
        DbValue::ArrayDecimal(values) | DbValue::ArrayStr(values) => values
            .iter()
            .map(|text| size_of::<Option<String>>() + text.as_ref().map_or(0, String::len))
            .sum(),
        _ => 0,
    };
    size_of::<DbValue>() + more
}

fn data_type(ty: &Type) -> DbDataType {
    match *ty {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(ty.name().to_owned()),
    }
}

fn value(row: &tokio_postgres::Row, index: usize) -> anyhow::Result<DbValue> {
    match *row.columns()[index].type_() {
        Type::BOOL => get(row, index, DbValue::Boolean),
        Type::BYTEA => get(row, index, DbValue::Binary),
        Type::FLOAT4 => get(row, index, DbValue::Floating32),
        Type::FLOAT8 => get(row, index, DbValue::Floating64),
        Type::INT2 => get(row, index, DbValue::Int16),
        Type::INT4 => get(row, index, DbValue::Int32),
        Type::INT8 => get(row, index, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => get(row, index, DbValue::Str),
        Type::TIMESTAMP => decode(row, index, decode_datetime, DbValue::Datetime),
        // Spin's type table calls it a date-time, and then its driver cannot read it as one; not even when null.
        Type::TIMESTAMPTZ => bail!(
            "error deserializing column {index}: cannot convert between the Rust type \
             `chrono::naive::datetime::NaiveDateTime` and the Postgres type `timestamptz`"
        ),
        Type::DATE => decode(row, index, decode_date, DbValue::Date),
        Type::TIME => decode(row, index, decode_time, DbValue::Time),
        Type::UUID => decode(row, index, decode_uuid, DbValue::Uuid),
        Type::JSONB => decode(row, index, decode_jsonb, DbValue::Jsonb),
        Type::INTERVAL => decode(row, index, decode_interval, DbValue::Interval),
        Type::NUMERIC => get(row, index, |n: Numeric| DbValue::Decimal(n.to_string())),
        Type::INT4_RANGE => get(row, index, |r: Range<i32>| DbValue::RangeInt32(r.map(|n| n))),
        Type::INT8_RANGE => get(row, index, |r: Range<i64>| DbValue::RangeInt64(r.map(|n| n))),
        Type::NUM_RANGE => {
            get(row, index, |r: Range<Numeric>| DbValue::RangeDecimal(r.map(|n| n.to_string())))
        }
        Type::INT4_ARRAY => get(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => get(row, index, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => get(row, index, |values: Vec<Option<Numeric>>| {
            let text = |value: Option<Numeric>| value.map(|value| value.to_string());
            DbValue::ArrayDecimal(values.into_iter().map(text).collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            get(row, index, DbValue::ArrayStr)
        }
        _ => get(row, index, |raw: Raw<'_>| DbValue::Unsupported(raw.0.to_vec())),
    }
}

/// A value that the driver reads.
fn get<'r, T: FromSql<'r>>(
    row: &'r tokio_postgres::Row,
    index: usize,
    wrap: impl FnOnce(T) -> DbValue,
) -> anyhow::Result<DbValue> {
    let value: Option<T> = row.try_get(index)?;
    Ok(value.map_or(DbValue::DbNull, wrap))
}

/// A value that we read.
fn decode<T>(
    row: &tokio_postgres::Row,
    index: usize,
    read: impl FnOnce(&[u8]) -> anyhow::Result<T>,
    wrap: impl FnOnce(T) -> DbValue,
) -> anyhow::Result<DbValue> {
    match row.try_get::<_, Option<Raw<'_>>>(index)? {
        None => Ok(DbValue::DbNull),
        Some(Raw(bytes)) => {
            let value =
                read(bytes).with_context(|| format!("error deserializing column {index}"))?;
            Ok(wrap(value))
        }
    }
}
