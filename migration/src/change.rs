//! How the history changes a table that exists, so that SQLite, PostgreSQL and MariaDB agree on the result.
//!
//! PostgreSQL and MariaDB alter in place. SQLite can add a column that may be empty, rename and drop columns, and make
//! indexes; for the rest the table is built anew, filled from the old one, and put in its place.
//!
//! This file is part of the history: a change here changes what old migrations mean. Add, never alter.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, Statement};

use crate::portable::{Dialect, Draft, Holds, OnDelete};

/// Changes of one table, made in the order in which they are written.
///
/// On MariaDB, which commits each of them, one that is there already is passed over: a migration that stopped half way
/// can be rolled back.
pub(crate) struct Change {
    table: &'static str,
    dialect: Dialect,
    steps: Vec<Step>,
}

enum Step {
    Add(&'static str, Holds),
    Fill(&'static str, &'static str),
    Alter(&'static str, Holds, bool),
    Rename(&'static str, &'static str),
    Drop(&'static str),
    Index(Vec<&'static str>, bool),
    DropIndex(&'static str),
    Reference(&'static str, &'static str, OnDelete),
    DropReference(&'static str),
    OneOf(&'static str, Vec<&'static str>),
    DropCheck(&'static str),
}

impl Change {
    /// No change of `table` yet.
    pub(crate) const fn of(dialect: Dialect, table: &'static str) -> Self {
        Self {
            table,
            dialect,
            steps: Vec::new(),
        }
    }

    /// A new column that may be empty.
    pub(crate) fn add(self, column: &'static str, holds: Holds) -> Self {
        self.step(Step::Add(column, holds))
    }

    /// A new column that is always filled. Rows that exist get `fill`, an SQL expression that every engine understands;
    /// with `NULL` the change is refused as soon as there is a row.
    pub(crate) fn add_required(
        self,
        column: &'static str,
        holds: Holds,
        fill: &'static str,
    ) -> Self {
        self.step(Step::Add(column, holds))
            .step(Step::Fill(column, fill))
            .step(Step::Alter(column, holds, true))
    }

    /// `column` now holds `holds` and is always filled. Rows where it is empty get `fill`, as in
    /// [`Change::add_required`].
    pub(crate) fn require(self, column: &'static str, holds: Holds, fill: &'static str) -> Self {
        self.step(Step::Fill(column, fill))
            .step(Step::Alter(column, holds, true))
    }

    /// `column` now holds `holds` and may be empty.
    pub(crate) fn relax(self, column: &'static str, holds: Holds) -> Self {
        self.step(Step::Alter(column, holds, false))
    }

    /// Another name for a column; what it holds stays.
    pub(crate) fn rename(self, from: &'static str, to: &'static str) -> Self {
        self.step(Step::Rename(from, to))
    }

    /// A column goes, with what it holds.
    pub(crate) fn drop(self, column: &'static str) -> Self {
        self.step(Step::Drop(column))
    }

    /// An index over `columns`.
    pub(crate) fn index(self, columns: &[&'static str]) -> Self {
        self.step(Step::Index(columns.to_vec(), false))
    }

    /// A key: no two rows agree in all of `columns`.
    pub(crate) fn unique(self, columns: &[&'static str]) -> Self {
        self.step(Step::Index(columns.to_vec(), true))
    }

    /// The index or key called `name` goes.
    pub(crate) fn drop_index(self, name: &'static str) -> Self {
        self.step(Step::DropIndex(name))
    }

    /// A foreign key from `column` to the `id` of `parent`.
    pub(crate) fn references(
        self,
        column: &'static str,
        parent: &'static str,
        on_delete: OnDelete,
    ) -> Self {
        self.step(Step::Reference(column, parent, on_delete))
    }

    /// The foreign key called `name` goes.
    pub(crate) fn drop_reference(self, name: &'static str) -> Self {
        self.step(Step::DropReference(name))
    }

    /// `column` holds one of `words` and nothing else.
    pub(crate) fn one_of(self, column: &'static str, words: &[&'static str]) -> Self {
        self.step(Step::OneOf(column, words.to_vec()))
    }

    /// The check called `name` goes.
    pub(crate) fn drop_check(self, name: &'static str) -> Self {
        self.step(Step::DropCheck(name))
    }

    /// Alters in place on every engine.
    ///
    /// On SQLite only for columns that may be empty, renames, drops and indexes; the rest is refused, see
    /// [`Change::apply_or_rebuild`].
    pub(crate) async fn apply(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for step in &self.steps {
            if !self.is_done(step, manager).await? {
                self.alter(step, manager).await?;
            }
        }
        Ok(())
    }

    /// Alters in place, or on SQLite builds the table anew as `result` says and fills it from the old one.
    pub(crate) async fn apply_or_rebuild(
        self,
        manager: &SchemaManager<'_>,
        result: Draft,
    ) -> Result<(), DbErr> {
        if self.dialect.backend() == DbBackend::Sqlite {
            self.rebuild(manager, result).await
        } else {
            self.apply(manager).await
        }
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    async fn rebuild(self, manager: &SchemaManager<'_>, result: Draft) -> Result<(), DbErr> {
        let next = format!("{}_next", self.table);
        let (mut create, indexes) = result.into_statements();
        create.table(next.clone());
        let columns: Vec<String> = create
            .get_columns()
            .iter()
            .map(ColumnDef::get_column_name)
            .collect();
        let sources: Vec<String> = columns.iter().map(|column| self.source(column)).collect();
        let names: Vec<String> = columns.iter().map(|column| self.quoted(column)).collect();
        manager.create_table(create).await?;
        let copy = format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}",
            self.quoted(&next),
            names.join(", "),
            sources.join(", "),
            self.quoted(self.table)
        );
        manager.get_connection().execute_unprepared(&copy).await?;
        manager
            .drop_table(Table::drop().table(self.table).to_owned())
            .await?;
        manager
            .rename_table(Table::rename().table(next, self.table).to_owned())
            .await?;
        for index in indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    /// What fills `column` of the new table, in terms of the old one.
    fn source(&self, column: &str) -> String {
        let mut source = Some(column);
        let mut fill = None;
        for step in self.steps.iter().rev() {
            match step {
                Step::Fill(name, with) if source == Some(*name) => fill = Some(*with),
                Step::Rename(from, to) if source == Some(*to) => source = Some(from),
                Step::Add(name, _) if source == Some(*name) => source = None,
                _ => {}
            }
        }
        // With the table's name: SQLite would read a quoted name that it does not know as a text.
        let old = source.map(|name| format!("{}.{}", self.quoted(self.table), self.quoted(name)));
        match (old, fill) {
            (Some(old), Some(fill)) => format!("COALESCE({old}, {fill})"),
            (Some(old), None) => old,
            (None, Some(fill)) => fill.to_owned(),
            (None, None) => "NULL".to_owned(),
        }
    }

    async fn alter(&self, step: &Step, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let table = self.table;
        let backend = self.dialect.backend();
        let alter = || Table::alter().table(table).to_owned();
        match step {
            Step::Add(column, holds) => {
                let column = self.dialect.column(column, *holds);
                manager
                    .alter_table(alter().add_column(column).to_owned())
                    .await
            }
            Step::Rename(from, to) => {
                manager
                    .alter_table(alter().rename_column(*from, *to).to_owned())
                    .await
            }
            Step::Drop(column) => {
                manager
                    .alter_table(alter().drop_column(*column).to_owned())
                    .await
            }
            Step::Index(columns, unique) => {
                manager
                    .create_index(self.index_over(columns, *unique))
                    .await
            }
            Step::DropIndex(name) => {
                manager
                    .drop_index(Index::drop().name(*name).table(table).to_owned())
                    .await
            }
            _ if backend == DbBackend::Sqlite => Err(DbErr::Migration(
                "SQLite changes columns and constraints only by building the table anew".to_owned(),
            )),
            Step::Fill(column, fill) => {
                let (table, column) = (self.quoted(table), self.quoted(column));
                let sql = format!("UPDATE {table} SET {column} = {fill} WHERE {column} IS NULL");
                self.execute(manager, &sql).await
            }
            Step::Alter(column, holds, required) if backend == DbBackend::Postgres => {
                let (table, column) = (self.quoted(table), self.quoted(column));
                let kind = postgres_type(*holds);
                let null = if *required { "SET" } else { "DROP" };
                let sql = format!(
                    "ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind} USING {column}::{kind}, \
                     ALTER COLUMN {column} {null} NOT NULL"
                );
                self.execute(manager, &sql).await
            }
            Step::Alter(column, holds, required) => {
                let mut column = self.dialect.column(column, *holds);
                if *required {
                    column.not_null();
                } else {
                    column.null();
                }
                manager
                    .alter_table(alter().modify_column(column).to_owned())
                    .await
            }
            Step::Reference(column, parent, on_delete) => {
                let reference = ForeignKey::create()
                    .name(format!("fk-{table}-{column}"))
                    .from(table, *column)
                    .to(*parent, "id")
                    .on_delete(on_delete.action())
                    .on_update(ForeignKeyAction::Restrict)
                    .to_owned();
                manager.create_foreign_key(reference).await
            }
            Step::DropReference(name) => {
                let drop = ForeignKey::drop().name(*name).table(table).to_owned();
                manager.drop_foreign_key(drop).await
            }
            Step::OneOf(column, words) => {
                let words: Vec<String> = words
                    .iter()
                    .map(|word| format!("'{}'", word.replace('\'', "''")))
                    .collect();
                let sql = format!(
                    "ALTER TABLE {} ADD CONSTRAINT {} CHECK ({} IN ({}))",
                    self.quoted(table),
                    self.quoted(&format!("ck-{table}-{column}")),
                    self.quoted(column),
                    words.join(", ")
                );
                self.execute(manager, &sql).await
            }
            Step::DropCheck(name) => {
                let (table, name) = (self.quoted(table), self.quoted(name));
                let sql = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
                self.execute(manager, &sql).await
            }
        }
    }

    /// Whether MariaDB has made this change already, before the migration stopped.
    async fn is_done(&self, step: &Step, manager: &SchemaManager<'_>) -> Result<bool, DbErr> {
        if self.dialect.backend() != DbBackend::MySql {
            return Ok(false);
        }
        let table = self.table;
        match step {
            Step::Add(column, _) => manager.has_column(table, column).await,
            Step::Drop(column) => Ok(!manager.has_column(table, column).await?),
            Step::Rename(from, to) => Ok(
                !manager.has_column(table, from).await? && manager.has_column(table, to).await?
            ),
            Step::Fill(column, _) | Step::Alter(column, ..) => {
                // The column may have gone again with a later change of the same table.
                Ok(!manager.has_column(table, column).await?)
            }
            Step::Index(columns, _) => manager.has_index(table, index_name(table, columns)).await,
            Step::DropIndex(name) => Ok(!manager.has_index(table, name).await?),
            Step::Reference(column, ..) => {
                self.has_constraint(manager, &format!("fk-{table}-{column}"))
                    .await
            }
            Step::OneOf(column, _) => {
                self.has_constraint(manager, &format!("ck-{table}-{column}"))
                    .await
            }
            Step::DropReference(name) | Step::DropCheck(name) => {
                Ok(!self.has_constraint(manager, name).await?)
            }
        }
    }

    async fn has_constraint(&self, manager: &SchemaManager<'_>, name: &str) -> Result<bool, DbErr> {
        let ask = Statement::from_sql_and_values(
            DbBackend::MySql,
            "SELECT COUNT(*) FROM information_schema.table_constraints \
             WHERE constraint_schema = DATABASE() AND table_name = ? AND constraint_name = ?",
            [self.table.into(), name.into()],
        );
        let row = manager.get_connection().query_one_raw(ask).await?;
        let found: i64 = row
            .map(|row| row.try_get_by_index(0))
            .transpose()?
            .unwrap_or_default();
        Ok(found > 0)
    }

    fn index_over(&self, columns: &[&'static str], unique: bool) -> IndexCreateStatement {
        let mut index = Index::create();
        index
            .name(index_name(self.table, columns))
            .table(self.table);
        for column in columns {
            index.col(*column);
        }
        if unique {
            index.unique();
        }
        index
    }

    async fn execute(&self, manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(sql)
            .await
            .map(drop)
    }

    fn quoted(&self, name: &str) -> String {
        let quote = if self.dialect.backend() == DbBackend::MySql {
            '`'
        } else {
            '"'
        };
        let doubled = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{doubled}{quote}")
    }
}

fn index_name(table: &str, columns: &[&'static str]) -> String {
    format!("idx-{table}-{}", columns.join("-"))
}

const fn postgres_type(holds: Holds) -> &'static str {
    match holds {
        Holds::Id => "uuid",
        Holds::Name => "varchar(255)",
        Holds::Word => "varchar(128)",
        Holds::Text => "text",
        Holds::Json => "jsonb",
        Holds::Time => "timestamp with time zone",
        Holds::Small => "integer",
        Holds::Big => "bigint",
        Holds::Real => "double precision",
        Holds::Flag => "boolean",
    }
}

impl Draft {
    /// Creates a table that the way forward drops. Where MariaDB stopped before it did, it is still there.
    pub(crate) async fn restore(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let mysql = manager.get_database_backend() == DbBackend::MySql;
        if mysql && manager.has_table(self.name()).await? {
            return Ok(());
        }
        self.create(manager).await
    }
}

/// Drops a table and what it holds. Where MariaDB stopped half way it may be gone already.
pub(crate) async fn drop_table(
    manager: &SchemaManager<'_>,
    name: &'static str,
) -> Result<(), DbErr> {
    manager
        .drop_table(Table::drop().table(name).if_exists().to_owned())
        .await
}

/// Gives a table another name; references to it follow.
pub(crate) async fn rename_table(
    manager: &SchemaManager<'_>,
    from: &'static str,
    to: &'static str,
) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    // On MariaDB this may have been done, or undone, before the migration stopped.
    if backend == DbBackend::MySql && !manager.has_table(from).await? {
        return Ok(());
    }
    manager
        .rename_table(Table::rename().table(from, to).to_owned())
        .await?;
    if backend == DbBackend::Postgres {
        // PostgreSQL alone names the primary key, after the table that it was made with.
        let sql =
            format!("ALTER TABLE \"{to}\" RENAME CONSTRAINT \"{from}_pkey\" TO \"{to}_pkey\"");
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
