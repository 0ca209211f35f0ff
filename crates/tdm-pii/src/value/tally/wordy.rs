//! Reading values of letters: names, places, small vocabularies, account names.

use super::super::dictionary::{Dictionary, Kinds};
use super::super::form::{particle, path};
use super::super::{contact, finance, postal, secret, words};
use super::table::Test;
use super::{Shape, Tally};

impl Tally {
    /// Values of letters without digits.
    pub(super) fn wordy(
        &mut self,
        dictionary: &Dictionary,
        value: &str,
        shape: Shape,
        folded: &str,
    ) {
        let bytes = value.as_bytes();
        if value.contains("://") || folded.starts_with("www.") || folded.starts_with("/") {
            if folded.starts_with('/') && !folded[1..].contains('/') {
                self.hit(Test::Path);
                return;
            }
            self.hit(if folded.starts_with('/') {
                Test::Path
            } else {
                Test::Url
            });
            if contact::personal_url(folded) {
                self.hit(Test::UrlPersonal);
            }
            return;
        }
        if path(folded) {
            self.hit(Test::Path);
            return;
        }
        if contact::mac(value) {
            self.hit(Test::Mac);
            return;
        }
        if shape.spaces == 0 && secret::password_hash(value) {
            self.hit(Test::Hash);
            return;
        }
        if shape.upper == bytes.len() {
            if bytes.len() == 2 {
                if postal::is_country_code(bytes) {
                    self.hit(Test::CountryCode);
                }
                if postal::is_us_state(bytes) {
                    self.hit(Test::StateCode);
                }
            } else if finance::bic(bytes) {
                self.hit(Test::Bic);
            }
        }
        if matches!(
            folded,
            "m" | "male"
                | "man"
                | "mr"
                | "herr"
                | "maennlich"
                | "homme"
                | "masculin"
                | "masculino"
                | "hombre"
                | "maschio"
                | "uomo"
                | "mann"
                | "mannelijk"
                | "mezczyzna"
                | "mr."
                | "h"
                | "he/him"
                | "homem"
                | "maschile"
                | "hr"
                | "dhr"
                | "dhr."
                | "monsieur"
                | "m."
                | "senor"
                | "sr"
                | "sr."
                | "pan"
                | "sig"
                | "sig."
                | "signor"
                | "k"
        ) {
            self.genders |= 1;
        }
        if matches!(
            folded,
            "f" | "female"
                | "woman"
                | "mrs"
                | "ms"
                | "frau"
                | "weiblich"
                | "femme"
                | "feminin"
                | "femenino"
                | "mujer"
                | "feminino"
                | "mulher"
                | "femmina"
                | "donna"
                | "vrouw"
                | "vrouwelijk"
                | "kobieta"
                | "mrs."
                | "ms."
                | "w"
                | "v"
                | "she/her"
                | "femminile"
                | "fr"
                | "mevr"
                | "mevr."
                | "madame"
                | "mme"
                | "senora"
                | "sra"
                | "sra."
                | "pani"
                | "sig.ra"
                | "signora"
                | "feminine"
                | "miss"
                | "mw"
                | "d"
        ) {
            self.genders |= 2;
        }
        let reading = words::read(dictionary, folded, 0);
        let whole = reading.whole;
        for (kind, test) in [
            (Kinds::FIRST, Test::First),
            (Kinds::CITY, Test::City),
            (Kinds::COUNTRY, Test::Country),
            (Kinds::REGION, Test::Region),
            (Kinds::GENDER, Test::Gender),
            (Kinds::RELIGION, Test::Religion),
            (Kinds::ETHNICITY, Test::Ethnicity),
            (Kinds::ORIENTATION, Test::Orientation),
            (Kinds::POLITICAL, Test::Political),
            (Kinds::UNION, Test::Union),
            (Kinds::MARITAL, Test::Marital),
            (Kinds::BLOOD, Test::Blood),
            (Kinds::HARMLESS, Test::Harmless),
        ] {
            if whole.has(kind) {
                self.hit(test);
            }
        }
        if !whole.has(Kinds::FIRST)
            && folded.contains(['-', ' '])
            && reading.words <= 2
            && folded
                .split(['-', ' '])
                .all(|p| dictionary.kinds(p).has(Kinds::FIRST) || p.len() == 2 && p.ends_with('.'))
        {
            self.hit(Test::First);
        }
        if !whole.has(Kinds::CITY) && reading.city_shape && !whole.has(Kinds::LAST) {
            self.hit(Test::City);
        }
        if (whole.has(Kinds::LAST)
            || reading.family_shape
            || folded.contains('-')
                && folded
                    .split('-')
                    .all(|p| dictionary.kinds(p).has(Kinds::LAST)))
            && !reading.common
            || reading.words == 2 && particle(folded)
        {
            self.hit(Test::Last);
        }
        if reading.full_name {
            self.hit(Test::Full);
        }
        if reading.name_shape {
            self.hit(Test::NameShape);
        }
        if reading.street {
            self.hit(Test::Street);
        }
        if reading.company {
            self.hit(Test::Company);
        }
        if reading.health {
            self.hit(Test::Health);
        }
        if reading.occupation && !reading.company {
            self.hit(Test::Occupation);
        }
        if reading.common {
            self.hit(Test::Common);
        }
        if shape.spaces == 0 && shape.upper == 0 && folded.len() <= 32 {
            self.account(dictionary, folded);
        }
    }

    /// Account names: built of a person's name, or a handle with its at sign.
    pub(super) fn account(&mut self, dictionary: &Dictionary, folded: &str) {
        if folded.starts_with('@') {
            self.hit(Test::Handle);
            return;
        }
        if folded.contains(' ') || folded.len() < 4 {
            return;
        }
        let stem = folded.trim_end_matches(|c: char| c.is_ascii_digit());
        let trailing = folded.len() - stem.len();
        let parts: Vec<&str> = stem
            .split(['.', '_', '-'])
            .filter(|p| !p.is_empty())
            .collect();
        let person = Kinds(Kinds::FIRST.0 | Kinds::LAST.0);
        let is_name = |p: &str| {
            p.len() >= 3
                && dictionary.kinds(p).has(person)
                && !dictionary.kinds(p).has(Kinds::HARMLESS)
        };
        let built = match parts.as_slice() {
            [one] => {
                trailing > 0 && trailing <= 4 && is_name(one)
                    || one.len() >= 5
                        && one.is_ascii()
                        && !dictionary.kinds(one).has(Kinds(
                            Kinds::HARMLESS.0 | Kinds::COMMON.0 | Kinds::FIRST.0 | Kinds::LAST.0,
                        ))
                        && (dictionary.kinds(&one[1..]).has(Kinds::LAST)
                            || (3..one.len().saturating_sub(2)).any(|i| {
                                dictionary.kinds(&one[..i]).has(Kinds::FIRST)
                                    && (dictionary.kinds(&one[i..]).has(Kinds::LAST))
                            }))
            }
            [a, b] => {
                is_name(a) && (is_name(b) || b.len() == 1)
                    || is_name(b) && a.len() == 1
                    || trailing > 0 && (is_name(a) || is_name(b))
            }
            [a, b, c] => is_name(a) && is_name(c) && b.len() <= 2,
            _ => false,
        };
        if built {
            self.hit(Test::Username);
        }
    }
}
