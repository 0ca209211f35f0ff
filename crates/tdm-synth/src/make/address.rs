//! One address a row: street, postcode, city, region and country agree. Telephone numbers of reserved ranges.

use super::words::append;
use super::{Build, Built, CAPACITY_MAX, Draw, Maker, Marking, cut, digits};
use crate::locale::Locale;
use crate::philox::CellRng;
use crate::stream::Stream;
use crate::value::Value;

/// Which side of the address a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Street,
    City,
    Postcode,
    Region,
    Country,
}

#[derive(Debug)]
struct Address {
    part: Part,
    locale: &'static Locale,
    stream: Stream,
    room: usize,
}

/// Letters of British and Dutch postcodes, without those that neither uses.
const LETTERS: &[u8] = b"ABDEGHJLNPRTUWXZ";

/// Fills `#` by digits and `A` by letters.
fn fill(pattern: &str, rng: &mut CellRng, out: &mut String) {
    for c in pattern.chars() {
        match c {
            '#' => out.push(char::from(b'0' + u8::try_from(rng.pick(10)).unwrap_or(0))),
            'A' => out.push(char::from(LETTERS[rng.pick(16) as usize])),
            other => out.push(other),
        }
    }
}

fn pick<'a, T>(list: &'a [T], rng: &mut CellRng) -> &'a T {
    &list[rng.pick(u32::try_from(list.len()).unwrap_or(1)) as usize]
}

impl Maker for Address {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let mut rng = self.stream.at(draw.row, draw.attempt);
        let place = pick(&self.locale.places, &mut rng);
        let out = out.text();
        match self.part {
            Part::City => out.push_str(&place.city),
            Part::Region => out.push_str(&place.region),
            Part::Country if self.room < 4 => out.push_str(&self.locale.country_code),
            Part::Country => out.push_str(&self.locale.country),
            Part::Postcode => fill(&place.postcode, &mut rng, out),
            Part::Street => {
                let street = pick(&self.locale.streets, &mut rng);
                let number = 1 + rng.pick(199);
                for piece in self.locale.street.split_inclusive('}') {
                    match piece.split_once('{') {
                        Some((before, "street}")) => {
                            out.push_str(before);
                            out.push_str(street);
                        }
                        Some((before, "number}")) => {
                            out.push_str(before);
                            let width = 1 + u32::from(number > 9) + u32::from(number > 99);
                            digits(u64::from(number), 10, width, out);
                        }
                        _ => out.push_str(piece),
                    }
                }
            }
        }
        cut(out, self.room);
    }

    fn marking(&self) -> Option<Marking> {
        let room = u32::try_from(self.room).unwrap_or(u32::MAX);
        let radix = if self.part == Part::Postcode { 10 } else { 36 };
        Some(Marking { radix, room })
    }

    fn mark(&self, mark: &str, out: &mut String) {
        append(mark, " ", self.room, out);
    }
}

fn part(build: &Build<'_>, part: Part) -> Built {
    Ok(Box::new(Address {
        part,
        locale: build.locale()?,
        stream: build.entity("address"),
        room: build.room(),
    }))
}

pub(super) fn street(build: &Build<'_>) -> Built {
    part(build, Part::Street)
}

pub(super) fn city(build: &Build<'_>) -> Built {
    part(build, Part::City)
}

pub(super) fn postcode(build: &Build<'_>) -> Built {
    part(build, Part::Postcode)
}

pub(super) fn region(build: &Build<'_>) -> Built {
    part(build, Part::Region)
}

pub(super) fn country(build: &Build<'_>) -> Built {
    part(build, Part::Country)
}

/// Telephone numbers of ranges that are kept free for fiction, or that the numbering plan never assigns.
#[derive(Debug)]
struct Phone {
    patterns: &'static [String],
    compact: bool,
    room: usize,
}

impl Phone {
    fn each(pattern: &str) -> u64 {
        let free = pattern.bytes().filter(|&b| b == b'#').count();
        10u64
            .saturating_pow(u32::try_from(free).unwrap_or(18))
            .min(CAPACITY_MAX)
    }

    fn write(&self, pattern: &str, mut rank: u64, out: &mut String) {
        let start = out.len();
        for c in pattern.chars() {
            match c {
                '#' => {
                    out.push(char::from(b'0' + u8::try_from(rank % 10).unwrap_or(0)));
                    rank /= 10;
                }
                ' ' | '-' if self.compact => {}
                other => out.push(other),
            }
        }
        if out.len() - start > self.room {
            // The last digits tell numbers apart; the country code at the front does not.
            let surplus = out.len() - start - self.room;
            out.replace_range(start..start + surplus, "");
        }
    }
}

impl Maker for Phone {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let pattern = pick(self.patterns, &mut draw.rng);
        let rank = draw.rng.below(Self::each(pattern));
        self.write(pattern, rank, out.text());
    }

    fn capacity(&self) -> Option<u64> {
        let longest = self.patterns.iter().map(String::len).max().unwrap_or(0);
        // A shortened number may lose what tells it apart.
        (longest <= self.room).then(|| self.patterns.iter().map(|p| Self::each(p)).sum())
    }

    fn unrank(&self, mut rank: u64, out: &mut Value) {
        for pattern in self.patterns {
            let each = Self::each(pattern);
            if rank < each {
                self.write(pattern, rank, out.text());
                return;
            }
            rank -= each;
        }
    }

    fn marking(&self) -> Option<Marking> {
        Some(Marking {
            radix: 10,
            room: u32::try_from(self.room).unwrap_or(u32::MAX),
        })
    }

    fn mark(&self, mark: &str, out: &mut String) {
        append(mark, " x", self.room, out);
    }
}

pub(super) fn phone(build: &Build<'_>) -> Built {
    let patterns = build.locale()?.phones.as_slice();
    let longest = patterns.iter().map(String::len).max().unwrap_or(0);
    let room = build.room();
    build.needs(7, "a telephone number")?;
    Ok(Box::new(Phone {
        patterns,
        compact: longest > room,
        room,
    }))
}
