//! Tokens of SQLite's SQL: enough to find the parts of a statement without being misled by quotes, comments
//! and parentheses. It checks no grammar.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An unquoted word: keyword or identifier.
    Word,
    /// An identifier in `"`, backticks or brackets.
    Quoted,
    /// A text in `'`.
    Text,
    /// A number or a blob literal.
    Literal,
    /// A bound parameter.
    Parameter,
    /// Any other character.
    Symbol(u8),
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: Kind,
    /// As written.
    pub(crate) text: &'a str,
    /// Byte offset of its first character.
    pub(crate) start: usize,
}

impl Token<'_> {
    /// Byte offset behind its last character.
    pub(crate) const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is this character.
    pub(crate) fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    /// The name that it spells, quotes taken off. SQLite takes a text for a name where only a name can stand.
    pub(crate) fn name(&self) -> Option<String> {
        let inner = || self.text.get(1..self.text.len() - 1).unwrap_or_default();
        match (self.kind, self.text.as_bytes().first()) {
            (Kind::Word, _) => Some(self.text.to_owned()),
            (Kind::Quoted, Some(b'[')) => Some(inner().to_owned()),
            (Kind::Quoted, Some(b'`')) => Some(inner().replace("``", "`")),
            (Kind::Quoted, _) => Some(inner().replace("\"\"", "\"")),
            (Kind::Text, _) => Some(inner().replace("''", "'")),
            _ => None,
        }
    }
}

/// A quote was opened and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unterminated;

/// The tokens of `sql`, comments and white space left out.
pub(crate) fn tokens(sql: &str) -> Result<Vec<Token<'_>>, Unterminated> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        let next = bytes.get(at + 1).copied();
        let kind = match (byte, next) {
            (b' ' | b'\t' | b'\n' | b'\r' | 0x0c, _) => {
                at += 1;
                continue;
            }
            (b'-', Some(b'-')) => {
                at = bytes[at..]
                    .iter()
                    .position(|&b| b == b'\n')
                    .map_or(bytes.len(), |length| at + length + 1);
                continue;
            }
            (b'/', Some(b'*')) => {
                // SQLite lets the end of the text close a comment; a condition may not rely on it.
                let close = sql[at + 2..].find("*/").ok_or(Unterminated)?;
                at += 2 + close + 2;
                continue;
            }
            (b'\'' | b'"' | b'`', _) => {
                at = closing(bytes, at, byte)?;
                if byte == b'\'' {
                    Kind::Text
                } else {
                    Kind::Quoted
                }
            }
            (b'[', _) => {
                at += sql[at..].find(']').ok_or(Unterminated)? + 1;
                Kind::Quoted
            }
            (b'x' | b'X', Some(b'\'')) => {
                at = closing(bytes, at + 1, b'\'')?;
                Kind::Literal
            }
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => {
                at = number(bytes, at);
                Kind::Literal
            }
            (b'?' | b':' | b'@' | b'$' | b'#', _) => {
                at += 1;
                at += bytes[at..].iter().take_while(|b| is_word(**b)).count();
                Kind::Parameter
            }
            (b, _) if is_word(b) => {
                at += bytes[at..].iter().take_while(|b| is_word(**b)).count();
                Kind::Word
            }
            (b, _) => {
                at += 1;
                Kind::Symbol(b)
            }
        };
        found.push(Token {
            kind,
            text: &sql[start..at],
            start,
        });
    }
    Ok(found)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Offset behind the quote that closes the one at `open`; a doubled quote stands for itself.
fn closing(bytes: &[u8], open: usize, quote: u8) -> Result<usize, Unterminated> {
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        if byte != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Ok(at + 1);
        }
    }
    Err(Unterminated)
}

fn number(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        let sign_of_exponent =
            matches!(byte, b'+' | b'-') && at > start && matches!(bytes[at - 1], b'e' | b'E');
        if is_word(byte) || byte == b'.' || sign_of_exponent {
            at += 1;
        } else {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str) -> Vec<&str> {
        tokens(sql).unwrap().iter().map(|t| t.text).collect()
    }

    #[test]
    fn quotes_and_comments_hide_what_they_hold() {
        assert_eq!(
            words("a -- ); b\n\"c;\"\"d\" /* ) */ [e)f] `g``h` 'i''j)' x'00' 1.5e-3 ?1 :p"),
            [
                "a",
                "\"c;\"\"d\"",
                "[e)f]",
                "`g``h`",
                "'i''j)'",
                "x'00'",
                "1.5e-3",
                "?1",
                ":p"
            ]
        );
        assert_eq!(tokens("\"c;\"\"d\"").unwrap()[0].name().unwrap(), "c;\"d");
        assert_eq!(tokens("'open"), Err(Unterminated));
        assert_eq!(tokens("/* open"), Err(Unterminated));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_into_pieces_of_itself(sql in "[\\PC'\"`\\[\\]().;:?x0-9/*\\-\n]{0,40}") {
            if let Ok(found) = tokens(&sql) {
                let mut end = 0;
                for token in &found {
                    proptest::prop_assert!(token.start >= end);
                    proptest::prop_assert_eq!(&sql[token.start..token.end()], token.text);
                    let _ = token.name();
                    end = token.end();
                }
            }
            for prefix in ["", "CREATE TABLE t (", "CREATE INDEX i ON t ("] {
                let text = format!("{prefix}{sql})");
                let _ = crate::sqlite::ddl_parse::table(&text);
                let _ = crate::sqlite::ddl_parse::index(&text);
            }
        }
    }

    #[test]
    fn words_may_hold_letters_of_any_alphabet() {
        assert_eq!(words("größe=1"), ["größe", "=", "1"]);
    }
}
