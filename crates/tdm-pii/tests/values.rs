//! Columns by values alone, under names that say nothing, scored against the labelled sets.
#![expect(
    clippy::unwrap_used,
    reason = "a labelled set that cannot be read is a bug"
)]

mod score;

use score::{Sheet, data};
use tdm_core::catalog::{Column, TableSchema};
use tdm_core::category::Category;
use tdm_core::detector::{ColumnContext, ColumnSample};
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_pii::Classifier;

/// A small generator of random numbers (SplitMix64), so that runs agree.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn digits(&mut self, n: usize) -> Vec<u64> {
        (0..n).map(|_| self.below(10)).collect()
    }
}

fn text(digits: &[u64]) -> String {
    digits.iter().map(u64::to_string).collect()
}

fn dot(digits: &[u64], weights: &[u64]) -> u64 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

fn with_luhn(mut body: Vec<u64>) -> String {
    let sum: u64 = body
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            if i % 2 == 0 {
                d * 2 / 10 + d * 2 % 10
            } else {
                *d
            }
        })
        .sum();
    body.push((10 - sum % 10) % 10);
    text(&body)
}

fn iban(country: &str, bban: &str) -> String {
    let letters = |t: &str| {
        t.chars()
            .map(|c| c.to_digit(36).unwrap().to_string())
            .collect::<String>()
    };
    let number = letters(&format!("{bban}{country}00"));
    let rest = number
        .bytes()
        .fold(0_u64, |r, b| (r * 10 + u64::from(b - b'0')) % 97);
    format!("{country}{:02}{bban}", 98 - rest)
}

/// One valid number of a scheme, made from its published rule and not from the crate's validators.
fn make(scheme: &str, r: &mut Random, row: u64) -> String {
    let day = |r: &mut Random| (1 + r.below(28), 1 + r.below(12), 40 + r.below(60));
    loop {
        match scheme {
            "ssn" => {
                return format!(
                    "{:03}-{:02}-{:04}",
                    1 + r.below(600),
                    1 + r.below(98),
                    1 + r.below(9998)
                );
            }
            "bsn" => {
                let mut d = r.digits(8);
                let check = dot(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
                if check < 10 {
                    d.push(check);
                    return text(&d);
                }
            }
            "cpf" => {
                let mut d = r.digits(9);
                for n in [10, 11] {
                    let sum: u64 = d.iter().zip((2..=n).rev()).map(|(d, w)| d * w).sum();
                    d.push(if sum % 11 < 2 { 0 } else { 11 - sum % 11 });
                }
                let t = text(&d);
                return format!("{}.{}.{}-{}", &t[..3], &t[3..6], &t[6..9], &t[9..]);
            }
            "pesel" => {
                let (d, m, y) = day(r);
                let body = format!("{y:02}{m:02}{d:02}{:04}", r.below(10_000));
                let digits: Vec<u64> = body.bytes().map(|b| u64::from(b - b'0')).collect();
                let sum = dot(&digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
                return format!("{body}{}", (10 - sum % 10) % 10);
            }
            "nhs" => {
                let mut d = r.digits(9);
                let check = 11 - dot(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
                if check != 10 {
                    d.push(check % 11);
                    let t = text(&d);
                    return format!("{} {} {}", &t[..3], &t[3..6], &t[6..]);
                }
            }
            "dni" => {
                let n = r.below(100_000_000);
                let letter = b"TRWAGMYFPDXBNJZSQVHLCKE"[usize::try_from(n % 23).unwrap()] as char;
                return format!("{n:08}{letter}");
            }
            "nir" => {
                let body = format!(
                    "{}{:02}{:02}{:02}{:03}{:03}",
                    1 + r.below(2),
                    40 + r.below(60),
                    1 + r.below(12),
                    1 + r.below(94),
                    1 + r.below(900),
                    1 + r.below(900)
                );
                return format!("{body}{:02}", 97 - body.parse::<u64>().unwrap() % 97);
            }
            "tckn" => {
                let mut d = r.digits(9);
                d[0] = 1 + d[0] % 9;
                let odd = d[0] + d[2] + d[4] + d[6] + d[8];
                let even = d[1] + d[3] + d[5] + d[7];
                d.push((odd * 7 + 100 - even) % 10);
                d.push((odd + even + d[9]) % 10);
                return text(&d);
            }
            "hetu" => {
                let (d, m, y) = day(r);
                let serial = 2 + r.below(898);
                let n = d * 10_000_000 + m * 100_000 + y * 1_000 + serial;
                let mark =
                    b"0123456789ABCDEFHJKLMNPRSTUVWXY"[usize::try_from(n % 31).unwrap()] as char;
                return format!("{d:02}{m:02}{y:02}-{serial:03}{mark}");
            }
            "aadhaar" => {
                // The check digit by trial, with the dihedral group written out as a product of symmetries.
                let mut d = r.digits(11);
                d[0] = 2 + d[0] % 8;
                for check in 0..10 {
                    let mut all = d.clone();
                    all.push(check);
                    if dihedral(&all) == 0 {
                        return text(&all);
                    }
                }
            }
            "nip" => {
                let d = r.digits(9);
                let check = dot(&d, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11;
                if check < 10 {
                    return format!("{}{check}", text(&d));
                }
            }
            "cnpj" => {
                let mut d = r.digits(8);
                d.extend([0, 0, 0, 1]);
                for weights in [
                    &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2][..],
                    &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2],
                ] {
                    let rest = dot(&d, weights) % 11;
                    d.push(if rest < 2 { 0 } else { 11 - rest });
                }
                return text(&d);
            }
            "card" => {
                let mut d = vec![4];
                d.extend(r.digits(14));
                return with_luhn(d);
            }
            "amex" => {
                let mut d = vec![3, 7];
                d.extend(r.digits(12));
                return with_luhn(d);
            }
            "imei" => {
                let mut d = vec![3, 5];
                d.extend(r.digits(12));
                return with_luhn(d);
            }
            "iban" => return iban("DE", &text(&r.digits(18))),
            "iban_nl" => return iban("NL", &format!("INGB{}", text(&r.digits(10)))),
            "sequence9" => return (100_000_000 + row * 37).to_string(),
            "hex40" => {
                return format!("{:016x}{:016x}{:08x}", r.next(), r.next(), r.below(1 << 32));
            }
            _ => {
                let n: usize = scheme.strip_prefix("digits").unwrap().parse().unwrap();
                let mut d = r.digits(n);
                d[0] = 1 + d[0] % 9;
                return text(&d);
            }
        }
    }
}

/// Verhoeff by the group itself: rotations 0 to 4, reflections 5 to 9.
fn dihedral(digits: &[u64]) -> u64 {
    let power = |n: usize, mut d: u64| {
        for _ in 0..n {
            d = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][usize::try_from(d).unwrap()];
        }
        d
    };
    digits.iter().rev().enumerate().fold(0, |a, (i, d)| {
        let b = power(i % 8, *d);
        match (a < 5, b < 5) {
            (true, true) => (a + b) % 5,
            (true, false) => 5 + (a + b - 5) % 5,
            (false, true) => 5 + (a - 5 + 5 - b) % 5,
            (false, false) => (a - 5 + 5 - (b - 5)) % 5,
        }
    })
}

pub(crate) fn sample(values: &str) -> ColumnSample {
    let list: Vec<(String, u64)> = match values.strip_prefix('@') {
        Some(scheme) => {
            let mut r = Random(scheme.len() as u64 * 7919);
            let mut list: Vec<String> = (0..200).map(|row| make(scheme, &mut r, row)).collect();
            list.sort();
            list.dedup();
            list.into_iter().map(|v| (v, 1)).collect()
        }
        None => {
            let mut list: Vec<&str> = values.split('|').collect();
            list.sort_unstable();
            list.dedup();
            list.into_iter().map(|v| (v.to_owned(), 3)).collect()
        }
    };
    ColumnSample::new(list, 0)
}

fn run(name: &str) -> Sheet {
    let classifier = Classifier::standard();
    let mut sheet = Sheet::default();
    for (number, line) in data(name)
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.is_empty())
    {
        let (label, values) = line.split_once('\t').unwrap();
        let (category, near) = match label.split_once(' ') {
            Some((category, _)) => (category, true),
            None => (label, false),
        };
        let mut table = TableSchema::new(TableRef::new("t1"));
        table.columns.push(Column::new(
            format!("c{number}"),
            1,
            "text",
            LogicalType::TEXT,
        ));
        let context = ColumnContext {
            table: &table,
            column: &table.columns[0],
            profile: None,
        };
        let answer = classifier.classify_column(&context, &sample(values));
        let truth: Category = category.parse().unwrap();
        sheet.add(
            truth,
            answer.finding.category,
            near,
            &format!("line {}", number + 1),
        );
        sheet.calibrate(answer.finding.confidence, truth == answer.finding.category);
    }
    sheet
}

#[test]
fn development_values() {
    let sheet = run("values.dev.txt");
    sheet.print("values, dev", true);
    assert!(sheet.macro_f1() >= 0.85);
}

#[test]
fn held_out_values() {
    let sheet = run("values.heldout.txt");
    sheet.print(
        "values, held-out",
        std::env::var_os("TDM_PII_MISSES").is_some(),
    );
    assert!(sheet.macro_f1() >= 0.75, "macro F1 {:.3}", sheet.macro_f1());
    assert!(
        sheet.near_flagged() <= 0.06,
        "hard negatives {:.3}",
        sheet.near_flagged()
    );
}
