//! Values that the driver has no type for.

use anyhow::{Context, ensure};
use bytes::{Buf, BufMut, BytesMut};
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use crate::host::bindings::postgres;

pub(super) type BoxError = Box<dyn std::error::Error + Sync + Send>;

/// `interval`.
#[derive(Debug)]
pub(super) struct Interval(pub(super) postgres::Interval);

/// `numeric`, within the 96 bits and 28 decimal places of Spin's decimals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric(pub(super) Decimal);

/// `NULL` of any type.
#[derive(Debug)]
pub(super) struct Null;

/// The bytes of a type that the interface does not have.
pub(super) struct Unsupported(pub(super) Vec<u8>);

impl Numeric {
    pub(super) fn parse(text: &str) -> anyhow::Result<Numeric> {
        let decimal = Decimal::from_str_exact(text);
        Ok(Numeric(decimal.with_context(|| format!("invalid decimal {text}"))?))
    }

    /// `rust_decimal` panics if more than seven groups of four zeros follow the digits.
    fn check_size(mut bytes: &[u8]) -> anyhow::Result<()> {
        let groups = i32::from(bytes.try_get_u16()?);
        let weight = i32::from(bytes.try_get_i16()?);
        ensure!(weight - groups < 7, "more digits than a decimal has");
        Ok(())
    }
}

impl<'r> FromSql<'r> for Numeric {
    fn from_sql(ty: &Type, bytes: &'r [u8]) -> Result<Numeric, BoxError> {
        Numeric::check_size(bytes)?;
        Decimal::from_sql(ty, bytes).map(Numeric)
    }

    accepts!(NUMERIC);
}

impl ToSql for Numeric {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.0.to_sql(ty, out)
    }

    accepts!(NUMERIC);
    to_sql_checked!();
}

impl FromSql<'_> for Interval {
    fn from_sql(_: &Type, mut bytes: &[u8]) -> Result<Interval, BoxError> {
        Ok(Interval(postgres::Interval {
            micros: bytes.try_get_i64()?,
            days: bytes.try_get_i32()?,
            months: bytes.try_get_i32()?,
        }))
    }

    accepts!(INTERVAL);
}

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        out.put_i64(self.0.micros);
        out.put_i32(self.0.days);
        out.put_i32(self.0.months);
        Ok(IsNull::No)
    }

    accepts!(INTERVAL);
    to_sql_checked!();
}

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, BoxError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl FromSql<'_> for Unsupported {
    fn from_sql(_: &Type, bytes: &[u8]) -> Result<Unsupported, BoxError> {
        Ok(Unsupported(bytes.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_places_on_the_wire() {
        for text in ["0", "1", "-12.50", "0.00001", "10000", "79228162514264337593543950335"] {
            let mut wire = BytesMut::new();
            Numeric::parse(text).expect(text).to_sql(&Type::NUMERIC, &mut wire).expect(text);
            let read = Numeric::from_sql(&Type::NUMERIC, &wire).expect(text);
            assert_eq!(read.0.to_string(), text);
        }
    }

    #[test]
    fn a_number_larger_than_a_decimal_is_an_error() {
        for text in ["", ".", "-", "1e5", "1.2.3", "NaN", "79228162514264337593543950336"] {
            assert!(Numeric::parse(text).is_err(), "{text}");
        }
        let power_of_ten_thousand = |exponent: u8| [0, 1, 0, exponent, 0, 0, 0, 0, 0, 1];
        for exponent in 0..u8::MAX {
            let read = Numeric::from_sql(&Type::NUMERIC, &power_of_ten_thousand(exponent));
            assert_eq!(read.is_ok(), exponent <= 7, "{exponent}");
        }
        let not_a_number = [0, 0, 0, 0, 0xC0, 0, 0, 0];
        assert!(Numeric::from_sql(&Type::NUMERIC, &not_a_number).is_err());
    }
}
