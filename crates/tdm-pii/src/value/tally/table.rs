//! The tests of single values: what passing speaks for, the share expected of a true column and by chance.

use super::Category;

macro_rules! tests {
    ($($variant:ident = $label:literal, $category:ident, $p:literal, $q:literal;)+) => {
        /// Tests of single values other than the numbered schemes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Test { $($variant),+ }
        pub(super) const TESTS: &[(&str, Category, f64, f64)] = &[$(($label, Category::$category, $p, $q)),+];
    };
}

// Label, what passing speaks for, share expected of a true column, share expected by chance.
tests! {
    Email = "e-mail address", Email, 0.95, 0.004;
    PhoneCertain = "international telephone number", Phone, 0.9, 0.004;
    PhoneAny = "telephone number", Phone, 0.95, 0.05;
    Ipv4 = "internet address", IpAddress, 0.96, 0.01;
    Ipv6 = "internet address (version 6)", IpAddress, 0.9, 0.002;
    Mac = "hardware address", MacAddress, 0.97, 0.001;
    Iban = "IBAN check digits", Iban, 0.95, 0.003;
    IbanShape = "IBAN length and country", Iban, 0.97, 0.02;
    Card = "card issuer and Luhn digit", CreditCard, 0.95, 0.03;
    CardMasked = "masked card number", CreditCard, 0.95, 0.005;
    CardExpiry = "card expiry", CreditCard, 0.98, 0.02;
    Bic = "bank identifier code", BankAccount, 0.97, 0.05;
    SortCode = "bank sort code", BankAccount, 0.98, 0.2;
    Ssn = "social-security number", NationalId, 0.97, 0.004;
    Ein = "employer identification number", TaxId, 0.97, 0.03;
    UserAgent = "user agent", DeviceId, 0.95, 0.001;
    Plate = "licence plate", DeviceId, 0.9, 0.03;
    Uuid = "UUID", None, 0.97, 0.001;
    Hash = "password hash format", PasswordHash, 0.95, 0.001;
    Token = "credential format", SecretToken, 0.9, 0.004;
    Opaque = "random text", SecretToken, 0.9, 0.2;
    UrlPersonal = "personal page", UrlPersonal, 0.8, 0.08;
    Url = "web address", None, 0.95, 0.01;
    Latitude = "latitude", GeoLat, 0.97, 0.35;
    Longitude = "longitude", GeoLon, 0.97, 0.35;
    CoordinatePair = "pair of coordinates", GeoLon, 0.97, 0.01;
    First = "given names", PersonNameFirst, 0.6, 0.03;
    Last = "family names", PersonNameLast, 0.55, 0.05;
    Full = "given and family names", PersonNameFull, 0.6, 0.01;
    NameShape = "words shaped as names", PersonNameFull, 0.85, 0.08;
    City = "cities", AddressCity, 0.5, 0.02;
    Country = "countries", AddressCountry, 0.85, 0.01;
    CountryCode = "country codes", AddressCountry, 0.98, 0.35;
    Region = "regions", AddressRegion, 0.8, 0.015;
    StateCode = "state codes", AddressRegion, 0.97, 0.08;
    Postcode = "postcode shape", AddressPostcode, 0.96, 0.01;
    Street = "streets", AddressStreet, 0.75, 0.01;
    Gender = "words for gender", Gender, 0.97, 0.02;
    Religion = "religions", Religion, 0.85, 0.003;
    Ethnicity = "nationalities and origins", Ethnicity, 0.85, 0.004;
    Orientation = "orientations", SexualOrientation, 0.85, 0.003;
    Political = "parties and opinions", Political, 0.8, 0.004;
    Union = "trade unions", Union, 0.8, 0.002;
    Marital = "marital status", OtherPersonal, 0.9, 0.01;
    Occupation = "occupations", OtherPersonal, 0.7, 0.02;
    Health = "conditions and medicines", Health, 0.55, 0.006;
    Blood = "blood groups", Health, 0.95, 0.003;
    Icd = "diagnosis codes", Health, 0.95, 0.02;
    BirthDate = "dates of birth", DateOfBirth, 0.97, 0.4;
    Username = "account names made of names", Username, 0.6, 0.02;
    Handle = "account names", Username, 0.95, 0.03;
    Company = "companies", None, 0.4, 0.02;
    Harmless = "words of things and states", None, 0.8, 0.05;
    Common = "words of the language", None, 0.6, 0.1;
    Date = "dates", None, 0.97, 0.01;
    Version = "versions", None, 0.95, 0.02;
    Digest = "digests", None, 0.97, 0.002;
    Code = "codes of a fixed pattern", None, 0.97, 0.1;
    Ean = "article numbers", None, 0.97, 0.1;
    Path = "paths and files", None, 0.9, 0.02;
    Number = "plain numbers", None, 0.98, 0.2;
}
