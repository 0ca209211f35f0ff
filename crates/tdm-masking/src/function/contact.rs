//! Telephone numbers: digits change, country code and layout stay.

use tdm_core::function::{Descriptor, ParameterKind};

use super::{BIJECTION, DIGITS, Function, bad, key, parameter};
use crate::cells::{Reason, Scratch, TextColumn, TextMask};
use crate::permutation::Permutation;
use crate::shape::{Scope, replaceable, scramble};

pub(crate) const PHONE: Function = Function {
    descriptor: Descriptor {
        name: "phone",
        summary: "A telephone number of the same layout and country; no two numbers of one layout meet.",
        parameters: &[
            parameter(
                "keep_country",
                ParameterKind::Boolean,
                "true",
                "Whether the country code after `+` or `00` stays.",
            ),
            parameter(
                "keep_first",
                ParameterKind::Integer,
                "0",
                "Digits after the country code that stay, for example an area code.",
            ),
        ],
        accepts: DIGITS,
        promise: BIJECTION,
        weakness: "The number may be somebody's: it is well formed, and nothing says it is not in use.",
    },
    bind: |request| {
        let keep_first = request.params.integer("keep_first").unwrap_or(0);
        let mask = Phone {
            permutation: Permutation::new(&key(request, "phone")),
            keep_country: request.params.boolean("keep_country").unwrap_or(true),
            keep_first: usize::try_from(keep_first)
                .map_err(|_| bad("keep_first", "must not be negative"))?,
        };
        Ok(Box::new(TextColumn::new(mask, request.column, BIJECTION)))
    },
};

#[derive(Debug)]
struct Phone {
    permutation: Permutation,
    keep_country: bool,
    keep_first: usize,
}

/// Country codes of two digits (ITU-T E.164); 1 and 7 have one digit, all others three.
const TWO_DIGITS: &[u8] = &[
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56,
    57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];

/// Leading digits of an international number that name the country, `00` included.
fn country_digits(input: &str) -> usize {
    let text = input.trim_start().trim_start_matches('(');
    let (prefix, rest) = match (text.strip_prefix('+'), text.strip_prefix("00")) {
        (Some(rest), _) => (0, rest),
        (None, Some(rest)) => (2, rest),
        (None, None) => return 0,
    };
    let mut digits = rest.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0');
    let (Some(a), Some(b)) = (digits.next(), digits.next()) else {
        return 0;
    };
    prefix
        + match a {
            1 | 7 => 1,
            _ if TWO_DIGITS.contains(&(a * 10 + b)) => 2,
            _ => 3,
        }
}

impl TextMask for Phone {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        // Words such as `ext` are layout; any other letters are digits in disguise.
        let mut letters = String::new();
        letters.extend(
            input
                .chars()
                .filter(|c| c.is_alphabetic())
                .flat_map(char::to_lowercase),
        );
        let layout = ["", "x", "ext", "extn", "tel", "fax", "ph", "tél", "telefon"]
            .contains(&letters.as_str());
        let scope = if layout { Scope::Digits } else { Scope::All };
        let mut keep = self.keep_first;
        if self.keep_country {
            keep += country_digits(input);
        }
        // A number that consists of its kept part would pass unmasked.
        if keep >= replaceable(scope, input) {
            keep = 0;
        }
        scramble(
            &self.permutation,
            0,
            scope,
            |n| n < keep,
            input,
            scratch,
            out,
        );
        Ok(())
    }
}
