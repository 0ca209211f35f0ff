//! Categories of personal data. The identifiers are part of the API and of every stored classification.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! categories {
    ($($variant:ident = $id:literal, $doc:literal;)+) => {
        /// A kind of personal data, or `none`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Category {
            $(#[doc = $doc] #[serde(rename = $id)] $variant,)+
        }

        impl Category {
            /// All categories, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable identifier.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }

            /// One line for people.
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

categories! {
    PersonNameFirst = "person_name.first", "Given name.";
    PersonNameLast = "person_name.last", "Family name.";
    PersonNameFull = "person_name.full", "Whole name of a person.";
    Email = "email", "E-mail address.";
    Phone = "phone", "Telephone or fax number.";
    AddressStreet = "address.street", "Street and house number, or a whole address.";
    AddressCity = "address.city", "City of an address.";
    AddressPostcode = "address.postcode", "Postal code.";
    AddressRegion = "address.region", "State, province or county of an address.";
    AddressCountry = "address.country", "Country of an address.";
    DateOfBirth = "date_of_birth", "Day or year of birth, or age.";
    Gender = "gender", "Gender or salutation.";
    NationalId = "national_id", "National or social-security number.";
    Passport = "passport", "Passport or travel document number.";
    DriverLicense = "driver_license", "Driving licence number.";
    TaxId = "tax_id", "Tax or value-added-tax number.";
    CreditCard = "credit_card", "Payment card number or its security code.";
    Iban = "iban", "International bank account number.";
    BankAccount = "bank_account", "National bank account, routing or BIC code.";
    IpAddress = "ip_address", "Internet address.";
    MacAddress = "mac_address", "Hardware address.";
    DeviceId = "device_id", "Identifier of a device, vehicle or browser.";
    Username = "username", "Account or screen name.";
    PasswordHash = "password_hash", "Password or a hash of one.";
    SecretToken = "secret_token", "API key, session token or other credential.";
    UrlPersonal = "url_personal", "Address of a personal page, profile or picture.";
    GeoLat = "geo.lat", "Latitude of a person or household.";
    GeoLon = "geo.lon", "Longitude of a person or household.";
    Health = "health", "Health or genetic data.";
    Religion = "religion", "Religious or philosophical belief.";
    Ethnicity = "ethnicity", "Racial or ethnic origin, nationality.";
    SexualOrientation = "sexual_orientation", "Sex life or sexual orientation.";
    Political = "political", "Political opinion.";
    Union = "union", "Trade-union membership.";
    Biometric = "biometric", "Biometric data.";
    Financial = "financial", "Income, balance or other figure about a person's money.";
    FreeText = "free_text", "Free text that may name people.";
    OtherPersonal = "other_personal", "Personal data of another kind.";
    None = "none", "Not personal data.";
}

impl Category {
    /// Whether the category is personal data at all.
    pub const fn is_personal(self) -> bool {
        !matches!(self, Self::None)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is no category's identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a category")]
pub struct UnknownCategory(pub String);

impl FromStr for Category {
    type Err = UnknownCategory;
    fn from_str(text: &str) -> Result<Self, UnknownCategory> {
        Self::ALL
            .iter()
            .copied()
            .find(|c| c.as_str() == text)
            .ok_or_else(|| UnknownCategory(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_unique_and_read_back() {
        for category in Category::ALL {
            assert_eq!(category.as_str().parse(), Ok(*category));
            assert_eq!(serde_json::to_value(category).unwrap(), category.as_str());
        }
        assert_eq!(Category::ALL.len(), 39);
    }
}
