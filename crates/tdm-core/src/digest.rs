//! Order-independent digests: proof that what was read, written and read again is the same set of rows.
//!
//! A row's hash is XXH3-128 over its cells in column order, each with a tag and a length; a table's digest
//! is the sum of its rows' hashes modulo 2^128 and their count. A sum, not an exclusive or: equal pairs
//! would cancel. Digests of parts add up to the digest of the whole, in any order and any split.
//! It guards against loss, not against an adversary.

use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::batch::{Batch, Encoding, Stage, WireForm};
use crate::scalar::{ScalarRef, cell};

/// Count and digest of a set of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RowDigest {
    /// Rows.
    pub rows: u64,
    /// Sum of the rows' hashes modulo 2^128.
    pub sum: u128,
}

impl RowDigest {
    /// The digest of both sets together.
    #[must_use]
    pub const fn merge(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            sum: self.sum.wrapping_add(other.sum),
        }
    }

    /// Adds the rows of `batch`.
    ///
    /// A value has the same hash whether it is carried by SQLite or decoded, so a digest over written rows
    /// can be compared with one over rows read back.
    pub fn add<S: Stage>(&mut self, batch: &Batch<S>) {
        let all: Vec<usize> = (0..batch.schema().columns.len()).collect();
        self.add_columns(batch, &all);
    }

    /// Adds the rows of `batch`, looking at the columns at `indexes` only.
    pub fn add_columns<S: Stage>(&mut self, batch: &Batch<S>, indexes: &[usize]) {
        let columns: Vec<_> = indexes
            .iter()
            .map(|&i| (batch.column(i), batch.schema().columns[i].encoding))
            .collect();
        // One buffer and one call a row: feeding a hasher piece by piece costs more than the hash.
        let mut bytes = Vec::new();
        for row in 0..batch.rows() {
            bytes.clear();
            for (array, encoding) in &columns {
                put_cell(&mut bytes, cell(array.as_ref(), row), *encoding);
            }
            self.sum = self.sum.wrapping_add(xxh3_128(&bytes));
            self.rows += 1;
        }
    }
}

fn put_cell(out: &mut Vec<u8>, cell: ScalarRef<'_>, encoding: Encoding) {
    let mut tagged = |tag: u8, payload: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        out.extend_from_slice(payload);
    };
    match (cell, encoding) {
        (ScalarRef::Null, _) => tagged(b'n', &[]),
        (ScalarRef::Boolean(v), _) => tagged(b'i', &i64::from(v).to_be_bytes()),
        (ScalarRef::Int(v), _) => tagged(b'i', &v.to_be_bytes()),
        (ScalarRef::Float(v), _) => {
            // One NaN: its payload bits do not survive every server.
            tagged(b'r', &if v.is_nan() { f64::NAN } else { v }.to_be_bytes());
        }
        (ScalarRef::Text(v), _) => tagged(b't', v.as_bytes()),
        (ScalarRef::Bytes(v), Encoding::Carried(WireForm::Sqlite)) => match v.split_first() {
            Some((tag, payload)) => tagged(*tag, payload),
            None => tagged(b'b', &[]),
        },
        (ScalarRef::Bytes(v), _) => tagged(b'b', v),
        (ScalarRef::Date(v), _) => tagged(b'd', &v.to_be_bytes()),
        (ScalarRef::Time(v), _) => tagged(b'h', &v.to_be_bytes()),
        (ScalarRef::Timestamp(v), _) => tagged(b's', &v.to_be_bytes()),
    }
}

impl fmt::Display for RowDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:032x}", self.rows, self.sum)
    }
}

/// A text is not `rows:digest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a row digest")]
pub struct NotADigest;

impl std::str::FromStr for RowDigest {
    type Err = NotADigest;
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let (rows, sum) = text.split_once(':').ok_or(NotADigest)?;
        Ok(Self {
            rows: rows.parse().map_err(|_| NotADigest)?,
            sum: u128::from_str_radix(sum, 16).map_err(|_| NotADigest)?,
        })
    }
}

impl Serialize for RowDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RowDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchColumn, BatchSchema};
    use crate::catalog::Column;
    use crate::ident::TableRef;
    use crate::types::LogicalType;
    use arrow_array::{ArrayRef, BinaryArray, Int64Array, StringArray};
    use std::sync::Arc;

    fn batch(encoding: Encoding, array: ArrayRef) -> Batch<crate::batch::Sensitive> {
        let column = BatchColumn::of(&Column::new("c", 1, "any", LogicalType::Other), encoding);
        let schema = Arc::new(BatchSchema {
            table: TableRef::new("t"),
            columns: vec![column],
        });
        let rows = array.len();
        Batch::read(schema, vec![array], rows, 0).unwrap()
    }

    fn digest(batches: &[Batch<crate::batch::Sensitive>]) -> RowDigest {
        let mut digest = RowDigest::default();
        batches.iter().for_each(|b| digest.add(b));
        digest
    }

    #[test]
    fn order_and_split_do_not_matter_but_content_and_count_do() {
        let ints = |v: Vec<i64>| batch(Encoding::Int64, Arc::new(Int64Array::from(v)));
        let whole = digest(&[ints(vec![1, 2, 3])]);
        assert_eq!(whole, digest(&[ints(vec![3]), ints(vec![2, 1])]));
        assert_ne!(whole, digest(&[ints(vec![1, 2, 4])]));
        assert_ne!(digest(&[ints(vec![])]), digest(&[ints(vec![5, 5])]));
        assert_eq!(whole.to_string().parse(), Ok(whole));
    }

    #[test]
    fn a_carried_and_a_decoded_value_agree() {
        let mut carried = vec![b'i'];
        carried.extend(7i64.to_be_bytes());
        let wire = Encoding::Carried(WireForm::Sqlite);
        let a = batch(wire, Arc::new(BinaryArray::from(vec![carried.as_slice()])));
        assert_eq!(
            digest(&[a]),
            digest(&[batch(Encoding::Int64, Arc::new(Int64Array::from(vec![7])))])
        );
        let b = batch(wire, Arc::new(BinaryArray::from(vec![b"tx".as_slice()])));
        assert_eq!(
            digest(&[b]),
            digest(&[batch(
                Encoding::Text,
                Arc::new(StringArray::from(vec!["x"]))
            )])
        );
    }
}
