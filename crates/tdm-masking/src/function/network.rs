//! Addresses of machines and pages.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use tdm_core::function::{BindRequest, Descriptor, ParameterKind, Promise};

use super::{BIJECTION, Bound, Function, TEXTUAL, integer, key, parameter};
use crate::cells::{Reason, Scratch, TextColumn, TextMask, length_max};
use crate::permutation::Permutation;
use crate::shape::{Scope, scramble};

pub(crate) const IP: Function = Function {
    descriptor: Descriptor {
        name: "ip",
        summary: "Another address of the same network, one to one; a prefix length behind a slash stays.",
        parameters: &[
            parameter(
                "v4_prefix",
                ParameterKind::Integer,
                "16",
                "Leading bits of an IPv4 address that stay.",
            ),
            parameter(
                "v6_prefix",
                ParameterKind::Integer,
                "48",
                "Leading bits of an IPv6 address that stay.",
            ),
        ],
        accepts: TEXTUAL,
        promise: BIJECTION,
        weakness: "The network shows, and with it often country and provider.",
    },
    bind: bind_ip,
};

fn bind_ip(request: &BindRequest<'_>) -> Bound {
    let v4 = integer(request, "v4_prefix", 16, 0..=24)?;
    let v6 = integer(request, "v6_prefix", 48, 0..=112)?;
    let mask = Ip {
        permutation: Permutation::new(&key(request, "ip")),
        v4: u32::try_from(32 - v4).unwrap_or(16),
        v6: u32::try_from(128 - v6).unwrap_or(80),
    };
    let promise = Promise {
        format_preserving: false,
        length_max: Some(43),
        ..BIJECTION
    };
    // The longest form of an address may be longer than the one that was there.
    let promise = match length_max(request.column) {
        Some(max) if max < 43 => Promise {
            length_max: u32::try_from(max).ok(),
            ..promise
        },
        _ => promise,
    };
    Ok(Box::new(TextColumn::new(mask, request.column, promise)))
}

#[derive(Debug)]
struct Ip {
    permutation: Permutation,
    /// Bits that change.
    v4: u32,
    v6: u32,
}

impl Ip {
    fn bits(&self, value: u128, bits: u32, scratch: &mut Scratch) -> u128 {
        scratch.symbols.clear();
        scratch.radices.clear();
        // Sixteen bits a symbol: as even halves as the network can have.
        let mut left = bits;
        while left > 0 {
            let size = left.min(16);
            left -= size;
            let symbol = value >> left & ((1 << size) - 1);
            scratch.symbols.push(u32::try_from(symbol).unwrap_or(0));
            scratch.radices.push(1 << size);
        }
        if let ([_], [radix]) = (scratch.symbols.as_slice(), scratch.radices.as_slice()) {
            // One symbol alone would only be rotated.
            let bound = u64::from(*radix);
            let symbol = u64::from(scratch.symbols[0]);
            return self.permutation.below(symbol, bound, 0).into();
        }
        self.permutation
            .symbols(&mut scratch.symbols, &scratch.radices, 0);
        let symbols = scratch.symbols.iter().zip(&scratch.radices);
        symbols.fold(0, |value, (symbol, radix)| {
            value * u128::from(*radix) + u128::from(*symbol)
        })
    }
}

impl TextMask for Ip {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let input = input.trim();
        let (address, suffix) = match input.find('/') {
            Some(at) => input.split_at(at),
            None => (input, ""),
        };
        if let Ok(v4) = address.parse::<Ipv4Addr>() {
            let value = u128::from(u32::from(v4));
            let low = self.bits(value & ((1 << self.v4) - 1), self.v4, scratch);
            let result = u32::try_from(value >> self.v4 << self.v4 | low).unwrap_or(0);
            let _ = write!(out, "{}{suffix}", Ipv4Addr::from(result));
            return Ok(());
        }
        let v6: Ipv6Addr = address
            .parse()
            .map_err(|_| "the text is not an internet address")?;
        let value = u128::from(v6);
        let (high, low) = match self.v6 {
            128 => (0, value),
            bits => (value >> bits << bits, value & ((1 << bits) - 1)),
        };
        let result = high | self.bits(low, self.v6, scratch);
        let _ = write!(out, "{}{suffix}", Ipv6Addr::from(result));
        Ok(())
    }
}

pub(crate) const MAC: Function = Function {
    descriptor: Descriptor {
        name: "mac",
        summary: "Another hardware address of the same vendor and layout.",
        parameters: &[parameter(
            "keep_vendor",
            ParameterKind::Boolean,
            "true",
            "Whether the first three bytes stay.",
        )],
        accepts: TEXTUAL,
        promise: BIJECTION,
        weakness: "The vendor shows.",
    },
    bind: |request| {
        let mask = Mac {
            permutation: Permutation::new(&key(request, "mac")),
            keep: if request.params.boolean("keep_vendor").unwrap_or(true) {
                6
            } else {
                0
            },
        };
        Ok(Box::new(TextColumn::new(mask, request.column, BIJECTION)))
    },
};

#[derive(Debug)]
struct Mac {
    permutation: Permutation,
    keep: usize,
}

impl TextMask for Mac {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let digits = input.chars().filter(char::is_ascii_hexdigit).count();
        let layout = |c: char| c.is_ascii_hexdigit() || [':', '-', '.'].contains(&c);
        if !matches!(digits, 12 | 16) || !input.trim().chars().all(layout) {
            return Err("the text is not a hardware address");
        }
        let upper = input.chars().any(|c| c.is_ascii_uppercase());
        scratch.symbols.clear();
        let hex = input.chars().filter_map(|c| c.to_digit(16));
        scratch.symbols.extend(hex.skip(self.keep));
        scratch.radices.clear();
        scratch.radices.resize(digits - self.keep, 16);
        self.permutation
            .symbols(&mut scratch.symbols, &scratch.radices, 0);
        let mut symbols = scratch.symbols.iter();
        let mut n = 0;
        for c in input.chars() {
            if !c.is_ascii_hexdigit() {
                out.push(c);
                continue;
            }
            n += 1;
            let digit = match symbols.as_slice() {
                _ if n <= self.keep => c,
                [] => '0',
                _ => symbols
                    .next()
                    .and_then(|&d| char::from_digit(d, 16))
                    .unwrap_or('0'),
            };
            out.push(if upper {
                digit.to_ascii_uppercase()
            } else {
                digit.to_ascii_lowercase()
            });
        }
        Ok(())
    }
}

pub(crate) const URL: Function = Function {
    descriptor: Descriptor {
        name: "url",
        summary: "An address on a reserved host; path, query and fragment are scrambled.",
        parameters: &[
            parameter(
                "host",
                ParameterKind::Text,
                "www.example.com",
                "The host to use.",
            ),
            parameter(
                "keep_host",
                ParameterKind::Boolean,
                "false",
                "Whether the host stays.",
            ),
        ],
        accepts: TEXTUAL,
        promise: Promise {
            injective: false,
            format_preserving: false,
            ..BIJECTION
        },
        weakness: "Scheme and shape of the path show.",
    },
    bind: |request| {
        let mask = Url {
            permutation: Permutation::new(&key(request, "url")),
            host: request
                .params
                .text("host")
                .unwrap_or("www.example.com")
                .to_owned(),
            keep_host: request.params.boolean("keep_host").unwrap_or(false),
            length_max: length_max(request.column),
        };
        let promise = Promise {
            length_max: mask.length_max.and_then(|n| u32::try_from(n).ok()),
            ..URL.descriptor.promise
        };
        Ok(Box::new(TextColumn::new(mask, request.column, promise)))
    },
};

#[derive(Debug)]
struct Url {
    permutation: Permutation,
    host: String,
    keep_host: bool,
    length_max: Option<usize>,
}

impl TextMask for Url {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let input = input.trim();
        let (scheme, rest) = match input.find("://") {
            Some(at)
                if input[..at]
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'+') =>
            {
                input.split_at(at + 3)
            }
            _ => ("", input),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        out.push_str(scheme);
        if scheme.is_empty() && !authority.contains('.') {
            // A relative path has no host.
            scramble(
                &self.permutation,
                0,
                Scope::All,
                |_| false,
                rest,
                scratch,
                out,
            );
        } else {
            // A user name before the host is dropped with it.
            let host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            out.push_str(if self.keep_host { host } else { &self.host });
            scramble(
                &self.permutation,
                0,
                Scope::All,
                |_| false,
                path,
                scratch,
                out,
            );
        }
        if let Some(max) = self.length_max
            && let Some((cut, _)) = out.char_indices().nth(max)
        {
            out.truncate(cut);
        }
        Ok(())
    }
}
