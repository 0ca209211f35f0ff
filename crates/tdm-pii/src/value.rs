//! Values: shapes, check digits, dictionaries, and what a column of them says as a whole.

mod checksum;
mod contact;
mod date;
mod dictionary;
mod finance;
mod form;
mod hash;
mod mixed;
mod national;
mod postal;
mod secret;
mod tally;
mod words;

pub(crate) use checksum::{ean, luhn, mod_11_10, verhoeff};
pub(crate) use contact::{PhoneShape, email, ipv4, personal_url, phone_shape};
pub(crate) use date::parse as parse_date;
pub(crate) use dictionary::{Dictionary, Kinds};
pub(crate) use finance::{card, iban};
pub(crate) use mixed::MIXED;
pub(crate) use national::SCHEMES;
pub(crate) use tally::{Tally, VALUES_MAX, Weighing};

/// Runs a check over the digits of a text, separators left out; a text with other characters fails.
pub(crate) fn with_digits(text: &str, check: fn(&[u8]) -> bool) -> bool {
    let mut digits = Vec::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'0'..=b'9' => digits.push(b - b'0'),
            b' ' | b'-' | b'.' | b'/' => {}
            _ => return false,
        }
    }
    digits.len() > 1 && check(&digits)
}
