//! Payment cards, IBANs and bank codes.

use super::checksum::{luhn, mod_97};

/// Whether 12 to 19 digits are a payment card number: issuer prefix, length and Luhn.
pub(crate) fn card(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let prefix = |n: usize| {
        digits[..n]
            .iter()
            .fold(0_u32, |v, d| v * 10 + u32::from(*d))
    };
    let issued = match digits.len() {
        13 => digits[0] == 4,
        14 => matches!(prefix(3), 300..=305 | 309) || matches!(prefix(2), 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37) || matches!(prefix(4), 2131 | 1800),
        16 => {
            digits[0] == 4
                || matches!(prefix(2), 51..=55 | 62 | 65 | 60 | 81 | 36 | 50 | 56..=58 | 63 | 67)
                || (2221..=2720).contains(&prefix(4))
                || (3528..=3589).contains(&prefix(4))
                || (644..=649).contains(&prefix(3))
        }
        _ => digits[0] == 4 || matches!(prefix(2), 50 | 56..=58 | 60..=69),
    };
    issued && luhn(digits)
}

/// Length of an IBAN by country.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

/// Whether upper-case letters and digits without separators are an IBAN.
pub(crate) fn iban(text: &[u8]) -> bool {
    if !(15..=34).contains(&text.len()) || !text[2..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    IBAN_LENGTHS
        .iter()
        .any(|(country, length)| text.starts_with(*country) && text.len() == *length)
        && mod_97(text[4..].iter().chain(&text[..4]).copied()) == Some(1)
}

/// Whether eight or eleven upper-case characters are a BIC: bank, country of ISO 3166, place, branch.
pub(crate) fn bic(text: &[u8]) -> bool {
    matches!(text.len(), 8 | 11)
        && text[..6].iter().all(u8::is_ascii_uppercase)
        && text[6..]
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && super::postal::is_country_code(&text[4..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_pass_and_their_neighbours_do_not() {
        let digits = |t: &str| t.bytes().map(|b| b - b'0').collect::<Vec<_>>();
        assert!(card(&digits("4111111111111111")));
        assert!(card(&digits("378282246310005")));
        assert!(card(&digits("2223003122003222")));
        assert!(!card(&digits("4111111111111112")));
        assert!(
            !card(&digits("1700000000000007")),
            "no issuer has this prefix"
        );
        assert!(iban(b"DE89370400440532013000"));
        assert!(iban(b"GB29NWBK60161331926819"));
        assert!(!iban(b"DE89370400440532013001"));
        assert!(bic(b"DEUTDEFF") && bic(b"NEDSZAJJXXX") && !bic(b"ABCDQQ12"));
    }
}
