//! Shapes of text: scramble within character classes, redact all but the ends, blank to the same shape.

use tdm_core::function::{BindRequest, Descriptor, ParameterKind, Promise};
use tdm_core::types::TypeClass;

use super::{BIJECTION, Bound, DIGITS, Function, bad, count, key, parameter, word};
use crate::cells::{Reason, Scratch, TextColumn, TextMask};
use crate::permutation::Permutation;
use crate::shape::{Scope, replaceable, scramble};

const KEEP_FIRST: tdm_core::function::Parameter = parameter(
    "keep_first",
    ParameterKind::Integer,
    "0",
    "Letters and digits at the start that stay.",
);
const KEEP_LAST: tdm_core::function::Parameter = parameter(
    "keep_last",
    ParameterKind::Integer,
    "0",
    "Letters and digits at the end that stay.",
);

pub(crate) const SCRAMBLE: Function = Function {
    descriptor: Descriptor {
        name: "scramble",
        summary: "Another text of the same shape: digit for digit, letter for letter, punctuation stays. Keyed and one to one.",
        parameters: &[
            KEEP_FIRST,
            KEEP_LAST,
            parameter(
                "only",
                ParameterKind::Text,
                "all",
                "What is replaced: all (letters and digits) or digits.",
            ),
        ],
        accepts: DIGITS,
        promise: BIJECTION,
        weakness: "Length, punctuation and character classes show; a text of one or two characters has few others to become.",
    },
    bind: bind_scramble,
};

pub(crate) const POSTCODE: Function = Function {
    descriptor: Descriptor {
        name: "postcode",
        summary: "A postal code of the same shape.",
        parameters: &[KEEP_FIRST],
        accepts: DIGITS,
        promise: BIJECTION,
        weakness: "The code may not exist, or be somewhere else than the city beside it.",
    },
    bind: bind_scramble,
};

fn bind_scramble(request: &BindRequest<'_>) -> Bound {
    let scope = match word(request, "only", "all", &["all", "digits"])? {
        "digits" => Scope::Digits,
        _ => Scope::All,
    };
    let (keep_first, keep_last) = (
        count(request, "keep_first", 0, 1_000)?,
        count(request, "keep_last", 0, 1_000)?,
    );
    let mask = Scramble {
        // One label for all functions of this shape: an identity number agrees with itself wherever it is.
        permutation: Permutation::new(&key(request, "scramble")),
        scope,
        keep_first,
        keep_last,
    };
    Ok(Box::new(TextColumn::new(mask, request.column, BIJECTION)))
}

#[derive(Debug)]
struct Scramble {
    permutation: Permutation,
    scope: Scope,
    keep_first: usize,
    keep_last: usize,
}

impl TextMask for Scramble {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let mut composed = std::mem::take(&mut scratch.text);
        let input = compose(input, &mut composed);
        let total = replaceable(self.scope, input);
        let (mut first, mut last) = (self.keep_first, self.keep_last);
        if first + last >= total {
            // What is kept would be everything.
            (first, last) = (0, 0);
        }
        let keep = |n: usize| n < first || n + last >= total;
        scramble(&self.permutation, 0, self.scope, keep, input, scratch, out);
        scratch.text = composed;
        Ok(())
    }
}

/// `input` in Unicode NFC, with `buffer` as room for it when it is not ASCII.
pub(crate) fn compose<'t>(input: &'t str, buffer: &'t mut String) -> &'t str {
    use unicode_normalization::UnicodeNormalization as _;
    if input.is_ascii() {
        return input;
    }
    buffer.clear();
    buffer.extend(input.nfc());
    buffer
}

const LOSSY: Promise = Promise {
    deterministic: true,
    injective: false,
    null_preserving: true,
    format_preserving: true,
    length_max: None,
};

pub(crate) const REDACT: Function = Function {
    descriptor: Descriptor {
        name: "redact",
        summary: "Letters and digits become one character, except the first and last n.",
        parameters: &[
            KEEP_FIRST,
            KEEP_LAST,
            parameter("with", ParameterKind::Text, "*", "The character to use."),
        ],
        accepts: &[TypeClass::Text],
        promise: LOSSY,
        weakness: "What is kept is kept in clear; length and punctuation show.",
    },
    bind: |request| {
        let with = request.params.text("with").unwrap_or("*");
        let mut characters = with.chars();
        let (Some(with), None) = (characters.next(), characters.next()) else {
            return Err(bad("with", "must be one character"));
        };
        let mask = Redact {
            keep_first: count(request, "keep_first", 0, 1_000)?,
            keep_last: count(request, "keep_last", 0, 1_000)?,
            letter: with,
            digit: with,
        };
        Ok(Box::new(TextColumn::new(mask, request.column, LOSSY)))
    },
};

pub(crate) const BLANK_SHAPE: Function = Function {
    descriptor: Descriptor {
        name: "blank_shape",
        summary: "Letters become x or X and digits 1: the shape and nothing else.",
        parameters: &[],
        accepts: DIGITS,
        promise: LOSSY,
        weakness: "Length, punctuation and capitals show.",
    },
    bind: |request| {
        let mask = Redact {
            keep_first: 0,
            keep_last: 0,
            letter: 'x',
            digit: '1',
        };
        Ok(Box::new(TextColumn::new(mask, request.column, LOSSY)))
    },
};

#[derive(Debug)]
struct Redact {
    keep_first: usize,
    keep_last: usize,
    letter: char,
    digit: char,
}

impl TextMask for Redact {
    fn mask(&self, input: &str, _: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let total = input.chars().filter(|c| c.is_alphanumeric()).count();
        let (mut first, mut last) = (self.keep_first, self.keep_last);
        if first + last >= total {
            (first, last) = (0, 0);
        }
        let mut n = 0;
        for c in input.chars() {
            if !c.is_alphanumeric() {
                out.push(c);
                continue;
            }
            n += 1;
            out.push(match c {
                _ if n <= first || n + last > total => c,
                _ if c.is_numeric() => self.digit,
                _ if c.is_uppercase() && self.letter == 'x' => 'X',
                _ => self.letter,
            });
        }
        Ok(())
    }
}
