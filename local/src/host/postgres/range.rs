//! Ranges of numbers.

use bytes::BytesMut;
use postgres_protocol::types::{RangeBound, range_from_sql, range_to_sql};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::types::BoxError;
use crate::host::bindings::postgres::RangeBoundKind;

/// A bound of a range; `None` if there is none.
pub(super) type Bound<T> = Option<(T, RangeBoundKind)>;

/// Lower and upper bound. An empty range has no bounds, as on Spin.
#[derive(Debug)]
pub(super) struct Range<T>(pub(super) Bound<T>, pub(super) Bound<T>);

impl<T> Range<T> {
    pub(super) fn map<U>(self, convert: impl Fn(T) -> U) -> (Bound<U>, Bound<U>) {
        let bound = |bound: Bound<T>| bound.map(|(value, kind)| (convert(value), kind));
        (bound(self.0), bound(self.1))
    }
}

impl<T: ToSql> ToSql for Range<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let inner = inner_type(ty)?;
        range_to_sql(
            |out| write(self.0.as_ref(), inner, out),
            |out| write(self.1.as_ref(), inner, out),
            out,
        )?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        inner_type(ty).is_ok_and(T::accepts)
    }

    to_sql_checked!();
}

impl<'r, T: FromSql<'r>> FromSql<'r> for Range<T> {
    fn from_sql(ty: &Type, bytes: &'r [u8]) -> Result<Range<T>, BoxError> {
        use postgres_protocol::types::Range as Wire;
        let inner = inner_type(ty)?;
        match range_from_sql(bytes)? {
            Wire::Empty => Ok(Range(None, None)),
            Wire::Nonempty(lower, upper) => Ok(Range(read(&lower, inner)?, read(&upper, inner)?)),
        }
    }

    fn accepts(ty: &Type) -> bool {
        inner_type(ty).is_ok_and(T::accepts)
    }
}

fn inner_type(ty: &Type) -> Result<&Type, BoxError> {
    match ty.kind() {
        Kind::Range(inner) => Ok(inner),
        _ => Err("not a range".into()),
    }
}

fn write<T: ToSql>(
    bound: Option<&(T, RangeBoundKind)>,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<RangeBound<postgres_protocol::IsNull>, BoxError> {
    let Some((value, kind)) = bound else {
        return Ok(RangeBound::Unbounded);
    };
    value.to_sql(ty, out)?;
    Ok(match kind {
        RangeBoundKind::Inclusive => RangeBound::Inclusive(postgres_protocol::IsNull::No),
        RangeBoundKind::Exclusive => RangeBound::Exclusive(postgres_protocol::IsNull::No),
    })
}

fn read<'r, T: FromSql<'r>>(
    bound: &RangeBound<Option<&'r [u8]>>,
    ty: &Type,
) -> Result<Bound<T>, BoxError> {
    let (bytes, kind) = match *bound {
        RangeBound::Inclusive(bytes) => (bytes, RangeBoundKind::Inclusive),
        RangeBound::Exclusive(bytes) => (bytes, RangeBoundKind::Exclusive),
        RangeBound::Unbounded => return Ok(None),
    };
    Ok(Some((T::from_sql_nullable(ty, bytes)?, kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_keep_their_kind_on_the_wire() {
        let inclusive = |value: i32| Some((value, RangeBoundKind::Inclusive));
        let exclusive = |value: i32| Some((value, RangeBoundKind::Exclusive));
        let table = [
            (inclusive(1), exclusive(10)),
            (exclusive(-5), inclusive(i32::MAX)),
            (None, exclusive(3)),
            (inclusive(3), None),
            (None, None),
        ];
        for (lower, upper) in table {
            let mut wire = BytesMut::new();
            Range(lower, upper).to_sql(&Type::INT4_RANGE, &mut wire).expect("wire");
            let read = Range::<i32>::from_sql(&Type::INT4_RANGE, &wire).expect("range");
            assert_eq!((read.0, read.1), (lower, upper));
        }
        let empty = Range::<i32>::from_sql(&Type::INT4_RANGE, &[1]).expect("range");
        assert_eq!((empty.0, empty.1), (None, None));
    }

    #[test]
    fn a_range_binds_to_its_own_type_only() {
        assert!(<Range<i32> as ToSql>::accepts(&Type::INT4_RANGE));
        assert!(!<Range<i32> as ToSql>::accepts(&Type::INT8_RANGE));
        assert!(!<Range<i32> as ToSql>::accepts(&Type::INT4));
    }
}
