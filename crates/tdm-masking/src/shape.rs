//! Scrambling inside character classes: a digit becomes a digit, a capital a capital, punctuation stays.
//!
//! Symbols are numbered within their class and the whole text is permuted at once, so two different texts of
//! one shape never meet. A leading zero stays and a leading other digit never becomes zero: the number 7
//! and the text `7` keep agreeing, and a number keeps its count of digits.

use crate::cells::Scratch;
use crate::permutation::Permutation;

/// First and last character of the classes outside ASCII that are replaced within themselves. Letters of no
/// class move within their block of 256 code points.
const CLASSES: &[(u32, u32)] = &[
    (0x00C0, 0x00D6), // Latin-1 capitals
    (0x00D8, 0x00DE),
    (0x00DF, 0x00F6), // Latin-1 small letters
    (0x00F8, 0x00FF),
    (0x0100, 0x017F), // Latin Extended-A
    (0x0391, 0x03A1), // Greek capitals
    (0x03A3, 0x03A9),
    (0x03B1, 0x03C9), // Greek small letters
    (0x0410, 0x042F), // Cyrillic capitals
    (0x0430, 0x044F), // Cyrillic small letters
    (0x05D0, 0x05EA), // Hebrew
    (0x0621, 0x063A), // Arabic
    (0x0641, 0x0648),
    (0x0649, 0x064A),
    (0x0905, 0x0939), // Devanagari
    (0x0E01, 0x0E2E), // Thai
    (0x10D0, 0x10F0), // Georgian
    (0x1E00, 0x1EFF), // Latin Extended Additional
    (0x3041, 0x3096), // Hiragana
    (0x30A1, 0x30FA), // Katakana
    (0x4E00, 0x9FA5), // Han
    (0xAC00, 0xD7A3), // Hangul
];

/// The class of a character: its first code point and its size; `None` for what stays.
fn class(c: char) -> Option<(u32, u32)> {
    match c {
        '0'..='9' => Some((0x30, 10)),
        'a'..='z' => Some((0x61, 26)),
        'A'..='Z' => Some((0x41, 26)),
        _ if c.is_ascii() => None,
        _ => {
            let code = u32::from(c);
            CLASSES
                .iter()
                .find(|(first, last)| (*first..=*last).contains(&code))
                .map(|(first, last)| (*first, last - first + 1))
                // The Latin-1 block holds control characters; its stray letters stay.
                .or_else(|| (c.is_alphanumeric() && code > 0xFF).then_some((code & !0xFF, 0x100)))
        }
    }
}

/// Which characters of a text are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Letters and digits.
    All,
    /// Digits only.
    Digits,
}

/// Scrambles `input` and appends the result to `out`. `keep` says for the n-th replaceable character whether
/// it stays.
///
/// Input must be in Unicode NFC when forms are to agree; [`crate::cells::Scratch::text`] is free for that.
pub(crate) fn scramble(
    permutation: &Permutation,
    tweak: u64,
    scope: Scope,
    keep: impl Fn(usize) -> bool,
    input: &str,
    scratch: &mut Scratch,
    out: &mut String,
) {
    let replaced = |c: char| class(c).filter(|_| scope == Scope::All || c.is_ascii_digit());
    scratch.symbols.clear();
    scratch.radices.clear();
    let mut number = 0;
    let mut leading = true;
    for c in input.chars() {
        let Some((first, size)) = replaced(c) else {
            continue;
        };
        if !keep(number) {
            let symbol = u32::from(c) - first;
            match (size, leading, symbol) {
                // A leading zero stays: a class of one.
                (10, true, 0) => push(scratch, 0, 1),
                (10, true, _) => push(scratch, symbol - 1, 9),
                _ => push(scratch, symbol, size),
            }
        }
        leading = leading && c == '0';
        number += 1;
    }
    permutation.symbols(&mut scratch.symbols, &scratch.radices, tweak);
    let mut symbols = scratch.symbols.iter().zip(&scratch.radices);
    number = 0;
    for c in input.chars() {
        let Some((first, _)) = replaced(c) else {
            out.push(c);
            continue;
        };
        number += 1;
        if keep(number - 1) {
            out.push(c);
            continue;
        }
        // A radix of nine or one marks a leading digit: see above.
        let code = match symbols.next() {
            Some((symbol, 9)) => first + symbol + 1,
            Some((_, 1)) => first,
            Some((symbol, _)) => first + symbol,
            None => first,
        };
        out.push(char::from_u32(code).unwrap_or(c));
    }
}

fn push(scratch: &mut Scratch, symbol: u32, radix: u32) {
    scratch.symbols.push(symbol);
    scratch.radices.push(radix);
}

/// Counts what [`scramble`] would replace.
pub(crate) fn replaceable(scope: Scope, input: &str) -> usize {
    input
        .chars()
        .filter(|&c| class(c).is_some() && (scope == Scope::All || c.is_ascii_digit()))
        .count()
}
