//! Keys as compact bytes: hashed and compared as they are, turned back into arrays to bind them.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::BatchColumn;
use tdm_core::port::KeyBatch;
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use xxhash_rust::xxh3::Xxh3Default;

use crate::error::Result;
use tdm_core::error::PortError;

/// A map keyed by [`Key`]. XXH3 with a fixed seed: keys come from the operator's own source, and runs must
/// be reproducible.
pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<Xxh3Default>>;

/// A set of keys; see [`KeyMap`].
pub(crate) type KeySet = HashSet<Key, BuildHasherDefault<Xxh3Default>>;

/// The non-NULL parts of one key. Each part is a tag and its bytes, variable ones behind their length.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(Box<[u8]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({} bytes)", self.0.len())
    }
}

impl Key {
    /// The key in `arrays` at `row`; `None` when a part is NULL: such a key refers to nothing.
    pub(crate) fn read(arrays: &[&ArrayRef], row: usize, scratch: &mut Vec<u8>) -> Option<Self> {
        scratch.clear();
        for array in arrays {
            push(scratch, cell(array.as_ref(), row))?;
        }
        Some(Self(scratch.as_slice().into()))
    }

    /// A whole row as a key: NULL is a part like any other.
    pub(crate) fn whole_row(arrays: &[&ArrayRef], row: usize, scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        for array in arrays {
            if push(scratch, cell(array.as_ref(), row)).is_none() {
                scratch.push(b'n');
            }
        }
        // A row may be large and is never bound again: its 128-bit hash stands for it.
        Self(xxhash_rust::xxh3::xxh3_128(scratch).to_be_bytes().into())
    }

    /// A reproducible rank of the key for choosing rows without bias.
    pub(crate) fn rank(&self, seed: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64_with_seed(&self.0, seed)
    }

    /// Bytes the key occupies.
    pub(crate) const fn bytes(&self) -> usize {
        self.0.len()
    }

    fn parts(&self) -> Parts<'_> {
        Parts { rest: &self.0 }
    }
}

fn push(out: &mut Vec<u8>, value: ScalarRef<'_>) -> Option<()> {
    let mut fixed = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match value {
        ScalarRef::Boolean(v) => fixed(b'o', &[u8::from(v)]),
        // The sign bit is flipped so that keys sort as numbers do.
        ScalarRef::Int(v) => fixed(b'i', &(v ^ i64::MIN).to_be_bytes()),
        ScalarRef::Float(v) => fixed(b'f', &v.to_be_bytes()),
        ScalarRef::Date(v) => fixed(b'd', &v.to_be_bytes()),
        ScalarRef::Time(v) => fixed(b'h', &v.to_be_bytes()),
        ScalarRef::Timestamp(v) => fixed(b's', &v.to_be_bytes()),
        ScalarRef::Text(v) => variable(out, b't', v.as_bytes()),
        ScalarRef::Bytes(v) => variable(out, b'b', v),
        _ => return None,
    }
    Some(())
}

fn variable(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

struct Parts<'k> {
    rest: &'k [u8],
}

impl<'k> Parts<'k> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn slice(&mut self) -> Option<&'k [u8]> {
        let length = usize::try_from(u64::from_be_bytes(self.take()?)).ok()?;
        let (head, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(head)
    }
}

impl<'k> Iterator for Parts<'k> {
    type Item = ScalarRef<'k>;

    fn next(&mut self) -> Option<ScalarRef<'k>> {
        let [tag] = self.take()?;
        Some(match tag {
            b'o' => ScalarRef::Boolean(self.take::<1>()?[0] != 0),
            b'i' => ScalarRef::Int(i64::from_be_bytes(self.take()?) ^ i64::MIN),
            b'f' => ScalarRef::Float(f64::from_be_bytes(self.take()?)),
            b'd' => ScalarRef::Date(i32::from_be_bytes(self.take()?)),
            b'h' => ScalarRef::Time(i64::from_be_bytes(self.take()?)),
            b's' => ScalarRef::Timestamp(i64::from_be_bytes(self.take()?)),
            b't' => ScalarRef::Text(std::str::from_utf8(self.slice()?).ok()?),
            _ => ScalarRef::Bytes(self.slice()?),
        })
    }
}

/// `keys` as arrays of `columns`, ready to bind.
pub(crate) fn bind<'k>(
    columns: &[BatchColumn],
    keys: impl ExactSizeIterator<Item = &'k Key>,
) -> Result<KeyBatch> {
    let mut builders: Vec<_> = columns
        .iter()
        .map(|c| ColumnBuilder::new(c.encoding, keys.len()))
        .collect();
    for key in keys {
        let mut parts = key.parts();
        for (builder, column) in builders.iter_mut().zip(columns) {
            let fits = parts.next().is_some_and(|part| builder.push(part).is_ok());
            if !fits {
                let reason = "key does not fit the column's encoding".to_owned();
                return Err(PortError::Invalid {
                    object: column.name.clone(),
                    reason,
                }
                .into());
            }
        }
    }
    Ok(KeyBatch {
        columns: columns.to_vec(),
        arrays: builders.iter_mut().map(ColumnBuilder::finish).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tdm_core::arrow_array::{Int64Array, StringArray};
    use tdm_core::batch::Encoding;
    use tdm_core::catalog::Column;
    use tdm_core::types::LogicalType;

    #[test]
    fn keys_survive_the_way_to_bytes_and_back() {
        let a: ArrayRef = Arc::new(Int64Array::from(vec![Some(-5), Some(7), None]));
        let b: ArrayRef = Arc::new(StringArray::from(vec![Some(""), Some("x\0y"), Some("z")]));
        let mut scratch = Vec::new();
        let keys: Vec<_> = (0..3)
            .filter_map(|row| Key::read(&[&a, &b], row, &mut scratch))
            .collect();
        assert_eq!(keys.len(), 2, "a key with a NULL part is no key");
        let columns = [
            BatchColumn::of(
                &Column::new("a", 1, "int", LogicalType::BIGINT),
                Encoding::Int64,
            ),
            BatchColumn::of(
                &Column::new("b", 2, "text", LogicalType::TEXT),
                Encoding::Text,
            ),
        ];
        let batch = bind(&columns, keys.iter()).unwrap();
        assert_eq!(
            batch.arrays[0].as_ref(),
            &Int64Array::from(vec![-5, 7]) as &dyn tdm_core::arrow_array::Array
        );
        assert_eq!(
            batch.arrays[1].as_ref(),
            &StringArray::from(vec!["", "x\0y"]) as &dyn tdm_core::arrow_array::Array
        );
        assert!(keys[0] < keys[1], "keys sort as numbers do");
    }
}
