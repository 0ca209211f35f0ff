//! Statements that make the tables, indexes and views of a staged database.
//!
//! A table that SQLite itself declared is made from its own text when that text still says what the schema
//! says. Otherwise the statement is written anew from the schema; expressions of the source's dialect are
//! carried between SQLite files, and of other engines' expressions only plain literals.

use rusqlite::Connection;
use tdm_core::catalog::{
    Action, Column, Deferrability, ForeignKey, Generation, Index, IndexPart, Key, RelationshipKind,
    TableSchema,
};
use tdm_core::error::{PortError, PortResult};
use tdm_core::types::LogicalType;

use super::failure::Doing;
use super::token::{Kind, Token, tokens};
use super::{ddl_parse, introspect, types};
use crate::quote::Dialect;

/// Makes `table`; `same_engine` when its words are SQLite's.
pub(super) fn create_table(
    connection: &Connection,
    table: &TableSchema,
    same_engine: bool,
) -> PortResult<()> {
    let object = table.table.to_string();
    let doing = Doing {
        operation: "create table",
        object: &object,
    };
    if same_engine && create_from_text(connection, table) {
        return Ok(());
    }
    let sql = statement(table, same_engine)?;
    connection
        .execute(&sql, [])
        .map(|_| ())
        .map_err(|error| doing.failed(error))
}

/// Whether the table could be made from its own text and is what the schema says.
fn create_from_text(connection: &Connection, table: &TableSchema) -> bool {
    let name = &table.table.name;
    let text = table
        .definition
        .as_deref()
        .filter(|text| ddl_parse::table(text).is_some_and(|ddl| ddl.name == *name));
    let Some(text) = text else { return false };
    if connection.execute_batch("SAVEPOINT text").is_err() {
        return false;
    }
    let made = connection.execute(text, []).is_ok()
        && introspect::table(connection, name)
            .ok()
            .flatten()
            .is_some_and(|made| equivalent(&made, table));
    let end = if made {
        "RELEASE text"
    } else {
        "ROLLBACK TO text; RELEASE text"
    };
    connection.execute_batch(end).is_ok() && made
}

/// Whether a table that was made is the one that was asked for, indexes and estimates aside. References of
/// the made table may still lack their parents' columns.
fn equivalent(made: &TableSchema, wanted: &TableSchema) -> bool {
    let same_reference = |a: &ForeignKey, b: &ForeignKey| {
        a.parent.name.eq_ignore_ascii_case(&b.parent.name)
            && a.columns.len() == b.columns.len()
            && a.columns
                .iter()
                .zip(&b.columns)
                .all(|((from_a, to_a), (from_b, to_b))| {
                    from_a == from_b && (to_a.is_empty() || to_a.eq_ignore_ascii_case(to_b))
                })
            && (a.on_delete, a.on_update, a.deferrability)
                == (b.on_delete, b.on_update, b.deferrability)
    };
    let declared: Vec<_> = declared_references(wanted).collect();
    let same_columns = made.columns.len() == wanted.columns.len()
        && made.columns.iter().zip(&wanted.columns).all(|(a, b)| {
            let mut b = b.clone();
            b.comment.clone_from(&a.comment);
            *a == b
        });
    same_columns
        && made.primary_key == wanted.primary_key
        && made.unique == wanted.unique
        && made.checks == wanted.checks
        && made.options == wanted.options
        && made.foreign_keys.len() == declared.len()
        && made
            .foreign_keys
            .iter()
            .zip(declared)
            .all(|(a, b)| same_reference(a, b))
}

fn declared_references(table: &TableSchema) -> impl Iterator<Item = &ForeignKey> {
    table
        .foreign_keys
        .iter()
        .filter(|key| key.kind == RelationshipKind::Declared)
}

fn quoted(name: &str) -> PortResult<String> {
    Ok(Dialect::Sqlite.identifier(name)?)
}

fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> PortResult<String> {
    let quoted: PortResult<Vec<String>> = names.into_iter().map(|n| quoted(n.as_ref())).collect();
    Ok(quoted?.join(", "))
}

/// The statement from the schema alone.
fn statement(table: &TableSchema, same_engine: bool) -> PortResult<String> {
    let strict = same_engine && table.options.contains_key("strict");
    let without_rowid = same_engine && table.options.contains_key("without_rowid");
    let counter = counter_column(table).filter(|_| !without_rowid);
    let mut lines = Vec::new();
    for column in &table.columns {
        lines.push(column_line(table, column, counter, same_engine)?);
    }
    if let Some(key) = table.primary_key.as_ref().filter(|_| counter.is_none()) {
        lines.push(format!(
            "{}PRIMARY KEY ({})",
            named(key.name.as_deref())?,
            list(&key.columns)?
        ));
    }
    for key in &table.unique {
        lines.push(unique_line(key)?);
    }
    if same_engine {
        for check in table.checks.iter().filter(|c| !c.exclusion) {
            let expression = enclosed(table, &check.expression)?;
            lines.push(format!(
                "{}CHECK {expression}",
                named(check.name.as_deref())?
            ));
        }
    }
    for key in declared_references(table) {
        lines.push(reference_line(key)?);
    }
    let mut options = Vec::new();
    if strict {
        options.push("STRICT");
    }
    if without_rowid {
        options.push("WITHOUT ROWID");
    }
    Ok(format!(
        "CREATE TABLE {} (\n  {}\n) {}",
        quoted(&table.table.name)?,
        lines.join(",\n  "),
        options.join(", ")
    ))
}

/// The column that is the rowid under another name.
fn counter_column(table: &TableSchema) -> Option<&str> {
    let key = table.primary_key.as_ref()?;
    let [only] = key.columns.as_slice() else {
        return None;
    };
    let column = table.column(only)?;
    let integer = matches!(column.logical, LogicalType::Integer { .. });
    (integer && matches!(column.generation, Generation::Identity { .. })).then_some(only.as_str())
}

fn column_line(
    table: &TableSchema,
    column: &Column,
    counter: Option<&str>,
    same_engine: bool,
) -> PortResult<String> {
    let mut line = quoted(&column.name)?;
    if counter == Some(column.name.as_str()) {
        let name = table.primary_key.as_ref().and_then(|k| k.name.as_deref());
        line.push_str(&format!(" INTEGER {}PRIMARY KEY", named(name)?));
        if !same_engine || table.options.contains_key("autoincrement") {
            line.push_str(" AUTOINCREMENT");
        }
        return Ok(line);
    }
    let native = if same_engine && is_plain_type(&column.native) {
        column.native.clone()
    } else {
        types::declared(&column.logical)
    };
    if !native.is_empty() {
        line.push_str(&format!(" {native}"));
    }
    if let (true, Generation::Computed { expression, stored }) = (same_engine, &column.generation) {
        let kind = if *stored { "STORED" } else { "VIRTUAL" };
        line.push_str(&format!(" AS {} {kind}", enclosed(table, expression)?));
    }
    if !column.nullable {
        line.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        let text = if same_engine {
            Some(enclosed(table, default)?)
        } else {
            literal(default)
        };
        if let Some(text) = text {
            line.push_str(&format!(" DEFAULT {text}"));
        }
    }
    if let Some(collation) = column.collation.as_deref().filter(|_| same_engine) {
        line.push_str(&format!(" COLLATE {}", quoted(collation)?));
    }
    Ok(line)
}

fn unique_line(key: &Key) -> PortResult<String> {
    Ok(format!(
        "{}UNIQUE ({})",
        named(key.name.as_deref())?,
        list(&key.columns)?
    ))
}

fn reference_line(key: &ForeignKey) -> PortResult<String> {
    let mut line = format!(
        "{}FOREIGN KEY ({}) REFERENCES {} ({})",
        named(key.name.as_deref())?,
        list(key.child_columns())?,
        quoted(&key.parent.name)?,
        list(key.parent_columns())?
    );
    for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        let action = match action {
            Action::NoAction => continue,
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        };
        line.push_str(&format!(" ON {event} {action}"));
    }
    line.push_str(match key.deferrability {
        Deferrability::Immediate => "",
        Deferrability::Deferrable => " DEFERRABLE",
        Deferrability::Deferred => " DEFERRABLE INITIALLY DEFERRED",
    });
    Ok(line)
}

fn named(name: Option<&str>) -> PortResult<String> {
    match name {
        Some(name) => Ok(format!("CONSTRAINT {} ", quoted(name)?)),
        None => Ok(String::new()),
    }
}

/// Words with at most one group of numbers behind them: nothing that could end the column.
fn is_plain_type(native: &str) -> bool {
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
    tokens(native).is_ok_and(|found| {
        found.iter().all(|token| match token.kind {
            Kind::Word => !CONSTRAINTS.iter().any(|word| token.is(word)),
            Kind::Literal => true,
            Kind::Symbol(symbol) => b"(),+-".contains(&symbol),
            _ => false,
        }) && is_balanced(&found)
    })
}

fn is_balanced(found: &[Token<'_>]) -> bool {
    let mut depth = 0_i64;
    found.iter().all(|token| {
        depth += match token.kind {
            Kind::Symbol(b'(') => 1,
            Kind::Symbol(b')') => -1,
            _ => 0,
        };
        depth >= 0 && !token.is_symbol(b';')
    }) && depth == 0
}

/// An expression of the source's schema in parentheses that it cannot leave.
fn enclosed(table: &TableSchema, expression: &str) -> PortResult<String> {
    match tokens(expression) {
        // A comment at its end must not swallow the parenthesis.
        Ok(found) if is_balanced(&found) => Ok(match expression.contains("--") {
            true => format!("({expression}\n)"),
            false => format!("({expression})"),
        }),
        _ => Err(PortError::Invalid {
            object: table.table.to_string(),
            reason: "an expression in its definition is not understood".to_owned(),
        }),
    }
}

/// A default of another engine, when it is a plain literal.
fn literal(default: &str) -> Option<String> {
    let found = tokens(default).ok()?;
    let (sign, rest) = match found.split_first()? {
        (token, rest) if token.is_symbol(b'-') => ("-", rest),
        _ => ("", found.as_slice()),
    };
    let (token, cast) = rest.split_first()?;
    // PostgreSQL writes `'x'::text`.
    if cast
        .first()
        .is_some_and(|t| !t.is_symbol(b':') && t.kind != Kind::Parameter)
    {
        return None;
    }
    let constant = [
        "null",
        "true",
        "false",
        "current_timestamp",
        "current_date",
        "current_time",
    ]
    .iter()
    .any(|word| token.is(word));
    match token.kind {
        Kind::Literal => Some(format!("{sign}{}", token.text)),
        Kind::Text if sign.is_empty() => Some(token.text.to_owned()),
        Kind::Word if constant && sign.is_empty() => Some(token.text.to_owned()),
        _ => None,
    }
}

/// Makes an index after the data; `taken` holds the names that the database has already. An index whose
/// expressions another engine wrote is left out unless it is all columns.
pub(super) fn create_index(
    connection: &Connection,
    table: &TableSchema,
    index: &Index,
    same_engine: bool,
    taken: &mut std::collections::BTreeSet<String>,
) -> PortResult<()> {
    let object = format!("{} index {}", table.table, index.name);
    let doing = Doing {
        operation: "create index",
        object: &object,
    };
    let own_text = index.definition.as_deref().filter(|text| {
        same_engine
            && !taken.contains(&index.name.to_lowercase())
            && ddl_parse::index(text).is_some()
    });
    let sql = match own_text {
        Some(text) => text.to_owned(),
        None => match index_statement(table, index, same_engine, taken)? {
            Some(sql) => sql,
            None => return Ok(()),
        },
    };
    taken.insert(index.name.to_lowercase());
    connection
        .execute(&sql, [])
        .map(|_| ())
        .map_err(|error| doing.refused(&error))
}

fn index_statement(
    table: &TableSchema,
    index: &Index,
    same_engine: bool,
    taken: &mut std::collections::BTreeSet<String>,
) -> PortResult<Option<String>> {
    let mut parts = Vec::with_capacity(index.parts.len());
    for part in &index.parts {
        parts.push(match part {
            IndexPart::Column { name, descending } => {
                format!(
                    "{}{}",
                    quoted(name)?,
                    if *descending { " DESC" } else { "" }
                )
            }
            IndexPart::Expression { sql } if same_engine => {
                // Parentheses would make another text of it, and one that a later reading calls a change.
                let enclosed = enclosed(table, sql)?;
                match ddl_parse::is_one_part(sql) {
                    true => sql.clone(),
                    false => enclosed,
                }
            }
            IndexPart::Expression { .. } => return Ok(None),
        });
    }
    let predicate = match &index.predicate {
        // It ends the statement, so there is nothing that it could swallow.
        Some(text) if same_engine => {
            enclosed(table, text)?;
            format!(" WHERE {text}")
        }
        Some(_) => return Ok(None),
        None => String::new(),
    };
    let mut name = index.name.clone();
    let mut number = 2;
    while taken.contains(&name.to_lowercase()) {
        name = format!("{}_{}_{number}", table.table.name, index.name);
        number += 1;
    }
    taken.insert(name.to_lowercase());
    Ok(Some(format!(
        "CREATE {}INDEX {} ON {} ({}){predicate}",
        if index.unique { "UNIQUE " } else { "" },
        quoted(&name)?,
        quoted(&table.table.name)?,
        parts.join(", ")
    )))
}

/// Makes a view when everything that it reads is there; whether it was made.
pub(super) fn create_view(connection: &Connection, view: &TableSchema) -> PortResult<bool> {
    let Some(text) = view.definition.as_deref() else {
        return Ok(false);
    };
    let is_view = tokens(text).is_ok_and(|found| {
        found.first().is_some_and(|t| t.is("create"))
            && found.iter().take(3).any(|t| t.is("view"))
            && !found.iter().any(|t| t.is_symbol(b';'))
    });
    if !is_view {
        return Ok(false);
    }
    let name = quoted(&view.table.name)?;
    let made = connection.execute_batch("SAVEPOINT view").is_ok()
        && connection.execute(text, []).is_ok()
        && connection
            .prepare(&format!("SELECT * FROM {name} LIMIT 0"))
            .is_ok();
    let end = if made {
        "RELEASE view"
    } else {
        "ROLLBACK TO view; RELEASE view"
    };
    Ok(connection.execute_batch(end).is_ok() && made)
}
