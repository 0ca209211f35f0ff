//! Reads the keys of a map, and reports those that nobody knows.

use super::document::{Located, Node, Position, Yaml};
use super::problem::Collector;

/// Reads the keys of one map: each once, with its type; what nobody asked for is unknown.
pub(super) struct Fields<'n> {
    at: Position,
    path: String,
    entries: Vec<(&'n Located<String>, &'n Node)>,
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The keys of `node`, which must be a map. `path` names it in messages: ``subset.seeds``.
    pub(super) fn of(node: &'n Node, path: impl Into<String>, problems: &mut Collector) -> Self {
        let path = path.into();
        let entries = match &node.value {
            Yaml::Map(entries) => entries.iter().map(|(key, value)| (key, value)).collect(),
            Yaml::Null => Vec::new(),
            other => {
                problems.add(
                    node.at,
                    match path.as_str() {
                        "" => format!("a workflow is a map of keys, not {}", other.kind()),
                        path => format!("`{path}` must be a map of keys, not {}", other.kind()),
                    },
                );
                Vec::new()
            }
        };
        Self {
            at: node.at,
            path,
            entries,
            known: Vec::new(),
        }
    }

    /// A map without keys.
    pub(super) fn none(at: Position, path: impl Into<String>) -> Self {
        Self {
            at,
            path: path.into(),
            entries: Vec::new(),
            known: Vec::new(),
        }
    }

    /// The place of the map.
    pub(super) const fn at(&self) -> Position {
        self.at
    }

    /// The path of a key.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The part under `key`.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        let found = self
            .entries
            .iter()
            .position(|(name, _)| name.value == key)?;
        Some(self.entries.remove(found).1)
    }

    /// The text under `key`.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        problems: &mut Collector,
    ) -> Option<Located<String>> {
        let node = self.node(key)?;
        self.text_of(node, key, problems)
    }

    /// The text under `key`, without which the map makes no sense.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        problems: &mut Collector,
    ) -> Option<Located<String>> {
        match self.node(key) {
            Some(node) => self.text_of(node, key, problems),
            None => {
                problems.add(self.at, format!("`{}` is missing", self.path(key)));
                None
            }
        }
    }

    /// The whole number, zero or more, under `key`.
    pub(super) fn count(
        &mut self,
        key: &'static str,
        problems: &mut Collector,
    ) -> Option<Located<u64>> {
        let node = self.node(key)?;
        let value = match node.value {
            Yaml::Int(v) => u64::try_from(v).ok(),
            _ => None,
        };
        self.kind(node, key, value, "a whole number, zero or more", problems)
    }

    /// The number under `key`.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        problems: &mut Collector,
    ) -> Option<Located<f64>> {
        let node = self.node(key)?;
        let value = match node.value {
            Yaml::Float(v) => Some(v),
            #[expect(clippy::cast_precision_loss, reason = "a percentage is small")]
            Yaml::Int(v) => Some(v as f64),
            _ => None,
        };
        self.kind(node, key, value, "a number", problems)
    }

    /// The truth value under `key`.
    pub(super) fn boolean(
        &mut self,
        key: &'static str,
        problems: &mut Collector,
    ) -> Option<Located<bool>> {
        let node = self.node(key)?;
        let value = match node.value {
            Yaml::Bool(v) => Some(v),
            _ => None,
        };
        self.kind(node, key, value, "true or false", problems)
    }

    /// The items of the list under `key`; none when it is absent.
    pub(super) fn list(&mut self, key: &'static str, problems: &mut Collector) -> &'n [Node] {
        match self.node(key).map(|node| (node.at, &node.value)) {
            Some((_, Yaml::List(items))) => items,
            Some((at, other)) => {
                problems.add(
                    at,
                    format!("`{}` must be a list, not {}", self.path(key), other.kind()),
                );
                &[]
            }
            None => &[],
        }
    }

    /// The texts of the list under `key`.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        problems: &mut Collector,
    ) -> Vec<Located<String>> {
        let items = self.list(key, problems);
        items
            .iter()
            .filter_map(|node| self.text_of(node, key, problems))
            .collect()
    }

    /// The entries of the map under `key`.
    pub(super) fn map(
        &mut self,
        key: &'static str,
        problems: &mut Collector,
    ) -> &'n [(Located<String>, Node)] {
        match self.node(key).map(|node| (node.at, &node.value)) {
            Some((_, Yaml::Map(entries))) => entries,
            Some((_, Yaml::Null)) | None => &[],
            Some((at, other)) => {
                problems.add(
                    at,
                    format!("`{}` must be a map, not {}", self.path(key), other.kind()),
                );
                &[]
            }
        }
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self, problems: &mut Collector) {
        for (key, _) in &self.entries {
            let place = if self.path.is_empty() {
                String::new()
            } else {
                format!(" in `{}`", self.path)
            };
            problems.unknown(
                key.at,
                &format!("key{place}"),
                &key.value,
                self.known.iter().copied(),
            );
        }
    }

    fn text_of(&self, node: &Node, key: &str, problems: &mut Collector) -> Option<Located<String>> {
        let value = match &node.value {
            Yaml::Text(v) => Some(v.clone()),
            // A name made of digits needs no quotes.
            Yaml::Int(v) => Some(v.to_string()),
            // `function: null` means the function of that name; an absent value is an absent key.
            Yaml::Null => Some("null".to_owned()),
            _ => None,
        };
        self.kind(node, key, value, "a text", problems)
    }

    fn kind<T>(
        &self,
        node: &Node,
        key: &str,
        value: Option<T>,
        wanted: &str,
        problems: &mut Collector,
    ) -> Option<Located<T>> {
        if value.is_none() {
            problems.add(
                node.at,
                format!(
                    "`{}` must be {wanted}, not {}",
                    self.path(key),
                    node.value.kind()
                ),
            );
        }
        value.map(|value| Located { value, at: node.at })
    }
}
