//! Values after a model: the path from the root of the tree to a column is drawn anew for each cell.

use std::sync::Arc;

use super::{Code, TableModel, Unit};
use crate::make::{Draw, Maker};
use crate::number::Decimal;
use crate::philox::CellRng;
use crate::stream::{Stream, TableKey};
use crate::value::Value;

/// Makes one column of a modelled table. Columns of one row share the draws of their common path.
#[derive(Debug)]
pub(crate) struct ModelMaker {
    model: Arc<TableModel>,
    /// Columns from the root to the one that is made, each with its draws.
    path: Vec<(usize, Stream)>,
}

impl ModelMaker {
    pub(crate) fn new(model: &Arc<TableModel>, column: usize, key: &TableKey) -> Self {
        let mut path = Vec::new();
        let mut at = Some(column);
        while let Some(column) = at {
            let made = &model.columns[column];
            path.push((column, key.stream(&format!("\u{1}model/{}", made.name))));
            at = made.parent;
        }
        path.reverse();
        Self {
            model: Arc::clone(model),
            path,
        }
    }
}

impl Maker for ModelMaker {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let mut code = 0;
        let mut last = None;
        for (column, stream) in &self.path {
            let made = &self.model.columns[*column];
            let mut rng = stream.at(draw.row, draw.attempt);
            let sums = &made.sums[if made.parent.is_some() { code } else { 0 }];
            let word = u64::from(rng.word());
            code = sums
                .partition_point(|&sum| sum <= word)
                .min(made.codes.len() - 1);
            last = Some((made, rng));
        }
        if let Some((made, mut rng)) = last {
            write(&made.codes[code], made.unit, made.scale, &mut rng, out);
        }
    }
}

fn write(code: &Code, unit: Unit, scale: u32, rng: &mut CellRng, out: &mut Value) {
    let number = match code {
        Code::Null => {
            *out = Value::Null;
            return;
        }
        Code::Label(text) => {
            out.text().push_str(text);
            return;
        }
        Code::Atom(number) => *number,
        Code::Range(knots) => {
            let steps = u32::try_from(knots.len() - 1).unwrap_or(1);
            let at = rng.pick(steps.max(1)) as usize;
            let (low, high) = (knots[at], knots[(at + 1).min(knots.len() - 1)]);
            // Both ends belong to the range: whole numbers that lie on a knot keep their share.
            let width = high.abs_diff(low).saturating_add(1);
            low.saturating_add_unsigned(rng.below(width))
        }
    };
    *out = match unit {
        Unit::Text | Unit::Number => Value::Number(Decimal {
            units: i128::from(number),
            scale,
        }),
        Unit::Boolean => Value::Boolean(number != 0),
        Unit::Float => Value::Float(
            Decimal {
                units: i128::from(number),
                scale,
            }
            .to_float(),
        ),
        Unit::Day => Value::Date(i32::try_from(number).unwrap_or(0)),
        Unit::TimeMicro => Value::Time(number),
        Unit::TimestampMicro => Value::Timestamp(number),
    };
}
