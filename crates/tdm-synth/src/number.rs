//! Exact decimals: what numeric columns hold and what constraints compare.

use std::cmp::Ordering;
use std::fmt;

/// `units` times ten to the power of minus `scale`.
#[derive(Clone, Copy)]
pub(crate) struct Decimal {
    pub(crate) units: i128,
    pub(crate) scale: u32,
}

/// Largest scale that still leaves room for computing.
pub(crate) const SCALE_MAX: u32 = 30;

/// Ten to the power of `n`, saturating.
pub(crate) const fn ten_to(n: u32) -> i128 {
    match 10i128.checked_pow(n) {
        Some(power) => power,
        None => i128::MAX,
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal(…)")
    }
}

impl Decimal {
    pub(crate) const fn whole(units: i128) -> Self {
        Self { units, scale: 0 }
    }

    /// Reads a plain number, with an exponent when there is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut units: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            units = units
                .checked_mul(10)?
                .checked_add(i128::from(byte - b'0'))?;
        }
        if negative {
            units = -units;
        }
        let scale = i32::try_from(fraction.len()).ok()? - exponent;
        match u32::try_from(scale) {
            Ok(scale) if scale <= SCALE_MAX => Some(Self { units, scale }),
            Ok(_) => None,
            Err(_) => Some(Self::whole(
                units.checked_mul(10i128.checked_pow(scale.unsigned_abs())?)?,
            )),
        }
    }

    /// From a binary number, to fifteen decimals at most. `None` for infinities, NaN and huge numbers.
    pub(crate) fn from_float(value: f64) -> Option<Self> {
        (value.is_finite() && value.abs() < 1e20)
            .then(|| Self::parse(&format!("{value}")))
            .flatten()
    }

    /// Units at `scale`, rounded down when digits are lost.
    pub(crate) const fn floor_at(self, scale: u32) -> i128 {
        if scale >= self.scale {
            self.units.saturating_mul(ten_to(scale - self.scale))
        } else {
            self.units.div_euclid(ten_to(self.scale - scale))
        }
    }

    /// Units at `scale`, rounded up when digits are lost.
    pub(crate) const fn ceil_at(self, scale: u32) -> i128 {
        let floor = self.floor_at(scale);
        if scale < self.scale && floor.saturating_mul(ten_to(self.scale - scale)) != self.units {
            floor + 1
        } else {
            floor
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
    pub(crate) fn to_float(self) -> f64 {
        // Both are exact for the sizes that columns have, so the quotient is correctly rounded.
        self.units as f64 / ten_to(self.scale) as f64
    }

    pub(crate) fn add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let units = self.floor_at(scale).checked_add(other.floor_at(scale))?;
        Some(Self { units, scale })
    }

    pub(crate) fn multiply(self, other: Self) -> Option<Self> {
        let scale = self.scale + other.scale;
        let units = self.units.checked_mul(other.units)?;
        (scale <= SCALE_MAX).then_some(Self { units, scale })
    }

    pub(crate) const fn negate(self) -> Self {
        Self {
            units: -self.units,
            scale: self.scale,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.floor_at(scale).cmp(&other.floor_at(scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.units);
        }
        let power = ten_to(self.scale).unsigned_abs();
        let magnitude = self.units.unsigned_abs();
        let sign = if self.units < 0 { "-" } else { "" };
        write!(
            f,
            "{sign}{}.{:0width$}",
            magnitude / power,
            magnitude % power,
            width = self.scale as usize
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_print_and_compare() {
        for (text, printed) in [
            ("007.50", "7.50"),
            ("-0.05", "-0.05"),
            ("12", "12"),
            ("1e3", "1000"),
            ("25e-1", "2.5"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), printed);
        }
        for bad in ["", "-", "1.2.3", "abc", "1e999"] {
            assert!(Decimal::parse(bad).is_none());
        }
        let one = Decimal::parse("1.0").unwrap();
        assert_eq!(one.compare(Decimal::whole(1)), Ordering::Equal);
        assert_eq!(Decimal::parse("-1.5").unwrap().floor_at(0), -2);
        assert_eq!(Decimal::parse("-1.5").unwrap().ceil_at(0), -1);
        assert_eq!(Decimal::parse("1.01").unwrap().ceil_at(1), 11);
    }
}
