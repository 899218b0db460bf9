//! Ranges of numbers.

use anyhow::ensure;
use bytes::{Buf, BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::wire::BoxError;
use crate::host::bindings::postgres::RangeBoundKind;

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// One end of a range; `None` is without end.
pub(super) type Bound<T> = Option<(T, RangeBoundKind)>;

/// A range as the interface has it. An empty one has no ends, as on Spin.
#[derive(Debug)]
pub(super) struct Range<T> {
    pub(super) lower: Bound<T>,
    pub(super) upper: Bound<T>,
}

impl<T> Range<T> {
    pub(super) fn new((lower, upper): (Bound<T>, Bound<T>)) -> Range<T> {
        Range { lower, upper }
    }

    pub(super) fn try_map<U>(
        self,
        convert: impl Fn(T) -> anyhow::Result<U>,
    ) -> anyhow::Result<Range<U>> {
        let bound = |bound: Bound<T>| {
            bound.map(|(value, kind)| Ok::<_, anyhow::Error>((convert(value)?, kind))).transpose()
        };
        Ok(Range { lower: bound(self.lower)?, upper: bound(self.upper)? })
    }

    pub(super) fn map<U>(self, convert: impl Fn(T) -> U) -> (Bound<U>, Bound<U>) {
        let bound = |bound: Bound<T>| bound.map(|(value, kind)| (convert(value), kind));
        (bound(self.lower), bound(self.upper))
    }
}

impl<T: ToSql> ToSql for Range<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let Kind::Range(inner) = ty.kind() else {
            return Err("not a range".into());
        };
        let flag = |bound: &Bound<T>, infinite, inclusive| match bound {
            None => infinite,
            Some((_, RangeBoundKind::Inclusive)) => inclusive,
            Some((_, RangeBoundKind::Exclusive)) => 0,
        };
        out.put_u8(
            flag(&self.lower, LOWER_INFINITE, LOWER_INCLUSIVE)
                | flag(&self.upper, UPPER_INFINITE, UPPER_INCLUSIVE),
        );
        for (value, _) in [&self.lower, &self.upper].into_iter().flatten() {
            let mut bytes = BytesMut::new();
            value.to_sql(inner, &mut bytes)?;
            out.put_i32(bytes.len().try_into()?);
            out.put_slice(&bytes);
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Range(inner) if T::accepts(inner))
    }

    to_sql_checked!();
}

impl<'r, T: FromSql<'r>> FromSql<'r> for Range<T> {
    fn from_sql(ty: &Type, mut bytes: &'r [u8]) -> Result<Range<T>, BoxError> {
        let Kind::Range(inner) = ty.kind() else {
            return Err("not a range".into());
        };
        let flags = bytes.try_get_u8()?;
        let mut bound = |infinite, inclusive| -> Result<Bound<T>, BoxError> {
            if flags & (EMPTY | infinite) != 0 {
                return Ok(None);
            }
            let value = T::from_sql(inner, take_value(&mut bytes)?)?;
            let kind = if flags & inclusive == 0 {
                RangeBoundKind::Exclusive
            } else {
                RangeBoundKind::Inclusive
            };
            Ok(Some((value, kind)))
        };
        Ok(Range {
            lower: bound(LOWER_INFINITE, LOWER_INCLUSIVE)?,
            upper: bound(UPPER_INFINITE, UPPER_INCLUSIVE)?,
        })
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Range(inner) if T::accepts(inner))
    }
}

fn take_value<'r>(bytes: &mut &'r [u8]) -> anyhow::Result<&'r [u8]> {
    let length = usize::try_from(bytes.try_get_i32()?)?;
    ensure!(length <= bytes.len(), "a range that ends too early");
    let (value, rest) = bytes.split_at(length);
    *bytes = rest;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_survive_the_way_there_and_back() {
        let inclusive = |value: i32| Some((value, RangeBoundKind::Inclusive));
        let exclusive = |value: i32| Some((value, RangeBoundKind::Exclusive));
        let table = [
            (inclusive(1), exclusive(10)),
            (exclusive(-5), inclusive(5)),
            (None, exclusive(3)),
            (inclusive(3), None),
            (None, None),
        ];
        for (lower, upper) in table {
            let mut wire = BytesMut::new();
            let range = Range { lower, upper };
            range.to_sql(&Type::INT4_RANGE, &mut wire).expect("wire");
            let back = Range::<i32>::from_sql(&Type::INT4_RANGE, &wire).expect("range");
            assert_eq!((back.lower, back.upper), (lower, upper));
        }
    }

    #[test]
    fn an_empty_range_has_no_ends() {
        let empty = Range::<i32>::from_sql(&Type::INT4_RANGE, &[EMPTY]).expect("range");
        assert_eq!((empty.lower, empty.upper), (None, None));
    }

    #[test]
    fn a_range_takes_its_own_kind_only() {
        assert!(<Range<i32> as ToSql>::accepts(&Type::INT4_RANGE));
        assert!(!<Range<i32> as ToSql>::accepts(&Type::INT8_RANGE));
    }
}
