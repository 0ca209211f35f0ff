//! Payment cards and bank accounts of test ranges, with the check digits that real ones have.

use super::{Build, Built, CAPACITY_MAX, Draw, Maker, digits};
use crate::stream::Stream;
use crate::value::Value;

/// Issuers, the test prefix used for them and the length of their numbers.
const ISSUERS: &[(&str, &str, usize)] = &[
    ("Visa", "424242", 16),
    ("Mastercard", "555555", 16),
    ("American Express", "378282", 15),
    ("Discover", "601111", 16),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Number,
    Issuer,
}

#[derive(Debug)]
struct Card {
    part: Part,
    stream: Stream,
    /// The one issuer to use, when one is named.
    issuer: Option<usize>,
    room: usize,
}

fn luhn(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            match (at % 2 == 0, digit > 4) {
                (true, true) => digit * 2 - 9,
                (true, false) => digit * 2,
                (false, _) => digit,
            }
        })
        .sum();
    char::from(b'0' + u8::try_from((10 - sum % 10) % 10).unwrap_or(0))
}

impl Card {
    fn allowed(&self) -> impl Iterator<Item = usize> + '_ {
        (0..ISSUERS.len())
            .filter(|&at| self.issuer.is_none_or(|only| only == at) && ISSUERS[at].2 <= self.room)
    }

    fn write(issuer: usize, rank: u64, out: &mut String) {
        let (_, prefix, length) = ISSUERS[issuer];
        out.push_str(prefix);
        digits(
            rank,
            10,
            u32::try_from(length - prefix.len() - 1).unwrap_or(0),
            out,
        );
        out.push(luhn(out));
    }

    fn each(issuer: usize) -> u64 {
        10u64.pow(u32::try_from(ISSUERS[issuer].2 - 7).unwrap_or(0))
    }
}

impl Maker for Card {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let mut rng = self.stream.at(draw.row, draw.attempt);
        let count = u32::try_from(self.allowed().count()).unwrap_or(1);
        let chosen = rng.pick(count) as usize;
        let issuer = self.allowed().nth(chosen).unwrap_or(0);
        match self.part {
            Part::Issuer => {
                let text = out.text();
                text.push_str(ISSUERS[issuer].0);
                super::cut(text, self.room);
            }
            Part::Number => Self::write(issuer, rng.below(Self::each(issuer)), out.text()),
        }
    }

    fn capacity(&self) -> Option<u64> {
        match self.part {
            Part::Number => Some(self.allowed().map(Self::each).sum()),
            Part::Issuer => Some(ISSUERS.len() as u64),
        }
    }

    fn unrank(&self, mut rank: u64, out: &mut Value) {
        if self.part == Part::Issuer {
            let at = usize::try_from(rank).unwrap_or(0) % ISSUERS.len();
            out.text().push_str(ISSUERS[at].0);
            return;
        }
        for issuer in self.allowed() {
            if rank < Self::each(issuer) {
                Self::write(issuer, rank, out.text());
                return;
            }
            rank -= Self::each(issuer);
        }
    }
}

fn card(build: &Build<'_>, part: Part) -> Built {
    let issuer = match build.params.text("issuer") {
        None => None,
        Some(name) => Some(
            ISSUERS
                .iter()
                .position(|(known, ..)| known.eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    let known: Vec<&str> = ISSUERS.iter().map(|(name, ..)| *name).collect();
                    build.wrong("issuer", format!("must be one of {}", known.join(", ")))
                })?,
        ),
    };
    if part == Part::Number {
        build.needs(issuer.map_or(15, |at| ISSUERS[at].2), "a card number")?;
    }
    let room = if part == Part::Issuer {
        build.room().max(16)
    } else {
        build.room()
    };
    Ok(Box::new(Card {
        part,
        stream: build.entity("card"),
        issuer,
        room,
    }))
}

pub(super) fn credit_card(build: &Build<'_>) -> Built {
    card(build, Part::Number)
}

pub(super) fn card_issuer(build: &Build<'_>) -> Built {
    card(build, Part::Issuer)
}

/// Account formats: country, fixed start of the account part that no bank has, free digits after it.
const ACCOUNTS: &[(&str, &str, u32)] = &[
    ("DE", "00000000", 10),
    ("GB", "TEST000000", 8),
    ("FR", "0000000000", 13),
    ("ES", "0000000000", 10),
    ("IT", "X0000000000", 12),
    ("NL", "TEST", 10),
    ("PL", "00000000", 16),
];

#[derive(Debug)]
struct Iban {
    country: &'static str,
    start: &'static str,
    free: u32,
}

impl Iban {
    fn write(&self, rank: u64, out: &mut String) {
        let mut account = self.start.to_owned();
        digits(rank, 10, self.free, &mut account);
        // ISO 13616: letters count from ten, the country and two zeros go to the end, modulo 97.
        let remainder = account
            .chars()
            .chain(self.country.chars())
            .chain("00".chars())
            .filter_map(|c| c.to_digit(36))
            .fold(0u32, |sum, digit| {
                if digit < 10 {
                    (sum * 10 + digit) % 97
                } else {
                    (sum * 100 + digit) % 97
                }
            });
        out.push_str(self.country);
        digits(u64::from(98 - remainder), 10, 2, out);
        out.push_str(&account);
    }
}

impl Maker for Iban {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let rank = draw.rng.below(10u64.pow(self.free));
        self.write(rank, out.text());
    }

    fn capacity(&self) -> Option<u64> {
        Some(10u64.pow(self.free).min(CAPACITY_MAX))
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        self.write(rank, out.text());
    }
}

/// Bank account numbers of banks that do not exist.
pub(super) fn iban(build: &Build<'_>) -> Built {
    let country = match build.params.text("country") {
        Some(given) => given.to_ascii_uppercase(),
        None => build.locale()?.country_code.clone(),
    };
    let known = ACCOUNTS.iter().find(|(code, ..)| *code == country);
    // A country without such numbers, as the United States, is shown with a British one unless one is named.
    let found = match (known, build.params.text("country")) {
        (Some(found), _) => found,
        (None, None) => &ACCOUNTS[1],
        (None, Some(_)) => {
            let codes: Vec<&str> = ACCOUNTS.iter().map(|(code, ..)| *code).collect();
            return Err(build.wrong("country", format!("must be one of {}", codes.join(", "))));
        }
    };
    let (country, start, free) = *found;
    build.needs(4 + start.len() + free as usize, "an account number")?;
    Ok(Box::new(Iban {
        country,
        start,
        free,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_published_examples() {
        assert_eq!(luhn("424242424242424"), '2');
        assert_eq!(luhn("37828224631000"), '5');
        let mut text = String::new();
        // GB82 WEST 1234 5698 7654 32, the example of the standard's registry.
        Iban {
            country: "GB",
            start: "WEST12345698",
            free: 6,
        }
        .write(765_432, &mut text);
        assert_eq!(text, "GB82WEST12345698765432");
    }
}
