//! Texts by pattern: regular-expression replacement, values made from a pattern, cutting.

use regex::Regex;
use tdm_core::function::{Descriptor, Parameter, ParameterKind, Promise};
use tdm_core::keyring::DomainKey;

use super::{Function, TEXTUAL, bad, count, key};
use crate::cells::{Reason, Scratch, TextColumn, TextMask, fold, length_max};
use crate::function::token::UNIQUE_BITS;

const fn required(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        summary,
        default: None,
    }
}

pub(crate) const REGEX_REPLACE: Function = Function {
    descriptor: Descriptor {
        name: "regex_replace",
        summary: "Every match of a regular expression is replaced; `$1` or `${name}` stands for a group. A text without a match is an error.",
        parameters: &[
            required("pattern", ParameterKind::Text, "The expression."),
            required("with", ParameterKind::Text, "The replacement."),
        ],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: "What the expression does not match stays in clear.",
    },
    bind: |request| {
        let pattern = request.params.text("pattern").unwrap_or("");
        let mask = Replace {
            pattern: Regex::new(pattern)
                .map_err(|_| bad("pattern", "is not a regular expression"))?,
            with: request.params.text("with").unwrap_or("").to_owned(),
        };
        Ok(Box::new(TextColumn::new(
            mask,
            request.column,
            Promise::KEYED,
        )))
    },
};

#[derive(Debug)]
struct Replace {
    pattern: Regex,
    with: String,
}

impl TextMask for Replace {
    fn mask(&self, input: &str, _: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        if !self.pattern.is_match(input) {
            return Err("the text has no match for the pattern");
        }
        out.push_str(&self.pattern.replace_all(input, self.with.as_str()));
        Ok(())
    }
}

pub(crate) const FROM_PATTERN: Function = Function {
    descriptor: Descriptor {
        name: "from_pattern",
        summary: "A text made from a pattern and drawn by the value: # digit, ? letter, ^ capital, * letter or digit; a backslash makes the next character stand for itself.",
        parameters: &[required(
            "pattern",
            ParameterKind::Text,
            "The pattern, for example `AB-####-??`.",
        )],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: "Two values may get one text where the pattern leaves few.",
    },
    bind: |request| {
        let mut parts = Vec::new();
        let mut characters = request.params.text("pattern").unwrap_or("").chars();
        while let Some(c) = characters.next() {
            parts.push(match c {
                '#' => Part::Draw(b"0123456789"),
                '?' => Part::Draw(b"abcdefghijklmnopqrstuvwxyz"),
                '^' => Part::Draw(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                '*' => Part::Draw(b"0123456789abcdefghijklmnopqrstuvwxyz"),
                '\\' => Part::Fixed(
                    characters
                        .next()
                        .ok_or_else(|| bad("pattern", "ends in a backslash"))?,
                ),
                other => Part::Fixed(other),
            });
        }
        if !parts.iter().any(|part| matches!(part, Part::Draw(_))) {
            return Err(bad("pattern", "has nothing to draw; use `fixed`"));
        }
        if length_max(request.column).is_some_and(|max| parts.len() > max) {
            return Err(bad("pattern", "is longer than the column"));
        }
        let bits: f64 = parts
            .iter()
            .map(|part| match part {
                Part::Draw(alphabet) => {
                    f64::from(u32::try_from(alphabet.len()).unwrap_or(1)).log2()
                }
                Part::Fixed(_) => 0.0,
            })
            .sum();
        let promise = Promise {
            injective: bits >= f64::from(UNIQUE_BITS),
            length_max: u32::try_from(parts.len()).ok(),
            ..Promise::KEYED
        };
        let mask = FromPattern {
            key: key(request, "from_pattern"),
            parts,
        };
        Ok(Box::new(TextColumn::new(mask, request.column, promise)))
    },
};

#[derive(Debug)]
enum Part {
    Fixed(char),
    Draw(&'static [u8]),
}

#[derive(Debug)]
struct FromPattern {
    key: DomainKey,
    parts: Vec<Part>,
}

impl TextMask for FromPattern {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        fold(input, &mut scratch.key);
        // Case and spaces may be all that tells two keys apart.
        if input.as_bytes() != scratch.key.as_slice() {
            scratch.key.push(0);
            scratch.key.extend_from_slice(input.as_bytes());
        }
        let mut draws = self.key.draws(&scratch.key);
        for part in &self.parts {
            out.push(match part {
                Part::Fixed(c) => *c,
                Part::Draw(alphabet) => char::from(draws.pick(alphabet).copied().unwrap_or(b'0')),
            });
        }
        Ok(())
    }
}

pub(crate) const TRUNCATE: Function = Function {
    descriptor: Descriptor {
        name: "truncate",
        summary: "The first n characters; a text that is no longer than that is an error, because it would stay whole.",
        parameters: &[required(
            "length",
            ParameterKind::Integer,
            "How many characters stay.",
        )],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: "What stays, stays in clear.",
    },
    bind: |request| {
        let mask = Truncate(count(request, "length", 0, 10_000)?);
        Ok(Box::new(TextColumn::new(
            mask,
            request.column,
            Promise::KEYED,
        )))
    },
};

#[derive(Debug)]
struct Truncate(usize);

impl TextMask for Truncate {
    fn mask(&self, input: &str, _: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let (cut, _) = input
            .char_indices()
            .nth(self.0)
            .ok_or("the text is too short to be cut")?;
        out.push_str(&input[..cut]);
        Ok(())
    }
}
