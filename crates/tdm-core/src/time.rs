//! Time as plain numbers and how it is written. Nothing here reads a clock.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat};
use serde::{Deserialize, Serialize};

/// A UTC point in time: microseconds since 1970-01-01T00:00:00Z. Displays as RFC 3339 with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMicros(pub i64);

impl fmt::Display for UtcMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{}us", self.0),
        }
    }
}

/// A calendar day as days since 1970-01-01; displays as ISO 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub i32);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NaiveDate::from_epoch_days(self.0) {
            Some(day) => write!(f, "{day}"),
            None => write!(f, "{}d", self.0),
        }
    }
}

/// A time of day as microseconds since midnight; displays as ISO 8601, fraction only when there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(pub i64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        write!(
            f,
            "{:02}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        Ok(())
    }
}

/// A wall-clock time as microseconds since 1970-01-01; displays as `YYYY-MM-DD HH:MM:SS[.ffffff]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub i64);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 86_400_000_000;
        match i32::try_from(self.0.div_euclid(DAY)) {
            Ok(days) => write!(f, "{} {}", Day(days), TimeOfDay(self.0.rem_euclid(DAY))),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_the_epoch_print_as_people_write_them() {
        assert_eq!(Day(-1).to_string(), "1969-12-31");
        assert_eq!(Instant(-1_000_000).to_string(), "1969-12-31 23:59:59");
        assert_eq!(Instant(1_500_000).to_string(), "1970-01-01 00:00:01.500000");
        assert_eq!(UtcMicros(0).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
