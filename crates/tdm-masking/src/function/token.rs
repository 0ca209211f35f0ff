//! Keyed tokens: HMAC-SHA256 of the canonical value, written in an alphabet.

use std::sync::Arc;

use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskContext, MaskError, ParameterKind, Promise,
};
use tdm_core::keyring::{DomainKey, Draws};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};
use tdm_core::types::TypeClass;

use super::{Bound, Function, bad, count, key, parameter};
use crate::cells::length_max;

/// Digits and small letters without the ones that are mistaken for each other.
pub(crate) const BASE32: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Bits below which a token may not stand for uniqueness: a billion values meet with a chance of 1 in 2.
pub(crate) const UNIQUE_BITS: u32 = 60;

pub(crate) const TOKEN: Function = Function {
    descriptor: Descriptor {
        name: "token",
        summary: "A keyed token: HMAC-SHA256 of the value in an alphabet of your choice.",
        parameters: &[
            parameter(
                "alphabet",
                ParameterKind::Text,
                "base32",
                "base32, hex, digits, alphanumeric, or the characters themselves.",
            ),
            parameter(
                "length",
                ParameterKind::Integer,
                "16",
                "Characters after the prefix; shortened where the column is shorter.",
            ),
            parameter("prefix", ParameterKind::Text, "", "Text before each token."),
        ],
        accepts: &[TypeClass::Text, TypeClass::Bytes, TypeClass::Uuid],
        promise: Promise {
            deterministic: true,
            injective: true,
            null_preserving: true,
            format_preserving: false,
            length_max: Some(16),
        },
        weakness: "Equal values stay equal, so frequencies show; who holds the key can test guesses.",
    },
    bind,
};

fn bind(request: &BindRequest<'_>) -> Bound {
    if request.column.logical.class() == TypeClass::Uuid {
        return Err(BindError::Other(
            "a token is no UUID; use the function `uuid`".to_owned(),
        ));
    }
    let alphabet: Arc<[u8]> = match request.params.text("alphabet").unwrap_or("base32") {
        "base32" => BASE32.as_slice().into(),
        "hex" => b"0123456789abcdef".as_slice().into(),
        "digits" => b"0123456789".as_slice().into(),
        "alphanumeric" => (b'0'..=b'9')
            .chain(b'A'..=b'Z')
            .chain(b'a'..=b'z')
            .collect(),
        other => {
            let mut bytes = other.as_bytes().to_vec();
            bytes.sort_unstable();
            bytes.dedup();
            if bytes.len() < 2 || bytes.len() != other.len() || !other.is_ascii() {
                return Err(bad(
                    "alphabet",
                    "must be base32, hex, digits, alphanumeric, or two or more different ASCII characters",
                ));
            }
            other.as_bytes().into()
        }
    };
    let prefix = request.params.text("prefix").unwrap_or("");
    let mut length = count(request, "length", 16, 256)?;
    let prefix_length = prefix.chars().count();
    if let Some(max) = length_max(request.column) {
        length = length.min(max.saturating_sub(prefix_length));
    }
    if length == 0 {
        return Err(bad("length", "leaves no room for a token in this column"));
    }
    let bits = f64::from(u32::try_from(length).unwrap_or(u32::MAX))
        * f64::from(u32::try_from(alphabet.len()).unwrap_or(u32::MAX)).log2();
    Ok(Box::new(TokenColumn {
        token: Token {
            key: key(request, "token"),
            alphabet,
            length,
        },
        prefix: prefix.to_owned(),
        output: request.column.clone(),
        promise: Promise {
            deterministic: true,
            injective: bits >= f64::from(UNIQUE_BITS),
            null_preserving: true,
            format_preserving: false,
            length_max: u32::try_from(length + prefix_length).ok(),
        },
    }))
}

#[derive(Debug)]
struct Token {
    key: DomainKey,
    alphabet: Arc<[u8]>,
    length: usize,
}

impl Token {
    fn write(&self, message: &[u8], out: &mut Vec<u8>) {
        let radix = self.alphabet.len();
        let mut draws = self.key.draws(message);
        if radix.is_power_of_two() {
            let bits = radix.trailing_zeros();
            spread(&mut draws, bits, self.length, |i| {
                out.push(self.alphabet[i]);
            });
            return;
        }
        let radix = radix as u64;
        // As many symbols from one draw as 2^63 holds.
        let per_draw = (0..)
            .take_while(|&n| radix.checked_pow(n).is_some_and(|p| p < 1 << 63))
            .count()
            - 1;
        let bound = radix.pow(u32::try_from(per_draw).unwrap_or(1));
        let mut left = self.length;
        while left > 0 {
            let mut value = draws.below(bound);
            for _ in 0..per_draw.min(left) {
                let index = usize::try_from(value % radix).unwrap_or(0);
                out.push(self.alphabet[index]);
                value /= radix;
            }
            left -= per_draw.min(left);
        }
    }
}

/// Calls `each` with `length` numbers of `bits` bits.
fn spread(draws: &mut Draws<'_>, bits: u32, length: usize, mut each: impl FnMut(usize)) {
    let (mut word, mut left) = (0, 0);
    for _ in 0..length {
        if left < bits {
            word = draws.next_u64();
            left = 64;
        }
        let index = word & ((1 << bits) - 1);
        each(usize::try_from(index).unwrap_or(0));
        word >>= bits;
        left -= bits;
    }
}

/// Appends `length` base-32 characters drawn from `draws`.
pub(crate) fn base32(draws: &mut Draws<'_>, length: usize, out: &mut String) {
    spread(draws, 5, length, |i| out.push(char::from(BASE32[i])));
}

#[derive(Debug)]
struct TokenColumn {
    token: Token,
    prefix: String,
    output: BatchColumn,
    promise: Promise,
}

impl BoundMask for TokenColumn {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        self.promise
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        let (mut message, mut out) = (Vec::new(), Vec::new());
        for row in 0..input.len() {
            let fail = |reason| MaskError { row, reason };
            let value = cell(input.as_ref(), row);
            let blank = match value {
                ScalarRef::Text(text) => text.trim().is_empty(),
                ScalarRef::Bytes(bytes) if self.output.encoding == Encoding::Bytes => {
                    bytes.is_empty()
                }
                ScalarRef::Null => true,
                _ => {
                    return Err(fail(
                        "the value is of a kind that the function does not take",
                    ));
                }
            };
            let pushed = if blank {
                builder.push(value)
            } else {
                message.clear();
                canonical(value, false, &mut message);
                out.clear();
                out.extend_from_slice(self.prefix.as_bytes());
                self.token.write(&message, &mut out);
                if self.output.encoding == Encoding::Bytes {
                    builder.push(ScalarRef::Bytes(&out))
                } else {
                    let text =
                        std::str::from_utf8(&out).map_err(|_| fail("the token is not text"))?;
                    builder.push(ScalarRef::Text(text))
                }
            };
            pushed.map_err(|_| fail("the token does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}
