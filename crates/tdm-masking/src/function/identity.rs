//! National and tax numbers with the check digits and encoded parts of their country's scheme.
//!
//! A valid number becomes another valid one: its body is permuted again and again until it is a valid body,
//! which is a bijection on valid bodies, and the check digits follow. A number that was not valid becomes
//! another that is not, so the two kinds never meet.

use tdm_core::function::{BindRequest, Descriptor, Parameter, ParameterKind};

use super::{BIJECTION, Bound, DIGITS, Function, bad, key, parameter};
use crate::cells::{Reason, Scratch, TextColumn, TextMask};
use crate::permutation::Permutation;
use crate::shape::{Scope, scramble};

const KEEP: [Parameter; 3] = [
    parameter(
        "country",
        ParameterKind::Text,
        "none",
        "Scheme: us, gb, de, fr, es, it, nl, pl, br, in; without one the shape alone is kept.",
    ),
    parameter(
        "keep_first",
        ParameterKind::Integer,
        "0",
        "Letters and digits at the start that stay, without a country.",
    ),
    parameter(
        "keep_last",
        ParameterKind::Integer,
        "0",
        "Letters and digits at the end that stay, without a country.",
    ),
];

pub(crate) const NATIONAL_ID: Function = Function {
    descriptor: Descriptor {
        name: "national_id",
        summary: "An identity or tax number of the same shape, one to one; with a country, valid in its scheme.",
        parameters: &KEEP,
        accepts: DIGITS,
        promise: BIJECTION,
        weakness: "The number may be somebody's; without a country, check digits are not kept.",
    },
    bind,
};

fn bind(request: &BindRequest<'_>) -> Bound {
    let Some(country) = request.params.text("country") else {
        return (super::text::SCRAMBLE.bind)(request);
    };
    let schemes = schemes(&country.to_lowercase());
    if schemes.is_empty() {
        return Err(bad(
            "country",
            "must be one of us, gb, de, fr, es, it, nl, pl, br, in",
        ));
    }
    let mask = Identity {
        permutation: Permutation::new(&key(request, "national_id")),
        schemes,
    };
    Ok(Box::new(TextColumn::new(mask, request.column, BIJECTION)))
}

/// How numbers of one kind are built. Symbols are ASCII letters and digits, capitals, without layout.
#[derive(Debug, Clone, Copy)]
struct Scheme {
    /// Symbols in all.
    symbols: usize,
    /// Check symbols at the end.
    checks: usize,
    /// Whether the symbols before the check symbols may stand there.
    body: fn(&[u8]) -> bool,
    /// Check symbols of a valid body; `None` when it has none.
    check: fn(&[u8]) -> Option<Vec<u8>>,
}

#[derive(Debug)]
struct Identity {
    permutation: Permutation,
    schemes: &'static [Scheme],
}

fn symbols(text: &str) -> Vec<u8> {
    text.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|b| b.to_ascii_uppercase())
        .collect()
}

impl Scheme {
    fn valid(&self, symbols: &[u8]) -> bool {
        symbols.len() == self.symbols && {
            let (body, checks) = symbols.split_at(self.symbols - self.checks);
            (self.body)(body) && (self.check)(body).is_some_and(|c| c == checks)
        }
    }
}

impl TextMask for Identity {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        // A scheme whose bodies are one in a thousand is walked a thousand steps on average.
        const WALK_MAX: u32 = 200_000;
        let given = symbols(input);
        let scheme = self.schemes.iter().find(|s| s.valid(&given));
        let mut current = input.to_owned();
        for _ in 0..WALK_MAX {
            out.clear();
            let Some(scheme) = scheme else {
                scramble(
                    &self.permutation,
                    1,
                    Scope::All,
                    |_| false,
                    &current,
                    scratch,
                    out,
                );
                let result = symbols(out);
                if !self.schemes.iter().any(|s| s.valid(&result)) {
                    return Ok(());
                }
                std::mem::swap(&mut current, out);
                continue;
            };
            let free = scheme.symbols - scheme.checks;
            scramble(
                &self.permutation,
                0,
                Scope::All,
                |n| n >= free,
                &current,
                scratch,
                out,
            );
            let result = symbols(out);
            if (scheme.body)(&result[..free])
                && let Some(checks) = (scheme.check)(&result[..free])
            {
                let places: Vec<usize> = out
                    .char_indices()
                    .filter(|(_, c)| c.is_ascii_alphanumeric())
                    .map(|(at, _)| at)
                    .skip(free)
                    .collect();
                for (at, check) in places.into_iter().zip(checks) {
                    out.replace_range(at..=at, char::from(check).encode_utf8(&mut [0; 4]));
                }
                return Ok(());
            }
            std::mem::swap(&mut current, out);
        }
        Err("no other number of the scheme was found")
    }
}

fn schemes(country: &str) -> &'static [Scheme] {
    match country {
        "us" => &[Scheme {
            symbols: 9,
            checks: 0,
            body: us,
            check: |_| Some(Vec::new()),
        }],
        "gb" => &[Scheme {
            symbols: 9,
            checks: 0,
            body: gb,
            check: |_| Some(Vec::new()),
        }],
        "de" => &[Scheme {
            symbols: 11,
            checks: 1,
            body: de,
            check: de_check,
        }],
        "fr" => &[Scheme {
            symbols: 15,
            checks: 2,
            body: fr,
            check: fr_check,
        }],
        "es" => &[Scheme {
            symbols: 9,
            checks: 1,
            body: es,
            check: es_check,
        }],
        "it" => &[Scheme {
            symbols: 16,
            checks: 1,
            body: it,
            check: it_check,
        }],
        "nl" => &[Scheme {
            symbols: 9,
            checks: 1,
            body: digits,
            check: nl_check,
        }],
        "pl" => &[Scheme {
            symbols: 11,
            checks: 1,
            body: pl,
            check: pl_check,
        }],
        "br" => &[
            Scheme {
                symbols: 11,
                checks: 2,
                body: digits,
                check: |b| br_check(b, 11),
            },
            Scheme {
                symbols: 14,
                checks: 2,
                body: digits,
                check: |b| br_check(b, 9),
            },
        ],
        "in" => &[Scheme {
            symbols: 12,
            checks: 1,
            body: |b| digits(b) && b[0] > b'1',
            check: in_check,
        }],
        _ => &[],
    }
}

fn digits(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_digit)
}

/// The number that digits spell; `None` for anything else.
fn number(part: &[u8]) -> Option<u64> {
    std::str::from_utf8(part)
        .ok()
        .filter(|p| digits(p.as_bytes()))
        .and_then(|p| p.parse().ok())
}

fn values(body: &[u8]) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator {
    body.iter().map(|b| u64::from(b.saturating_sub(b'0')))
}

fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value % 10).unwrap_or(0)
}

/// Social security number: area, group and serial that were ever given out.
fn us(body: &[u8]) -> bool {
    digits(body)
        && number(&body[..3]).is_some_and(|area| area != 0 && area != 666 && area < 900)
        && &body[3..5] != b"00"
        && &body[5..] != b"0000"
}

/// National insurance number.
fn gb(body: &[u8]) -> bool {
    let letter = |b: u8| b.is_ascii_uppercase() && !b"DFIQUV".contains(&b);
    letter(body[0])
        && letter(body[1])
        && body[1] != b'O'
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"]
            .iter()
            .any(|p| body[..2] == **p)
        && digits(&body[2..8])
        && (b'A'..=b'D').contains(&body[8])
}

/// Tax identification number: no leading zero, exactly one digit occurs twice or thrice.
fn de(body: &[u8]) -> bool {
    if !digits(body) || body[0] == b'0' {
        return false;
    }
    let mut counts = [0u8; 10];
    for value in values(body) {
        counts[usize::try_from(value).unwrap_or(0)] += 1;
    }
    counts.iter().filter(|c| **c > 1).count() == 1 && counts.iter().all(|c| *c <= 3)
}

/// ISO 7064 mod 11,10.
fn de_check(body: &[u8]) -> Option<Vec<u8>> {
    let mut product = 10;
    for value in values(body) {
        let sum = (value + product) % 10;
        product = if sum == 0 { 10 } else { sum } * 2 % 11;
    }
    Some(vec![digit((11 - product) % 10)])
}

/// Social security number: sex, year, month, then department and commune; 2A and 2B are Corsica.
fn fr(body: &[u8]) -> bool {
    let corsica = matches!(&body[5..7], b"2A" | b"2B");
    matches!(body[0], b'1' | b'2')
        && digits(&body[..5])
        && number(&body[3..5]).is_some_and(|month| (1..=12).contains(&month))
        && (corsica || digits(&body[5..7]))
        && digits(&body[7..])
}

fn fr_check(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = body.to_vec();
    let less = match &body[5..7] {
        b"2A" => 1_000_000,
        b"2B" => 2_000_000,
        _ => 0,
    };
    if less > 0 {
        // Corsica counts as 20 with a million or two taken off.
        plain[6] = b'0';
    }
    let key = 97 - (number(&plain)? - less) % 97;
    Some(vec![digit(key / 10), digit(key)])
}

/// DNI with eight digits, NIE with X, Y or Z and seven.
fn es(body: &[u8]) -> bool {
    digits(&body[1..]) && (body[0].is_ascii_digit() || matches!(body[0], b'X'..=b'Z'))
}

fn es_check(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = body.to_vec();
    if plain[0].is_ascii_uppercase() {
        plain[0] = plain[0] - b'X' + b'0';
    }
    let rest = usize::try_from(number(&plain)? % 23).ok()?;
    Some(vec![b"TRWAGMYFPDXBNJZSQVHLCKE"[rest]])
}

/// Codice fiscale: names, year, month letter, day (women 40 more), place.
fn it(body: &[u8]) -> bool {
    let letters = |part: &[u8]| part.iter().all(u8::is_ascii_uppercase);
    letters(&body[..6])
        && digits(&body[6..8])
        && b"ABCDEHLMPRST".contains(&body[8])
        && number(&body[9..11]).is_some_and(|day| (1..=31).contains(&(day % 40)) && day <= 71)
        && letters(&body[11..12])
        && digits(&body[12..])
}

fn it_check(body: &[u8]) -> Option<Vec<u8>> {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let value = if b.is_ascii_digit() {
                b - b'0'
            } else {
                b - b'A'
            };
            if i % 2 == 0 {
                ODD[usize::from(value)]
            } else {
                u32::from(value)
            }
        })
        .sum();
    Some(vec![b'A' + u8::try_from(sum % 26).ok()?])
}

/// BSN: the eleven test.
fn nl_check(body: &[u8]) -> Option<Vec<u8>> {
    let sum: u64 = values(body)
        .zip((2..=9).rev())
        .map(|(v, weight)| v * weight)
        .sum();
    (sum % 11 < 10 && sum > 0).then(|| vec![digit(sum % 11)])
}

/// PESEL: a date with the century in the month.
fn pl(body: &[u8]) -> bool {
    let part = |range: std::ops::Range<usize>| body.get(range).and_then(number);
    let (Some(year), Some(month), Some(day)) = (part(0..2), part(2..4), part(4..6)) else {
        return false;
    };
    let century = match month / 20 {
        0 => 1900,
        1 => 2000,
        2 => 2100,
        3 => 2200,
        _ => 1800,
    };
    let date = (
        i32::try_from(century + year),
        u32::try_from(month % 20),
        u32::try_from(day),
    );
    let (Ok(year), Ok(month), Ok(day)) = date else {
        return false;
    };
    digits(body) && chrono::NaiveDate::from_ymd_opt(year, month, day).is_some()
}

fn pl_check(body: &[u8]) -> Option<Vec<u8>> {
    let weights = [1, 3, 7, 9].iter().cycle();
    let sum: u64 = values(body).zip(weights).map(|(v, w)| v * w).sum();
    Some(vec![digit((10 - sum % 10) % 10)])
}

/// CPF (weights rising to 11) and CNPJ (weights from 2 to 9 again and again): two digits, one after the other.
fn br_check(body: &[u8], weight_max: u64) -> Option<Vec<u8>> {
    let mut whole = body.to_vec();
    for _ in 0..2 {
        let sum: u64 = values(&whole)
            .rev()
            .zip((2..=weight_max).cycle())
            .map(|(v, w)| v * w)
            .sum();
        whole.push(digit(match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }));
    }
    Some(whole.split_off(body.len()))
}

/// Aadhaar: Verhoeff's digit, from the dihedral group of order ten.
fn in_check(body: &[u8]) -> Option<Vec<u8>> {
    const PERMUTATION: [u64; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |a: u64, b: u64| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b) % 5,
        (false, true) => 5 + (a + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let mut sum = 0;
    for (i, value) in values(body).rev().enumerate() {
        let mut value = value;
        for _ in 0..(i + 1) % 8 {
            value = PERMUTATION[usize::try_from(value).ok()?];
        }
        sum = multiply(sum, value);
    }
    // The inverse: only rotations have another than themselves.
    Some(vec![digit(if sum < 5 { (5 - sum) % 5 } else { sum })])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use tdm_core::keyring::DomainKey;

    const VALID: [(&str, &str); 13] = [
        ("us", "078-05-1120"),
        ("gb", "AB 12 34 56 C"),
        ("de", "86 095 742 719"),
        ("fr", "2 55 08 14 168 025 38"),
        ("es", "12345678Z"),
        ("es", "X1234567L"),
        ("it", "RSSMRA85T10A562S"),
        ("nl", "111222333"),
        ("pl", "44051401359"),
        ("br", "111.444.777-35"),
        ("br", "11.222.333/0001-81"),
        ("in", "2341 2341 2346"),
        ("us", "219-09-9999"),
    ];

    fn valid(country: &str, text: &str) -> bool {
        schemes(country).iter().any(|s| s.valid(&symbols(text)))
    }

    fn mask(country: &str, text: &str) -> String {
        let mask = Identity {
            permutation: Permutation::new(&DomainKey::new(&[5; 32])),
            schemes: schemes(country),
        };
        let mut out = String::new();
        mask.mask(text, &mut Scratch::default(), &mut out).unwrap();
        out
    }

    #[test]
    fn published_examples_are_valid_and_stay_valid_in_their_layout() {
        for (country, text) in VALID {
            assert!(valid(country, text), "{country} {text}");
            let masked = mask(country, text);
            assert!(valid(country, &masked), "{country} {masked}");
            assert_ne!(masked, text);
            let layout = |t: &str| {
                t.chars()
                    .map(|c| if c.is_ascii_alphanumeric() { 'x' } else { c })
                    .collect::<String>()
            };
            assert_eq!(layout(&masked), layout(text));
        }
    }

    #[test]
    fn a_wrong_number_stays_wrong_and_none_meet() {
        for (country, text) in VALID {
            let mut seen = HashSet::new();
            for last in 0..10 {
                let wrong: String = text
                    .char_indices()
                    .map(|(i, c)| {
                        if i + 2 == text.len() && c.is_ascii_digit() {
                            char::from(b'0' + last)
                        } else {
                            c
                        }
                    })
                    .collect();
                let masked = mask(country, &wrong);
                assert_eq!(
                    valid(country, &masked),
                    valid(country, &wrong),
                    "{country} {wrong}"
                );
                seen.insert((wrong, masked));
            }
            let inputs: HashSet<_> = seen.iter().map(|(a, _)| a).collect();
            let outputs: HashSet<_> = seen.iter().map(|(_, b)| b).collect();
            assert_eq!(inputs.len(), outputs.len());
        }
    }
}
