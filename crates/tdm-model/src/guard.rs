//! Texts of other databases may hold the character U+0000, which PostgreSQL stores in no text and no document.
//!
//! It is written as U+E000 followed by `0`, and U+E000 itself as U+E000 followed by `E`. Neither occurs in practice,
//! so stored texts read as they are; where one does, it comes back unchanged.

use serde_json::Value;

const MARK: char = '\u{e000}';

/// `text` without U+0000.
pub(crate) fn guard(text: String) -> String {
    if !text.contains(['\0', MARK]) {
        return text;
    }
    let mut guarded = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => guarded.extend([MARK, '0']),
            MARK => guarded.extend([MARK, 'E']),
            c => guarded.push(c),
        }
    }
    guarded
}

/// The text that [`guard`] was given.
pub(crate) fn unguard(text: String) -> String {
    if !text.contains(MARK) {
        return text;
    }
    let mut original = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            MARK => original.push(if chars.next() == Some('0') {
                '\0'
            } else {
                MARK
            }),
            c => original.push(c),
        }
    }
    original
}

/// The document with every text guarded.
pub(crate) fn guard_json(value: Value) -> Value {
    map_texts(value, guard)
}

/// The document that [`guard_json`] was given.
pub(crate) fn unguard_json(value: Value) -> Value {
    map_texts(value, unguard)
}

fn map_texts(value: Value, f: fn(String) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(f(text)),
        Value::Array(items) => items.into_iter().map(|item| map_texts(item, f)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (f(key), map_texts(value, f)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_holds_a_zero(text in "[\u{0}\u{e000}0Ea]{0,12}") {
            let guarded = guard(text.clone());
            prop_assert!(!guarded.contains('\0'));
            prop_assert_eq!(unguard(guarded), text.clone());
            let document = serde_json::json!({ text.clone(): [text.clone(), 1], "b": null });
            prop_assert_eq!(unguard_json(guard_json(document.clone())), document);
        }
    }

    #[test]
    fn ordinary_texts_are_stored_as_they_are() {
        assert_eq!(guard("Größe 100 %".to_owned()), "Größe 100 %");
    }
}
