//! Reads the schema of a SQLite database: pragmas for what they know, the DDL text for the rest.
//!
//! Everything runs on the caller's connection, so inside its snapshot. Objects that cannot be read (a view
//! over a missing table, a virtual table whose module is not there) become diagnostics.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, Result, Row};
use tdm_core::catalog::{
    Action, Catalog, Check, Column, ForeignKey, Generation, Index, IndexPart, Key, SchemaObject,
    TableKind, TableSchema,
};
use tdm_core::diagnostic::Diagnostic;
use tdm_core::ident::TableRef;
use tdm_core::port::Introspection;
use tdm_core::types::Engine;

use super::ddl_parse::{self, TableDdl};
use super::types;
use crate::quote::Dialect;

/// Rows are counted exactly up to this many; beyond it statistics or the largest rowid give an estimate.
const EXACT_COUNT_MAX: u64 = 100_000;

/// Reads everything.
pub(super) fn catalog(connection: &Connection) -> Result<Introspection> {
    let mut catalog = Catalog::new(Engine::Sqlite, rusqlite::version());
    let mut diagnostics = Vec::new();
    let mut definitions = Definitions::read(connection)?;
    let statistics = statistics(connection);

    for entry in relations(connection)? {
        let mut table = match read_table(connection, &entry, &definitions, &mut diagnostics) {
            Ok(table) => table,
            Err(_) => {
                diagnostics.push(Diagnostic::warning(
                    "introspect.unreadable",
                    TableRef::new(&entry.name),
                    "SQLite cannot read this object: a table or a module that it needs is missing",
                ));
                let mut table = TableSchema::new(TableRef::new(&entry.name));
                table.kind = entry.kind;
                table.definition = definitions.table(&entry.name).map(str::to_owned);
                table
            }
        };
        if table.kind.holds_rows() {
            table.row_estimate = row_estimate(connection, &table, &statistics);
        }
        if table.kind == TableKind::Virtual {
            diagnostics.push(Diagnostic::info(
                "introspect.virtual_table",
                &table.table,
                "a virtual table is not copied",
            ));
        }
        catalog.tables.push(table);
    }
    resolve_parents(&mut catalog.tables, &mut diagnostics);
    catalog.tables.sort_by(|a, b| a.table.cmp(&b.table));
    catalog.objects.append(&mut definitions.objects);
    for object in catalog.objects.iter().filter(|o| o.kind == "trigger") {
        diagnostics.push(Diagnostic::info(
            "introspect.not_carried",
            &object.name,
            "a trigger is not copied",
        ));
    }
    Ok(Introspection {
        catalog,
        diagnostics,
    })
}

/// Reads one table, references as the text has them: parents' columns are empty where it leaves them out.
/// `None` when there is no such table.
pub(super) fn table(connection: &Connection, name: &str) -> Result<Option<TableSchema>> {
    let Some(entry) = relations(connection)?.into_iter().find(|e| e.name == name) else {
        return Ok(None);
    };
    let definitions = Definitions::read(connection)?;
    read_table(connection, &entry, &definitions, &mut Vec::new()).map(Some)
}

/// One line of `PRAGMA table_list`.
struct Relation {
    name: String,
    kind: TableKind,
    without_rowid: bool,
    strict: bool,
}

fn relations(connection: &Connection) -> Result<Vec<Relation>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, type, wr, strict FROM pragma_table_list
         WHERE schema = 'main' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
    )?;
    statement
        .query_map([], |row| {
            let kind: String = row.get(1)?;
            Ok(Relation {
                name: row.get(0)?,
                kind: match kind.as_str() {
                    "view" => TableKind::View,
                    "virtual" => TableKind::Virtual,
                    "shadow" => TableKind::Shadow,
                    _ => TableKind::Table,
                },
                without_rowid: row.get(2)?,
                strict: row.get(3)?,
            })
        })?
        .collect()
}

/// The texts of `sqlite_master`.
struct Definitions {
    tables: HashMap<String, String>,
    indexes: HashMap<String, String>,
    objects: Vec<SchemaObject>,
}

impl Definitions {
    fn read(connection: &Connection) -> Result<Self> {
        let mut definitions = Self {
            tables: HashMap::new(),
            indexes: HashMap::new(),
            objects: Vec::new(),
        };
        let mut statement = connection.prepare_cached(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name, table): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let sql: Option<String> = row.get(3)?;
            match kind.as_str() {
                "table" => {
                    definitions.tables.extend(sql.map(|sql| (name, sql)));
                }
                "index" => {
                    definitions.indexes.extend(sql.map(|sql| (name, sql)));
                }
                _ => {
                    if kind == "view" {
                        definitions
                            .tables
                            .extend(sql.clone().map(|sql| (name.clone(), sql)));
                    }
                    definitions.objects.push(SchemaObject {
                        table: (kind == "trigger").then(|| TableRef::new(table)),
                        name: TableRef::new(name),
                        kind,
                        definition: sql,
                    });
                }
            }
        }
        Ok(definitions)
    }

    fn table(&self, name: &str) -> Option<&str> {
        self.tables.get(name).map(String::as_str)
    }
}

fn read_table(
    connection: &Connection,
    entry: &Relation,
    definitions: &Definitions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<TableSchema> {
    let mut table = TableSchema::new(TableRef::new(&entry.name));
    table.kind = entry.kind;
    table.definition = definitions.table(&entry.name).map(str::to_owned);
    let ddl = (entry.kind == TableKind::Table)
        .then_some(table.definition.as_deref())
        .flatten()
        .and_then(ddl_parse::table)
        .unwrap_or_default();
    columns(connection, entry, &ddl, &mut table, diagnostics)?;
    if entry.kind != TableKind::Table {
        return Ok(table);
    }
    table.checks = ddl
        .checks
        .iter()
        .map(|(name, expression)| Check {
            name: name.clone(),
            expression: expression.clone(),
            validated: true,
            exclusion: false,
        })
        .collect();
    let mut option = |name: &str, set: bool| {
        if set {
            table.options.insert(name.to_owned(), "true".to_owned());
        }
    };
    option("strict", entry.strict);
    option("without_rowid", entry.without_rowid);
    option("autoincrement", ddl.autoincrement);
    indexes(connection, &ddl, definitions, &mut table)?;
    table.foreign_keys = foreign_keys(connection, &ddl, &table.table)?;
    Ok(table)
}

fn columns(
    connection: &Connection,
    entry: &Relation,
    ddl: &TableDdl,
    table: &mut TableSchema,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT cid, name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1)",
    )?;
    let mut rows = statement.query([&entry.name])?;
    let mut key: Vec<(u32, String)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, native): (String, String) = (row.get(1)?, row.get(2)?);
        let (logical, known) = types::logical(&native);
        if !known {
            diagnostics.push(Diagnostic::info(
                "introspect.unknown_type",
                table.table.column(&name),
                "the declared type is not known; it is read by SQLite's affinity rules",
            ));
        }
        let ordinal = row.get::<_, u32>(0)? + 1;
        let mut column = Column::new(name, ordinal, native, logical);
        let text = ddl.columns.iter().find(|c| c.name == column.name);
        column.nullable = !row.get::<_, bool>(3)?;
        column.default = row.get(4)?;
        column.collation = text
            .and_then(|c| c.collation.clone())
            .filter(|c| !c.eq_ignore_ascii_case("binary"));
        let hidden: u8 = row.get(6)?;
        column.invisible = hidden == 1;
        if matches!(hidden, 2 | 3) {
            column.generation = Generation::Computed {
                expression: text.and_then(|c| c.generated.clone()).unwrap_or_default(),
                stored: hidden == 3,
            };
        }
        let position: u32 = row.get(5)?;
        if position > 0 {
            key.push((position, column.name.clone()));
        }
        table.columns.push(column);
    }
    key.sort_unstable();
    let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    if key.is_empty() {
        return Ok(());
    }
    if entry.kind == TableKind::Table {
        let counter = rowid_alias(connection, entry, &table.columns, &key)?;
        for column in &mut table.columns {
            if counter && key[0] == column.name {
                column.generation = Generation::Identity { always: false };
                column.nullable = false;
            } else if entry.without_rowid && key.contains(&column.name) {
                column.nullable = false;
            }
        }
    }
    let mut primary = Key::over(key);
    primary.name.clone_from(&ddl.primary_key);
    table.primary_key = Some(primary);
    Ok(())
}

/// Whether the key is the rowid under another name: one column of type INTEGER exactly, and no index of its
/// own (`INTEGER PRIMARY KEY DESC` in a column definition has one).
fn rowid_alias(
    connection: &Connection,
    entry: &Relation,
    columns: &[Column],
    key: &[String],
) -> Result<bool> {
    let [only] = key else { return Ok(false) };
    let integer = columns
        .iter()
        .any(|c| c.name == *only && c.native.eq_ignore_ascii_case("integer"));
    if entry.without_rowid || !integer {
        return Ok(false);
    }
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM pragma_index_list(?1) WHERE origin = 'pk'")?;
    statement.query_row([&entry.name], |row| Ok(row.get::<_, i64>(0)? == 0))
}

fn indexes(
    connection: &Connection,
    ddl: &TableDdl,
    definitions: &Definitions,
    table: &mut TableSchema,
) -> Result<()> {
    let mut list = connection.prepare_cached(
        "SELECT name, \"unique\", origin FROM pragma_index_list(?1) ORDER BY seq DESC",
    )?;
    let found: Vec<(String, bool, String)> = list
        .query_map([&table.table.name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_>>()?;
    for (name, unique, origin) in found {
        let mut parts = connection.prepare_cached(
            "SELECT cid, name, \"desc\" FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno",
        )?;
        let parts: Vec<(i64, Option<String>, bool)> = parts
            .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_>>()?;
        match origin.as_str() {
            "pk" => {}
            "u" => {
                let mut key = Key::over(parts.into_iter().filter_map(|(_, name, _)| name));
                key.name = ddl
                    .unique
                    .iter()
                    .find(|(_, columns)| same_names(columns, &key.columns))
                    .map(|(name, _)| name.clone());
                table.unique.push(key);
            }
            _ => {
                let definition = definitions.indexes.get(&name).cloned();
                let text = definition.as_deref().and_then(ddl_parse::index);
                let written = |at: usize| text.as_ref().and_then(|t| t.parts.get(at)).cloned();
                table.indexes.push(Index {
                    parts: parts
                        .into_iter()
                        .enumerate()
                        .map(|(at, (cid, column, descending))| match column {
                            Some(name) if cid >= 0 => IndexPart::Column { name, descending },
                            _ => IndexPart::Expression {
                                sql: written(at).unwrap_or_else(|| "rowid".to_owned()),
                            },
                        })
                        .collect(),
                    name,
                    unique,
                    method: None,
                    predicate: text.as_ref().and_then(|t| t.predicate.clone()),
                    include: Vec::new(),
                    valid: true,
                    definition,
                });
            }
        }
    }
    table.unique.sort_by(|a, b| a.columns.cmp(&b.columns));
    table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

/// Foreign keys in the order of the text. Parents' columns stay empty where the text leaves them out.
fn foreign_keys(
    connection: &Connection,
    ddl: &TableDdl,
    child: &TableRef,
) -> Result<Vec<ForeignKey>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete
         FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq",
    )?;
    let mut rows = statement.query([&child.name])?;
    let mut found: BTreeMap<std::cmp::Reverse<i64>, ForeignKey> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let parent: String = row.get(1)?;
        let key = found
            .entry(std::cmp::Reverse(row.get(0)?))
            .or_insert_with(|| ForeignKey {
                // Enforcement is a setting of each connection, off by default: nobody vouches for the rows.
                validated: false,
                ..ForeignKey::new(child.clone(), TableRef::new(parent), Vec::new())
            });
        key.on_update = action(row, 4)?;
        key.on_delete = action(row, 5)?;
        let to: Option<String> = row.get(3)?;
        key.columns.push((row.get(2)?, to.unwrap_or_default()));
    }
    let mut keys: Vec<ForeignKey> = found.into_values().collect();
    if keys.len() == ddl.foreign_keys.len() {
        for (key, text) in keys.iter_mut().zip(&ddl.foreign_keys) {
            let columns: Vec<String> = key.columns.iter().map(|(c, _)| c.clone()).collect();
            if same_names(&columns, &text.columns) {
                key.name.clone_from(&text.name);
                key.deferrability = text.deferrability;
            }
        }
    }
    Ok(keys)
}

fn action(row: &Row<'_>, index: usize) -> Result<Action> {
    let word: String = row.get(index)?;
    Ok(match word.as_str() {
        "RESTRICT" => Action::Restrict,
        "CASCADE" => Action::Cascade,
        "SET NULL" => Action::SetNull,
        "SET DEFAULT" => Action::SetDefault,
        _ => Action::NoAction,
    })
}

/// Names in SQLite match whatever their ASCII case.
fn same_names(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Spells parents as the catalog does and fills in the columns that `REFERENCES t` leaves out.
fn resolve_parents(tables: &mut [TableSchema], diagnostics: &mut Vec<Diagnostic>) {
    struct Parent {
        table: TableRef,
        key: Vec<String>,
        columns: Vec<String>,
    }
    let parents: HashMap<String, Parent> = tables
        .iter()
        .map(|table| {
            let parent = Parent {
                table: table.table.clone(),
                key: table
                    .primary_key
                    .iter()
                    .flat_map(|k| k.columns.clone())
                    .collect(),
                columns: table.columns.iter().map(|c| c.name.clone()).collect(),
            };
            (table.table.name.to_ascii_lowercase(), parent)
        })
        .collect();
    for table in tables {
        for key in &mut table.foreign_keys {
            let Some(parent) = parents.get(&key.parent.name.to_ascii_lowercase()) else {
                continue;
            };
            key.parent = parent.table.clone();
            let short = key.columns.iter().all(|(_, to)| to.is_empty());
            let full = parent.key.len() == key.columns.len();
            for (position, (_, to)) in key.columns.iter_mut().enumerate() {
                if short && full {
                    to.clone_from(&parent.key[position]);
                } else if let Some(name) =
                    parent.columns.iter().find(|c| c.eq_ignore_ascii_case(to))
                {
                    to.clone_from(name);
                }
            }
        }
        let place = table.table.clone();
        table.foreign_keys.retain(|key| {
            let known = parents.contains_key(&key.parent.name.to_ascii_lowercase());
            let resolved = key.columns.iter().all(|(_, to)| !to.is_empty());
            if !known || !resolved {
                diagnostics.push(Diagnostic::warning(
                    "introspect.dangling_reference",
                    &place,
                    format!(
                        "a foreign key refers to {}, which {}",
                        key.parent,
                        if known {
                            "has no primary key of as many columns"
                        } else {
                            "does not exist"
                        }
                    ),
                ));
            }
            resolved
        });
    }
}

/// Row counts of `sqlite_stat1`, empty when ANALYZE never ran.
fn statistics(connection: &Connection) -> HashMap<String, u64> {
    let read = || -> Result<HashMap<String, u64>> {
        let mut statement = connection.prepare("SELECT tbl, stat FROM sqlite_stat1")?;
        let rows = statement.query_map([], |row| {
            let stat: Option<String> = row.get(1)?;
            let rows = stat.and_then(|s| s.split(' ').next().and_then(|n| n.parse().ok()));
            Ok((row.get(0)?, rows.unwrap_or(0)))
        })?;
        let mut largest = HashMap::new();
        for row in rows {
            let (table, rows): (String, u64) = row?;
            let known = largest.entry(table).or_insert(rows);
            *known = rows.max(*known);
        }
        Ok(largest)
    };
    read().unwrap_or_default()
}

fn row_estimate(
    connection: &Connection,
    table: &TableSchema,
    statistics: &HashMap<String, u64>,
) -> Option<u64> {
    let name = Dialect::Sqlite.identifier(&table.table.name).ok()?;
    let bounded = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {})",
        EXACT_COUNT_MAX + 1
    );
    let number = |sql: &str| -> Option<u64> {
        connection
            .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
            .ok()
            .flatten()
            .and_then(|n| u64::try_from(n).ok())
    };
    let counted = number(&bounded)?;
    if counted <= EXACT_COUNT_MAX {
        return Some(counted);
    }
    statistics
        .get(&table.table.name)
        .copied()
        .filter(|rows| *rows > EXACT_COUNT_MAX)
        .or_else(|| number(&format!("SELECT max(rowid) FROM {name}")))
        .or(Some(counted))
}
