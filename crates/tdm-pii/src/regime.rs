//! What the law calls a category: GDPR, HIPAA Safe Harbor, PCI DSS and CCPA, read from a data file.
//!
//! The table helps a person to set priorities. It is not legal advice and decides nothing by itself.

use tdm_core::category::Category;

const TABLE: &str = include_str!("../data/regime.csv");

/// How four regimes see one category. `None` where a regime has no word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Regimes {
    /// General Data Protection Regulation (EU) 2016/679.
    pub gdpr: Option<&'static str>,
    /// Safe Harbor identifier, 45 CFR 164.514(b)(2)(i).
    pub hipaa: Option<&'static str>,
    /// Payment Card Industry Data Security Standard.
    pub pci_dss: Option<&'static str>,
    /// California Consumer Privacy Act as amended.
    pub ccpa: Option<&'static str>,
}

/// The regimes of a category.
///
/// ```
/// use tdm_core::category::Category;
/// let health = tdm_pii::regime::of(Category::Health);
/// assert!(health.gdpr.is_some_and(|text| text.contains("Art. 9")));
/// assert_eq!(tdm_pii::regime::of(Category::None).gdpr, None);
/// ```
pub fn of(category: Category) -> Regimes {
    let line = TABLE
        .lines()
        .find(|line| line.split(',').next() == Some(category.as_str()))
        .unwrap_or_default();
    let mut fields = line
        .split(',')
        .skip(1)
        .map(|field| (!field.is_empty()).then_some(field));
    let mut next = || fields.next().flatten();
    Regimes {
        gdpr: next(),
        hipaa: next(),
        pci_dss: next(),
        ccpa: next(),
    }
}

/// Whether the category is one of the special categories of GDPR Article 9.
pub fn is_special(category: Category) -> bool {
    of(category)
        .gdpr
        .is_some_and(|text| text.starts_with("special"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_a_line_and_every_line_five_fields() {
        for category in Category::ALL {
            assert_eq!(
                category.is_personal(),
                of(*category).gdpr.is_some(),
                "{category}"
            );
        }
        assert_eq!(TABLE.lines().count(), Category::ALL.len() + 1);
        assert!(TABLE.lines().all(|line| line.split(',').count() == 5));
    }

    #[test]
    fn special_categories_are_those_of_article_nine() {
        let special: Vec<_> = Category::ALL.iter().filter(|c| is_special(**c)).collect();
        assert_eq!(special.len(), 7);
    }
}
