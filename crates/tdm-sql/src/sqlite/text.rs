//! How numbers, times and decoded cells are written as SQLite text.

use tdm_core::scalar::ScalarRef;
use tdm_core::time::{Day, Instant, TimeOfDay};
use tdm_core::types::LogicalType;

/// A real as text that reads back to the same real: shortest digits, with a point or an exponent.
pub(super) fn real(value: f64) -> String {
    format!("{value:?}")
}

/// The text of a time cell; `None` for cells that SQLite stores in a class of their own.
///
/// Days as `YYYY-MM-DD`, times as `HH:MM:SS[.ffffff]`, points in time with a space between and `+00:00` behind
/// when the type is zoned: the forms that SQLite's own date functions read.
pub(super) fn time(cell: ScalarRef<'_>, logical: &LogicalType) -> Option<String> {
    Some(match cell {
        ScalarRef::Date(days) => Day(days).to_string(),
        ScalarRef::Time(micros) => TimeOfDay(micros).to_string(),
        ScalarRef::Timestamp(micros) => {
            let zone = match logical {
                LogicalType::Timestamp { zoned: true } => "+00:00",
                _ => "",
            };
            format!("{}{zone}", Instant(micros))
        }
        _ => return None,
    })
}
