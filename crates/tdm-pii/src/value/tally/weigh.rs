//! From counts to scores: log-likelihood ratios, distributions, and what the values rule out.

use std::collections::HashMap;

use super::{Category, Evidence, MIXED, SCHEMES, TESTS, Tally, Test, Weighing};

/// Values beyond this many add no more certainty: they come from one process, not from independent witnesses.
const WITNESSES_MAX: f64 = 40.0;

/// Log-likelihood ratio of `k` passes among `n`, for a true share `p` against a chance share `q`.
pub(crate) fn ratio(k: u32, n: u32, p: f64, q: f64) -> f64 {
    if n == 0 {
        return 0.0;
    }
    let (k, n) = (f64::from(k), f64::from(n));
    let each = k / n * (p / q).ln() + (n - k) / n * ((1.0 - p) / (1.0 - q)).ln();
    each * n.min(WITNESSES_MAX)
}

impl Tally {
    /// What the counts say.
    pub(crate) fn weigh(&self) -> Weighing {
        let mut weighing = Weighing::default();
        let n = self.distinct;
        if n == 0 {
            return weighing;
        }
        let mean_length = mean(self.total_length, u64::from(n));
        weighing.prose = mean_length > 40.0 && mean(self.spaces, u64::from(n)) > 5.0;
        weighing.json = self.json * 10 >= n * 8;
        let mut best: HashMap<Category, (f64, Vec<Evidence>)> = HashMap::new();
        let mut offer = |category: Category, label: &str, k: u32, score: f64| {
            let entry = best
                .entry(category)
                .or_insert((f64::NEG_INFINITY, Vec::new()));
            if score > entry.0 {
                *entry = (
                    score,
                    vec![Evidence {
                        source: "values".to_owned(),
                        feature: label.to_owned(),
                        weight: score,
                        tested: u64::from(n),
                        matched: u64::from(k),
                    }],
                );
            }
        };
        for (i, (label, category, p, q)) in TESTS.iter().enumerate() {
            let k = self.counts[i];
            if k == 0 {
                continue;
            }
            let score = ratio(k, n, *p, *q);
            if let Some(score) = self.adjust(i, k, score) {
                offer(*category, label, k, score);
            }
        }
        for (i, scheme) in SCHEMES.iter().enumerate() {
            let k = self.schemes[i];
            if k > 0 {
                let mut score = ratio(k, n, 0.97, scheme.chance);
                if self.plain_numbers > 0 && self.is_sequence() {
                    score -= 20.0;
                }
                offer(scheme.category, scheme.name, k, score);
            }
        }
        for (i, scheme) in MIXED.iter().enumerate() {
            let k = self.mixed[i];
            if k > 0 {
                offer(
                    scheme.category,
                    scheme.name,
                    k,
                    ratio(k, n, 0.97, scheme.chance),
                );
            }
        }
        self.vetoes(&mut weighing);
        for (category, (score, evidence)) in best {
            if score > -8.0 && !weighing.vetoes.iter().any(|(c, _)| *c == category) {
                weighing.scores.push((category, score));
                weighing.evidence.extend(evidence);
            }
        }
        weighing
            .scores
            .sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        weighing.evidence.sort_by(|a, b| {
            b.weight
                .total_cmp(&a.weight)
                .then(a.feature.cmp(&b.feature))
        });
        weighing
    }

    /// Second looks that a share alone cannot give. `None` drops the test.
    fn adjust(&self, index: usize, k: u32, score: f64) -> Option<f64> {
        let n = self.distinct;
        let most = |test: Test, share: f64| f64::from(self.count(test)) >= share * f64::from(n);
        let is = |test: Test| index == test as usize;
        if is(Test::Gender) {
            // Two sides must be there, and few words: S/M/L and Y/N are no genders.
            return (n <= 12 && self.genders == 3).then_some(score + 4.0);
        }
        if is(Test::Ipv4) {
            // Versions have small parts.
            return (f64::from(self.octet_high) >= 0.5 * f64::from(k)).then_some(score);
        }
        if is(Test::BirthDate) {
            return None;
        }
        if is(Test::Date) {
            return Some(score.min(8.0));
        }
        if is(Test::Latitude) || is(Test::Longitude) {
            return None;
        }
        if is(Test::PhoneAny) {
            let certain = f64::from(self.count(Test::PhoneCertain)) / f64::from(n);
            // Groups of digits alone yield to a check digit that every value passes.
            let score = if certain > 0.15 {
                score + 10.0
            } else {
                score.min(24.0)
            };
            return (!most(Test::Ssn, 0.5)).then_some(score);
        }
        if is(Test::Icd) && n >= 5 {
            // Without a single point it may be any shelf.
            return Some(score);
        }
        if is(Test::Company)
            || is(Test::Harmless)
            || is(Test::Common)
            || is(Test::Number)
            || is(Test::Code)
        {
            return Some(score.min(14.0));
        }
        if is(Test::Url) && most(Test::UrlPersonal, 0.5) {
            return None;
        }
        if is(Test::SortCode) || is(Test::CardExpiry) {
            return Some(score.min(6.0));
        }
        if is(Test::CountryCode) && most(Test::StateCode, 0.95) {
            return None;
        }
        if is(Test::StateCode) && !most(Test::StateCode, 0.9) {
            return None;
        }
        if is(Test::First) && self.count(Test::First) < self.count(Test::Last) {
            return Some(score - 3.0);
        }
        if (is(Test::NameShape) || is(Test::Full)) && most(Test::Company, 0.15) {
            return None;
        }
        if is(Test::Opaque) {
            return Some(score.min(4.0));
        }
        Some(score)
    }

    /// Scores from distributions: birth dates, coordinates.
    pub(crate) fn distributions(&self, weighing: &mut Weighing) {
        let n = self.distinct;
        if n == 0 {
            return;
        }
        let dates = f64::from(self.count(Test::Date)) / f64::from(n);
        if dates > 0.9 && self.years.len() >= 3 {
            let years: Vec<f64> = self.years.iter().map(|y| f64::from(*y)).collect();
            let (mean, deviation) = moments(&years);
            let newest = years.iter().copied().fold(0.0, f64::max);
            let oldest = years.iter().copied().fold(f64::MAX, f64::min);
            let clocks = f64::from(self.clocks) / f64::from(n);
            let birth = (1_890.0..).contains(&oldest)
                && newest <= 2_024.0
                && (1_930.0..2_008.0).contains(&mean)
                && deviation >= 5.5
                && clocks < 0.1;
            let weight = if birth { 9.0 } else { -9.0 };
            if birth {
                weighing.scores.push((Category::DateOfBirth, weight + 4.0));
            } else {
                weighing.vetoes.push((
                    Category::DateOfBirth,
                    "dates are not spread as dates of birth are",
                ));
            }
            weighing.evidence.push(Evidence {
                source: "values".to_owned(),
                feature: if birth {
                    "dates spread as dates of birth are"
                } else {
                    "dates not spread as dates of birth are"
                }
                .to_owned(),
                weight,
                tested: u64::from(n),
                matched: self.years.len() as u64,
            });
        }
        if self.decimals.len() * 10 >= usize::try_from(n).unwrap_or(0) * 9
            && self.decimals.len() >= 5
        {
            self.coordinates(weighing);
        }
    }

    fn coordinates(&self, weighing: &mut Weighing) {
        let n = self.decimals.len();
        let fraction = mean(self.fraction_digits, n as u64);
        let (mean_value, deviation) = moments(&self.decimals);
        let within = |limit: f64| self.decimals.iter().all(|d| d.abs() <= limit);
        if fraction < 3.5 || !within(180.0) || deviation < 0.02 {
            return;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a sample has at most a thousand values"
        )]
        let share = |test: fn(f64) -> bool| {
            self.decimals.iter().filter(|d| test(**d)).count() as f64 / n as f64
        };
        let latitudes = share(|d| (24.0..71.5).contains(&d) || (-47.0..-5.0).contains(&d));
        let longitudes = share(|d| {
            (-125.0..-34.0).contains(&d) || (-10.0..32.0).contains(&d) || (67.0..154.0).contains(&d)
        });
        let certainty = if fraction >= 4.5 { 26.0 } else { 16.0 };
        let score = if within(90.0) && latitudes > 0.85 && deviation < 32.0 {
            (Category::GeoLat, certainty * latitudes)
        } else if longitudes > 0.85
            && mean_value.abs() > 1.5
            && deviation > 0.5
            && self.decimals.iter().any(|d| d.abs() > 5.0)
        {
            (Category::GeoLon, certainty * longitudes)
        } else {
            return;
        };
        weighing.scores.push((score.0, score.1));
        weighing.evidence.push(Evidence {
            source: "values".to_owned(),
            feature: "decimals in the range and precision of coordinates".to_owned(),
            weight: score.1,
            tested: n as u64,
            matched: n as u64,
        });
    }

    /// Whether plain integers follow each other in even steps: a counter or a clock.
    fn is_sequence(&self) -> bool {
        if self.integers.len() < 8 {
            return false;
        }
        let mut sorted = self.integers.clone();
        sorted.sort_unstable();
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
            return false;
        };
        let span = last.saturating_sub(*first);
        let dense = i64::try_from(sorted.len()).is_ok_and(|n| span <= n.saturating_mul(20));
        let steps: Vec<i64> = sorted
            .windows(2)
            .map(|w| w[1].saturating_sub(w[0]))
            .collect();
        let constant = steps.windows(2).all(|w| w[0] == w[1]);
        dense || constant
    }

    /// What the values rule out, whatever the name says.
    fn vetoes(&self, weighing: &mut Weighing) {
        use Category as C;
        let n = self.distinct;
        let share = |count: u32| f64::from(count) / f64::from(n);
        let mut veto = |category: C, reason: &'static str| weighing.vetoes.push((category, reason));
        let boolean = n <= 2 && self.boolean == n;
        let integers = share(u32::try_from(self.integers.len()).unwrap_or(u32::MAX));
        if share(self.at_values) < 0.2 && n >= 3 || boolean {
            veto(C::Email, "values hold no at sign");
        }
        if share(self.digit_values) < 0.3 && n >= 3 || boolean {
            for category in [
                C::Phone,
                C::CreditCard,
                C::Iban,
                C::IpAddress,
                C::NationalId,
                C::Passport,
            ] {
                veto(category, "values hold no digits");
            }
        }
        if self.longest < 4 && n >= 3 {
            for category in [
                C::Phone,
                C::CreditCard,
                C::Iban,
                C::IpAddress,
                C::NationalId,
                C::Passport,
                C::TaxId,
                C::DriverLicense,
                C::PasswordHash,
                C::SecretToken,
                C::MacAddress,
            ] {
                if category != C::CreditCard {
                    veto(category, "values are too short");
                }
            }
        }
        if share(self.letters_values) < 0.2 && n >= 2 {
            for category in [
                C::PersonNameFirst,
                C::PersonNameLast,
                C::PersonNameFull,
                C::AddressCity,
                C::UrlPersonal,
                C::FreeText,
            ] {
                veto(category, "values hold no letters");
            }
        }
        if integers > 0.9 && self.longest <= 6 {
            for category in [
                C::IpAddress,
                C::MacAddress,
                C::Phone,
                C::Iban,
                C::CreditCard,
                C::NationalId,
            ] {
                let short = category == C::CreditCard && self.longest <= 4
                    || category == C::Phone && self.longest >= 4;
                if !short {
                    veto(category, "values are small numbers");
                }
            }
        }
        if boolean {
            for category in [
                C::FreeText,
                C::Username,
                C::PasswordHash,
                C::SecretToken,
                C::DateOfBirth,
                C::AddressStreet,
                C::AddressPostcode,
                C::AddressRegion,
                C::AddressCountry,
                C::BankAccount,
                C::DeviceId,
                C::TaxId,
                C::DriverLicense,
                C::Financial,
            ] {
                veto(category, "values are zero and one");
            }
        }
    }
}

fn mean(sum: u64, n: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mean needs no more than 52 bits"
    )]
    if n == 0 { 0.0 } else { sum as f64 / n as f64 }
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sample has at most a thousand values"
    )]
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_digit_at_chance_is_evidence_against_and_at_nine_tenths_settles_it() {
        assert!(ratio(20, 200, 0.97, 0.1) < -20.0);
        assert!(ratio(180, 200, 0.97, 0.1) > 20.0);
        assert!(ratio(2, 2, 0.97, 0.1) < 5.0, "two values prove little");
    }
}
