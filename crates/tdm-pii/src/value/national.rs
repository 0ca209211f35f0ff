//! National, social-security and tax numbers: length, structure, date and check digit of each scheme.

use tdm_core::category::Category;

use super::checksum::{ean, is_day, luhn, mod_11_10, remainder, verhoeff, weighted};

/// A scheme of all-digit numbers.
#[derive(Debug)]
pub(crate) struct Scheme {
    /// Name, as evidence cites it.
    pub(crate) name: &'static str,
    /// What the number is.
    pub(crate) category: Category,
    /// Digits.
    pub(crate) length: usize,
    /// Share of random digits of that length that pass.
    pub(crate) chance: f64,
    /// The test.
    pub(crate) test: fn(&[u8]) -> bool,
}

use Category::{BankAccount, DeviceId, NationalId, TaxId};

const fn scheme(
    name: &'static str,
    category: Category,
    length: usize,
    chance: f64,
    test: fn(&[u8]) -> bool,
) -> Scheme {
    Scheme {
        name,
        category,
        length,
        chance,
        test,
    }
}

/// All-digit schemes, by length.
pub(crate) const SCHEMES: &[Scheme] = &[
    scheme("Dutch BSN", NationalId, 9, 0.091, bsn),
    scheme("Canadian SIN", NationalId, 9, 0.08, |d| {
        !matches!(d[0], 0 | 8) && luhn(d)
    }),
    scheme("Israeli identity number", NationalId, 9, 0.1, |d| {
        d[0] < 4 && luhn(d)
    }),
    scheme("Australian tax file number", TaxId, 9, 0.091, |d| {
        weighted(d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
    }),
    scheme("French SIREN", TaxId, 9, 0.1, |d| {
        luhn(d) && d.iter().any(|x| *x != 0)
    }),
    scheme("Portuguese NIF", TaxId, 9, 0.06, nif),
    scheme("Polish REGON", TaxId, 9, 0.09, |d| {
        weighted(&d[..8], &[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == u32::from(d[8])
    }),
    scheme("New Zealand IRD", TaxId, 9, 0.09, ird),
    scheme("US bank routing number", BankAccount, 9, 0.04, aba),
    scheme("British NHS number", NationalId, 10, 0.091, nhs),
    scheme("Danish CPR", NationalId, 10, 0.036, |d| {
        day_first(d) && weighted(d, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    }),
    scheme("Swedish personal number", NationalId, 10, 0.004, |d| {
        year_first(d, 0) && luhn(d)
    }),
    scheme("Bulgarian EGN", NationalId, 10, 0.004, |d| {
        is_day(
            1900 + two(d, 0),
            match two(d, 2) {
                m @ 21..=32 => m - 20,
                m @ 41..=52 => m - 40,
                m => m,
            },
            two(d, 4),
        ) && weighted(&d[..9], &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == u32::from(d[9])
    }),
    scheme(
        "Czech or Slovak birth number",
        NationalId,
        10,
        0.006,
        birth_number,
    ),
    scheme(
        "Austrian social-security number",
        NationalId,
        10,
        0.003,
        |d| {
            d[0] != 0
                && is_day(2000, two(d, 6), two(d, 4))
                && weighted(d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == u32::from(d[3])
        },
    ),
    scheme("Polish NIP", TaxId, 10, 0.09, |d| {
        weighted(&d[..9], &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == u32::from(d[9])
    }),
    scheme(
        "US national provider identifier",
        Category::OtherPersonal,
        10,
        0.02,
        |d| {
            let mut full = [8, 0, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            full[5..].copy_from_slice(d);
            matches!(d[0], 1 | 2) && luhn(&full)
        },
    ),
    scheme("Brazilian CPF", NationalId, 11, 0.01, cpf),
    scheme("German tax number", TaxId, 11, 0.004, steuer_id),
    scheme("Polish PESEL", NationalId, 11, 0.018, |d| {
        is_day(1900 + two(d, 0), two(d, 2) % 20, two(d, 4))
            && weighted(d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
    }),
    scheme("Belgian national number", NationalId, 11, 0.01, |d| {
        let check = u64::from(two(d, 9));
        let old = 97 - remainder(&d[..9], 97);
        let new = 97 - (2_000_000_000 + number(&d[..9])) % 97;
        two(d, 2) % 20 <= 12 && two(d, 4) <= 31 && (check == old || check == new)
    }),
    scheme("Norwegian birth number", NationalId, 11, 0.0005, |d| {
        let day = if d[0] >= 4 { two(d, 0) - 40 } else { two(d, 0) };
        is_day(1900 + two(d, 4), two(d, 2) % 40, day)
            && weighted(d, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
            && weighted(d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    }),
    scheme("Baltic personal code", NationalId, 11, 0.002, |d| {
        (1..=6).contains(&d[0]) && is_day(1900 + two(d, 1), two(d, 3), two(d, 5)) && baltic(d)
    }),
    scheme("Croatian OIB", NationalId, 11, 0.1, mod_11_10),
    scheme("Turkish identity number", NationalId, 11, 0.009, tckn),
    scheme("Italian VAT number", TaxId, 11, 0.05, |d| {
        let office = number(&d[7..10]);
        luhn(d) && (office <= 100 || matches!(office, 120 | 121 | 888 | 999))
    }),
    scheme("Argentine CUIT", TaxId, 11, 0.006, |d| {
        matches!(two(d, 0), 20 | 23 | 24 | 27 | 30 | 33 | 34)
            && weighted(d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    }),
    scheme("Australian business number", TaxId, 11, 0.011, |d| {
        d[0] > 0 && (weighted(d, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10).is_multiple_of(89)
    }),
    scheme("Indian Aadhaar", NationalId, 12, 0.08, |d| {
        d[0] >= 2 && verhoeff(d)
    }),
    scheme("Japanese My Number", NationalId, 12, 0.1, |d| {
        let r = weighted(&d[..11], &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        u32::from(d[11]) == if r <= 1 { 0 } else { 11 - r }
    }),
    scheme("Swedish personal number", NationalId, 12, 0.002, |d| {
        (1900..2030).contains(&number(&d[..4])) && year_first(d, 2) && luhn(&d[2..])
    }),
    scheme("Swiss AHV number", NationalId, 13, 0.0001, |d| {
        d.starts_with(&[7, 5, 6]) && ean(d)
    }),
    scheme("Romanian CNP", NationalId, 13, 0.002, |d| {
        d[0] > 0
            && is_day(1900 + two(d, 1), two(d, 3), two(d, 5))
            && weighted(d, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11 % 10 == u32::from(d[12])
    }),
    scheme(
        "South African identity number",
        NationalId,
        13,
        0.0007,
        |d| year_first(d, 0) && d[10] <= 2 && luhn(d),
    ),
    scheme("Korean resident number", NationalId, 13, 0.003, |d| {
        year_first(d, 0)
            && (11 - weighted(d, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10
                == u32::from(d[12])
    }),
    scheme("Thai citizen number", NationalId, 13, 0.09, |d| {
        (1..=8).contains(&d[0])
            && (11 - weighted(d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10
                == u32::from(d[12])
    }),
    scheme("Serbian JMBG", NationalId, 13, 0.003, |d| {
        is_day(2000, two(d, 2), two(d, 0)) && {
            let sum = weighted(d, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
            let check = (11 - sum % 11) % 11;
            check < 10 && check == u32::from(d[12])
        }
    }),
    scheme("Brazilian CNPJ", TaxId, 14, 0.01, cnpj),
    scheme("French SIRET", TaxId, 14, 0.03, |d| {
        luhn(d) && luhn(&d[..9])
    }),
    scheme("French NIR", NationalId, 15, 0.002, nir),
    scheme("device IMEI", DeviceId, 15, 0.05, |d| {
        luhn(d)
            && matches!(d[0], 0 | 1 | 3 | 4 | 5 | 8 | 9)
            && !matches!((d[0], d[1]), (3, 4 | 7))
            && !(d[0] == 0 && d[1] == 0)
    }),
    scheme("Chinese resident number", NationalId, 18, 0.0004, |d| {
        chinese(d, None)
    }),
    scheme("Mexican CLABE", BankAccount, 18, 0.1, |d| {
        (0..17)
            .map(|i| u32::from(d[i]) * [3, 7, 1][i % 3] % 10)
            .sum::<u32>()
            .wrapping_add(u32::from(d[17]))
            .is_multiple_of(10)
    }),
];

fn two(d: &[u8], at: usize) -> u32 {
    u32::from(d[at]) * 10 + u32::from(d[at + 1])
}

pub(super) fn number(d: &[u8]) -> u64 {
    d.iter().fold(0, |n, x| n * 10 + u64::from(*x))
}

fn year_first(d: &[u8], at: usize) -> bool {
    is_day(2000 + two(d, at), two(d, at + 2), two(d, at + 4) % 60)
}

pub(super) fn day_first(d: &[u8]) -> bool {
    is_day(2000 + two(d, 4), two(d, 2), two(d, 0))
}

fn repeated(d: &[u8]) -> bool {
    d.iter().all(|x| *x == d[0])
}

fn bsn(d: &[u8]) -> bool {
    let sum = weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum % 11 == u32::from(d[8]) && sum > 0
}

fn nif(d: &[u8]) -> bool {
    let r = weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(d[0], 1 | 2 | 3 | 5 | 6 | 7 | 8 | 9)
        && u32::from(d[8]) == if r < 2 { 0 } else { 11 - r }
}

fn ird(d: &[u8]) -> bool {
    let check = |weights: &[u32]| (11 - weighted(&d[..8], weights) % 11) % 11;
    let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    let check = if first == 10 {
        check(&[7, 4, 3, 2, 5, 2, 7, 6])
    } else {
        first
    };
    d[0] <= 1 && check == u32::from(d[8])
}

fn aba(d: &[u8]) -> bool {
    let prefix = two(d, 0);
    (prefix <= 12 || (21..=32).contains(&prefix) || (61..=72).contains(&prefix))
        && weighted(d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
        && d.iter().any(|x| *x != 0)
}

fn nhs(d: &[u8]) -> bool {
    let check = (11 - weighted(&d[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    check < 10 && check == u32::from(d[9]) && !repeated(d)
}

fn birth_number(d: &[u8]) -> bool {
    let month = two(d, 2) % 50;
    let month = if month > 20 { month - 20 } else { month };
    is_day(1900 + two(d, 0), month, two(d, 4)) && remainder(d, 11) == 0
}

fn cpf(d: &[u8]) -> bool {
    let check = |n: usize| {
        let sum: u32 = (0..n)
            .map(|i| u32::from(d[i]) * u32::try_from(n + 1 - i).unwrap_or(0))
            .sum();
        sum * 10 % 11 % 10 == u32::from(d[n])
    };
    !repeated(d) && check(9) && check(10)
}

fn cnpj(d: &[u8]) -> bool {
    let first = weighted(&d[..12], &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let second = weighted(&d[..13], &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let digit = |r: u32| if r < 2 { 0 } else { 11 - r };
    !repeated(d) && digit(first) == u32::from(d[12]) && digit(second) == u32::from(d[13])
}

fn steuer_id(d: &[u8]) -> bool {
    let mut counts = [0_u8; 10];
    for x in &d[..10] {
        counts[usize::from(*x)] += 1;
    }
    let doubles = counts.iter().filter(|c| matches!(**c, 2 | 3)).count();
    d[0] != 0 && doubles == 1 && counts.iter().all(|c| *c <= 3) && mod_11_10(d)
}

fn baltic(d: &[u8]) -> bool {
    let first = weighted(&d[..10], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let check = if first == 10 {
        weighted(&d[..10], &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10
    } else {
        first
    };
    check == u32::from(d[10])
}

fn tckn(d: &[u8]) -> bool {
    let odd: u32 = [0, 2, 4, 6, 8].iter().map(|i| u32::from(d[*i])).sum();
    let even: u32 = [1, 3, 5, 7].iter().map(|i| u32::from(d[*i])).sum();
    let ten = (odd * 7 + 90 - even) % 10;
    let eleven = (odd + even + u32::from(d[9])) % 10;
    d[0] != 0 && ten == u32::from(d[9]) && eleven == u32::from(d[10])
}

/// The French number: 13 digits and the key 97 less the remainder; months 1 to 12 or the special ones.
fn nir(d: &[u8]) -> bool {
    matches!(d[0], 1 | 2 | 7 | 8)
        && (1..=99).contains(&two(d, 3))
        && 97 - remainder(&d[..13], 97) == u64::from(two(d, 13))
}

pub(super) fn chinese(d: &[u8], last: Option<u32>) -> bool {
    let last = last.unwrap_or_else(|| d.get(17).map_or(99, |x| u32::from(*x)));
    let year = u32::try_from(number(&d[6..10])).unwrap_or(0);
    let sum = weighted(d, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    (1900..2030).contains(&year)
        && is_day(year, two(d, 10), two(d, 12))
        && (12 - sum % 11) % 11 == last
}
