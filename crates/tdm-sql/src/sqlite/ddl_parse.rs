//! Reads the facts of `CREATE TABLE` and `CREATE INDEX` texts that no pragma gives: checks, collations,
//! constraint names, generation expressions, deferrability.
//!
//! The texts come from `sqlite_master`, so their grammar is sound; a text that is not understood gives `None`
//! and the caller goes on with what the pragmas say.

use tdm_core::catalog::Deferrability;

use super::token::{Kind, Token, tokens};

/// Facts of a table's text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TableDdl {
    /// Name in the text.
    pub(super) name: String,
    pub(super) columns: Vec<ColumnDdl>,
    /// Name of the primary key's constraint.
    pub(super) primary_key: Option<String>,
    /// Named unique constraints and their columns.
    pub(super) unique: Vec<(String, Vec<String>)>,
    /// Checks: name and condition.
    pub(super) checks: Vec<(Option<String>, String)>,
    /// Foreign keys in the order of the text.
    pub(super) foreign_keys: Vec<ForeignKeyDdl>,
    pub(super) autoincrement: bool,
    pub(super) strict: bool,
    pub(super) without_rowid: bool,
}

/// Facts of a column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ColumnDdl {
    pub(super) name: String,
    pub(super) collation: Option<String>,
    /// Expression of a generated column.
    pub(super) generated: Option<String>,
}

/// Facts of a foreign key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ForeignKeyDdl {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) deferrability: Deferrability,
}

/// Facts of an index's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IndexDdl {
    /// Each part as written, without its direction.
    pub(super) parts: Vec<String>,
    pub(super) predicate: Option<String>,
}

/// Reads a `CREATE TABLE` text; `None` when it is none, or more than one statement.
pub(super) fn table(sql: &str) -> Option<TableDdl> {
    let all = tokens(sql).ok()?;
    if all.iter().any(|t| t.is_symbol(b';')) {
        return None;
    }
    let mut reader = Reader::new(sql, &all);
    reader.keyword("create").then_some(())?;
    let _ = reader.keyword("temp") || reader.keyword("temporary");
    reader.keyword("table").then_some(())?;
    if reader.keyword("if") {
        (reader.keyword("not") && reader.keyword("exists")).then_some(())?;
    }
    let mut ddl = TableDdl {
        name: reader.name()?,
        ..TableDdl::default()
    };
    if reader.symbol(b'.') {
        ddl.name = reader.name()?;
    }
    let body = reader.group()?;
    for item in split_at_commas(body) {
        let mut item = Reader::new(sql, item);
        if item.starts_table_constraint() {
            constraints(&mut item, &mut ddl, None)?;
        } else {
            let name = item.name()?;
            ddl.columns.push(ColumnDdl {
                name: name.clone(),
                collation: None,
                generated: None,
            });
            item.skip_type();
            constraints(&mut item, &mut ddl, Some(&name))?;
        }
    }
    while let Some(token) = reader.next() {
        if token.is("strict") {
            ddl.strict = true;
        } else if token.is("without") && reader.keyword("rowid") {
            ddl.without_rowid = true;
        } else if !token.is_symbol(b',') {
            return None;
        }
    }
    Some(ddl)
}

/// Reads a `CREATE INDEX` text.
pub(super) fn index(sql: &str) -> Option<IndexDdl> {
    let all = tokens(sql).ok()?;
    let mut reader = Reader::new(sql, &all);
    reader.keyword("create").then_some(())?;
    let _ = reader.keyword("unique");
    reader.keyword("index").then_some(())?;
    while !reader.keyword("on") {
        reader.next()?;
    }
    reader.name()?;
    let body = reader.group()?;
    let parts = split_at_commas(body)
        .into_iter()
        .map(|part| {
            let directed = part.last().is_some_and(|t| t.is("asc") || t.is("desc"));
            source(sql, &part[..part.len() - usize::from(directed)])
        })
        .collect();
    let predicate = reader
        .keyword("where")
        .then(|| source(sql, &reader.tokens[reader.at..]));
    Some(IndexDdl { parts, predicate })
}

/// Whether the text is one part of an index: no comma outside parentheses and no comment.
pub(super) fn is_one_part(sql: &str) -> bool {
    let comments = sql.contains("--") || sql.contains("/*");
    !comments && tokens(sql).is_ok_and(|found| split_at_commas(&found).len() == 1)
}

/// Reads constraints up to the end of the item; `column` when they belong to one.
fn constraints(reader: &mut Reader<'_>, ddl: &mut TableDdl, column: Option<&str>) -> Option<()> {
    let mut name: Option<String> = None;
    while let Some(token) = reader.next() {
        if token.is("constraint") {
            name = Some(reader.name()?);
            continue;
        }
        if token.is("check") {
            let condition = source(reader.sql, reader.group()?);
            ddl.checks.push((name.take(), condition));
        } else if token.is("collate") {
            let collation = reader.name()?;
            if let Some(last) = ddl.columns.last_mut() {
                last.collation = Some(collation);
            }
        } else if token.is("generated") {
            (reader.keyword("always") && reader.keyword("as")).then_some(())?;
            generated(reader, ddl)?;
        } else if token.is("as") {
            generated(reader, ddl)?;
        } else if token.is("default") {
            reader.skip_default();
        } else if token.is("primary") {
            reader.keyword("key").then_some(())?;
            ddl.primary_key = name.take();
            if column.is_none() {
                // An AUTOINCREMENT may stand inside the parentheses as well.
                let inner = reader.group()?;
                ddl.autoincrement |= inner.iter().any(|t| t.is("autoincrement"));
            }
        } else if token.is("autoincrement") {
            ddl.autoincrement = true;
        } else if token.is("unique") {
            let columns = match column {
                Some(column) => vec![column.to_owned()],
                None => names(reader.group()?),
            };
            if let Some(name) = name.take() {
                ddl.unique.push((name, columns));
            }
        } else if token.is("foreign") {
            reader.keyword("key").then_some(())?;
            let columns = names(reader.group()?);
            reader.keyword("references").then_some(())?;
            ddl.foreign_keys
                .push(references(reader, name.take(), columns)?);
        } else if token.is("references") {
            let columns = vec![column?.to_owned()];
            ddl.foreign_keys
                .push(references(reader, name.take(), columns)?);
        } else if token.is("null") {
            name = None;
        }
        // Left over: NOT, ON CONFLICT and its word, ASC, DESC, and commas that the grammar lets out.
    }
    Some(())
}

fn generated(reader: &mut Reader<'_>, ddl: &mut TableDdl) -> Option<()> {
    let expression = source(reader.sql, reader.group()?);
    ddl.columns.last_mut()?.generated = Some(expression);
    Some(())
}

/// Reads what follows REFERENCES.
fn references(
    reader: &mut Reader<'_>,
    name: Option<String>,
    columns: Vec<String>,
) -> Option<ForeignKeyDdl> {
    reader.name()?;
    if reader.peek().is_some_and(|t| t.is_symbol(b'(')) {
        reader.group()?;
    }
    let mut deferrability = Deferrability::Immediate;
    loop {
        if reader.keyword("on") {
            // ON DELETE | UPDATE, then one word or two.
            reader.next()?;
            let action = reader.next()?;
            if action.is("set") || action.is("no") {
                reader.next()?;
            }
        } else if reader.keyword("match") {
            reader.next()?;
        } else if reader.peek().is_some_and(|t| t.is("not"))
            && reader.peek_second().is_some_and(|t| t.is("deferrable"))
        {
            reader.next();
            reader.next();
            initially(reader);
        } else if reader.keyword("deferrable") {
            deferrability = if initially(reader) {
                Deferrability::Deferred
            } else {
                Deferrability::Deferrable
            };
        } else {
            break;
        }
    }
    Some(ForeignKeyDdl {
        name,
        columns,
        deferrability,
    })
}

/// Reads INITIALLY DEFERRED | IMMEDIATE; whether it says DEFERRED.
fn initially(reader: &mut Reader<'_>) -> bool {
    reader.keyword("initially") && reader.next().is_some_and(|t| t.is("deferred"))
}

/// First name of each part of a column list.
fn names(group: &[Token<'_>]) -> Vec<String> {
    split_at_commas(group)
        .into_iter()
        .filter_map(|part| part.first().and_then(Token::name))
        .collect()
}

fn split_at_commas<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && token.is_symbol(b',')
        })
        .filter(|part| !part.is_empty())
        .collect()
}

/// The text from the first to the last of `tokens`, as written.
fn source(sql: &str, tokens: &[Token<'_>]) -> String {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => sql[first.start..last.end()].to_owned(),
        _ => String::new(),
    }
}

struct Reader<'a> {
    sql: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn new(sql: &'a str, tokens: &'a [Token<'a>]) -> Self {
        Self { sql, tokens, at: 0 }
    }

    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    fn peek_second(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at + 1)
    }

    fn next(&mut self) -> Option<&'a Token<'a>> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|t| t.is(word));
        self.at += usize::from(found);
        found
    }

    fn symbol(&mut self, symbol: u8) -> bool {
        let found = self.peek().is_some_and(|t| t.is_symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Option<String> {
        let name = self.peek()?.name()?;
        self.at += 1;
        Some(name)
    }

    /// The tokens inside the parentheses that begin here.
    fn group(&mut self) -> Option<&'a [Token<'a>]> {
        self.symbol(b'(').then_some(())?;
        let start = self.at;
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()?.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => depth -= 1,
                _ => {}
            }
        }
        self.tokens.get(start..self.at - 1)
    }

    fn starts_table_constraint(&self) -> bool {
        self.peek().is_some_and(|t| {
            ["constraint", "primary", "unique", "check", "foreign"]
                .iter()
                .any(|word| t.is(word))
        })
    }

    /// Moves behind the type's words and measures.
    fn skip_type(&mut self) {
        const CONSTRAINTS: [&str; 11] = [
            "constraint",
            "primary",
            "not",
            "null",
            "unique",
            "check",
            "default",
            "collate",
            "references",
            "generated",
            "as",
        ];
        while let Some(token) = self.peek() {
            if CONSTRAINTS.iter().any(|word| token.is(word)) {
                break;
            }
            if token.is_symbol(b'(') {
                if self.group().is_none() {
                    break;
                }
            } else {
                self.at += 1;
            }
        }
    }

    fn skip_default(&mut self) {
        if self.peek().is_some_and(|t| t.is_symbol(b'(')) {
            let _ = self.group();
            return;
        }
        let _ = self.symbol(b'-') || self.symbol(b'+');
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_text_gives_what_pragmas_keep_to_themselves() {
        let ddl = table(
            "CREATE TABLE \"or,der\" ( -- a comment, with a comma\n\
             id INTEGER CONSTRAINT pk PRIMARY KEY AUTOINCREMENT,\n\
             [a b] VARCHAR(10, 2) COLLATE NOCASE DEFAULT 'check (x)' NOT NULL,\n\
             total AS (id * (2 + 1)) STORED CHECK (total > 0 AND \"a b\" <> ')'),\n\
             parent INT DEFAULT (1 + 2) CONSTRAINT up REFERENCES \"or,der\" ON DELETE SET NULL\n\
               DEFERRABLE INITIALLY DEFERRED,\n\
             CONSTRAINT both UNIQUE (id, parent) CHECK (1) -- no comma between\n\
             , FOREIGN KEY (id, parent) REFERENCES p (x, y) MATCH FULL NOT DEFERRABLE\n\
             ) STRICT, WITHOUT ROWID",
        )
        .unwrap();
        assert_eq!(ddl.name, "or,der");
        let names: Vec<_> = ddl.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["id", "a b", "total", "parent"]);
        assert_eq!(ddl.columns[1].collation.as_deref(), Some("NOCASE"));
        assert_eq!(ddl.columns[2].generated.as_deref(), Some("id * (2 + 1)"));
        assert_eq!(
            ddl.checks,
            [
                (None, "total > 0 AND \"a b\" <> ')'".to_owned()),
                (None, "1".to_owned())
            ]
        );
        assert_eq!(
            ddl.unique,
            [(
                "both".to_owned(),
                vec!["id".to_owned(), "parent".to_owned()]
            )]
        );
        assert_eq!(ddl.foreign_keys.len(), 2);
        assert_eq!(ddl.foreign_keys[0].name.as_deref(), Some("up"));
        assert_eq!(ddl.foreign_keys[0].deferrability, Deferrability::Deferred);
        assert_eq!(ddl.foreign_keys[1].columns, ["id", "parent"]);
        assert_eq!(ddl.foreign_keys[1].deferrability, Deferrability::Immediate);
        assert_eq!(ddl.primary_key.as_deref(), Some("pk"));
        assert!(ddl.autoincrement && ddl.strict && ddl.without_rowid);
    }

    #[test]
    fn an_index_text_gives_its_expressions_and_its_predicate() {
        let ddl = index(
            "CREATE UNIQUE INDEX i ON t (lower(a, 'x') DESC, b COLLATE NOCASE ASC, c) WHERE c > (1)",
        )
        .unwrap();
        assert_eq!(ddl.parts, ["lower(a, 'x')", "b COLLATE NOCASE", "c"]);
        assert_eq!(ddl.predicate.as_deref(), Some("c > (1)"));
    }

    #[test]
    fn a_second_statement_is_not_a_table_text() {
        assert_eq!(table("CREATE TABLE t (a); DROP TABLE u"), None);
        assert_eq!(table("DROP TABLE t"), None);
    }
}
