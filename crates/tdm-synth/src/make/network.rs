//! Addresses on the network, all of documentation ranges: TEST-NET, 2001:db8::/32, example.com.

use std::fmt::Write as _;

use super::words::append;
use super::{Build, Built, Draw, Maker, Marking};
use crate::locale::Locale;
use crate::value::Value;

/// RFC 5737.
const TEST_NETS: [&str; 3] = ["192.0.2", "198.51.100", "203.0.113"];
const HOSTS: u64 = 254;

#[derive(Debug)]
struct Ip {
    six: bool,
}

impl Maker for Ip {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let rank = draw.rng.below(if self.six { 1 << 48 } else { 3 * HOSTS });
        self.unrank(rank, out);
    }

    fn capacity(&self) -> Option<u64> {
        Some(if self.six { 1 << 48 } else { 3 * HOSTS })
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        let out = out.text();
        let _ = if self.six {
            // RFC 3849. Written in full: short forms would be rewritten by servers.
            let (a, b, c) = (rank >> 32, rank >> 16 & 0xFFFF, rank & 0xFFFF);
            write!(out, "2001:db8:1:1:1:{:x}:{:x}:{:x}", a & 0xFFFF, b, c)
        } else {
            let net = TEST_NETS[usize::try_from(rank / HOSTS).unwrap_or(0) % 3];
            write!(out, "{net}.{}", 1 + rank % HOSTS)
        };
    }
}

pub(super) fn ip(build: &Build<'_>) -> Built {
    let six = match build.params.integer("version") {
        None | Some(4) => false,
        Some(6) => true,
        Some(_) => return Err(build.wrong("version", "must be 4 or 6")),
    };
    build.needs(if six { 31 } else { 14 }, "an internet address")?;
    Ok(Box::new(Ip { six }))
}

#[derive(Debug)]
struct Mac;

impl Maker for Mac {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let rank = draw.rng.below(1 << 40);
        self.unrank(rank, out);
    }

    fn capacity(&self) -> Option<u64> {
        Some(1 << 40)
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        // The second bit of the first byte says: administered locally, owned by no maker.
        let out = out.text();
        out.push_str("02");
        for byte in rank.to_be_bytes().iter().skip(3) {
            let _ = write!(out, ":{byte:02x}");
        }
    }
}

pub(super) fn mac(build: &Build<'_>) -> Built {
    build.needs(17, "a hardware address")?;
    Ok(Box::new(Mac))
}

#[derive(Debug)]
struct Url {
    locale: &'static Locale,
    room: usize,
}

impl Maker for Url {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let out = out.text();
        out.push_str("https://www.example.com/");
        let words = &self.locale.words;
        let word = crate::locale::latin(
            &words[draw.rng.pick(u32::try_from(words.len()).unwrap_or(1)) as usize],
        );
        let _ = write!(out, "{word}/{}", draw.rng.pick(10_000));
        out.truncate(self.room);
    }

    fn marking(&self) -> Option<Marking> {
        Some(Marking {
            radix: 36,
            room: u32::try_from(self.room.saturating_sub(25)).unwrap_or(u32::MAX),
        })
    }

    fn mark(&self, mark: &str, out: &mut String) {
        append(mark, "/", self.room, out);
    }
}

pub(super) fn url(build: &Build<'_>) -> Built {
    build.needs(24, "a web address")?;
    Ok(Box::new(Url {
        locale: build.locale()?,
        room: build.room(),
    }))
}
