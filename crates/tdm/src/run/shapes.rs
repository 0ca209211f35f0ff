//! How masked columns looked before and after: character classes of one value each, never the value.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::batch::BatchLimit;
use tdm_core::catalog::TableSchema;
use tdm_core::error::PortResult;
use tdm_core::ident::ColumnRef;
use tdm_core::port::{RowFilter, RowSource, ScanRequest};
use tdm_core::scalar::{ScalarRef, canonical, cell};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_discovery::Observed;

use crate::report::Shape;

/// Longest shape that is shown, in characters.
const SHAPE_MAX: usize = 40;

/// Shapes of up to `most` of `columns`, of the first value each.
pub(super) async fn shapes(
    columns: &[ColumnRef],
    observed: &BTreeMap<ColumnRef, Observed>,
    tables: &[TableSchema],
    result: &dyn RowSource,
    most: usize,
) -> PortResult<Vec<Shape>> {
    let mut shapes = Vec::new();
    for place in columns {
        if shapes.len() == most {
            break;
        }
        let before = observed.get(place).and_then(|seen| {
            let mut values = seen.sample.values();
            values
                .find(|(value, _)| !value.trim().is_empty())
                .map(|(value, _)| shape(value))
        });
        let Some(before) = before else { continue };
        let Some(table) = tables.iter().find(|table| table.table == place.table) else {
            continue;
        };
        if let Some(after) = first_shape(result, table, &place.column).await? {
            shapes.push(Shape {
                column: place.to_string(),
                before,
                after,
            });
        }
    }
    Ok(shapes)
}

async fn first_shape(
    result: &dyn RowSource,
    table: &TableSchema,
    column: &str,
) -> PortResult<Option<String>> {
    let Some(column) = table.column(column) else {
        return Ok(None);
    };
    let request = ScanRequest {
        table: Arc::new(table.clone()),
        columns: vec![ColumnRequest {
            column: column.clone(),
            form: Form::Decoded,
        }],
        filter: RowFilter::All,
        limit: BatchLimit {
            rows_max: 100,
            ..BatchLimit::default()
        },
    };
    let mut stream = result.scan(request).await?;
    let Some(batch) = stream.next().await else {
        return Ok(None);
    };
    let batch = batch?;
    let texts = (0..batch.rows()).filter_map(|row| match cell(batch.column(0).as_ref(), row) {
        ScalarRef::Null => None,
        value => {
            let mut text = Vec::new();
            canonical(value, false, &mut text);
            String::from_utf8(text)
                .ok()
                .filter(|text| !text.trim().is_empty())
        }
    });
    Ok(texts.map(|text| shape(&text)).next())
}

/// `A` for an upper-case letter, `a` for any other, `9` for a digit, white space as a blank, the rest as it is.
fn shape(value: &str) -> String {
    let mut shape: String = value
        .chars()
        .take(SHAPE_MAX)
        .map(|c| match c {
            c if c.is_uppercase() => 'A',
            c if c.is_alphabetic() => 'a',
            c if c.is_numeric() => '9',
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        })
        .collect();
    if value.chars().nth(SHAPE_MAX).is_some() {
        shape.push('…');
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn a_shape_has_no_letter_or_digit_of_the_value() {
        assert_eq!(shape("Ann-Marie O'Neil\t42"), "Aaa-Aaaaa A'Aaaa 99");
        assert_eq!(shape(&"x".repeat(41)).chars().count(), 41);
    }
}
