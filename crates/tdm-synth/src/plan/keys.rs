//! Unique keys of a table: which there are, and which column or group makes each of them hold.

use tdm_core::catalog::{IndexPart, TableSchema};

/// Columns that must be unique together, by position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UniqueKey {
    pub(super) columns: Vec<usize>,
    /// Whether case is ignored, by an index over `lower(…)` or a collation.
    pub(super) folded: bool,
}

/// All unique keys, each once, smaller ones first. Keys that contain another one hold by themselves.
pub(super) fn unique_keys(schema: &TableSchema) -> Vec<UniqueKey> {
    let mut keys: Vec<UniqueKey> = Vec::new();
    let positions = |names: &[String]| -> Option<Vec<usize>> {
        names
            .iter()
            .map(|name| schema.columns.iter().position(|c| c.name == *name))
            .collect()
    };
    let declared = schema
        .primary_key
        .iter()
        .chain(&schema.unique)
        .map(|k| (positions(&k.columns), false));
    let indexed = schema.indexes.iter().filter(|i| i.unique).map(|index| {
        let mut folded = false;
        let names: Option<Vec<String>> = index
            .parts
            .iter()
            .map(|part| match part {
                IndexPart::Column { name, .. } => Some(name.clone()),
                IndexPart::Expression { sql } => {
                    folded = true;
                    mentioned(schema, sql)
                }
            })
            .collect();
        (names.and_then(|n| positions(&n)), folded)
    });
    for (columns, folded) in declared.chain(indexed) {
        let Some(mut columns) = columns.filter(|c| !c.is_empty()) else {
            continue;
        };
        columns.sort_unstable();
        columns.dedup();
        match keys.iter_mut().find(|k| k.columns == columns) {
            Some(known) => known.folded |= folded,
            None => keys.push(UniqueKey { columns, folded }),
        }
    }
    keys.sort_by(|a, b| {
        a.columns
            .len()
            .cmp(&b.columns.len())
            .then_with(|| a.columns.cmp(&b.columns))
    });
    let all = keys.clone();
    keys.retain(|key| {
        !all.iter().any(|other| {
            other.columns.len() < key.columns.len()
                && other.columns.iter().all(|c| key.columns.contains(c))
        })
    });
    keys
}

/// The one column that an indexed expression speaks of.
fn mentioned(schema: &TableSchema, sql: &str) -> Option<String> {
    let words: Vec<&str> = sql
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|w| !w.is_empty())
        .collect();
    let mut found = schema
        .columns
        .iter()
        .filter(|c| words.contains(&c.name.as_str()));
    let only = found.next()?;
    found.next().is_none().then(|| only.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdm_core::catalog::{Column, Index, Key};
    use tdm_core::ident::TableRef;
    use tdm_core::types::LogicalType;

    #[test]
    fn keys_that_contain_a_key_are_left_out_and_expressions_are_seen() {
        let mut schema = TableSchema::new(TableRef::new("t"));
        schema.columns = ["a", "b", "c"]
            .iter()
            .zip(1..)
            .map(|(n, o)| Column::new(*n, o, "text", LogicalType::TEXT))
            .collect();
        schema.primary_key = Some(Key::over(["a"]));
        schema.unique = vec![Key::over(["a", "b"]), Key::over(["c", "b"])];
        schema.indexes = vec![Index {
            name: "i".into(),
            parts: vec![IndexPart::Expression {
                sql: "lower((c)::text)".into(),
            }],
            unique: true,
            method: None,
            predicate: None,
            include: vec![],
            valid: true,
            definition: None,
        }];
        let keys = unique_keys(&schema);
        assert_eq!(
            keys.iter().map(|k| k.columns.clone()).collect::<Vec<_>>(),
            [vec![0], vec![2]]
        );
        assert!(keys[1].folded);
    }
}
