//! One person a row, projected on the columns that belong to it: names, gender, e-mail, user name fit together.

use super::words::append;
use super::{Build, Built, Draw, Maker, Marking, cut, digits};
use crate::locale::{Locale, Word};
use crate::stream::Stream;
use crate::value::Value;

/// Which side of the person a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    First,
    Last,
    Full,
    Gender,
    Email,
    Username,
}

#[derive(Debug)]
struct Person {
    part: Part,
    locale: &'static Locale,
    stream: Stream,
    room: usize,
}

struct Drawn<'a> {
    female: bool,
    first: &'a Word,
    last: &'a Word,
    number: u32,
}

impl Person {
    fn draw(&self, row: u64, attempt: u32) -> Drawn<'_> {
        let mut rng = self.stream.at(row, attempt);
        let word = rng.word();
        let female = word & 1 == 1;
        let firsts = if female {
            &self.locale.first_female
        } else {
            &self.locale.first_male
        };
        Drawn {
            female,
            first: &firsts[rng.skewed(firsts.len())],
            last: &self.locale.last[rng.skewed(self.locale.last.len())],
            number: word >> 1,
        }
    }
}

/// Domains that no one can own (RFC 2606).
const DOMAINS: [&str; 3] = ["example.com", "example.org", "example.net"];

/// Fills `{first}` and `{last}` of a locale's order of names.
fn full_name(format: &str, first: &str, last: &str, out: &mut String) {
    for piece in format.split_inclusive('}') {
        match piece.split_once('{') {
            Some((before, "first}")) => {
                out.push_str(before);
                out.push_str(first);
            }
            Some((before, "last}")) => {
                out.push_str(before);
                out.push_str(last);
            }
            _ => out.push_str(piece),
        }
    }
}

impl Maker for Person {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let person = self.draw(draw.row, draw.attempt);
        let out = out.text();
        match self.part {
            Part::First => out.push_str(&person.first.text),
            Part::Last => out.push_str(&person.last.text),
            Part::Full => full_name(
                &self.locale.full,
                &person.first.text,
                &person.last.text,
                out,
            ),
            Part::Gender => out.push_str(match (person.female, self.room < 6) {
                (true, true) => "F",
                (true, false) => "female",
                (false, true) => "M",
                (false, false) => "male",
            }),
            Part::Email | Part::Username => {
                out.push_str(&person.first.latin);
                out.push('.');
                out.push_str(&person.last.latin);
                digits(u64::from(person.number % 100), 10, 2, out);
                if self.part == Part::Email {
                    let domain = DOMAINS[person.number as usize / 100 % 3];
                    // Everything before the sign is ASCII: a byte is a character.
                    out.truncate(self.room.saturating_sub(domain.len() + 1));
                    out.push('@');
                    out.push_str(domain);
                }
            }
        }
        cut(out, self.room);
    }

    fn marking(&self) -> Option<Marking> {
        let room = u32::try_from(self.room).unwrap_or(u32::MAX);
        match self.part {
            Part::Gender => None,
            Part::Email => Some(Marking {
                radix: 36,
                room: room.saturating_sub(12).min(60),
            }),
            Part::Username => Some(Marking { radix: 36, room }),
            Part::First | Part::Last | Part::Full => Some(Marking { radix: 36, room }),
        }
    }

    fn mark(&self, mark: &str, out: &mut String) {
        match self.part {
            Part::Email => {
                let at = out.rfind('@').unwrap_or(out.len());
                let tail = out.len() - at;
                // The two digits at the end of the local part make room for the mark.
                let local = at
                    .saturating_sub(2)
                    .min(self.room.saturating_sub(tail + mark.len()));
                out.replace_range(local..at, mark);
            }
            Part::Username => {
                let local = out.len().saturating_sub(2);
                out.truncate(local.min(self.room.saturating_sub(mark.len())));
                out.push_str(mark);
            }
            _ => append(mark, " ", self.room, out),
        }
    }
}

fn part(build: &Build<'_>, part: Part) -> Built {
    let least = match part {
        Part::Email => 14,
        _ => 1,
    };
    build.needs(least, "the shortest value")?;
    Ok(Box::new(Person {
        part,
        locale: build.locale()?,
        stream: build.entity("person"),
        room: build.room(),
    }))
}

pub(super) fn first_name(build: &Build<'_>) -> Built {
    part(build, Part::First)
}

pub(super) fn last_name(build: &Build<'_>) -> Built {
    part(build, Part::Last)
}

pub(super) fn full_name_of(build: &Build<'_>) -> Built {
    part(build, Part::Full)
}

pub(super) fn gender(build: &Build<'_>) -> Built {
    part(build, Part::Gender)
}

pub(super) fn email(build: &Build<'_>) -> Built {
    part(build, Part::Email)
}

pub(super) fn username(build: &Build<'_>) -> Built {
    part(build, Part::Username)
}
