//! Forms of single values that are told by their bytes alone.

use super::tally::LENGTH_MAX;

pub(super) fn cut(value: &str) -> &str {
    if value.len() <= LENGTH_MAX {
        return value;
    }
    let mut end = LENGTH_MAX;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

pub(super) fn shape_is(bytes: &[u8], shape: &[u8]) -> bool {
    bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(b, s)| {
            if *s == b'9' {
                b.is_ascii_digit()
            } else {
                b == s
            }
        })
}

/// Area not 000, 666 or 9xx; group not 00; serial not 0000.
pub(super) fn ssn(b: &[u8]) -> bool {
    b[0] != b'9'
        && &b[..3] != b"000"
        && &b[..3] != b"666"
        && &b[4..6] != b"00"
        && &b[7..] != b"0000"
}

pub(super) fn expiry(b: &[u8]) -> bool {
    let month = |m: &[u8]| matches!(m, [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2']);
    match b.len() {
        5 => {
            b[2] == b'/'
                && month(&b[..2])
                && b[3].is_ascii_digit()
                && b[4].is_ascii_digit()
                && b[3] >= b'1'
        }
        7 => {
            b[2] == b'/'
                && month(&b[..2])
                && b[3..].starts_with(b"20")
                && b[5].is_ascii_digit()
                && b[6].is_ascii_digit()
        }
        _ => false,
    }
}

pub(super) fn dotted_version(b: &[u8]) -> bool {
    let mut parts = 0;
    for part in b.split(|c| *c == b'.') {
        if part.is_empty() || part.len() > 5 || !part.iter().all(u8::is_ascii_digit) {
            return false;
        }
        parts += 1;
    }
    (2..=5).contains(&parts)
}

pub(super) fn uuid(b: &[u8]) -> bool {
    b.len() == 36
        && b.iter().enumerate().all(|(i, c)| {
            if matches!(i, 8 | 13 | 18 | 23) {
                *c == b'-'
            } else {
                c.is_ascii_hexdigit()
            }
        })
}

/// ICD-10: a letter, two characters, and most often a point with one to four more.
pub(super) fn icd(b: &[u8]) -> bool {
    matches!(b.len(), 3 | 5..=8)
        && b[0].is_ascii_uppercase()
        && b[0] != b'U'
        && b[1].is_ascii_digit()
        && (b[2].is_ascii_digit() || b[2] == b'A' || b[2] == b'B')
        && (b.len() == 3
            || b[3] == b'.'
                && b[4..]
                    .iter()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
                && (b[4].is_ascii_digit() || b[4] == b'X'))
}

/// Licence plates of Germany, the Netherlands, France, Italy, Spain, Great Britain, Poland.
pub(super) fn plate(b: &[u8]) -> bool {
    use super::mixed::shape;
    if !(5..=11).contains(&b.len()) || b.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    let compact: Vec<u8> = b
        .iter()
        .copied()
        .filter(|c| !matches!(c, b' ' | b'-'))
        .collect();
    let separated = compact.len() < b.len();
    let german = separated
        && {
            let mut parts = b.split(|c| *c == b' ' || *c == b'-');
            matches!((parts.next(), parts.next(), parts.next(), parts.next()), (Some(a), Some(l), Some(n), None)
            if (1..=3).contains(&a.len()) && a.iter().all(u8::is_ascii_uppercase)
            && (1..=2).contains(&l.len()) && l.iter().all(u8::is_ascii_uppercase)
            && (1..=4).contains(&n.len()) && n.iter().all(u8::is_ascii_digit))
        };
    german
        || separated
            && [
                "LLDDDLL", "LLDDLLL", "DDDDLLL", "DDLLDD", "DDLLLD", "LLLDDD", "LDDDLL", "LLLDDDD",
                "LLDDDDD", "LLLDLDD",
            ]
            .iter()
            .any(|s| shape(&compact, s))
}

/// Card numbers with all but the last digits hidden.
pub(super) fn masked(b: &[u8]) -> bool {
    let hidden = b.iter().filter(|c| matches!(c, b'*' | b'X' | b'x')).count();
    let digits = b.iter().filter(|c| c.is_ascii_digit()).count();
    let separators = b.iter().filter(|c| matches!(c, b' ' | b'-')).count();
    hidden >= 4
        && (4..=10).contains(&digits)
        && hidden + digits + separators == b.len()
        && hidden + digits >= 12
}

/// An upper-case prefix and a number: ORD-000123, SKU12345.
pub(super) fn code(b: &[u8]) -> bool {
    let letters = b.iter().take_while(|c| c.is_ascii_uppercase()).count();
    let rest = &b[letters..];
    let rest = rest
        .strip_prefix(b"-")
        .or_else(|| rest.strip_prefix(b"_"))
        .or_else(|| rest.strip_prefix(b"#"))
        .unwrap_or(rest);
    (2..=6).contains(&letters)
        && rest.len() >= 3
        && rest.iter().all(|c| c.is_ascii_digit() || *c == b'-')
}

/// Paths, file names by their endings, and media types.
pub(super) fn path(folded: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "pdf", "png", "jpg", "jpeg", "gif", "csv", "txt", "json", "xml", "html", "zip", "docx",
        "xlsx", "doc", "xls", "mp3", "mp4", "svg", "log", "js", "css", "py", "rs", "sql", "bin",
        "exe", "md", "yaml", "yml", "webp", "dll", "jar", "php", "java", "ts", "gz", "parquet",
        "dat", "bak", "ini", "cfg", "conf", "sh", "pptx", "mov", "wav",
    ];
    const STARTS: &[&str] = &[
        "c:\\",
        "/var/",
        "/usr/",
        "s3://",
        "application/",
        "image/",
        "text/",
        "video/",
        "audio/",
    ];
    if folded.bytes().any(|b| matches!(b, b'/' | b'\\'))
        && STARTS.iter().any(|s| folded.starts_with(s))
    {
        return true;
    }
    folded
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.len() <= 7 && ENDINGS.contains(&ending))
}

pub(super) fn particle(folded: &str) -> bool {
    [
        "van ", "von ", "de ", "da ", "di ", "del ", "della ", "dos ", "do ", "du ", "le ", "la ",
        "el ", "al ", "zu ", "ter ", "ten ", "o'", "mc ", "mac ", "san ",
    ]
    .iter()
    .any(|p| folded.starts_with(p))
}
