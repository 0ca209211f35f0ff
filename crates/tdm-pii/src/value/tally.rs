//! Counting what the distinct values of one column pass, and turning the counts into scores.
//!
//! A test with chance rate `q` that `k` of `n` values pass weighs `k ln(p/q) + (n-k) ln((1-p)/(1-q))`, where `p` is
//! the share expected of a true column. So a check digit that one random number in eleven passes is worth nothing
//! at that share and settles the matter at ninety per cent, without a threshold to tune.

use tdm_core::category::Category;
use tdm_core::finding::Evidence;

use super::dictionary::Dictionary;
use super::form::{
    code, cut, dotted_version, expiry, icd, masked, path, plate, shape_is, ssn, uuid,
};
use super::mixed::MIXED;
use super::national::SCHEMES;
use super::words;
use super::{contact, date, finance, postal, secret};
use crate::name::fold_into;

use table::{TESTS, Test};

/// Distinct values that are read at most.
pub(crate) const VALUES_MAX: usize = 1_000;
/// Longer values are read up to here for shape; the rest adds nothing.
pub(super) const LENGTH_MAX: usize = 256;

/// Counts over one column.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    counts: [u32; TESTS.len()],
    schemes: Vec<u32>,
    mixed: Vec<u32>,
    pub(crate) distinct: u32,
    pub(crate) rows: u64,
    total_length: u64,
    pub(crate) longest: usize,
    spaces: u64,
    letters_values: u32,
    pub(crate) digit_values: u32,
    at_values: u32,
    json: u32,
    years: Vec<u32>,
    clocks: u32,
    integers: Vec<i64>,
    decimals: Vec<f64>,
    fraction_digits: u64,
    genders: u8,
    octet_high: u32,
    boolean: u32,
    digit_length: [u32; 20],
    plain_numbers: u32,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            counts: [0; TESTS.len()],
            schemes: vec![0; SCHEMES.len()],
            mixed: vec![0; MIXED.len()],
            distinct: 0,
            rows: 0,
            total_length: 0,
            longest: 0,
            spaces: 0,
            letters_values: 0,
            digit_values: 0,
            at_values: 0,
            json: 0,
            years: Vec::new(),
            clocks: 0,
            integers: Vec::new(),
            decimals: Vec::new(),
            fraction_digits: 0,
            genders: 0,
            octet_high: 0,
            boolean: 0,
            digit_length: [0; 20],
            plain_numbers: 0,
        }
    }
}

/// What the values of a column say, in nats against `none`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weighing {
    /// Scores of categories that values speak for; `none` among them for shapes of harmless data.
    pub(crate) scores: Vec<(Category, f64)>,
    /// Counts behind the scores.
    pub(crate) evidence: Vec<Evidence>,
    /// Categories that the values rule out, with the reason.
    pub(crate) vetoes: Vec<(Category, &'static str)>,
    /// Whether the values are long texts.
    pub(crate) prose: bool,
    /// Whether the values are JSON documents.
    pub(crate) json: bool,
}

/// Texts that stand for a missing value.
fn is_missing(text: &str) -> bool {
    text.is_empty()
        || text.len() <= 7
            && text.as_bytes()[0].is_ascii()
            && matches!(
                text.as_bytes()[0],
                b'n' | b'N'
                    | b'-'
                    | b'?'
                    | b'u'
                    | b'U'
                    | b't'
                    | b'T'
                    | b'\\'
                    | b'('
                    | b'.'
                    | b'x'
                    | b'X'
                    | b'#'
            )
            && matches!(
                text.to_ascii_lowercase().as_str(),
                "null"
                    | "n/a"
                    | "na"
                    | "none"
                    | "nan"
                    | "-"
                    | "--"
                    | "?"
                    | "unknown"
                    | "nil"
                    | "tbd"
                    | "\\n"
                    | "(null)"
                    | "."
                    | "x"
                    | "xx"
                    | "xxx"
                    | "#n/a"
                    | "nd"
                    | "n.a."
            )
            && !matches!(text, "x" | "X")
}

impl Tally {
    fn hit(&mut self, test: Test) {
        self.counts[test as usize] += 1;
    }

    const fn count(&self, test: Test) -> u32 {
        self.counts[test as usize]
    }

    /// Reads one distinct value that `rows` rows have. `folded` is scratch space.
    pub(crate) fn read(
        &mut self,
        dictionary: &Dictionary,
        value: &str,
        rows: u64,
        folded: &mut String,
    ) {
        let value = value.trim();
        if is_missing(value) {
            return;
        }
        self.distinct += 1;
        self.rows += rows;
        self.total_length += value.len() as u64;
        self.longest = self.longest.max(value.len());
        let value = cut(value);
        let bytes = value.as_bytes();
        let (mut digits, mut letters, mut spaces, mut others, mut upper) = (0, 0, 0, 0, 0);
        for b in bytes {
            match b {
                b'0'..=b'9' => digits += 1,
                b'A'..=b'Z' => {
                    letters += 1;
                    upper += 1;
                }
                b'a'..=b'z' | 0x80.. => letters += 1,
                b' ' | b'\t' | b'\n' | b'\r' => spaces += 1,
                _ => others += 1,
            }
        }
        self.spaces += spaces as u64;
        self.letters_values += u32::from(letters > 0);
        self.digit_values += u32::from(digits > 0);
        if matches!(bytes[0], b'{' | b'[') && matches!(bytes[bytes.len() - 1], b'}' | b']')
            || matches!(bytes[0], b'{') && bytes.len() >= LENGTH_MAX
        {
            self.json += 1;
            return;
        }
        if bytes.contains(&b'@') {
            self.at_values += 1;
            if contact::email(value) {
                self.hit(Test::Email);
                return;
            }
        }
        if bytes.len() >= LENGTH_MAX || spaces > 12 {
            if value.starts_with("Mozilla/") || value.contains("AppleWebKit") {
                self.hit(Test::UserAgent);
            } else if secret::token(value) {
                self.hit(Test::Token);
            } else if secret::password_hash(value) {
                self.hit(Test::Hash);
            }
            return;
        }
        if letters == 0 {
            self.numeric(value, digits, others + spaces);
        } else {
            self.textual(
                dictionary,
                value,
                Shape {
                    digits,
                    letters,
                    spaces,
                    others,
                    upper,
                },
                folded,
            );
        }
    }

    /// Values of digits and separators.
    fn numeric(&mut self, value: &str, digits: usize, separators: usize) {
        let bytes = value.as_bytes();
        if value.len() <= 1 && matches!(bytes[0], b'0' | b'1') {
            self.boolean += 1;
        }
        if contact::mac(value) {
            self.hit(Test::Mac);
            return;
        }
        if bytes.iter().filter(|b| **b == b':').count() >= 2 && contact::ipv6(value) {
            self.hit(Test::Ipv6);
            return;
        }
        if let Some(octets) = contact::ipv4(value) {
            self.hit(Test::Ipv4);
            self.octet_high += u32::from(octets.iter().any(|o| *o > 40));
            return;
        }
        if let Some(day) = date::parse(value) {
            self.hit(Test::Date);
            self.years.push(day.year);
            self.clocks += u32::from(day.clock);
            if separators > 0 {
                return;
            }
        }
        if let Some((a, b)) = value.split_once(',').or_else(|| value.split_once(' '))
            && let (Ok(a), Ok(b)) = (a.trim().parse::<f64>(), b.trim().parse::<f64>())
            && value.matches('.').count() == 2
            && a.abs() <= 90.0
            && b.abs() <= 180.0
        {
            self.hit(Test::CoordinatePair);
            return;
        }
        if expiry(bytes) {
            self.hit(Test::CardExpiry);
        }
        if bytes.iter().any(|b| matches!(b, b'*' | b'#'))
            && digits >= 4
            && value.len() >= 8
            && value.len() <= 24
        {
            self.hit(Test::CardMasked);
            return;
        }
        let comma;
        let number = if bytes.contains(&b',') {
            comma = value.replace(',', ".");
            comma.as_str()
        } else {
            value
        };
        if let Some((_, fraction)) = number.split_once('.')
            && let Ok(n) = number.parse::<f64>()
        {
            self.decimals.push(n);
            self.fraction_digits += fraction.len() as u64;
            self.hit(Test::Number);
            return;
        }
        if dotted_version(bytes) {
            self.hit(Test::Version);
        }
        if shape_is(bytes, b"999-99-9999") && ssn(bytes) {
            self.hit(Test::Ssn);
            return;
        }
        if shape_is(bytes, b"99-9999999") {
            self.hit(Test::Ein);
        }
        if shape_is(bytes, b"99-99-99") {
            self.hit(Test::SortCode);
            return;
        }
        if postal::postcode(value) {
            self.hit(Test::Postcode);
        }
        if let Some(shape) = contact::phone_shape(value) {
            self.hit(Test::PhoneAny);
            if shape == contact::PhoneShape::Certain {
                self.hit(Test::PhoneCertain);
            }
        }
        if separators == 0 {
            if let Ok(n) = value.parse::<i64>() {
                self.integers.push(n);
            }
            self.hit(Test::Number);
        }
        self.digits(bytes, digits, separators);
    }

    /// Check-digit schemes over the digits alone.
    fn digits(&mut self, bytes: &[u8], count: usize, separators: usize) {
        if !(8..=19).contains(&count) || separators > 6 {
            return;
        }
        let mut buffer = [0_u8; 20];
        let mut length = 0;
        for b in bytes {
            match b {
                b'0'..=b'9' => {
                    buffer[length] = b - b'0';
                    length += 1;
                }
                b' ' | b'-' | b'.' | b'/' | b'_' => {}
                _ => return,
            }
        }
        let digits = &buffer[..length];
        self.digit_length[length.min(19)] += 1;
        if separators == 0 {
            self.plain_numbers += 1;
        }
        if finance::card(digits) {
            self.hit(Test::Card);
        }
        if matches!(length, 8 | 12 | 13) && super::checksum::ean(digits) {
            self.hit(Test::Ean);
        }
        for (i, scheme) in SCHEMES.iter().enumerate() {
            if scheme.length == length && (scheme.test)(digits) {
                self.schemes[i] += 1;
            }
        }
    }

    /// Values with letters.
    fn textual(&mut self, dictionary: &Dictionary, value: &str, shape: Shape, folded: &mut String) {
        let bytes = value.as_bytes();
        folded.clear();
        fold_into(value, folded);
        if shape.digits == 0 {
            self.wordy(dictionary, value, shape, folded);
            return;
        }
        if value.contains("://") || folded.starts_with("www.") {
            self.hit(Test::Url);
            if contact::personal_url(folded) {
                self.hit(Test::UrlPersonal);
            }
            return;
        }
        if uuid(bytes) {
            self.hit(Test::Uuid);
            return;
        }
        if contact::mac(value) {
            self.hit(Test::Mac);
            return;
        }
        if bytes.contains(&b':') && contact::ipv6(value) {
            self.hit(Test::Ipv6);
            return;
        }
        if value.starts_with("Mozilla/")
            || folded.starts_with("opera/")
            || folded.contains("okhttp/")
            || folded.contains("dalvik/")
        {
            self.hit(Test::UserAgent);
            return;
        }
        if secret::password_hash(value) {
            self.hit(Test::Hash);
            return;
        }
        if secret::token(value) {
            self.hit(Test::Token);
            return;
        }
        if shape.spaces == 0
            && shape.others == 0
            && matches!(bytes.len(), 32 | 40 | 56 | 64 | 96 | 128)
            && bytes.iter().all(u8::is_ascii_hexdigit)
        {
            self.hit(Test::Digest);
            return;
        }
        if shape.spaces == 0 && secret::opaque(value) {
            self.hit(Test::Opaque);
            return;
        }
        if let Some(day) = date::parse(value) {
            self.hit(Test::Date);
            self.years.push(day.year);
            self.clocks += u32::from(day.clock);
            return;
        }
        if bytes.len() <= 36 {
            self.coded(value, shape);
        }
        if matches!(bytes[0], b'v' | b'V') && dotted_version(&bytes[1..])
            || bytes[0].is_ascii_digit()
                && dotted_version(
                    value
                        .split(['-', '+'])
                        .next()
                        .unwrap_or_default()
                        .as_bytes(),
                )
        {
            self.hit(Test::Version);
        }
        if path(folded) {
            self.hit(Test::Path);
            return;
        }
        if contact::phone_shape(value).is_some() {
            self.hit(Test::PhoneAny);
            self.hit(Test::PhoneCertain);
            return;
        }
        if shape.spaces > 0 || bytes.iter().any(|b| matches!(b, b'.' | b',')) {
            let reading = words::read(dictionary, folded, shape.digits);
            if reading.street {
                self.hit(Test::Street);
            }
            if reading.company {
                self.hit(Test::Company);
            }
            if reading.health && reading.words > 1 {
                self.hit(Test::Health);
            }
            if reading.common {
                self.hit(Test::Common);
            }
        } else {
            if shape.letters > shape.digits && bytes.len() <= 32 {
                self.account(dictionary, folded);
            }
            let street = words::read(dictionary, folded, shape.digits);
            if street.street && shape.letters > 6 {
                self.hit(Test::Street);
            }
        }
    }

    /// Codes of letters and digits: national schemes, IBAN, BIC, postcodes, diagnosis codes.
    fn coded(&mut self, value: &str, shape: Shape) {
        let bytes = value.as_bytes();
        if icd(bytes) {
            self.hit(Test::Icd);
        }
        if bytes.len() <= 10 && postal::postcode(value) {
            self.hit(Test::Postcode);
        }
        if plate(bytes) {
            self.hit(Test::Plate);
        }
        if bytes.iter().any(|b| matches!(b, b'*' | b'X' | b'x')) && masked(bytes) {
            self.hit(Test::CardMasked);
        }
        if code(bytes) {
            self.hit(Test::Code);
        }
        if shape.spaces > 8 {
            return;
        }
        let mut buffer = [0_u8; 40];
        let mut length = 0;
        for b in bytes {
            match b {
                b'0'..=b'9' | b'A'..=b'Z' | b'<' => {
                    buffer[length] = *b;
                    length += 1;
                }
                b'a'..=b'z' => {
                    buffer[length] = b.to_ascii_uppercase();
                    length += 1;
                }
                b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' => {}
                _ => return,
            }
        }
        let text = &buffer[..length];
        if length >= 15
            && text[0].is_ascii_uppercase()
            && text[1].is_ascii_uppercase()
            && text[2].is_ascii_digit()
        {
            if finance::iban(text) {
                self.hit(Test::Iban);
            }
            if length <= 34 && text[3].is_ascii_digit() && postal::is_country_code(&text[..2]) {
                self.hit(Test::IbanShape);
            }
        }
        if shape.upper == shape.letters && finance::bic(text) {
            self.hit(Test::Bic);
        }
        if (7..=36).contains(&length) {
            for (i, scheme) in MIXED.iter().enumerate() {
                if (scheme.test)(text) {
                    self.mixed[i] += 1;
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    digits: usize,
    letters: usize,
    spaces: usize,
    others: usize,
    upper: usize,
}

mod table;
mod weigh;
mod wordy;
