//! Days written in the common orders.

use super::checksum::is_day;

/// A day read from text. `clock` says that a time other than midnight follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) year: u32,
    pub(crate) clock: bool,
}

/// Reads `1984-02-29`, `29.02.1984`, `02/29/1984`, `19840229`, each with or without a time, and `29 Feb 1984`.
pub(crate) fn parse(text: &str) -> Option<Day> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes.len() > 40 {
        return None;
    }
    if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
        let (year, month, day) = (num(&bytes[..4])?, num(&bytes[4..6])?, num(&bytes[6..])?);
        return ((1880..2100).contains(&year) && is_day(year, month, day))
            .then_some(Day { year, clock: false });
    }
    if bytes.iter().any(u8::is_ascii_alphabetic) && !bytes.contains(&b':') {
        // A day and a year need five digits at least; a name of a month has letters in one run.
        let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
        if !(5..=6).contains(&digits) {
            return None;
        }
        return with_month_name(text);
    }
    let (date, rest) = match bytes.iter().position(|b| matches!(b, b' ' | b'T')) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[][..]),
    };
    let separator = *date.iter().find(|b| !b.is_ascii_digit())?;
    if !matches!(separator, b'-' | b'/' | b'.') {
        return None;
    }
    let mut parts = date.split(|b| *b == separator);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || b.len() > 2 || b.is_empty() {
        return None;
    }
    let (x, y, z) = (num(a)?, num(b)?, num(c)?);
    let year = if a.len() == 4 {
        is_day(x, y, z).then_some(x)?
    } else if c.len() == 4 && a.len() <= 2 {
        (is_day(z, y, x) || is_day(z, x, y)).then_some(z)?
    } else if c.len() == 2 && a.len() == 2 {
        // A two-digit year: as old as it can be within a hundred years of 2030.
        let year = if z > 30 { 1900 + z } else { 2000 + z };
        (is_day(year, y, x) || is_day(year, x, y)).then_some(year)?
    } else {
        return None;
    };
    if !(1850..2200).contains(&year) {
        return None;
    }
    let clock = rest.iter().any(|b| matches!(b, b'1'..=b'9'))
        && !rest.starts_with(b"00:00:00+")
        && !rest.starts_with(b"00:00:00.000");
    if !rest.is_empty()
        && !rest
            .iter()
            .all(|b| b.is_ascii_digit() || b": .+-ZTUC".contains(b))
    {
        return None;
    }
    Some(Day { year, clock })
}

fn with_month_name(text: &str) -> Option<Day> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    const MORE: [&str; 30] = [
        "mae", "mai", "okt", "dez", "fev", "fév", "avr", "juin", "jui", "aou", "aoû", "déc", "ene",
        "abr", "ago", "dic", "set", "out", "gen", "mag", "giu", "lug", "ott", "mrt", "mei", "sty",
        "lut", "kwi", "maj", "mär",
    ];
    let mut year = None;
    let mut day = None;
    let mut month = false;
    for part in text
        .split([' ', ',', '.', '-', '/'])
        .filter(|p| !p.is_empty())
    {
        if let Ok(n) = part.parse::<u32>() {
            if part.len() == 4 && (1850..2200).contains(&n) {
                year = Some(n);
            } else if (1..=31).contains(&n) && day.is_none() {
                day = Some(n);
            } else {
                return None;
            }
        } else {
            let start = part.char_indices().nth(3).map_or(part.len(), |(at, _)| at);
            let start = &part[..start];
            if MONTHS.iter().any(|m| m.eq_ignore_ascii_case(start))
                || MORE.iter().any(|m| m.eq_ignore_ascii_case(start))
            {
                month = true;
            } else if !matches!(part, "de" | "of" | "th" | "st" | "nd" | "rd" | "del") {
                return None;
            }
        }
    }
    day?;
    month.then_some(Day {
        year: year?,
        clock: false,
    })
}

fn num(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    bytes.iter().try_fold(0, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_every_common_order() {
        for text in [
            "1984-02-29",
            "29.02.1984",
            "02/29/1984",
            "19840229",
            "1984-02-29 00:00:00",
            "29 Feb 1984",
            "February 29, 1984",
            "29/02/84",
            "1984-02-29T00:00:00Z",
        ] {
            assert_eq!(
                parse(text),
                Some(Day {
                    year: 1984,
                    clock: false
                }),
                "{text}"
            );
        }
        assert!(parse("1984-02-29 13:45:00").unwrap().clock);
        for text in [
            "1984-02-30",
            "1.2.3.4",
            "555-123-4567",
            "12345678",
            "hello wide",
            "99/99/1984",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
