//! Texts of words: single words, sentences, paragraphs, to a length that fits.

use super::{Build, Built, CAPACITY_MAX, Draw, Maker, Marking, cut};
use crate::locale::Locale;
use crate::value::Value;

/// How a text is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Words,
    Sentence,
    Paragraph,
}

#[derive(Debug)]
struct Words {
    locale: &'static Locale,
    style: Style,
    least: u32,
    most: u32,
    length_min: usize,
    room: usize,
}

impl Words {
    fn separator(&self) -> &'static str {
        if matches!(self.locale.name, "ja" | "zh-CN") {
            ""
        } else {
            " "
        }
    }

    fn full_stop(&self) -> &'static str {
        match self.locale.name {
            "ja" | "zh-CN" => "。",
            "hi-IN" => "।",
            _ => ".",
        }
    }

    fn sentence(&self, draw: &mut Draw, out: &mut String) {
        let start = out.len();
        let count = self.least + draw.rng.pick(self.most - self.least + 1);
        for at in 0..count {
            if at > 0 {
                out.push_str(self.separator());
            }
            let list = &self.locale.words;
            out.push_str(&list[draw.rng.pick(u32::try_from(list.len()).unwrap_or(1)) as usize]);
        }
        if self.style != Style::Words
            && let Some(first) = out[start..].chars().next()
        {
            let upper: String = first.to_uppercase().collect();
            out.replace_range(start..start + first.len_utf8(), &upper);
            out.push_str(self.full_stop());
        }
    }
}

impl Maker for Words {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let out = out.text();
        let sentences = if self.style == Style::Paragraph {
            2 + draw.rng.pick(4)
        } else {
            1
        };
        for at in 0..sentences {
            if at > 0 {
                out.push_str(self.separator());
            }
            self.sentence(draw, out);
        }
        cut(out, self.room);
        while out.chars().count() < self.length_min {
            out.push('x');
        }
        if out.is_empty() {
            out.push('x');
        }
    }

    fn marking(&self) -> Option<Marking> {
        Some(Marking {
            radix: 36,
            room: u32::try_from(self.room).unwrap_or(u32::MAX),
        })
    }

    fn mark(&self, mark: &str, out: &mut String) {
        append(mark, self.separator(), self.room, out);
    }
}

/// Puts `mark` at the end of a text, shortening the text where needed.
pub(super) fn append(mark: &str, separator: &str, room: usize, out: &mut String) {
    let tail = mark.len() + separator.len();
    if room <= tail {
        out.clear();
    } else {
        cut(out, room - tail);
        out.push_str(separator);
    }
    out.push_str(mark);
}

fn build_words(build: &Build<'_>, style: Style, least: u32, most: u32) -> Built {
    let param = |name, default| {
        build
            .params
            .integer(name)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(default)
            .clamp(1, 200)
    };
    let (least, most) = if style == Style::Words {
        let least = param("min_words", least);
        (least, param("max_words", most.max(least)))
    } else {
        (least, most)
    };
    if least > most {
        return Err(build.wrong("min_words", "is above max_words"));
    }
    if build.room() < build.bounds.length_min {
        return Err(build.wrong(
            "max_words",
            "the column's shortest text is longer than its longest",
        ));
    }
    Ok(Box::new(Words {
        locale: build.locale()?,
        style,
        least,
        most,
        length_min: build.bounds.length_min,
        room: build.room(),
    }))
}

/// A few words.
pub(super) fn words(build: &Build<'_>) -> Built {
    build_words(build, Style::Words, 1, 3)
}

/// A sentence.
pub(super) fn sentence(build: &Build<'_>) -> Built {
    build_words(build, Style::Sentence, 5, 12)
}

/// A paragraph.
pub(super) fn paragraph(build: &Build<'_>) -> Built {
    build_words(build, Style::Paragraph, 5, 12)
}

/// Random bytes.
#[derive(Debug)]
struct RandomBytes {
    least: u32,
    most: u32,
}

impl Maker for RandomBytes {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let length = self.least + draw.rng.pick(self.most - self.least + 1);
        let bytes = (0..length)
            .map(|_| draw.rng.word().to_le_bytes()[0])
            .collect();
        *out = Value::Bytes(bytes);
    }

    fn capacity(&self) -> Option<u64> {
        Some(if self.most >= 8 {
            CAPACITY_MAX
        } else {
            1 << (8 * self.most)
        })
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        let mut bytes = vec![0; self.most as usize];
        for (slot, byte) in bytes.iter_mut().rev().zip(rank.to_le_bytes()) {
            *slot = byte;
        }
        *out = Value::Bytes(bytes);
    }
}

/// Bytes of a length.
pub(super) fn bytes(build: &Build<'_>) -> Built {
    let room = u32::try_from(build.room()).unwrap_or(u32::MAX);
    let most = build
        .params
        .integer("length")
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(16);
    // Fixed-width columns are as wide as they say.
    let fixed = build
        .column
        .native
        .to_ascii_lowercase()
        .starts_with("binary");
    let most = if fixed {
        room.min(4_096)
    } else {
        most.min(room)
    };
    let least = if build.params.0.contains_key("length") || fixed {
        most
    } else {
        1.min(most)
    };
    let least = least
        .max(u32::try_from(build.bounds.length_min).unwrap_or(0))
        .min(most.max(1));
    Ok(Box::new(RandomBytes {
        least,
        most: most.max(least),
    }))
}

#[derive(Debug)]
struct Uuid;

fn write_uuid(high: u64, low: u64, out: &mut Value) {
    use std::fmt::Write as _;
    // Version 4, variant 1: 122 free bits.
    let high = (high & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
    let low = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    let _ = write!(
        out.text(),
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    );
}

impl Maker for Uuid {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        write_uuid(draw.rng.long(), draw.rng.long(), out);
    }

    fn capacity(&self) -> Option<u64> {
        Some(CAPACITY_MAX)
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        // The rank fills the 62 free bits of the low half; the high half only makes it look random.
        write_uuid(
            rank.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (rank >> 17),
            rank,
            out,
        );
    }
}

/// A version 4 UUID.
pub(super) fn uuid(build: &Build<'_>) -> Built {
    build.needs(36, "a UUID")?;
    Ok(Box::new(Uuid))
}
