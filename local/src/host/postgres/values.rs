//! Converts rows for the component. A type that the interface does not have arrives as bytes.

use std::mem::size_of;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::range::Range;
use super::types::{Interval, Numeric, Unsupported};
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

/// Approximate size of a value in the host's memory, in bytes.
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
        // As on Spin, this fails for `timestamptz`, even if it is null: the driver cannot read it as a `NaiveDateTime`.
        Type::TIMESTAMP | Type::TIMESTAMPTZ => get(row, index, |at: NaiveDateTime| {
            let ((year, month, day), (hour, minute, second, nano)) =
                (date(at.date()), time(at.time()));
            DbValue::Datetime((year, month, day, hour, minute, second, nano))
        }),
        Type::DATE => get(row, index, |value| DbValue::Date(date(value))),
        Type::TIME => get(row, index, |value| DbValue::Time(time(value))),
        Type::UUID => get(row, index, |uuid: Uuid| DbValue::Uuid(uuid.to_string())),
        Type::JSONB => {
            get(row, index, |json: serde_json::Value| DbValue::Jsonb(json.to_string().into_bytes()))
        }
        Type::INTERVAL => get(row, index, |value: Interval| DbValue::Interval(value.0)),
        Type::NUMERIC => get(row, index, |n: Numeric| DbValue::Decimal(n.0.to_string())),
        Type::INT4_RANGE => get(row, index, |r: Range<i32>| DbValue::RangeInt32(r.map(|n| n))),
        Type::INT8_RANGE => get(row, index, |r: Range<i64>| DbValue::RangeInt64(r.map(|n| n))),
        Type::NUM_RANGE => {
            get(row, index, |r: Range<Numeric>| DbValue::RangeDecimal(r.map(|n| n.0.to_string())))
        }
        Type::INT4_ARRAY => get(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => get(row, index, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => get(row, index, |values: Vec<Option<Numeric>>| {
            let text = |value: Option<Numeric>| value.map(|value| value.0.to_string());
            DbValue::ArrayDecimal(values.into_iter().map(text).collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            get(row, index, DbValue::ArrayStr)
        }
        _ => get(row, index, |value: Unsupported| DbValue::Unsupported(value.0)),
    }
}

fn get<'r, T: FromSql<'r>>(
    row: &'r tokio_postgres::Row,
    index: usize,
    wrap: impl FnOnce(T) -> DbValue,
) -> anyhow::Result<DbValue> {
    let value: Option<T> = row.try_get(index)?;
    Ok(value.map_or(DbValue::DbNull, wrap))
}

fn date(date: NaiveDate) -> (i32, u8, u8) {
    (date.year(), byte(date.month()), byte(date.day()))
}

fn time(time: NaiveTime) -> (u8, u8, u8, u32) {
    (byte(time.hour()), byte(time.minute()), byte(time.second()), time.nanosecond())
}

fn byte(number: u32) -> u8 {
    u8::try_from(number).expect("months, days, hours, minutes and seconds are below 256")
}
