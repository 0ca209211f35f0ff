//! Pieces of text with a form of their own, and pieces that a cue word announces.

use std::sync::{Arc, OnceLock};

use regex::Regex;
use tdm_core::category::Category;

use super::Claim;
use crate::value;

/// What a match must pass besides its pattern.
type Check = fn(&str) -> Option<f64>;

struct Pattern {
    regex: Regex,
    category: Category,
    /// Group that is the personal data; 0 is the whole match.
    group: usize,
    check: Check,
}

/// All patterns, compiled once.
pub(crate) struct Patterns {
    patterns: Vec<Pattern>,
}

const fn sure(_: &str) -> Option<f64> {
    Some(0.95)
}

const fn likely(_: &str) -> Option<f64> {
    Some(0.85)
}

fn address(text: &str) -> Option<f64> {
    value::email(text.trim_end_matches('.')).then_some(0.99)
}

fn ip(text: &str) -> Option<f64> {
    let octets = value::ipv4(text)?;
    octets.iter().any(|o| *o > 20).then_some(0.9)
}

fn iban(text: &str) -> Option<f64> {
    let compact: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    value::iban(compact.to_ascii_uppercase().as_bytes()).then_some(0.99)
}

fn card(text: &str) -> Option<f64> {
    value::with_digits(text, value::card).then_some(0.97)
}

fn phone(text: &str) -> Option<f64> {
    use value::PhoneShape;
    if value::parse_date(text.trim()).is_some() {
        return None;
    }
    match value::phone_shape(text.trim())? {
        PhoneShape::Certain => Some(0.92),
        PhoneShape::Likely => Some(0.75),
    }
}

/// After a cue word fewer marks are needed.
fn phone_said(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (6..=15).contains(&digits).then_some(0.93)
}

fn number_said(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits >= 4).then_some(0.9)
}

fn birth(text: &str) -> Option<f64> {
    (text.bytes().filter(u8::is_ascii_digit).count() >= 3).then_some(0.94)
}

/// A number that passes a national scheme of low chance, or the mixed schemes.
fn national(text: &str) -> Option<f64> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|b| b - b'0')
        .collect();
    value::SCHEMES
        .iter()
        .any(|s| {
            s.length == digits.len()
                && s.chance < 0.02
                && s.category == Category::NationalId
                && (s.test)(&digits)
        })
        .then_some(0.8)
}

fn national_mixed(text: &str) -> Option<f64> {
    let compact: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    value::MIXED
        .iter()
        .any(|s| {
            s.chance < 0.05
                && matches!(s.category, Category::NationalId | Category::DriverLicense)
                && (s.test)(compact.as_bytes())
        })
        .then_some(0.85)
}

/// A person's words for a number may hold letters; at least one digit must be there.
fn code_said(text: &str) -> Option<f64> {
    (text.bytes().any(|b| b.is_ascii_digit()) && text.len() >= 4).then_some(0.9)
}

const UPPER: &str = r"\p{Lu}[\p{L}'’.-]*";
const DATE: &str = r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\d{1,2}(?:\.|st|nd|rd|th|er|º|°)?\s+(?:de\s+|of\s+)?\p{L}{3,10}\.?,?\s+(?:de\s+)?\d{4}|\p{L}{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4})";
const NUMBER: &str = r"[+(]?\d[\d\s()./-]{4,18}\d(?:\s?(?:x|ext\.?)\s?\d{1,5})?";

impl Patterns {
    /// The compiled patterns of this process.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Patterns>> = OnceLock::new();
        SHARED.get_or_init(|| Arc::new(Self::compile())).clone()
    }

    fn compile() -> Self {
        use Category as C;
        let street_names = format!(
            r"(?:(?:{UPPER}|\d+(?:st|nd|rd|th))\s+){{1,3}}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Terrace|Square|Sq|Highway|Hwy|Parkway|Pkwy|Circle|Close|Crescent|Mews|Grove|Gardens|Hill|Row|Place|Pl)\b\.?"
        );
        // A place after a street: postcode and city in the orders of the languages.
        let place = format!(
            r"(?:,?\s+(?:(?:Apt|Apartment|Suite|Unit|Flat|Etage|piso|m\.)\.?\s*#?\w+,?\s+)?(?:(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:\s?[A-Z]{{2}}\b|-\d{{3,4}})?\s+{UPPER}(?:[\s-]{UPPER}){{0,2}}|\d{{2}}-\d{{3}}\s+{UPPER}|{UPPER}(?:\s{UPPER})?,?\s+(?:[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[\dA-Z]?\s?\d[A-Z]{{2}})))?"
        );
        let list: Vec<(String, Category, usize, Check)> = vec![
            (
                r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+".into(),
                C::Email,
                0,
                address,
            ),
            (
                r#"\bhttps?://[^\s<>"')\]]+[^\s<>"')\].,;:!?]"#.into(),
                C::UrlPersonal,
                0,
                |t| value::personal_url(&t.to_lowercase()).then_some(0.9),
            ),
            (
                r"(?:\b(?:linkedin\.com/in|github\.com|twitter\.com|instagram\.com|facebook\.com|x\.com|t\.me)/[\w.@-]+)".into(),
                C::UrlPersonal,
                0,
                sure,
            ),
            (r"\b\d{1,3}(?:\.\d{1,3}){3}\b".into(), C::IpAddress, 0, ip),
            (
                r"(?i)\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f:]{1,19}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*::[0-9a-f:]*[0-9a-f]\b".into(),
                C::IpAddress,
                0,
                |t| t.parse::<std::net::Ipv6Addr>().is_ok().then_some(0.95),
            ),
            (
                r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b".into(),
                C::MacAddress,
                0,
                sure,
            ),
            (
                r"(?i)\b[a-z]{2}\d{2}(?:[ ]?[a-z0-9]{4}){2,7}(?:[ ]?[a-z0-9]{1,4})?\b".into(),
                C::Iban,
                0,
                iban,
            ),
            (r"\b\d(?:[ -]?\d){12,18}\b".into(), C::CreditCard, 0, card),
            (
                r"\b(?:\*{4}|[xX]{4})[ -]?(?:(?:\*{4}|[xX]{4})[ -]?){1,2}\d{4}\b|(?:\*{4}[ -]?){2,3}\d{4}\b".into(),
                C::CreditCard,
                0,
                likely,
            ),
            (
                r"(?i)\b(?:cvv|cvc|cvv2|security code|prüfnummer|cryptogramme)\W{0,3}(?:is|ist|:)?\s*(\d{3,4})\b".into(),
                C::CreditCard,
                1,
                sure,
            ),
            (
                r"(?i)\b(?:card|karte|kreditkarte|carte|tarjeta|cartão|carta|kaart|karta|karty)[^\d\n]{0,24}(\d(?:[ -]?\d){12,18})\b".into(),
                C::CreditCard,
                1,
                sure,
            ),
            (
                r"(?i)\b(?:exp(?:iry|ires|\.)?|gültig bis|valid until|scadenza|vencimiento|validade|ważna do|expire)\W{0,3}((?:0[1-9]|1[0-2])/(?:20)?\d{2})\b".into(),
                C::CreditCard,
                1,
                likely,
            ),
            (r"\b\d{3}-\d{2}-\d{4}\b".into(), C::NationalId, 0, |t| {
                (!t.starts_with('9') && !t.starts_with("000")).then_some(0.95)
            }),
            (
                r"\b(?:\d{3}\.\d{3}\.\d{3}-\d{2}|756\.\d{4}\.\d{4}\.\d{2}|\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2})\b".into(),
                C::NationalId,
                0,
                sure,
            ),
            (
                r"\b\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}\b".into(),
                C::TaxId,
                0,
                sure,
            ),
            (
                r"\b(?:[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2})\b".into(),
                C::NationalId,
                0,
                national,
            ),
            (r"\b\d{6}[-+]?\d{4,5}\b|\b\d{11}\b|\b\d{6}/\d{3,4}\b".into(), C::NationalId, 0, national),
            (
                r"(?i)\b(?:[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]|[xyz]?-?\d{7,8}-?[a-z]|[a-z]{6}\d{2}[a-z]\d{2}[a-z]\d{3}[a-z]|[a-z]{4}\d{6}[hmx][a-z]{5}[a-z0-9]\d|[stfg]\d{7}[a-z])\b".into(),
                C::NationalId,
                0,
                national_mixed,
            ),
            (
                r"\b(?:DE\d{9}|ATU\d{8}|IT\d{11}|FR[A-Z0-9]{2}\d{9}|NL\d{9}B\d{2}|PL\d{10}|ES[A-Z]\d{7}[A-Z0-9]|BE0\d{9}|GB\d{9})\b".into(),
                C::TaxId,
                0,
                likely,
            ),
            (
                r"(?i)\b(?:ssn|social security(?: (?:number|no\.?))?|sin|nhs(?: (?:number|no\.?))?|national insurance(?: (?:number|no\.?))?|ni number|nino|aadhaar|id(?:entity)? card(?: (?:number|no\.?))?|national id|sozialversicherungsnummer|sv-?nummer|personalausweis(?:nummer)?|ausweisnummer|ausweis(?:-?nr\.?)?|numéro de sécurité sociale|sécurité sociale|sécu|nir|carte d'identité|cni|dni|nie|curp|cédula|cedula|seguridad social|documento|cpf|rg|cartão de cidadão|codice fiscale|c\.f\.|carta d'identità|bsn|burgerservicenummer|rijksregisternummer|pesel|dowód(?: osobisty)?|dowodu(?: osobistego)?|ahv(?:-nummer)?|personnummer)\b[\s:#.°nro]{0,8}(?:is|ist|est|es|é|è|to|lautet|nr\.?|no\.?|number|number is|numer)?\s*:?\s*([A-Z0-9][A-Z0-9 .\-/]{4,22}[A-Z0-9])".into(),
                C::NationalId,
                1,
                number_said,
            ),
            (
                r"(?i)\b(?:passport|reisepass|passeport|pasaporte|passaporte|passaporto|paspoort|paszport\w*|mi pasaporte)\b(?:\s?(?:number|no\.?|nr\.?|nummer|numéro|número|numero|n°|nº))?[\s:#]{0,3}(?:is|ist|est|es|é|è|to)?[\s:]*([A-Z0-9]{6,12})\b".into(),
                C::Passport,
                1,
                code_said,
            ),
            (
                r"(?i)\b(?:driv(?:er'?s?|ing)(?:'s)? licen[cs]e|führerschein(?:nummer)?|permis de conduire|licencia de conducir|permiso de conducir|cnh|carta de condução|patente(?: di guida)?|rijbewijs(?:nummer)?|prawo jazdy|prawa jazdy)\b(?:\s?(?:number|no\.?|nr\.?|nummer|numéro|número|numero|n°|nº))?[\s:#]{0,3}(?:is|ist|est|es|é|è)?[\s:]*([A-Z0-9][A-Z0-9 -]{4,18}[A-Z0-9])\b".into(),
                C::DriverLicense,
                1,
                code_said,
            ),
            (
                r"(?i)\b(?:tax (?:id|number|no\.?)|tin|vat(?: (?:id|number|no\.?))?|ein|utr|steuer-?(?:nummer|id|identifikationsnummer|nr\.?)|ust-?id(?:-?nr\.?)?|numéro fiscal|tva|nif|cif|rfc|rut|ruc|cuit|cnpj|contribuinte|partita iva|p\.?\s?iva|btw-?(?:nummer|nr)|nip|regon|siret|siren)\b[\s:#.]{0,3}(?:is|ist|est|es|é|è)?[\s:]*([A-Z0-9][A-Z0-9 .\-/]{5,20}[A-Z0-9])".into(),
                C::TaxId,
                1,
                number_said,
            ),
            (
                r"(?i)\b(?:account(?: (?:number|no\.?))?|acct\.?|konto(?:nummer|nr\.?)?|kontonr\.?|blz|bankleitzahl|sort code|routing(?: number)?|bic|swift|numéro de compte|compte|cuenta|conta|conto(?: corrente)?|rekening(?:nummer)?|rachun\w+|konta)\b[\s:#.]{0,3}(?:is|ist|est|es|é|è|number|nr\.?|no\.?)?[\s:#]*(\d[\d -]{4,24}\d)\b".into(),
                C::BankAccount,
                1,
                number_said,
            ),
            (
                r"\b(?:BIC|SWIFT)[\s:]{1,3}([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b".into(),
                C::BankAccount,
                1,
                sure,
            ),
            (
                format!(r"(?i)\b(?:tel|tél|telefon|telefono|teléfono|telefone|telefoon|téléphone|phone|mobile|mobil|mob|cell|celular|cellulare|cellphone|handy|fax|call|ring|anrufen|whatsapp|fon|telephone|numer telefonu|komórka|gsm|sms|text|erreichbar unter|unter der nummer|number is|llámame al|llamar al|joindre au|appeler au|bellen op|chiamare al|chiamami al|ligar para|numeru|dzwonić|zadzwonić)\b[\w\s]{{0,12}}?[\s.:#]{{1,3}}({NUMBER})"),
                C::Phone,
                1,
                phone_said,
            ),
            (format!(r"(?:^|[\s(:,;])({NUMBER})"), C::Phone, 1, phone),
            (
                format!(r"(?i)\b(?:born(?: on)?|date of birth|birth ?date|birthday|dob|d\.o\.b\.?|geboren(?: am)?|geb\.?(?: am)?|geburtsdatum|geburtstag|né(?:e)?(?:\(e\))? le|date de naissance|nacid[oa](?: el)?|fecha de nacimiento|nascid[oa] (?:em|a)|data de nascimento|nat[oa] il|data di nascita|geboren op|geboortedatum|ur(?:odzon[yaej]+|\.)?|data urodzenia)\b[\s:.]{{0,3}}(?:is|ist|est|es|é|è|on|am|to|was|il|el|em|le|op|dnia|the)?[\s:]*({DATE})"),
                C::DateOfBirth,
                1,
                birth,
            ),
            (
                format!(r"({DATE})\s*\((?:dob|date of birth|geb\.?|born|geboren)\)"),
                C::DateOfBirth,
                1,
                birth,
            ),
            (format!(r"\b\d{{1,5}}[a-zA-Z]?\s+{street_names}{place}"), C::AddressStreet, 0, likely),
            (
                format!(r"\b(?:{UPPER}(?:[\s-]{UPPER}){{0,2}}[\s-])?(?:\p{{Lu}}[\p{{L}}-]*(?:straße|strasse|str\.|weg|allee|gasse|platz|ufer|damm|ring|straat|laan|plein|gracht|kade|dijk|singel|gatan|vägen)|(?:Straße|Strasse|Str\.|Weg|Allee|Platz|Ring|Straat|Laan|Gasse))\s+\d{{1,4}}(?:\s?[a-zA-Z]\b)?(?:-\d{{1,3}})?{place}"),
                C::AddressStreet,
                0,
                sure,
            ),
            (
                format!(r"(?i-u:\b)(?:\d{{1,4}}(?:\s?(?:bis|ter))?,?\s+)?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Bb]d|[Cc]hemin|[Ii]mpasse|[Qq]uai|[Pp]lace|[Aa]llée|[Rr]oute|[Cc]ours)\s+(?:(?:de la|de l'|de|du|des|d'|la|le|les)\s*)?{UPPER}(?:[\s-](?:{UPPER}|de|du|des|la|le|et))*(?:,?\s+\d{{1,4}}\b)?{place}"),
                C::AddressStreet,
                0,
                |t| t.bytes().any(|b| b.is_ascii_digit()).then_some(0.9),
            ),
            (
                format!(r"(?:[Cc]alle|[Cc]/|[Aa]venida|[Aa]vda\.?|[Pp]laza|[Pp]aseo|[Cc]arrera|[Rr]onda|[Rr]ua|[Tt]ravessa|[Pp]raça|[Aa]v\.|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Vv]icolo|[Ll]argo|[Uu]l\.|[Uu]lica|[Uu]licy|[Aa]l\.|[Aa]leja|[Oo]s\.|[Pp]l\.)\s+(?:(?:de la|de los|de las|de|del|da|do|dos|das|della|delle|dei|di|San|los|las|la|el)\s+)?{UPPER}(?:\s(?:{UPPER}|de|da|do|del|di|e|y)){{0,4}},?\s+(?:n[º°o.]?\s*)?\d{{1,5}}\b(?:/\d+|[a-zA-Z]\b)?(?:,?\s+\d{{1,2}}[º°ª]\w*)?(?:\s?m\.\s?\d+)?{place}"),
                C::AddressStreet,
                0,
                sure,
            ),
            (
                format!(r"\b(?:D-|A-|CH-|F-|NL-|PL-)?(?:\d{{5}}|\d{{4}}\s?[A-Z]{{2}}|\d{{2}}-\d{{3}}|\d{{4}}-\d{{3}})\s+{UPPER}(?:\s(?:am|an|der|den|sur|la|le|de|del|upon)\s{UPPER})?"),
                C::AddressPostcode,
                0,
                |t| (t.contains('-') || t.split(' ').count() >= 2).then_some(0.62),
            ),
            (
                r"\b(?:GIR 0AA|[A-PR-UWYZ][A-HK-Y]?\d[\dA-HJKMNPR-Y]?\s\d[ABD-HJLNP-UW-Z]{2})\b".into(),
                C::AddressPostcode,
                0,
                likely,
            ),
            (
                r"(?i)\b(?:user(?:name)?|login|benutzername|benutzer|utilisateur|identifiant|usuario|usuário|utilizador|nome utente|utente|gebruikersnaam|nazwa użytkownika|account|handle)\s?(?:is|ist|est|es|é|è|to|:|=)\s*[:'\x22]?\s*([A-Za-z][\w.-]*[\w])".into(),
                C::Username,
                1,
                |t| (t.len() >= 4 && (t.bytes().any(|b| b.is_ascii_digit() || b == b'_' || b == b'.') || t.bytes().all(|b| b.is_ascii_lowercase()) && t.len() >= 5 && !matches!(t, "closed" | "locked" | "blocked" | "active" | "still" | "wrong" | "suspended" | "disabled" | "empty" | "overdue" | "about" | "being" | "already" | "never"))).then_some(0.75),
            ),
            (r"(?:^|\s)(@[A-Za-z_][\w.]{2,30})\b".into(), C::Username, 1, |_| Some(0.8)),
            (
                r"(?i)\b(?:password|passwd|pwd|passwort|kennwort|mot de passe|contraseña|senha|wachtwoord|hasło|parola d'ordine|pin|passcode)\s?(?:is|ist|est|es|é|è|to|:|=|was)\s*[:'\x22]?\s*([^\s,;'\x22]{4,64}[^\s,;.'\x22])".into(),
                C::PasswordHash,
                1,
                |t| (t.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_punctuation())).then_some(0.9),
            ),
            (
                r"\b(?:sk_live_|sk_test_|ghp_|gho_|glpat-|xox[bp]-|AKIA|AIza|SG\.|eyJ)[\w.\-]{12,}".into(),
                C::SecretToken,
                0,
                sure,
            ),
            (
                r"(?i)\b(?:licen[cs]e plate|plate|number plate|registration|kennzeichen|immatriculation|plaque|matrícula|matricula|placa|targa|kenteken|rejestrac\w+)\W{1,3}(?:is\s|ist\s|number\s|nr\.?\s)?\s?([A-Z0-9]{1,3}[ -]?[A-Z0-9]{1,4}[ -]?[A-Z0-9]{0,4})\b".into(),
                C::DeviceId,
                1,
                |t| (t.bytes().any(|b| b.is_ascii_digit()) && t.bytes().any(|b| b.is_ascii_uppercase())).then_some(0.85),
            ),
            (r"(?i)\bimei\W{1,3}(\d{15})\b".into(), C::DeviceId, 1, sure),
            (r"\b[A-HJ-NPR-Z0-9]{9}[A-HJ-NPR-Z0-9]{4}\d{4}\b".into(), C::DeviceId, 0, |t| {
                (t.bytes().filter(u8::is_ascii_uppercase).count() >= 3 && t.bytes().filter(u8::is_ascii_digit).count() >= 6).then_some(0.8)
            }),
            (
                r"(?i)\b(?:mrn|medical record(?: (?:number|no\.?))?|patient (?:id|number|no\.?)|versichertennummer|krankenversichertennummer|numéro de dossier|historia clínica|prontuário|cartella clinica|patiëntnummer|(?:employee|staff|member|customer|student)(?: (?:id|number|no\.?))|personalnummer|kundennummer|mitgliedsnummer|matrikelnummer|policy (?:number|no\.?))\b[\s:#.]{0,3}(?:is|ist)?[\s:#]*([A-Z]{0,4}[- ]?\d[\dA-Z-]{2,14})\b".into(),
                C::OtherPersonal,
                1,
                code_said,
            ),
            (
                r"\b-?\d{1,2}\.\d{4,8},\s?-?\d{1,3}\.\d{4,8}\b".into(),
                C::GeoLat,
                0,
                likely,
            ),
        ];
        let patterns = list
            .into_iter()
            .map(|(pattern, category, group, check)| Pattern {
                regex: Regex::new(&pattern).expect("a test compiles every built-in pattern"),
                category,
                group,
                check,
            })
            .collect();
        Self { patterns }
    }

    /// Claims of all patterns.
    pub(crate) fn claim(&self, text: &str, claims: &mut Vec<Claim>) {
        for pattern in &self.patterns {
            if pattern.group == 0 {
                for found in pattern.regex.find_iter(text) {
                    pattern.add(text, found.start(), found.end(), claims);
                }
            } else {
                for found in pattern.regex.captures_iter(text) {
                    if let Some(group) = found.get(pattern.group) {
                        pattern.add(text, group.start(), group.end(), claims);
                    }
                }
            }
        }
    }
}

impl Pattern {
    fn add(&self, text: &str, start: usize, end: usize, claims: &mut Vec<Claim>) {
        let piece = text[start..end].trim_end_matches([' ', '\n', '\t', ',', '.', '-', '/', '(']);
        if let Some(confidence) = (self.check)(piece) {
            claims.push(Claim {
                start,
                end: start + piece.len(),
                category: self.category,
                confidence,
            });
        }
    }
}
