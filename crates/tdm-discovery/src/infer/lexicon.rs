//! Words that name references: read from a list, so that a word is added without code.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The lists.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Words that end or begin the name of a key: `id`, `no`, `key`.
    pub(super) key_words: Vec<String>,
    /// Words of a reference to another row of the same table: `parent`, `reports to`.
    pub(super) own: Vec<Vec<String>>,
    /// What a role is: `author` may be a `user`, a `person`.
    pub(super) roles: BTreeMap<String, Vec<String>>,
    /// Words of a column that says which table another column refers to: `type`, `class`.
    pub(super) type_words: Vec<String>,
}

/// The lexicon of references.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| read(include_str!("lexicon.txt")))
}

fn read(text: &str) -> Lexicon {
    let mut lexicon = Lexicon {
        key_words: Vec::new(),
        own: Vec::new(),
        roles: BTreeMap::new(),
        type_words: Vec::new(),
    };
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((head, rest)) = line.split_once(':') else {
            continue;
        };
        match head.trim() {
            "key" => lexicon.key_words.extend(words(rest)),
            "type" => lexicon.type_words.extend(words(rest)),
            "own" => lexicon
                .own
                .extend(rest.split(',').map(words).filter(|w| !w.is_empty())),
            "role" => {
                if let Some((roles, tables)) = rest.split_once('=') {
                    for role in words(roles) {
                        lexicon.roles.entry(role).or_default().extend(words(tables));
                    }
                }
            }
            _ => {}
        }
    }
    lexicon
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_understood() {
        for line in include_str!("lexicon.txt").lines() {
            let line = line.split('#').next().unwrap().trim();
            let head = line.split(':').next().unwrap();
            assert!(
                line.is_empty() || ["key", "own", "role", "type"].contains(&head),
                "{line}"
            );
        }
        assert!(lexicon().roles["rep"].contains(&"employee".to_owned()));
        assert!(
            lexicon()
                .own
                .contains(&vec!["reports".to_owned(), "to".to_owned()])
        );
    }
}
