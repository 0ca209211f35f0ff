//! JSON documents as columns: each path is a virtual column, positions in arrays collapsed.

use std::collections::BTreeMap;

use serde_json::Value;
use tdm_core::detector::ColumnSample;

const PATHS_MAX: usize = 200;
const VALUES_MAX: usize = 200;
const DEPTH_MAX: usize = 12;

/// Paths of the documents with the distinct scalar values below them. Texts that are no JSON are passed over.
pub(crate) fn paths(documents: &[&str]) -> Vec<(String, ColumnSample)> {
    let mut found: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for document in documents {
        if let Ok(value) = serde_json::from_str::<Value>(document) {
            walk(&value, &mut String::new(), 0, &mut found);
        }
    }
    found
        .into_iter()
        .map(|(path, values)| (path, ColumnSample::new(values.into_iter().collect(), 0)))
        .collect()
}

fn walk(
    value: &Value,
    path: &mut String,
    depth: usize,
    found: &mut BTreeMap<String, BTreeMap<String, u64>>,
) {
    if depth > DEPTH_MAX {
        return;
    }
    let scalar = match value {
        Value::Null => return,
        Value::Object(members) => {
            for (key, member) in members {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                walk(member, path, depth + 1, found);
                path.truncate(length);
            }
            return;
        }
        Value::Array(items) => {
            for item in items {
                walk(item, path, depth + 1, found);
            }
            return;
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if found.len() >= PATHS_MAX && !found.contains_key(path.as_str()) {
        return;
    }
    let values = found.entry(path.clone()).or_default();
    if values.len() < VALUES_MAX {
        *values.entry(scalar).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_collapse_and_broken_documents_are_passed_over() {
        let found = paths(&[
            r#"{"a":[{"b":1},{"b":2}],"c":null}"#,
            "{broken",
            r#"{"a":[{"b":2}]}"#,
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "a.b");
        assert_eq!(found[0].1.rows(), 3);
    }
}
