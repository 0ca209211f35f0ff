//! Splitting names into folded words: case changes, digits and separators part words; diacritics go.

use unicode_normalization::UnicodeNormalization as _;

/// Appends `text` folded to lower-case ASCII where that is possible: German umlauts are written out, other marks
/// dropped. Letters of other scripts stay as they are, in lower case.
pub(crate) fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        let from = out.len();
        out.push_str(text);
        out[from..].make_ascii_lowercase();
        return;
    }
    if text.chars().any(is_mark) {
        for c in text.nfc() {
            fold_char(c, out);
        }
    } else {
        for c in text.chars() {
            fold_char(c, out);
        }
    }
}

/// Whether the character is a combining mark of its own.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn fold_char(c: char, out: &mut String) {
    match c {
        'ä' | 'Ä' => out.push_str("ae"),
        'ö' | 'Ö' => out.push_str("oe"),
        'ü' | 'Ü' => out.push_str("ue"),
        'ß' | 'ẞ' => out.push_str("ss"),
        'æ' | 'Æ' => out.push_str("ae"),
        'œ' | 'Œ' => out.push_str("oe"),
        'ø' | 'Ø' => out.push('o'),
        'ł' | 'Ł' => out.push('l'),
        'đ' | 'Đ' | 'ð' => out.push('d'),
        'ı' => out.push('i'),
        '’' | '‘' => out.push('\''),
        _ if c.is_ascii() => out.push(c.to_ascii_lowercase()),
        _ => {
            for part in c.nfd() {
                if !('\u{300}'..='\u{36f}').contains(&part) {
                    out.extend(part.to_lowercase());
                }
            }
        }
    }
}

/// The folded words of a name: `BillingPostalCode`, `billing_postal-code` and `BILLING POSTAL CODE` are one.
///
/// A run of capitals before a capitalised word is a word of its own (`IPAddress`); digits are words of their own.
pub(crate) fn words(name: &str) -> Vec<String> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Lower,
        Upper,
        Digit,
        Gap,
    }
    let kind = |c: char| {
        if c.is_numeric() {
            Kind::Digit
        } else if c.is_uppercase() {
            Kind::Upper
        } else if c.is_alphabetic() || ('\u{300}'..='\u{36f}').contains(&c) {
            Kind::Lower
        } else {
            Kind::Gap
        }
    };
    let chars: Vec<char> = name.nfc().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let this = kind(c);
        let before = i.checked_sub(1).map_or(Kind::Gap, |p| kind(chars[p]));
        let after = chars.get(i + 1).map_or(Kind::Gap, |n| kind(*n));
        let starts = match (before, this) {
            (_, Kind::Gap) => true,
            (Kind::Lower | Kind::Digit, Kind::Upper) => true,
            (Kind::Upper, Kind::Upper) => after == Kind::Lower && !is_plural_tail(&chars, i + 1),
            (Kind::Digit, Kind::Lower) | (Kind::Lower | Kind::Upper, Kind::Digit) => true,
            _ => false,
        };
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if this != Kind::Gap {
            fold_char(c, &mut word);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `URLs`, `IDs`: the small s belongs to the capitals.
fn is_plural_tail(chars: &[char], at: usize) -> bool {
    chars[at] == 's' && chars.get(at + 1).is_none_or(|c| !c.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        assert_eq!(words(name).join(" "), expected);
    }

    #[test]
    fn one_name_in_many_spellings_gives_one_list_of_words() {
        check("BillingPostalCode", "billing postal code");
        check("billing_postal-code", "billing postal code");
        check("BILLING_POSTAL_CODE", "billing postal code");
        check("lastIPAddress", "last ip address");
        check("address2", "address 2");
        check("userIDs", "user ids");
        check("Straße", "strasse");
        check("GEBURTSDATUM", "geburtsdatum");
        check("prénom", "prenom");
        check("Płeć", "plec");
        check("e\u{301}tat_civil", "etat civil");
        check("__x__", "x");
        check("", "");
    }

    proptest::proptest! {
        #[test]
        fn words_never_hold_separators_or_capitals(name in "\\PC{0,40}") {
            for word in words(&name) {
                proptest::prop_assert!(!word.is_empty());
                proptest::prop_assert!(!word.bytes().any(|b| b.is_ascii_uppercase() || b == b'_' || b == b' '));
            }
        }
    }
}
