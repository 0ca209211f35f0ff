//! National, tax and document numbers of letters and digits.

use tdm_core::category::Category;

use super::checksum::{is_day, mod_11_10, remainder, weighted};
use super::national::{chinese, day_first, number};

use Category::{DeviceId, NationalId, TaxId};

/// A scheme of letters and digits.
#[derive(Debug)]
pub(crate) struct MixedScheme {
    pub(crate) name: &'static str,
    pub(crate) category: Category,
    pub(crate) chance: f64,
    /// The test, on upper-case ASCII without separators.
    pub(crate) test: fn(&[u8]) -> bool,
}

const fn mixed(
    name: &'static str,
    category: Category,
    chance: f64,
    test: fn(&[u8]) -> bool,
) -> MixedScheme {
    MixedScheme {
        name,
        category,
        chance,
        test,
    }
}

/// Schemes of letters and digits. Chances are for codes of the same shape.
pub(crate) const MIXED: &[MixedScheme] = &[
    mixed("Spanish DNI", NationalId, 0.043, |b| {
        b.len() == 9 && spanish(&b[..8], b[8])
    }),
    mixed("Spanish NIE", NationalId, 0.02, |b| {
        b.len() == 9 && matches!(b[0], b'X'..=b'Z') && {
            let mut digits = [b[0] - b'X' + b'0'; 8];
            digits[1..].copy_from_slice(&b[1..8]);
            spanish(&digits, b[8])
        }
    }),
    mixed("Spanish CIF", TaxId, 0.04, cif),
    mixed("Italian codice fiscale", NationalId, 0.0005, codice_fiscale),
    mixed(
        "British national insurance number",
        NationalId,
        0.005,
        |b| {
            shape(b, "LLDDDDDDL")
                && !matches!(b[0], b'D' | b'F' | b'I' | b'Q' | b'U' | b'V')
                && !matches!(b[1], b'D' | b'F' | b'I' | b'O' | b'Q' | b'U' | b'V')
                && matches!(b[8], b'A'..=b'D')
                && !matches!(
                    &b[..2],
                    b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ"
                )
        },
    ),
    mixed("Finnish personal code", NationalId, 0.001, finnish),
    mixed("Singapore NRIC", NationalId, 0.02, nric),
    mixed("Hong Kong identity card", NationalId, 0.05, hkid),
    mixed("Taiwanese identity number", NationalId, 0.02, |b| {
        shape(b, "LDDDDDDDDD") && matches!(b[1], b'1' | b'2' | b'8' | b'9') && taiwan(b)
    }),
    mixed("Mexican CURP", NationalId, 0.0005, |b| {
        shape(b, "LLLLDDDDDDLLLLLLXD") && mexican_day(b) && matches!(b[10], b'H' | b'M' | b'X')
    }),
    mixed("Mexican RFC", TaxId, 0.01, |b| {
        (b.len() == 13 && shape(b, "LLLLDDDDDDXXX") && mexican_day(b))
            || (b.len() == 12
                && shape(b, "LLLDDDDDDXXX")
                && is_day(2000 + pair(b, 3), pair(b, 5), pair(b, 7)))
    }),
    mixed("Indian PAN", TaxId, 0.01, |b| {
        shape(b, "LLLLLDDDDL")
            && matches!(
                b[3],
                b'P' | b'C' | b'H' | b'F' | b'A' | b'T' | b'B' | b'L' | b'J' | b'G'
            )
    }),
    mixed("Indian GSTIN", TaxId, 0.001, |b| {
        shape(b, "DDLLLLLDDDDLXLX") && b[13] == b'Z'
    }),
    mixed("Chilean RUT", TaxId, 0.09, |b| {
        matches!(b.len(), 8 | 9)
            && digits(&b[..b.len() - 1]).is_some_and(|d| rut(&d, b[b.len() - 1]))
    }),
    mixed("German pension insurance number", NationalId, 0.004, |b| {
        shape(b, "DDDDDDDDLDDD") && is_day(2000, pair(b, 4), pair(b, 2))
    }),
    mixed("Polish identity card", NationalId, 0.1, |b| {
        shape(b, "LLLDDDDDD") && {
            let v = |i: usize| match b[i] {
                c @ b'0'..=b'9' => u32::from(c - b'0'),
                c => u32::from(c - b'A') + 10,
            };
            let w = [7, 3, 1, 9, 7, 3, 1, 7, 3];
            (0..9).map(|i| v(i) * w[i]).sum::<u32>().is_multiple_of(10)
        }
    }),
    mixed("Irish PPS number", NationalId, 0.03, |b| {
        matches!(b.len(), 8 | 9)
            && shape(&b[..8], "DDDDDDDL")
            && digits(&b[..7]).is_some_and(|d| {
                let extra = b.get(8).map_or(0, |c| match c {
                    b'A'..=b'I' => u32::from(c - b'A') + 1,
                    _ => 0,
                });
                let r = (weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) + 9 * extra) % 23;
                b[7] == if r == 0 {
                    b'W'
                } else {
                    b'A' + u8::try_from(r).unwrap_or(0) - 1
                }
            })
    }),
    mixed("Chinese resident number", NationalId, 0.0004, |b| {
        b.len() == 18 && b[17] == b'X' && digits(&b[..17]).is_some_and(|d| chinese(&d, Some(10)))
    }),
    mixed("French NIR", NationalId, 0.001, |b| {
        b.len() == 15
            && b[5] == b'2'
            && matches!(b[6], b'A' | b'B')
            && digits(&b[..5]).is_some()
            && digits(&b[7..]).is_some()
    }),
    mixed(
        "British driving licence",
        Category::DriverLicense,
        0.0005,
        |b| {
            (16..=18).contains(&b.len())
                && b[..5].iter().all(|c| c.is_ascii_uppercase() || *c == b'9')
                && shape(&b[5..11], "DDDDDD")
                && pair(b, 6) % 50 <= 12
                && !pair(b, 6).is_multiple_of(50)
                && (1..=31).contains(&pair(b, 8))
                && b[11..14]
                    .iter()
                    .all(|c| c.is_ascii_uppercase() || *c == b'9')
        },
    ),
    mixed(
        "Italian driving licence",
        Category::DriverLicense,
        0.002,
        |b| {
            b.len() == 10 && (shape(b, "LLDDDDDDDL")) && (b[0] == b'U' || b[1].is_ascii_uppercase())
        },
    ),
    mixed("European VAT number", TaxId, 0.01, eu_vat),
    mixed("vehicle identification number", DeviceId, 0.01, |b| {
        b.len() == 17
            && b.iter()
                .all(|c| c.is_ascii_alphanumeric() && !matches!(c, b'I' | b'O' | b'Q'))
            && b.iter().any(u8::is_ascii_uppercase)
            && b[13..].iter().all(u8::is_ascii_digit)
    }),
    mixed(
        "US Medicare beneficiary number",
        Category::Health,
        0.001,
        |b| shape(b, "DLXDLXDLLDD") && b[0] != b'0',
    ),
    mixed("US DEA number", Category::OtherPersonal, 0.05, |b| {
        shape(b, "LLDDDDDDD")
            && digits(&b[2..]).is_some_and(|d| {
                let odd = u32::from(d[0]) + u32::from(d[2]) + u32::from(d[4]);
                let even = u32::from(d[1]) + u32::from(d[3]) + u32::from(d[5]);
                (odd + 2 * even) % 10 == u32::from(d[6])
            })
    }),
    mixed(
        "travel document machine zone",
        Category::Passport,
        0.0001,
        |b| b.len() >= 30 && matches!(b[0], b'P' | b'I' | b'A' | b'C' | b'V') && b.contains(&b'<'),
    ),
    mixed(
        "German identity card or passport",
        Category::Passport,
        0.05,
        german_document,
    ),
];

/// Whether `bytes` has the shape: `L` upper-case letter, `D` digit, `X` either.
pub(crate) fn shape(bytes: &[u8], shape: &str) -> bool {
    bytes.len() == shape.len()
        && bytes.iter().zip(shape.bytes()).all(|(b, s)| match s {
            b'L' => b.is_ascii_uppercase(),
            b'D' => b.is_ascii_digit(),
            _ => b.is_ascii_uppercase() || b.is_ascii_digit(),
        })
}

/// Digits on the stack: codes are short and many.
struct Digits {
    buffer: [u8; 20],
    length: usize,
}

impl std::ops::Deref for Digits {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

fn digits(bytes: &[u8]) -> Option<Digits> {
    let mut buffer = [0; 20];
    if bytes.len() > buffer.len() {
        return None;
    }
    for (to, from) in buffer.iter_mut().zip(bytes) {
        if !from.is_ascii_digit() {
            return None;
        }
        *to = from - b'0';
    }
    Some(Digits {
        buffer,
        length: bytes.len(),
    })
}

fn pair(b: &[u8], at: usize) -> u32 {
    u32::from(b[at].wrapping_sub(b'0')) * 10 + u32::from(b[at + 1].wrapping_sub(b'0'))
}

fn spanish(number: &[u8], letter: u8) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    digits(number)
        .is_some_and(|d| usize::try_from(remainder(&d, 23)).is_ok_and(|r| LETTERS[r] == letter))
}

fn cif(b: &[u8]) -> bool {
    if b.len() != 9 || !matches!(b[0], b'A'..=b'H' | b'J' | b'N' | b'P'..=b'S' | b'U' | b'V' | b'W')
    {
        return false;
    }
    let Some(d) = digits(&b[1..8]) else {
        return false;
    };
    let odd: u32 = d
        .iter()
        .step_by(2)
        .map(|x| {
            let y = u32::from(*x) * 2;
            y / 10 + y % 10
        })
        .sum();
    let even: u32 = d.iter().skip(1).step_by(2).map(|x| u32::from(*x)).sum();
    let check = (10 - (odd + even) % 10) % 10;
    let letter = b"JABCDEFGHI"[usize::try_from(check).unwrap_or(0)];
    b[8] == letter || u32::from(b[8].wrapping_sub(b'0')) == check
}

fn codice_fiscale(b: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    if b.len() != 16
        || !b[..6].iter().all(u8::is_ascii_uppercase)
        || !b
            .iter()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        || !matches!(b[8], b'A'..=b'E' | b'H' | b'L' | b'M' | b'P' | b'R'..=b'T')
    {
        return false;
    }
    let place = |c: u8| {
        usize::from(if c.is_ascii_digit() {
            c - b'0'
        } else {
            c - b'A'
        })
    };
    let sum: u32 = b[..15]
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let p = place(*c);
            if i % 2 == 0 {
                ODD[p]
            } else {
                u32::try_from(p).unwrap_or(0)
            }
        })
        .sum();
    u32::from(b[15].wrapping_sub(b'A')) == sum % 26
}

fn finnish(b: &[u8]) -> bool {
    const MARKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    // The century mark (a sign or a letter) may have been taken out with the separators.
    let (day, rest) = match b.len() {
        11 => (&b[..6], &b[7..]),
        10 => (&b[..6], &b[6..]),
        _ => return false,
    };
    let (Some(day), Some(serial)) = (digits(day), digits(&rest[..3])) else {
        return false;
    };
    let n = number(&day) * 1_000 + number(&serial);
    day_first(&day) && usize::try_from(n % 31).is_ok_and(|r| MARKS[r] == rest[3])
}

fn nric(b: &[u8]) -> bool {
    if !shape(b, "LDDDDDDDL") || !matches!(b[0], b'S' | b'T' | b'F' | b'G') {
        return false;
    }
    let sum = digits(&b[1..8]).map_or(0, |d| weighted(&d, &[2, 7, 6, 5, 4, 3, 2]))
        + if matches!(b[0], b'T' | b'G') { 4 } else { 0 };
    let letters = if matches!(b[0], b'S' | b'T') {
        b"JZIHGFEDCBA"
    } else {
        b"XWUTRQPNMLK"
    };
    usize::try_from(sum % 11).is_ok_and(|r| letters[r] == b[8])
}

fn hkid(b: &[u8]) -> bool {
    if b.len() != 8 || !b[0].is_ascii_uppercase() {
        return false;
    }
    let Some(d) = digits(&b[1..7]) else {
        return false;
    };
    let check = match b[7] {
        b'A' => 10,
        c @ b'0'..=b'9' => u32::from(c - b'0'),
        _ => return false,
    };
    let letter = u32::from(b[0] - b'A') + 10;
    (36 * 9 + letter * 8 + weighted(&d, &[7, 6, 5, 4, 3, 2]) + check).is_multiple_of(11)
}

fn taiwan(b: &[u8]) -> bool {
    const ORDER: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some(place) = ORDER.iter().position(|c| *c == b[0]) else {
        return false;
    };
    let code = u32::try_from(place).unwrap_or(0) + 10;
    digits(&b[1..]).is_some_and(|d| {
        (code / 10 + code % 10 * 9 + weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1, 1])).is_multiple_of(10)
    })
}

fn mexican_day(b: &[u8]) -> bool {
    is_day(2000 + pair(b, 4), pair(b, 6), pair(b, 8))
}

fn rut(d: &[u8], check: u8) -> bool {
    let sum: u32 = d
        .iter()
        .rev()
        .zip([2, 3, 4, 5, 6, 7].into_iter().cycle())
        .map(|(x, w)| u32::from(*x) * w)
        .sum();
    match 11 - sum % 11 {
        11 => check == b'0',
        10 => check == b'K',
        r => u32::from(check.wrapping_sub(b'0')) == r,
    }
}

fn eu_vat(b: &[u8]) -> bool {
    if b.len() < 4 {
        return false;
    }
    let all_digits = |from: usize, lengths: &[usize]| {
        lengths.contains(&(b.len() - from)) && b[from..].iter().all(u8::is_ascii_digit)
    };
    match &b[..2] {
        b"DE" => all_digits(2, &[9]) && digits(&b[2..]).is_some_and(|d| mod_11_10(&d)),
        b"AT" => b[2] == b'U' && all_digits(3, &[8]),
        b"BE" => all_digits(2, &[10]),
        b"IT" => all_digits(2, &[11]),
        b"FR" => b.len() == 13 && b[4..].iter().all(u8::is_ascii_digit),
        b"NL" => b.len() == 14 && b[11] == b'B',
        b"ES" => b.len() == 11 && b[3..10].iter().all(u8::is_ascii_digit),
        b"GB" | b"XI" => all_digits(2, &[9, 12]),
        b"PL" | b"SK" => all_digits(2, &[10]),
        b"PT" | b"EE" | b"EL" => all_digits(2, &[9]),
        b"SE" => all_digits(2, &[12]),
        b"DK" | b"FI" | b"HU" | b"LU" | b"MT" | b"SI" => all_digits(2, &[8]),
        b"CZ" => all_digits(2, &[8, 9, 10]),
        b"HR" | b"LV" => all_digits(2, &[11]),
        b"LT" => all_digits(2, &[9, 12]),
        b"RO" => {
            (4..=12).contains(&b.len()) && b[2..].iter().all(u8::is_ascii_digit) && b.len() > 7
        }
        b"BG" => all_digits(2, &[9, 10]),
        b"IE" => matches!(b.len(), 10 | 11) && b[2].is_ascii_digit() && b[9].is_ascii_uppercase(),
        _ => false,
    }
}

/// German identity cards and passports: letters without vowels, weights 7-3-1, check digit last when ten long.
fn german_document(b: &[u8]) -> bool {
    let allowed = |c: &u8| c.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(c);
    b.len() == 10
        && b[..9].iter().all(allowed)
        && matches!(b[0], b'C' | b'F' | b'G' | b'H' | b'J' | b'K' | b'L'..=b'N' | b'P' | b'R' | b'T' | b'V'..=b'Z')
        && b[9].is_ascii_digit()
        && b[1..9].iter().any(u8::is_ascii_digit)
        && {
            let value = |c: u8| match c {
                b'0'..=b'9' => u32::from(c - b'0'),
                _ => u32::from(c - b'A') + 10,
            };
            let sum: u32 = b[..9]
                .iter()
                .zip([7, 3, 1].into_iter().cycle())
                .map(|(c, w)| value(*c) * w)
                .sum();
            sum % 10 == u32::from(b[9] - b'0')
        }
}
