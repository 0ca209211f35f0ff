//! Statistics of a column in one pass: counts and shapes that may be stored, and a sample that may not.

mod distinct;
mod gather;
mod pattern;
mod quantile;

pub use gather::{GatherLimits, Gatherer};
pub use pattern::pattern_of;

use tdm_core::profile::ColumnProfile;

/// The profile as it may be stored for a column of personal data: without the numbers that are values themselves.
#[must_use]
pub fn without_values(mut profile: ColumnProfile) -> ColumnProfile {
    profile.quantiles = None;
    profile
}
