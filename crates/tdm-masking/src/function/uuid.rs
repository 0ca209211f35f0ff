//! UUIDs from UUIDs.

use tdm_core::function::{Descriptor, Promise};
use tdm_core::keyring::DomainKey;
use tdm_core::types::TypeClass;

use super::{Function, key};
use crate::cells::{Reason, Scratch, TextColumn, TextMask};

pub(crate) const UUID: Function = Function {
    descriptor: Descriptor {
        name: "uuid",
        summary: "A keyed UUID of version 8; hyphens, braces and case stay as they are.",
        parameters: &[],
        accepts: &[TypeClass::Uuid, TypeClass::Text],
        promise: PROMISE,
        weakness: "The time inside a version 1, 6 or 7 UUID is lost, and with it the order.",
    },
    bind: |request| {
        let mask = Uuid {
            key: key(request, "uuid"),
        };
        Ok(Box::new(TextColumn::new(mask, request.column, PROMISE)))
    },
};

/// Injective up to a chance of 1 in 2^122 for each pair.
const PROMISE: Promise = Promise {
    deterministic: true,
    injective: true,
    null_preserving: true,
    format_preserving: true,
    length_max: None,
};

#[derive(Debug)]
struct Uuid {
    key: DomainKey,
}

impl TextMask for Uuid {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        scratch.key.clear();
        let digits = input.bytes().filter(u8::is_ascii_hexdigit);
        scratch.key.extend(digits.map(|b| b.to_ascii_lowercase()));
        let layout = |c: char| c.is_ascii_hexdigit() || ['-', '{', '}'].contains(&c);
        if scratch.key.len() != 32 || !input.trim().chars().all(layout) {
            return Err("the text is not a UUID");
        }
        let mut bytes = self.key.hash(&scratch.key);
        // RFC 9562: version 8 is the one for values of one's own making.
        bytes[6] = bytes[6] & 0x0F | 0x80;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let upper = input.bytes().any(|b| b.is_ascii_uppercase());
        let mut digits = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
        for c in input.chars() {
            if c.is_ascii_hexdigit() {
                let digit = digits
                    .next()
                    .and_then(|d| char::from_digit(d.into(), 16))
                    .unwrap_or('0');
                out.push(if upper {
                    digit.to_ascii_uppercase()
                } else {
                    digit
                });
            } else {
                out.push(c);
            }
        }
        Ok(())
    }
}
