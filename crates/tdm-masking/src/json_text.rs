//! JSON read as text: where its leaves are, so that some can be replaced and every other byte stays.
//!
//! Parsing into a tree and printing it again would change number spellings, key order and white space, and
//! two keys of one name would become one. Here nothing changes that is not meant to.

use std::ops::Range;

/// What a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Number,
    /// `true`, `false` or `null`.
    Literal,
}

/// One step from the root towards a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// Told of each leaf: its path, its kind and its bytes.
pub(crate) type Leaf<'f> = dyn FnMut(&[Step], Kind, Range<usize>) + 'f;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 512;

/// Calls `leaf` for each leaf in order with its path, its kind and its bytes within `text`, quotes included.
/// `None` when the text is not one JSON document.
pub(crate) fn leaves(text: &str, leaf: &mut Leaf<'_>) -> Option<()> {
    let mut reader = Reader { text, at: 0 };
    let mut path: Vec<Step> = Vec::new();
    reader.value(&mut path, leaf)?;
    // One frame a container that is open; the top of `path` is its current key or index.
    while let Some(step) = path.last_mut() {
        reader.space();
        match (reader.peek()?, step) {
            (b',', Step::Index(index)) => {
                *index += 1;
                reader.at += 1;
                reader.value(&mut path, leaf)?;
            }
            (b',', Step::Key(_)) => {
                reader.at += 1;
                path.pop();
                reader.key(&mut path)?;
                reader.value(&mut path, leaf)?;
            }
            (b']', Step::Index(_)) | (b'}', Step::Key(_)) => {
                reader.at += 1;
                path.pop();
            }
            _ => return None,
        }
    }
    reader.space();
    (reader.at == text.len()).then_some(())
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Reads a leaf, an empty container, or the opening of containers down to the first leaf.
    fn value(&mut self, path: &mut Vec<Step>, leaf: &mut Leaf<'_>) -> Option<()> {
        loop {
            self.space();
            let start = self.at;
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    self.space();
                    let close = if open == b'{' { b'}' } else { b']' };
                    if self.peek()? == close {
                        self.at += 1;
                        return Some(());
                    }
                    if path.len() == DEPTH_MAX {
                        return None;
                    }
                    if open == b'{' {
                        self.key(path)?;
                    } else {
                        path.push(Step::Index(0));
                    }
                    continue;
                }
                b'"' => {
                    self.string()?;
                    leaf(path, Kind::String, start..self.at);
                }
                b'-' | b'0'..=b'9' => {
                    let rest = &self.text[start..];
                    let end = rest
                        .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
                        .unwrap_or(rest.len());
                    self.at += end;
                    serde_json::from_str::<serde_json::Number>(&rest[..end]).ok()?;
                    leaf(path, Kind::Number, start..self.at);
                }
                _ => {
                    let word = ["true", "false", "null"]
                        .into_iter()
                        .find(|word| self.text[start..].starts_with(word))?;
                    self.at += word.len();
                    leaf(path, Kind::Literal, start..self.at);
                }
            }
            return Some(());
        }
    }

    /// Reads `"key":` and puts the key on the path.
    fn key(&mut self, path: &mut Vec<Step>) -> Option<()> {
        self.space();
        let start = self.at;
        self.string()?;
        path.push(Step::Key(unquote(&self.text[start..self.at])?));
        self.space();
        (self.peek()? == b':').then(|| self.at += 1)
    }

    /// Moves behind a string.
    fn string(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

/// The text that a quoted JSON string spells.
pub(crate) fn unquote(quoted: &str) -> Option<String> {
    serde_json::from_str(quoted).ok()
}

/// A quoted JSON string that spells `text`.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        leaves(text, &mut |path, kind, range| {
            let path: Vec<String> = path
                .iter()
                .map(|step| match step {
                    Step::Key(key) => format!(".{key}"),
                    Step::Index(index) => format!("[{index}]"),
                })
                .collect();
            found.push(format!("{} {kind:?} {}", path.concat(), &text[range]));
        })?;
        Some(found)
    }

    #[test]
    fn leaves_are_found_with_their_paths() {
        let text = r#" {"a": [1, {"b\"c": "x"}, [], {}], "d": -1.50e2, "e": null} "#;
        assert_eq!(
            paths(text).unwrap(),
            [
                r".a[0] Number 1",
                r#".a[1].b"c String "x""#,
                r".d Number -1.50e2",
                r".e Literal null"
            ]
        );
        assert_eq!(paths("\"x\"").unwrap(), [" String \"x\""]);
        assert_eq!(
            paths("[[1],[2]]").unwrap(),
            ["[0][0] Number 1", "[1][0] Number 2"]
        );
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "1 2",
            "[1}",
            "\"a",
            "nul",
            "01",
            "{1:2}",
            "\"\\",
        ] {
            assert_eq!(paths(text), None, "{text}");
        }
        assert_eq!(paths(&"[".repeat(1_000)), None);
    }
}
