//! Numbers with check digits: payment cards and IBANs. A valid number becomes another valid one; a wrong
//! check digit stays wrong by as much, so that no two numbers meet.

use tdm_core::function::{Descriptor, ParameterKind};

use super::{BIJECTION, DIGITS, Function, TEXTUAL, key, parameter, word};
use crate::cells::{Reason, Scratch, TextColumn, TextMask};
use crate::permutation::Permutation;
use crate::shape::{Scope, replaceable, scramble};

pub(crate) const CREDIT_CARD: Function = Function {
    descriptor: Descriptor {
        name: "credit_card",
        summary: "A card number of the same layout and brand with a right Luhn digit; security codes are scrambled.",
        parameters: &[parameter(
            "issuer",
            ParameterKind::Text,
            "keep",
            "keep (the first six digits stay) or brand (only the first digit stays).",
        )],
        accepts: DIGITS,
        promise: BIJECTION,
        weakness: "The number is well formed and may be somebody's; the issuer shows.",
    },
    bind: |request| {
        let keep = if word(request, "issuer", "keep", &["keep", "brand"])? == "keep" {
            6
        } else {
            1
        };
        let mask = Card {
            permutation: Permutation::new(&key(request, "credit_card")),
            keep,
        };
        Ok(Box::new(TextColumn::new(mask, request.column, BIJECTION)))
    },
};

#[derive(Debug)]
struct Card {
    permutation: Permutation,
    keep: usize,
}

/// The digit that makes digits before it pass ISO/IEC 7812-1 annex B (Luhn).
pub(crate) fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let doubled = u32::from(digit) * if i % 2 == 0 { 2 } else { 1 };
            doubled / 10 + doubled % 10
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

/// Digits of a text as numbers.
fn digits(text: &str) -> impl DoubleEndedIterator<Item = u8> {
    text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0')
}

impl TextMask for Card {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let total = replaceable(Scope::Digits, input);
        if total < 12 {
            // A security code, or the last digits of a number.
            scramble(
                &self.permutation,
                1,
                Scope::All,
                |_| false,
                input,
                scratch,
                out,
            );
            return Ok(());
        }
        let keep = |n: usize| n < self.keep || n + 1 == total;
        let start = out.len();
        scramble(
            &self.permutation,
            0,
            Scope::Digits,
            keep,
            input,
            scratch,
            out,
        );
        let check = |text: &str| {
            luhn(
                digits(text)
                    .rev()
                    .skip(1)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev(),
            )
        };
        let given = digits(input).next_back().unwrap_or(0);
        let off = (10 + given - check(input)) % 10;
        let right = (check(&out[start..]) + off) % 10;
        if let Some(at) = out.rfind(|c: char| c.is_ascii_digit()) {
            out.replace_range(at..=at, DIGIT[usize::from(right)]);
        }
        Ok(())
    }
}

const DIGIT: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

pub(crate) const IBAN: Function = Function {
    descriptor: Descriptor {
        name: "iban",
        summary: "An IBAN of the same country and layout with right check digits.",
        parameters: &[parameter(
            "keep_bank",
            ParameterKind::Integer,
            "0",
            "Characters after the check digits that stay, for example the bank code.",
        )],
        accepts: TEXTUAL,
        promise: BIJECTION,
        weakness: "The country shows; national check digits inside the account number are not kept.",
    },
    bind: |request| {
        let mask = Iban {
            permutation: Permutation::new(&key(request, "iban")),
            keep_bank: super::count(request, "keep_bank", 0, 30)?,
        };
        Ok(Box::new(TextColumn::new(mask, request.column, BIJECTION)))
    },
};

#[derive(Debug)]
struct Iban {
    permutation: Permutation,
    keep_bank: usize,
}

/// ISO 7064 mod 97-10 over the account part, then country and `00`.
fn iban_check(text: &str) -> u32 {
    let symbols: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let (head, account) = symbols.split_at(4.min(symbols.len()));
    let mut rest = 0;
    for byte in account
        .iter()
        .chain(&head[..2.min(head.len())])
        .chain(b"00")
    {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            letter => u32::from(letter.to_ascii_uppercase() - b'A') + 10,
        };
        rest = (rest * if value > 9 { 100 } else { 10 } + value) % 97;
    }
    98 - rest
}

impl TextMask for Iban {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let symbols = || input.chars().filter(char::is_ascii_alphanumeric);
        let total = symbols().count();
        let headed = symbols().take(2).all(|c| c.is_ascii_alphabetic())
            && symbols().skip(2).take(2).all(|c| c.is_ascii_digit());
        if !headed || total < 12 || !input.is_ascii() {
            scramble(
                &self.permutation,
                1,
                Scope::All,
                |_| false,
                input,
                scratch,
                out,
            );
            return Ok(());
        }
        let keep = 4 + if 4 + self.keep_bank < total {
            self.keep_bank
        } else {
            0
        };
        let start = out.len();
        scramble(
            &self.permutation,
            0,
            Scope::All,
            |n| n < keep,
            input,
            scratch,
            out,
        );
        let given = symbols()
            .skip(2)
            .take(2)
            .fold(0, |n, c| n * 10 + c.to_digit(10).unwrap_or(0));
        let off = (100 + given - iban_check(input)) % 100;
        let right = (iban_check(&out[start..]) + off) % 100;
        let places: Vec<usize> = out[start..]
            .char_indices()
            .filter(|(_, c)| c.is_ascii_alphanumeric())
            .map(|(i, _)| start + i)
            .skip(2)
            .take(2)
            .collect();
        for (place, digit) in places.into_iter().zip([right / 10, right % 10]) {
            let digit = DIGIT[usize::try_from(digit).unwrap_or(0)];
            out.replace_range(place..=place, digit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_published_examples() {
        assert_eq!(luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1].into_iter()), 3);
        assert_eq!(luhn(digits("411111111111111")), 1);
        assert_eq!(iban_check("GB00 NWBK 6016 1331 9268 19"), 29);
        assert_eq!(iban_check("DE00370400440532013000"), 89);
    }
}
