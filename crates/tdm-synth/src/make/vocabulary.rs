//! Words of trade and technique: companies, jobs, and what the `fake` crate has lists for.

use fake::Fake as _;
use fake::faker::{company, currency, filesystem, internet, job, lorem};

use super::words::append;
use super::{Build, Built, Draw, Maker, Marking, cut};
use crate::locale::Locale;
use crate::philox::CellRng;
use crate::value::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Company,
    Job,
}

#[derive(Debug)]
struct Trade {
    part: Part,
    locale: &'static Locale,
    room: usize,
}

impl Maker for Trade {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let rng = &mut draw.rng;
        let mut pick = |length: usize| rng.pick(u32::try_from(length).unwrap_or(1)) as usize;
        let out = out.text();
        match self.part {
            Part::Job => out.push_str(&self.locale.jobs[pick(self.locale.jobs.len())]),
            Part::Company => {
                let name = &self.locale.last[pick(self.locale.last.len())].text;
                let legal = &self.locale.legal[pick(self.locale.legal.len())];
                // Japanese puts the legal form first; Chinese joins without a space.
                match self.locale.name {
                    "ja" => [legal.as_str(), name].iter().for_each(|p| out.push_str(p)),
                    "zh-CN" => [name.as_str(), legal].iter().for_each(|p| out.push_str(p)),
                    _ => [name.as_str(), " ", legal]
                        .iter()
                        .for_each(|p| out.push_str(p)),
                }
            }
        }
        cut(out, self.room);
    }

    fn marking(&self) -> Option<Marking> {
        Some(Marking {
            radix: 36,
            room: u32::try_from(self.room).unwrap_or(u32::MAX),
        })
    }

    fn mark(&self, mark: &str, out: &mut String) {
        append(mark, " ", self.room, out);
    }
}

fn trade(build: &Build<'_>, part: Part) -> Built {
    Ok(Box::new(Trade {
        part,
        locale: build.locale()?,
        room: build.room(),
    }))
}

pub(super) fn company(build: &Build<'_>) -> Built {
    trade(build, Part::Company)
}

pub(super) fn job_title(build: &Build<'_>) -> Built {
    trade(build, Part::Job)
}

type Faker = fn(&mut CellRng) -> String;

/// What can be asked of the `fake` crate. All of it is English or Latin, and says so by being asked by name.
const FAKERS: &[(&str, Faker)] = &[
    ("buzzword", |rng| company::en::Buzzword().fake_with_rng(rng)),
    ("catch_phrase", |rng| {
        company::en::CatchPhrase().fake_with_rng(rng)
    }),
    ("currency_code", |rng| {
        currency::en::CurrencyCode().fake_with_rng(rng)
    }),
    ("currency_name", |rng| {
        currency::en::CurrencyName().fake_with_rng(rng)
    }),
    ("field_of_work", |rng| job::en::Field().fake_with_rng(rng)),
    ("file_name", |rng| {
        filesystem::en::FileName().fake_with_rng(rng)
    }),
    ("industry", |rng| company::en::Industry().fake_with_rng(rng)),
    ("latin_word", |rng| lorem::en::Word().fake_with_rng(rng)),
    ("profession", |rng| {
        company::en::Profession().fake_with_rng(rng)
    }),
    ("seniority", |rng| job::en::Seniority().fake_with_rng(rng)),
    ("user_agent", |rng| {
        internet::en::UserAgent().fake_with_rng(rng)
    }),
];

struct Fake {
    faker: Faker,
    room: usize,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake")
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

impl Maker for Fake {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let mut text = (self.faker)(&mut draw.rng);
        cut(&mut text, self.room);
        *out = Value::Text(text);
    }

    fn marking(&self) -> Option<Marking> {
        Some(Marking {
            radix: 36,
            room: u32::try_from(self.room).unwrap_or(u32::MAX),
        })
    }

    fn mark(&self, mark: &str, out: &mut String) {
        append(mark, " ", self.room, out);
    }
}

/// A word of the `fake` crate.
pub(super) fn fake(build: &Build<'_>) -> Built {
    let kind = build.params.text("kind").unwrap_or_default();
    let found = FAKERS
        .iter()
        .find(|(name, _)| *name == kind)
        .ok_or_else(|| {
            let known: Vec<&str> = FAKERS.iter().map(|(name, _)| *name).collect();
            build.wrong("kind", format!("must be one of {}", known.join(", ")))
        })?;
    Ok(Box::new(Fake {
        faker: found.1,
        room: build.room(),
    }))
}
