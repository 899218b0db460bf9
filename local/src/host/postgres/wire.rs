//! Values in PostgreSQL's binary format, for the types that the driver does not know by itself.

use anyhow::{Context, bail, ensure};
use bytes::{Buf, BufMut, BytesMut};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, WrongType};

use crate::host::bindings::postgres::Interval;

pub(super) type BoxError = Box<dyn std::error::Error + Sync + Send>;
pub(super) type Date = (i32, u8, u8);
pub(super) type Time = (u8, u8, u8, u32);
pub(super) type Datetime = (i32, u8, u8, u8, u8, u8, u32);

/// A value that is already encoded, for exactly one type.
#[derive(Debug)]
pub(super) struct Encoded {
    ty: Type,
    bytes: Vec<u8>,
}

/// JSON text; the same value goes to `json` and to `jsonb`.
#[derive(Debug)]
pub(super) struct Json(Vec<u8>);

/// `NULL`, whatever the type.
#[derive(Debug)]
pub(super) struct Null;

/// A value as it arrived, whatever the type.
pub(super) struct Raw<'r>(pub(super) &'r [u8]);

impl Encoded {
    fn new(ty: Type, bytes: impl Into<Vec<u8>>) -> Encoded {
        Encoded { ty, bytes: bytes.into() }
    }

    pub(super) fn date((year, month, day): Date) -> anyhow::Result<Encoded> {
        let days = (naive_date(year, month, day)? - epoch().date()).num_days();
        Ok(Encoded::new(Type::DATE, i32::try_from(days)?.to_be_bytes()))
    }

    pub(super) fn time((hour, minute, second, nanosecond): Time) -> anyhow::Result<Encoded> {
        let time = naive_time(hour, minute, second, nanosecond)?;
        Encoded::micros(Type::TIME, time - NaiveTime::MIN)
    }

    /// For `timestamp`: UTC by convention, without a zone on the wire.
    pub(super) fn datetime(value: Datetime) -> anyhow::Result<Encoded> {
        let (year, month, day, hour, minute, second, nanosecond) = value;
        let date = naive_date(year, month, day)?;
        let time = naive_time(hour, minute, second, nanosecond)?;
        Encoded::micros(Type::TIMESTAMP, date.and_time(time) - epoch())
    }

    /// For `timestamptz`: whole seconds since 1970.
    pub(super) fn timestamp(seconds: i64) -> anyhow::Result<Encoded> {
        let instant = DateTime::from_timestamp(seconds, 0)
            .with_context(|| format!("invalid epoch timestamp {seconds}"))?;
        Encoded::micros(Type::TIMESTAMPTZ, instant.naive_utc() - epoch())
    }

    pub(super) fn uuid(text: &str) -> anyhow::Result<Encoded> {
        let invalid = || format!("invalid UUID {text}");
        let bare = text
            .strip_prefix("urn:uuid:")
            .or_else(|| text.strip_prefix('{')?.strip_suffix('}'))
            .unwrap_or(text);
        let groups: Vec<usize> = bare.split('-').map(str::len).collect();
        ensure!(groups == [8, 4, 4, 4, 12] || groups == [32], invalid());
        let digits = bare.replace('-', "");
        ensure!(digits.bytes().all(|b| b.is_ascii_hexdigit()), invalid());
        let number = u128::from_str_radix(&digits, 16).with_context(invalid)?;
        Ok(Encoded::new(Type::UUID, number.to_be_bytes()))
    }

    pub(super) fn interval(interval: Interval) -> Encoded {
        let mut bytes = Vec::with_capacity(16);
        bytes.put_i64(interval.micros);
        bytes.put_i32(interval.days);
        bytes.put_i32(interval.months);
        Encoded::new(Type::INTERVAL, bytes)
    }

    fn micros(ty: Type, since: TimeDelta) -> anyhow::Result<Encoded> {
        let micros = since.num_microseconds().context("value too large")?;
        Ok(Encoded::new(ty, micros.to_be_bytes()))
    }
}

impl ToSql for Encoded {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        out.put_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if *ty == self.ty {
            self.to_sql(ty, out)
        } else {
            Err(Box::new(WrongType::new::<Encoded>(ty.clone())))
        }
    }
}

impl Json {
    pub(super) fn new(bytes: &[u8]) -> anyhow::Result<Json> {
        let value: serde_json::Value = serde_json::from_slice(bytes)
            .with_context(|| format!("invalid JSON {}", String::from_utf8_lossy(bytes)))?;
        Ok(Json(serde_json::to_vec(&value)?))
    }
}

impl ToSql for Json {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if *ty == Type::JSONB {
            out.put_u8(1);
        }
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::JSON | Type::JSONB)
    }

    tokio_postgres::types::to_sql_checked!();
}

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, BoxError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, bytes: &'r [u8]) -> Result<Raw<'r>, BoxError> {
        Ok(Raw(bytes))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// 2000-01-01, where PostgreSQL's clocks start.
fn epoch() -> NaiveDateTime {
    DateTime::UNIX_EPOCH.naive_utc() + TimeDelta::days(10_957)
}

fn naive_date(year: i32, month: u8, day: u8) -> anyhow::Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .with_context(|| format!("invalid date y={year}, m={month}, d={day}"))
}

fn naive_time(hour: u8, minute: u8, second: u8, nanosecond: u32) -> anyhow::Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .with_context(|| format!("invalid time {hour}:{minute}:{second}:{nanosecond}"))
}

pub(super) fn decode_date(mut bytes: &[u8]) -> anyhow::Result<Date> {
    let days = bytes.try_get_i32()?;
    let date = epoch()
        .date()
        .checked_add_signed(TimeDelta::days(days.into()))
        .context("value too large to decode")?;
    Ok((date.year(), date.month().try_into()?, date.day().try_into()?))
}

pub(super) fn decode_time(mut bytes: &[u8]) -> anyhow::Result<Time> {
    let time = NaiveTime::MIN + TimeDelta::microseconds(bytes.try_get_i64()?);
    Ok((
        time.hour().try_into()?,
        time.minute().try_into()?,
        time.second().try_into()?,
        time.nanosecond(),
    ))
}

pub(super) fn decode_datetime(mut bytes: &[u8]) -> anyhow::Result<Datetime> {
    let datetime = epoch()
        .checked_add_signed(TimeDelta::microseconds(bytes.try_get_i64()?))
        .context("value too large to decode")?;
    let (date, time) = (datetime.date(), datetime.time());
    Ok((
        date.year(),
        date.month().try_into()?,
        date.day().try_into()?,
        time.hour().try_into()?,
        time.minute().try_into()?,
        time.second().try_into()?,
        time.nanosecond(),
    ))
}

pub(super) fn decode_uuid(mut bytes: &[u8]) -> anyhow::Result<String> {
    let digits = format!("{:032x}", bytes.try_get_u128()?);
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &digits[group]);
    Ok(groups.join("-"))
}

pub(super) fn decode_jsonb(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let Some((1, text)) = bytes.split_first() else {
        bail!("unsupported JSONB encoding version");
    };
    let value: serde_json::Value = serde_json::from_slice(text)?;
    Ok(serde_json::to_vec(&value)?)
}

pub(super) fn decode_interval(mut bytes: &[u8]) -> anyhow::Result<Interval> {
    Ok(Interval {
        micros: bytes.try_get_i64()?,
        days: bytes.try_get_i32()?,
        months: bytes.try_get_i32()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_the_way_there_and_back() {
        let table = [
            (1999, 12, 31, 23, 59, 59, 999_999_000),
            (2000, 1, 1, 0, 0, 0, 0),
            (2026, 8, 1, 12, 30, 15, 123_456_000),
        ];
        for moment in table {
            let encoded = Encoded::datetime(moment).expect("datetime");
            assert_eq!(decode_datetime(&encoded.bytes).ok(), Some(moment));
            let date = (moment.0, moment.1, moment.2);
            let encoded = Encoded::date(date).expect("date");
            assert_eq!(decode_date(&encoded.bytes).ok(), Some(date));
            let time = (moment.3, moment.4, moment.5, moment.6);
            let encoded = Encoded::time(time).expect("time");
            assert_eq!(decode_time(&encoded.bytes).ok(), Some(time));
        }
    }

    #[test]
    fn a_timestamp_counts_seconds_since_1970() {
        let encoded = Encoded::timestamp(946_684_800).expect("timestamp");
        assert_eq!(encoded.bytes, 0_i64.to_be_bytes());
    }

    #[test]
    fn impossible_moments_are_refused() {
        assert!(Encoded::date((2026, 2, 30)).is_err());
        assert!(Encoded::time((24, 0, 0, 0)).is_err());
        assert!(decode_date(&i32::MAX.to_be_bytes()).is_err(), "infinity");
        assert!(decode_datetime(&i64::MAX.to_be_bytes()).is_err(), "infinity");
    }

    #[test]
    fn a_uuid_has_one_form_on_the_way_back() {
        let expected = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for text in
            [expected, "67E5504410B1426F9247BB680E5FE0C8", "{67e55044-10b1-426f-9247-bb680e5fe0c8}"]
        {
            let encoded = Encoded::uuid(text).expect(text);
            assert_eq!(decode_uuid(&encoded.bytes).ok().as_deref(), Some(expected));
        }
        for text in
            ["", "x", "67e55044-10b1-426f-9247-bb680e5fe0cg", "+7e5504410b1426f9247bb680e5fe0c8"]
        {
            assert!(Encoded::uuid(text).is_err(), "{text}");
        }
    }
}
