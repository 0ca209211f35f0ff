//! E-mail addresses and user names: a name for the eye and a keyed token that keeps any two apart.

use std::fmt;

use tdm_core::function::{BindError, BindRequest, Descriptor, ParameterKind, Promise};
use tdm_core::keyring::DomainKey;

use super::token::{UNIQUE_BITS, base32};
use super::vocabulary::{Words, first_names};
use super::{Bound, Function, TEXTUAL, bad, key, key_of, parameter};
use crate::cells::{Reason, Scratch, TextColumn, TextMask, fold, length_max};

/// Domains that RFC 2606 reserves: mail to them reaches nobody.
const SAFE_DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

/// Characters of the token: 60 bits.
const TOKEN: usize = 12;

/// Shortest token that is worth being called a pseudonym.
const TOKEN_MIN: usize = 4;

const PROMISE: Promise = Promise {
    deterministic: true,
    injective: true,
    null_preserving: true,
    format_preserving: false,
    length_max: None,
};

pub(crate) const EMAIL: Function = Function {
    descriptor: Descriptor {
        name: "email",
        summary: "An e-mail address that reaches nobody, one for each address whatever its case.",
        parameters: &[
            parameter(
                "keep_domain",
                ParameterKind::Boolean,
                "false",
                "Whether the domain stays. It may name a person or an employer.",
            ),
            parameter(
                "domains",
                ParameterKind::List,
                "example.com, example.net, example.org",
                "Domains to use instead.",
            ),
        ],
        accepts: TEXTUAL,
        promise: PROMISE,
        weakness: "Equal addresses stay equal; with `keep_domain` a private domain names its owner.",
    },
    bind: email,
};

pub(crate) const USERNAME: Function = Function {
    descriptor: Descriptor {
        name: "username",
        summary: "A user name; one that is an e-mail address becomes the address that the e-mail column gets.",
        parameters: &[],
        accepts: TEXTUAL,
        promise: PROMISE,
        weakness: "Equal user names stay equal.",
    },
    bind: username,
};

fn email(request: &BindRequest<'_>) -> Bound {
    let address = Address::bind(request, key(request, "email"))?;
    let promise = address.handle.promise(request);
    Ok(Box::new(TextColumn::new(address, request.column, promise)))
}

fn username(request: &BindRequest<'_>) -> Bound {
    let max = length_max(request.column).unwrap_or(usize::MAX);
    let handle = Handle::new(key(request, "username"), max)?;
    let promise = handle.promise(request);
    // A column too short for an address holds none.
    let address = Address::bind(request, key_of(request, "email", "email")).ok();
    let mask = Username { handle, address };
    Ok(Box::new(TextColumn::new(mask, request.column, promise)))
}

/// A name and a token.
struct Handle {
    key: DomainKey,
    names: Words,
    token: usize,
    length_max: usize,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

impl Handle {
    fn new(key: DomainKey, length_max: usize) -> Result<Self, BindError> {
        if length_max < TOKEN_MIN {
            return Err(BindError::Other(
                "the column is too short to tell values apart; use `scramble` or `redact`"
                    .to_owned(),
            ));
        }
        let names = first_names("en", "any");
        Ok(Self {
            key,
            names: names
                .iter()
                .copied()
                .filter(|n| n.bytes().all(|b| b.is_ascii_alphabetic()))
                .collect(),
            token: TOKEN.min(length_max),
            length_max,
        })
    }

    fn promise(&self, request: &BindRequest<'_>) -> Promise {
        Promise {
            injective: self.token * 5 >= UNIQUE_BITS as usize,
            length_max: length_max(request.column).and_then(|n| u32::try_from(n).ok()),
            ..PROMISE
        }
    }

    /// Appends the handle of `input` in up to `room` characters.
    fn write(
        &self,
        input: &str,
        room: usize,
        scratch: &mut Scratch,
        out: &mut String,
    ) -> Result<(), Reason> {
        if room < TOKEN_MIN {
            return Err("the column has no room for a replacement");
        }
        fold(input, &mut scratch.key);
        let mut draws = self.key.draws(&scratch.key);
        let start = out.len();
        if let Some(name) = draws.pick(&self.names)
            && name.len() + 1 + self.token <= room
        {
            out.extend(name.bytes().map(|b| char::from(b.to_ascii_lowercase())));
            out.push('.');
        }
        base32(&mut draws, self.token.min(room), out);
        // Addresses that differ in case alone fold to one pseudonym; the case is put back as another
        // pattern, so that an index that tells them apart still does.
        if input.chars().any(char::is_uppercase) {
            let bits = self.key.draws(input.as_bytes()).next_u64();
            let mut changed = String::with_capacity(out.len() - start);
            for (i, c) in out[start..].chars().enumerate() {
                let upper = i == 0 || bits >> (i % 64) & 1 == 1;
                changed.push(if upper { c.to_ascii_uppercase() } else { c });
            }
            out.truncate(start);
            out.push_str(&changed);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Address {
    handle: Handle,
    domains: Domains,
}

#[derive(Debug)]
enum Domains {
    Keep,
    Replace(Vec<String>),
}

impl Address {
    fn bind(request: &BindRequest<'_>, key: DomainKey) -> Result<Self, BindError> {
        let max = length_max(request.column).unwrap_or(usize::MAX);
        let keep = request.params.boolean("keep_domain").unwrap_or(false);
        let domains = match request.params.list("domains") {
            Some(_) if keep => return Err(bad("domains", "has no meaning with keep_domain")),
            None => SAFE_DOMAINS.map(str::to_owned).to_vec(),
            Some(list) => {
                let valid = |text: &&str| !text.is_empty() && !text.contains(['@', ' ']);
                let domains: Option<Vec<String>> = list
                    .iter()
                    .map(|v| v.as_str().filter(valid).map(str::to_owned))
                    .collect();
                domains
                    .filter(|list| !list.is_empty())
                    .ok_or_else(|| bad("domains", "must be a list of domain names"))?
            }
        };
        let longest = domains.iter().map(|d| d.chars().count()).max().unwrap_or(0);
        Ok(Self {
            handle: Handle::new(key, max.saturating_sub(longest + 1))?,
            domains: if keep {
                Domains::Keep
            } else {
                Domains::Replace(domains)
            },
        })
    }
}

impl TextMask for Address {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let input = input.trim();
        let original = input.rsplit_once('@').map_or("", |(_, domain)| domain);
        let domain = match &self.domains {
            Domains::Keep if !original.is_empty() => original,
            Domains::Keep => SAFE_DOMAINS[0],
            Domains::Replace(list) => {
                // People of one domain stay together.
                fold(original, &mut scratch.key);
                self.handle
                    .key
                    .draws(&scratch.key)
                    .pick(list)
                    .map_or("", String::as_str)
            }
        };
        let room = match &self.domains {
            Domains::Keep => {
                let room = self.handle.length_max.saturating_add(SAFE_DOMAINS[0].len());
                room.saturating_sub(domain.chars().count())
            }
            Domains::Replace(_) => self.handle.length_max,
        };
        self.handle.write(input, room, scratch, out)?;
        out.push('@');
        out.push_str(domain);
        Ok(())
    }
}

#[derive(Debug)]
struct Username {
    handle: Handle,
    address: Option<Address>,
}

impl TextMask for Username {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        match &self.address {
            Some(address) if input.contains('@') => address.mask(input, scratch, out),
            _ => self
                .handle
                .write(input, self.handle.length_max, scratch, out),
        }
    }
}
