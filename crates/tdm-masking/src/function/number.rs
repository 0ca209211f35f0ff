//! Numbers: a keyed bijection for keys, and noise for measures.

use std::fmt::Write as _;

use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::BatchColumn;
use tdm_core::function::{
    BindRequest, BoundMask, Descriptor, MaskContext, MaskError, ParameterKind, Promise,
};
use tdm_core::keyring::DomainKey;
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};
use tdm_core::types::{LogicalType, TypeClass};

use super::{Bound, Function, NUMBERS, bad, key, parameter};
use crate::cells::{Reason, integer_range, length_max};
use crate::permutation::Permutation;

pub(crate) const PERMUTE: Function = Function {
    descriptor: Descriptor {
        name: "permute",
        summary: "Another whole number, one to one: a keyed bijection for keys and references.",
        parameters: &[
            parameter(
                "min",
                ParameterKind::Integer,
                "by width",
                "Least number of the range; with max.",
            ),
            parameter(
                "max",
                ParameterKind::Integer,
                "by width",
                "Greatest number of the range; with min.",
            ),
        ],
        accepts: &[TypeClass::Integer, TypeClass::Decimal, TypeClass::Text],
        promise: Promise {
            deterministic: true,
            injective: true,
            null_preserving: true,
            format_preserving: false,
            length_max: None,
        },
        weakness: "Sign and zero stay, and how many rows there are shows; in a small range few numbers are left to become.",
    },
    bind: bind_permute,
};

/// Numbers are permuted within bands that any column wide enough for the band has, so that a key of 32 bits
/// and a reference of 64 agree, on every engine. Zero stands alone: auto-increment columns read it as "next".
#[derive(Debug)]
struct Permute {
    permutation: Permutation,
    bands: Vec<(i128, i128)>,
    output: BatchColumn,
    outside: Reason,
}

fn bind_permute(request: &BindRequest<'_>) -> Bound {
    let (min, max) = (request.params.integer("min"), request.params.integer("max"));
    let (least, most) = integer_range(&request.column.logical);
    let digits_max = match &request.column.logical {
        LogicalType::Decimal {
            precision: Some(p),
            scale,
        } => Some(i64::from(*p) - i64::from(scale.unwrap_or(0))),
        LogicalType::Text { .. } => length_max(request.column).and_then(|n| i64::try_from(n).ok()),
        _ => None,
    };
    let most = match digits_max.and_then(|d| u32::try_from(d).ok()) {
        Some(digits) if digits < 19 => 10i64.pow(digits) - 1,
        _ => most,
    };
    let (bands, outside) = match (min, max) {
        (Some(min), Some(max)) if min < max => {
            if min < least || max > most {
                return Err(bad("max", "the range does not fit the column"));
            }
            let band = (i128::from(min), i128::from(max));
            (vec![band], "the number is outside the range of the rule")
        }
        (None, None) => {
            let mut bands = vec![(0, 0)];
            let (mut low, mut negative) = (1i128, 1i128);
            // The usual widths of keys; a narrower column adds its own bound.
            for high in [
                most.min(i32::MAX.into()),
                i32::MAX.into(),
                u32::MAX.into(),
                i64::MAX,
            ] {
                let high = i128::from(high);
                if high >= low {
                    // A signed width has one negative number more.
                    bands.extend([(low, high), (-high - 1, -negative)]);
                    (low, negative) = (high + 1, high + 2);
                }
            }
            (bands, "the number is outside the range of whole numbers")
        }
        (Some(_), Some(_)) => return Err(bad("max", "must be greater than min")),
        _ => return Err(bad("min", "and max go together")),
    };
    Ok(Box::new(Permute {
        permutation: Permutation::new(&key(request, "permute")),
        bands,
        output: request.column.clone(),
        outside,
    }))
}

impl Permute {
    fn number(&self, value: i64) -> Result<i64, Reason> {
        let wide = i128::from(value);
        let (low, high) = self
            .bands
            .iter()
            .find(|(low, high)| (*low..=*high).contains(&wide))
            .ok_or(self.outside)?;
        let size = u64::try_from(high - low + 1).map_err(|_| self.outside)?;
        let offset = u64::try_from(wide - low).map_err(|_| self.outside)?;
        let result = self.permutation.below(offset, size, 0);
        i64::try_from(low + i128::from(result)).map_err(|_| self.outside)
    }
}

impl BoundMask for Permute {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        Promise {
            length_max: length_max(&self.output).and_then(|n| u32::try_from(n).ok()),
            ..PERMUTE.descriptor.promise
        }
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        let (mut bytes, mut out) = (Vec::new(), String::new());
        let decimal = self.output.logical.class() == TypeClass::Decimal;
        for row in 0..input.len() {
            let fail = |reason| MaskError { row, reason };
            let pushed = match cell(input.as_ref(), row) {
                ScalarRef::Null => builder.push(ScalarRef::Null),
                ScalarRef::Int(value) => {
                    builder.push(ScalarRef::Int(self.number(value).map_err(fail)?))
                }
                ScalarRef::Text(text) if text.trim().is_empty() => {
                    builder.push(ScalarRef::Text(text))
                }
                ScalarRef::Text(text) => {
                    bytes.clear();
                    canonical(ScalarRef::Text(text), decimal, &mut bytes);
                    let value = whole(&bytes)
                        .ok_or_else(|| fail("the text is not a whole number in its plain form"))?;
                    out.clear();
                    let _ = write!(out, "{}", self.number(value).map_err(fail)?);
                    builder.push(ScalarRef::Text(&out))
                }
                _ => {
                    return Err(fail(
                        "the value is of a kind that the function does not take",
                    ));
                }
            };
            pushed.map_err(|_| fail("the number does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}

/// The whole number that `bytes` spell in the one way that does not lose anything: `007` is another text.
fn whole(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && text != "-0";
    if plain { text.parse().ok() } else { None }
}

pub(crate) const NUMBER_NOISE: Function = Function {
    descriptor: Descriptor {
        name: "number_noise",
        summary: "The number moved by a keyed share or amount; count of decimals kept.",
        parameters: &[
            parameter(
                "relative",
                ParameterKind::Number,
                "0.1",
                "Largest move as a share of the value.",
            ),
            parameter(
                "absolute",
                ParameterKind::Number,
                "0",
                "Largest move as an amount, besides the share.",
            ),
            parameter("min", ParameterKind::Number, "none", "Least result."),
            parameter("max", ParameterKind::Number, "none", "Greatest result."),
        ],
        accepts: NUMBERS,
        promise: Promise::KEYED,
        weakness: "The magnitude shows, zero stays zero unless an amount is given, and sums keep their size.",
    },
    bind: bind_noise,
};

#[derive(Debug)]
struct Noise {
    key: DomainKey,
    relative: f64,
    absolute: f64,
    min: f64,
    max: f64,
    output: BatchColumn,
    range: (i64, i64),
}

fn bind_noise(request: &BindRequest<'_>) -> Bound {
    let number = |name, default: f64| request.params.number(name).unwrap_or(default);
    let (least, most) = integer_range(&request.column.logical);
    let decimal_max = match &request.column.logical {
        LogicalType::Decimal {
            precision: Some(p),
            scale,
        } => {
            let digits = i64::from(*p) - i64::from(scale.unwrap_or(0));
            i32::try_from(digits).map_or(f64::INFINITY, |d| 10f64.powi(d) - 1.0)
        }
        _ => f64::INFINITY,
    };
    let noise = Noise {
        key: key(request, "number_noise"),
        relative: number("relative", 0.1),
        absolute: number("absolute", 0.0),
        min: number("min", -decimal_max),
        max: number("max", decimal_max),
        output: request.column.clone(),
        range: (least, most),
    };
    if !(0.0..=10.0).contains(&noise.relative) {
        return Err(bad("relative", "must be from 0 to 10"));
    }
    if !(0.0..=1e15).contains(&noise.absolute) {
        return Err(bad("absolute", "must be from 0 to 1e15"));
    }
    if noise.relative == 0.0 && noise.absolute == 0.0 {
        return Err(bad(
            "relative",
            "and absolute are both zero: nothing would be masked",
        ));
    }
    if noise.min > noise.max {
        return Err(bad("max", "must not be less than min"));
    }
    Ok(Box::new(noise))
}

impl Noise {
    /// `value` moved and rounded to `decimals`, never `value` itself unless the limits leave nothing else.
    fn moved(&self, value: f64, canonical: &[u8], decimals: i32) -> f64 {
        // 53 bits give every double between 0 and 1 that has that spacing.
        let bits = self.key.draws(canonical).next_u64() >> 11;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let unit = bits as f64 / (1u64 << 52) as f64 - 1.0;
        let delta = unit * (value.abs() * self.relative + self.absolute);
        let step = 10f64.powi(-decimals);
        let round = |v: f64| (v / step).round() * step;
        let mut result = round(value + delta);
        if (result - value).abs() < step / 2.0 && delta != 0.0 {
            result = round(value + step.copysign(delta));
        }
        if result > self.max || result < self.min {
            result = result.clamp(self.min, self.max);
        }
        result
    }
}

impl BoundMask for Noise {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        Promise {
            length_max: length_max(&self.output).and_then(|n| u32::try_from(n).ok()),
            ..Promise::KEYED
        }
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        let (mut bytes, mut out) = (Vec::new(), String::new());
        for row in 0..input.len() {
            let fail = |reason| MaskError { row, reason };
            let value = cell(input.as_ref(), row);
            bytes.clear();
            canonical(value, true, &mut bytes);
            let pushed = match value {
                ScalarRef::Null => builder.push(ScalarRef::Null),
                ScalarRef::Int(number) => {
                    builder.push(ScalarRef::Int(self.integer(number, &bytes)))
                }
                // Infinities and NaN are nobody's figure, and there is nothing to move.
                ScalarRef::Float(number) if !number.is_finite() => builder.push(value),
                ScalarRef::Float(number) => {
                    // As many decimals as the shortest text of the value has.
                    let decimals = bytes
                        .iter()
                        .position(|&b| b == b'.')
                        .map_or(0, |at| bytes.len() - at - 1);
                    let decimals = i32::try_from(decimals).unwrap_or(17).min(17);
                    builder.push(ScalarRef::Float(self.moved(number, &bytes, decimals)))
                }
                ScalarRef::Text(text) if text.trim().is_empty() => {
                    builder.push(ScalarRef::Text(text))
                }
                ScalarRef::Text(text) => {
                    let text = text.trim();
                    let number: f64 = text
                        .parse()
                        .ok()
                        .filter(|n: &f64| n.is_finite())
                        .ok_or_else(|| fail("the text is not a number"))?;
                    let decimals = text
                        .split_once('.')
                        .map_or(0, |(_, fraction)| fraction.len());
                    let moved = self.moved(number, &bytes, i32::try_from(decimals).unwrap_or(17));
                    out.clear();
                    let _ = write!(out, "{moved:.decimals$}");
                    if length_max(&self.output).is_some_and(|max| out.len() > max) {
                        return Err(fail("the replacement is longer than the column"));
                    }
                    builder.push(ScalarRef::Text(&out))
                }
                _ => {
                    return Err(fail(
                        "the value is of a kind that the function does not take",
                    ));
                }
            };
            pushed.map_err(|_| fail("the number does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}

impl Noise {
    fn integer(&self, value: i64, canonical: &[u8]) -> i64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "noise needs no more than 53 bits"
        )]
        let moved = self.moved(value as f64, canonical, 0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, and the clamp below is what is wanted"
        )]
        let moved = moved as i64;
        moved.clamp(self.range.0, self.range.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_form_is_a_whole_number() {
        assert_eq!(whole(b"7"), Some(7));
        assert_eq!(whole(b"-7"), Some(-7));
        for text in ["007", "-0", "", "7.5", "+7", "7a", "99999999999999999999"] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
    }
}
