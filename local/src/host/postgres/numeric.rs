//! `numeric` as decimal text, within the 96 bits and 28 decimal places that Spin's decimals have.

use anyhow::{Context, bail, ensure};
use bytes::{Buf, BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::wire::BoxError;

const MAX_SCALE: usize = 28;
const NEGATIVE: u16 = 0x4000;

/// A decimal number, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numeric {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: String,
    /// Digits after the point, as many as there are decimal places.
    fraction: String,
}

impl Numeric {
    /// Parses `-12.50`.
    pub(super) fn parse(text: &str) -> anyhow::Result<Numeric> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        ensure!(
            is_number(whole) && is_number(fraction) && !(whole.is_empty() && fraction.is_empty()),
            "invalid decimal {text}"
        );
        Numeric::new(text.starts_with('-'), whole, fraction)
            .with_context(|| format!("invalid decimal {text}"))
    }

    fn new(negative: bool, whole: &str, fraction: &str) -> anyhow::Result<Numeric> {
        let whole = whole.trim_start_matches('0');
        let digits = format!("0{whole}{fraction}");
        let fits = digits.trim_start_matches('0').len() <= 29
            && digits.parse::<u128>().is_ok_and(|number| number < 1 << 96);
        ensure!(fits, "more digits than a decimal has");
        ensure!(fraction.len() <= MAX_SCALE, "more than {MAX_SCALE} decimal places");
        Ok(Numeric { negative, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }

    /// The number in groups of four decimal digits, and how many groups stand before the point.
    fn groups(&self) -> (Vec<i16>, usize) {
        let whole_groups = self.whole.len().div_ceil(4);
        let fraction_groups = self.fraction.len().div_ceil(4);
        let digits = format!(
            "{:0>before$}{:0<after$}",
            self.whole,
            self.fraction,
            before = whole_groups * 4,
            after = fraction_groups * 4,
        );
        let value =
            |group: &[u8]| group.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'));
        let groups = digits.as_bytes().chunks(4).map(value).collect();
        (groups, whole_groups)
    }

    fn encode(&self, out: &mut BytesMut) -> anyhow::Result<()> {
        let (mut groups, whole_groups) = self.groups();
        let mut weight = i16::try_from(whole_groups)? - 1;
        while groups.last() == Some(&0) {
            groups.pop();
        }
        let zeros = groups.iter().take_while(|group| **group == 0).count();
        groups.drain(..zeros);
        weight -= i16::try_from(zeros)?;
        out.put_i16(groups.len().try_into()?);
        out.put_i16(if groups.is_empty() { 0 } else { weight });
        out.put_u16(if self.negative && !groups.is_empty() { NEGATIVE } else { 0 });
        out.put_u16(self.fraction.len().try_into()?);
        for group in groups {
            out.put_i16(group);
        }
        Ok(())
    }

    fn decode(mut bytes: &[u8]) -> anyhow::Result<Numeric> {
        let count = bytes.try_get_u16()?;
        let weight = bytes.try_get_i16()?;
        let sign = bytes.try_get_u16()?;
        let scale = usize::from(bytes.try_get_u16()?);
        let negative = match sign {
            0 => false,
            NEGATIVE => true,
            _ => bail!("not a number, or infinite"),
        };
        let groups = (0..count)
            .map(|_| Ok(format!("{:04}", bytes.try_get_i16()?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(weight < 10 && scale <= MAX_SCALE, "more digits than a decimal has");
        let group = |index: i16| {
            usize::try_from(index)
                .ok()
                .and_then(|index| groups.get(index))
                .map_or("0000", String::as_str)
        };
        let whole: String = (0..=weight).map(group).collect();
        let places = i16::try_from(scale.div_ceil(4))?;
        let mut fraction: String = (weight + 1..=weight + places).map(group).collect();
        fraction.truncate(scale);
        Numeric::new(negative, &whole, &fraction)
    }
}

impl std::fmt::Display for Numeric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{}", self.fraction)
    }
}

impl ToSql for Numeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.encode(out)?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }

    to_sql_checked!();
}

impl FromSql<'_> for Numeric {
    fn from_sql(_: &Type, bytes: &[u8]) -> Result<Numeric, BoxError> {
        Ok(Numeric::decode(bytes)?)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_way_there_and_back() {
        let table = [
            ("0", "0"),
            ("0.00", "0.00"),
            ("1", "1"),
            ("-12.50", "-12.50"),
            ("0.0001", "0.0001"),
            ("0.00001", "0.00001"),
            ("10000", "10000"),
            ("100000000.5", "100000000.5"),
            ("+007.10", "7.10"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
            ("0.1234567890123456789012345678", "0.1234567890123456789012345678"),
        ];
        for (text, expected) in table {
            let mut wire = BytesMut::new();
            Numeric::parse(text).expect(text).encode(&mut wire).expect(text);
            let back = Numeric::decode(&wire).expect(text);
            assert_eq!(back.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn the_wire_has_groups_of_four_digits() {
        let mut wire = BytesMut::new();
        let number = Numeric::parse("-12345.678").expect("number");
        number.encode(&mut wire).expect("wire");
        assert_eq!(wire[..], [0, 3, 0, 1, 0x40, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]);
    }

    #[test]
    fn what_a_decimal_cannot_hold_is_refused() {
        for text in ["", ".", "-", "1e5", "1.2.3", "NaN", "79228162514264337593543950336"] {
            assert!(Numeric::parse(text).is_err(), "{text}");
        }
        assert!(Numeric::decode(&[0, 0, 0, 0, 0xC0, 0, 0, 0]).is_err(), "NaN");
    }
}
