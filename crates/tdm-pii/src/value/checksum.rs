//! Check-digit schemes: Luhn, ISO 7064, Verhoeff and weighted sums. Digits come as bytes 0 to 9.

/// Luhn (ISO/IEC 7812-1): every second digit from the right doubled, sum a multiple of ten.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    luhn_sum(digits).is_multiple_of(10)
}

/// Luhn sum of `digits`, the last one being the check digit.
pub(crate) fn luhn_sum(digits: &[u8]) -> u32 {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(*d);
            if i % 2 == 1 {
                if d > 4 { d * 2 - 9 } else { d * 2 }
            } else {
                d
            }
        })
        .sum()
}

/// Sum of digits times weights; the shorter of the two decides how many.
pub(crate) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(d, w)| u32::from(*d) * w)
        .sum()
}

/// ISO 7064 MOD 11,10: German tax number, Croatian OIB.
pub(crate) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let mut product = 10_u32;
    for digit in body {
        let mut sum = (u32::from(*digit) + product) % 10;
        if sum == 0 {
            sum = 10;
        }
        product = sum * 2 % 11;
    }
    (11 - product) % 10 == u32::from(*check)
}

/// Verhoeff (1969): dihedral group of order ten. Aadhaar.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTE: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + (b - 5)) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a - 5 + 5 - (b - 5)) % 5,
    };
    digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |c, (i, d)| multiply(c, PERMUTE[i % 8][usize::from(*d)]))
        == 0
}

/// Remainder of a decimal number of any length.
pub(crate) fn remainder(digits: &[u8], modulus: u64) -> u64 {
    digits
        .iter()
        .fold(0, |r, d| (r * 10 + u64::from(*d)) % modulus)
}

/// Remainder modulo 97 of letters and digits, letters counting as 10 to 35 (ISO 7064 MOD 97-10).
pub(crate) fn mod_97(bytes: impl Iterator<Item = u8>) -> Option<u32> {
    let mut r = 0_u32;
    for byte in bytes {
        r = match byte {
            b'0'..=b'9' => r * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => r * 100 + u32::from(byte - b'A') + 10,
            b'a'..=b'z' => r * 100 + u32::from(byte - b'a') + 10,
            _ => return None,
        } % 97;
    }
    Some(r)
}

/// EAN/GTIN check digit: weights 1 and 3 from the right.
pub(crate) fn ean(digits: &[u8]) -> bool {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| u32::from(*d) * if i % 2 == 1 { 3 } else { 1 })
        .sum::<u32>()
        .is_multiple_of(10)
}

/// Whether year (two or four digits resolved by the caller), month and day name a day.
pub(crate) const fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    day >= 1 && day <= days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|b| b - b'0').collect()
    }

    #[test]
    fn published_examples_pass() {
        assert!(luhn(&digits("79927398713")));
        assert!(verhoeff(&digits("2363")));
        assert!(mod_11_10(&digits("69435151530")));
        assert!(ean(&digits("4006381333931")));
        assert_eq!(mod_97("3214282912345698765432161182".bytes()), Some(1));
        assert!(is_day(2000, 2, 29) && !is_day(1900, 2, 29) && !is_day(2001, 13, 1));
    }

    #[test]
    fn every_single_digit_error_is_found_by_luhn_and_verhoeff() {
        for (valid, check) in [
            ("79927398713", luhn as fn(&[u8]) -> bool),
            ("2363", verhoeff),
        ] {
            let valid = digits(valid);
            for at in 0..valid.len() {
                for other in (0..10).filter(|d| *d != valid[at]) {
                    let mut wrong = valid.clone();
                    wrong[at] = other;
                    assert!(!check(&wrong));
                }
            }
        }
    }
}
