//! Keys as compact values: hashed and compared as they are, turned back into arrays to bind them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use tdm_core::arrow_array::cast::AsArray as _;
use tdm_core::arrow_array::types::Int64Type;
use tdm_core::arrow_array::{Array as _, ArrayRef, Int64Array};
use tdm_core::scalar::{ScalarRef, cell};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

/// The non-NULL parts of one key.
///
/// A key of one integer is that integer; any other is bytes: for each part a tag and its value, variable ones
/// behind their length. Keys of one table are all of one kind.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Int(i64),
    Bytes(Box<[u8]>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({} bytes)", self.bytes())
    }
}

impl Key {
    /// The key in `arrays` at `row`; `None` when a part is NULL: such a key refers to nothing.
    pub(crate) fn read(arrays: &[&ArrayRef], row: usize, scratch: &mut Vec<u8>) -> Option<Self> {
        if let [array] = arrays
            && let ScalarRef::Int(value) = cell(array.as_ref(), row)
        {
            return Some(Self::Int(value));
        }
        encode(arrays, row, scratch)?;
        Some(Self::Bytes(scratch.as_slice().into()))
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
        Self::Bytes(xxh3_128(scratch).to_be_bytes().into())
    }

    /// A key of these parts; `None` when one is NULL.
    pub(crate) fn of(parts: &[ScalarRef<'_>]) -> Option<Self> {
        if let [ScalarRef::Int(value)] = parts {
            return Some(Self::Int(*value));
        }
        let mut bytes = Vec::new();
        parts.iter().try_for_each(|&part| push(&mut bytes, part))?;
        Some(Self::Bytes(bytes.into()))
    }

    /// One key of the parts that keys of one part hold.
    pub(crate) fn join(parts: &[Self]) -> Self {
        if let [part] = parts {
            return part.clone();
        }
        let mut bytes = Vec::new();
        for part in parts {
            match part {
                Self::Int(value) => bytes.extend_from_slice(&int_bytes(*value)),
                Self::Bytes(part) => bytes.extend_from_slice(part),
            }
        }
        Self::Bytes(bytes.into())
    }

    /// A reproducible rank of the key for choosing rows without bias.
    pub(crate) fn rank(&self, seed: u64) -> u64 {
        match self {
            Self::Int(value) => xxh3_64_with_seed(&int_bytes(*value), seed),
            Self::Bytes(bytes) => xxh3_64_with_seed(bytes, seed),
        }
    }

    /// Bytes the key occupies.
    pub(crate) const fn bytes(&self) -> usize {
        match self {
            Self::Int(_) => 8,
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Hands each part to `take` in key order until it refuses one.
    pub(super) fn each_part(&self, mut take: impl FnMut(ScalarRef<'_>) -> bool) -> bool {
        match self {
            Self::Int(value) => take(ScalarRef::Int(*value)),
            Self::Bytes(bytes) => Parts { rest: bytes }.all(take),
        }
    }

    /// Hands the parts to `use_parts` as scalars.
    pub(crate) fn with_parts<R>(&self, use_parts: impl FnOnce(&[ScalarRef<'_>]) -> R) -> R {
        match self {
            Self::Int(value) => use_parts(&[ScalarRef::Int(*value)]),
            Self::Bytes(bytes) => {
                let parts: Vec<_> = Parts { rest: bytes }.collect();
                use_parts(&parts)
            }
        }
    }
}

/// Reads keys from arrays without allocating for each.
pub(crate) enum KeyReader<'a> {
    Int(&'a Int64Array),
    Bytes(Vec<&'a ArrayRef>),
    Row(Vec<&'a ArrayRef>),
}

/// A key that is looked at, not kept.
#[derive(Clone, Copy)]
pub(crate) enum KeyRef<'k> {
    Int(i64),
    Bytes(&'k [u8]),
}

impl KeyRef<'_> {
    pub(crate) fn to_key(self) -> Key {
        match self {
            Self::Int(value) => Key::Int(value),
            Self::Bytes(bytes) => Key::Bytes(bytes.into()),
        }
    }
}

impl Key {
    pub(crate) fn as_ref(&self) -> KeyRef<'_> {
        match self {
            Self::Int(value) => KeyRef::Int(*value),
            Self::Bytes(bytes) => KeyRef::Bytes(bytes),
        }
    }
}

impl<'a> KeyReader<'a> {
    /// Reads the key columns of a batch.
    pub(crate) fn new(arrays: Vec<&'a ArrayRef>) -> Self {
        match arrays.as_slice() {
            [array] => match array.as_primitive_opt::<Int64Type>() {
                Some(ints) => Self::Int(ints),
                None => Self::Bytes(arrays),
            },
            _ => Self::Bytes(arrays),
        }
    }

    /// Reads whole rows.
    pub(crate) const fn rows(arrays: Vec<&'a ArrayRef>) -> Self {
        Self::Row(arrays)
    }

    /// The key at `row`; `None` when a part is NULL.
    pub(crate) fn read<'s>(&self, row: usize, scratch: &'s mut Vec<u8>) -> Option<KeyRef<'s>> {
        match self {
            Self::Int(array) => array.is_valid(row).then(|| KeyRef::Int(array.value(row))),
            Self::Bytes(arrays) => {
                encode(arrays, row, scratch)?;
                Some(KeyRef::Bytes(scratch))
            }
            Self::Row(arrays) => {
                let Key::Bytes(hash) = Key::whole_row(arrays, row, scratch) else {
                    return None;
                };
                scratch.clear();
                scratch.extend_from_slice(&hash);
                Some(KeyRef::Bytes(scratch))
            }
        }
    }
}

fn encode(arrays: &[&ArrayRef], row: usize, scratch: &mut Vec<u8>) -> Option<()> {
    scratch.clear();
    for array in arrays {
        push(scratch, cell(array.as_ref(), row))?;
    }
    Some(())
}

/// One pass of a strong mixer per key; keys come from the operator's own source, and runs must be
/// reproducible, so the hash has no random seed.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(u64::from_ne_bytes(value.to_ne_bytes()));
    }

    fn write_u64(&mut self, value: u64) {
        // The finalizer of splitmix64: every bit of the key reaches every bit of the hash.
        let mut z = self.0 ^ value.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = z ^ (z >> 31);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

type Build = BuildHasherDefault<KeyHasher>;

/// A set of keys of any kind.
pub(crate) type KeySet = HashSet<Key, Build>;

/// A map keyed by keys of one kind: integers lie bare.
#[derive(Debug, Default)]
pub(crate) enum KeyMap<V> {
    #[default]
    Empty,
    Ints(HashMap<i64, V, Build>),
    Bytes(HashMap<Box<[u8]>, V, Build>),
}

impl<V> KeyMap<V> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Ints(map) => map.len(),
            Self::Bytes(map) => map.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get(&self, key: KeyRef<'_>) -> Option<&V> {
        match (self, key) {
            (Self::Ints(map), KeyRef::Int(value)) => map.get(&value),
            (Self::Bytes(map), KeyRef::Bytes(bytes)) => map.get(bytes),
            _ => None,
        }
    }

    pub(crate) fn contains(&self, key: KeyRef<'_>) -> bool {
        self.get(key).is_some()
    }

    /// Inserts a key that is new; says whether it was.
    pub(crate) fn insert_new(&mut self, key: KeyRef<'_>, value: V) -> bool {
        if let Self::Empty = self {
            *self = match key {
                KeyRef::Int(_) => Self::Ints(HashMap::default()),
                KeyRef::Bytes(_) => Self::Bytes(HashMap::default()),
            };
        }
        match (self, key) {
            (Self::Ints(map), KeyRef::Int(key)) => match map.entry(key) {
                Entry::Occupied(_) => false,
                Entry::Vacant(place) => {
                    place.insert(value);
                    true
                }
            },
            (Self::Bytes(map), KeyRef::Bytes(key)) => {
                let news = !map.contains_key(key);
                if news {
                    map.insert(key.into(), value);
                }
                news
            }
            // Keys of one table lie alike; see `KeyReader::new`.
            _ => false,
        }
    }

    pub(crate) fn remove(&mut self, key: KeyRef<'_>) -> Option<V> {
        match (self, key) {
            (Self::Ints(map), KeyRef::Int(value)) => map.remove(&value),
            (Self::Bytes(map), KeyRef::Bytes(bytes)) => map.remove(bytes),
            _ => None,
        }
    }

    /// All keys, sorted.
    pub(crate) fn sorted(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = match self {
            Self::Empty => Vec::new(),
            Self::Ints(map) => map.keys().copied().map(Key::Int).collect(),
            Self::Bytes(map) => map.keys().cloned().map(Key::Bytes).collect(),
        };
        keys.sort_unstable();
        keys
    }

    /// Bytes of memory the map holds, about: its table as allocated, and the keys behind pointers.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Ints(map) => map.capacity() * 8 / 7 * (size_of::<(i64, V)>() + 1),
            Self::Bytes(map) => {
                let sample: usize = map.keys().take(64).map(|k| k.len() + 16).sum();
                let mean = sample / map.len().clamp(1, 64);
                map.capacity() * 8 / 7 * (size_of::<(Box<[u8]>, V)>() + 1) + map.len() * mean
            }
        }
    }
}

/// Keys of one kind in ascending order: integers lie bare.
#[derive(Debug)]
pub(crate) enum SortedKeys {
    Ints(Vec<i64>),
    Bytes(Vec<Box<[u8]>>),
}

impl SortedKeys {
    /// The keys of a map.
    pub(crate) fn of<V>(map: &KeyMap<V>) -> Self {
        match map {
            KeyMap::Empty => Self::Ints(Vec::new()),
            KeyMap::Ints(map) => {
                let mut keys: Vec<i64> = map.keys().copied().collect();
                keys.sort_unstable();
                Self::Ints(keys)
            }
            KeyMap::Bytes(map) => {
                let mut keys: Vec<Box<[u8]>> = map.keys().cloned().collect();
                keys.sort_unstable();
                Self::Bytes(keys)
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Ints(keys) => keys.len(),
            Self::Bytes(keys) => keys.len(),
        }
    }

    /// At most `count` keys from position `start` on.
    pub(crate) fn piece(&self, start: usize, count: usize) -> Vec<Key> {
        let end = start.saturating_add(count).min(self.len());
        match self {
            Self::Ints(keys) => keys[start..end].iter().map(|&k| Key::Int(k)).collect(),
            Self::Bytes(keys) => keys[start..end].iter().cloned().map(Key::Bytes).collect(),
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(KeyRef<'_>) -> bool) {
        match self {
            Self::Ints(keys) => keys.retain(|&key| keep(KeyRef::Int(key))),
            Self::Bytes(keys) => keys.retain(|key| keep(KeyRef::Bytes(key))),
        }
    }

    /// Bytes that the keys occupy.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Ints(keys) => keys.len() * 8,
            Self::Bytes(keys) => keys.iter().map(|key| key.len()).sum(),
        }
    }
}

fn int_bytes(value: i64) -> [u8; 9] {
    let mut bytes = [b'i'; 9];
    // The sign bit is flipped so that keys sort as numbers do.
    bytes[1..].copy_from_slice(&(value ^ i64::MIN).to_be_bytes());
    bytes
}

fn push(out: &mut Vec<u8>, value: ScalarRef<'_>) -> Option<()> {
    let mut fixed = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match value {
        ScalarRef::Boolean(v) => fixed(b'o', &[u8::from(v)]),
        ScalarRef::Int(v) => out.extend_from_slice(&int_bytes(v)),
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

#[cfg(test)]
mod tests {
    use super::super::binding::Binding;
    use super::*;
    use std::sync::Arc;
    use tdm_core::arrow_array::{Array, StringArray};
    use tdm_core::batch::{BatchColumn, Encoding};
    use tdm_core::catalog::Column;
    use tdm_core::types::LogicalType;

    fn columns() -> [BatchColumn; 2] {
        let a = Column::new("a", 1, "int", LogicalType::BIGINT);
        let b = Column::new("b", 2, "text", LogicalType::TEXT);
        [
            BatchColumn::of(&a, Encoding::Int64),
            BatchColumn::of(&b, Encoding::Text),
        ]
    }

    #[test]
    fn keys_survive_the_way_to_bytes_and_back() {
        let a: ArrayRef = Arc::new(Int64Array::from(vec![Some(-5), Some(7), None]));
        let b: ArrayRef = Arc::new(StringArray::from(vec![Some(""), Some("x\0y"), Some("z")]));
        let mut scratch = Vec::new();
        let keys: Vec<_> = (0..3)
            .filter_map(|row| Key::read(&[&a, &b], row, &mut scratch))
            .collect();
        assert_eq!(keys.len(), 2, "a key with a NULL part is no key");
        let binding = Binding::to(columns().to_vec());
        let batch = binding.bind(keys.iter()).unwrap();
        assert_eq!(
            batch.arrays[0].as_ref(),
            &Int64Array::from(vec![-5, 7]) as &dyn Array
        );
        assert_eq!(
            batch.arrays[1].as_ref(),
            &StringArray::from(vec!["", "x\0y"]) as &dyn Array
        );
        assert!(keys[0] < keys[1], "keys sort as numbers do");
        assert!(!binding.is_literal());
    }

    #[test]
    fn one_integer_lies_bare_and_has_the_rank_of_its_bytes() {
        let a: ArrayRef = Arc::new(Int64Array::from(vec![Some(42), None]));
        let mut scratch = Vec::new();
        let key = Key::read(&[&a], 0, &mut scratch).unwrap();
        assert_eq!(key, Key::Int(42));
        assert!(Key::read(&[&a], 1, &mut scratch).is_none());
        encode(&[&a], 0, &mut scratch).unwrap();
        assert_eq!(key.rank(9), xxh3_64_with_seed(&scratch, 9));
        let reader = KeyReader::new(vec![&a]);
        assert!(matches!(
            reader.read(0, &mut scratch),
            Some(KeyRef::Int(42))
        ));
        assert!(reader.read(1, &mut scratch).is_none());
    }

    #[test]
    fn a_key_that_does_not_fit_its_columns_is_refused() {
        let binding = Binding::to(columns().to_vec());
        assert!(binding.bind([Key::Int(1)].iter()).is_err());
        let binding = Binding::to(columns()[1..].to_vec());
        assert!(binding.bind([Key::Int(1)].iter()).is_err());
    }

    #[test]
    fn maps_of_both_kinds_insert_once_and_forget() {
        let text = Key::of(&[ScalarRef::Text("x")]).unwrap();
        for key in [Key::Int(1), text] {
            let mut map = KeyMap::default();
            assert!(map.insert_new(key.as_ref(), 7));
            assert!(!map.insert_new(key.as_ref(), 8));
            assert_eq!(map.get(key.as_ref()), Some(&7));
            assert_eq!(map.sorted(), std::slice::from_ref(&key));
            assert!(map.memory() > 0);
            assert_eq!(map.remove(key.as_ref()), Some(7));
            assert!(map.is_empty());
        }
    }
}
