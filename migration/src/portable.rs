//! How the history spells a table so that SQLite, PostgreSQL and MariaDB agree on what it means.
//!
//! Names follow one convention, which the entities follow too, so that the two can be compared:
//! `idx-<table>-<columns>`, `fk-<table>-<column>`, `ck-<table>-<column>`. Constraint names are unique in the whole
//! database because MySQL asks for it.
//!
//! This file is part of the history: a change here changes what old migrations mean. Add, never alter.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, Statement};

/// What a column holds, in the words of this history.
#[derive(Clone, Copy)]
pub(crate) enum Holds {
    /// A UUID: `uuid`, `binary(16)` on MariaDB, a 16-byte blob on SQLite.
    Id,
    /// A name that keys may cover: at most 255 characters, so that three of them fit an InnoDB key.
    Name,
    /// A word of ours or a digest: at most 128 characters.
    Word,
    /// Text without a practical limit. MariaDB's plain `text` ends at 64 KiB, hence `longtext` there.
    Text,
    /// A JSON document.
    Json,
    /// An instant, to the microsecond. MariaDB's `timestamp` ends in 2038 and rounds to seconds, hence `datetime(6)`.
    Time,
    /// A 32-bit whole number.
    Small,
    /// A 64-bit whole number.
    Big,
    /// A double-precision number.
    Real,
    /// True or false.
    Flag,
}

/// What becomes of a row when the row it refers to is deleted.
#[derive(Clone, Copy)]
pub(crate) enum OnDelete {
    /// The row goes too.
    Cascade,
    /// The deletion is refused.
    Restrict,
    /// The row stays and forgets the reference.
    Forget,
}

impl OnDelete {
    pub(crate) const fn action(self) -> ForeignKeyAction {
        match self {
            Self::Cascade => ForeignKeyAction::Cascade,
            Self::Restrict => ForeignKeyAction::Restrict,
            Self::Forget => ForeignKeyAction::SetNull,
        }
    }
}

/// What a table must know about the server that holds it.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    backend: DbBackend,
    /// On MySQL and MariaDB, the collation under which two names are equal when they are the same characters. Their
    /// defaults ignore case, and `utf8mb4_bin` ignores spaces at the end; the one that does neither has two names.
    collation: Option<&'static str>,
}

impl Dialect {
    /// Asks the server.
    pub(crate) async fn of(manager: &SchemaManager<'_>) -> Result<Self, DbErr> {
        let backend = manager.get_database_backend();
        if backend != DbBackend::MySql {
            return Ok(Self {
                backend,
                collation: None,
            });
        }
        let ask = Statement::from_string(backend, "SELECT CAST(VERSION() AS CHAR)");
        let row = manager.get_connection().query_one_raw(ask).await?;
        let version: String = row
            .map(|row| row.try_get_by_index(0))
            .transpose()?
            .unwrap_or_default();
        let mariadb = version.contains("MariaDB");
        let collation = if mariadb {
            "utf8mb4_nopad_bin"
        } else {
            "utf8mb4_0900_bin"
        };
        Ok(Self {
            backend,
            collation: Some(collation),
        })
    }
}

impl Dialect {
    pub(crate) const fn backend(self) -> DbBackend {
        self.backend
    }

    /// How this server spells a column that may be empty.
    pub(crate) fn column(self, name: &'static str, holds: Holds) -> ColumnDef {
        column(self.backend, name, holds)
    }
}

/// A table with its keys, checks and indexes.
pub(crate) struct Draft {
    name: &'static str,
    backend: DbBackend,
    create: TableCreateStatement,
    indexes: Vec<IndexCreateStatement>,
}

impl Draft {
    /// The table `name` with a UUID primary key `id`.
    pub(crate) fn new(dialect: Dialect, name: &'static str) -> Self {
        let Dialect { backend, collation } = dialect;
        let mut create = Table::create();
        create
            .table(name)
            .col(ColumnDef::new("id").uuid().not_null().primary_key());
        if let Some(collation) = collation {
            create
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate(collation);
        }
        Self {
            name,
            backend,
            create,
            indexes: Vec::new(),
        }
    }

    /// A column that is always filled.
    pub(crate) fn required(mut self, name: &'static str, holds: Holds) -> Self {
        let mut column = self.column(name, holds);
        self.create.col(column.not_null());
        self
    }

    /// A column that may be empty.
    pub(crate) fn optional(mut self, name: &'static str, holds: Holds) -> Self {
        let column = self.column(name, holds);
        self.create.col(column);
        self
    }

    /// A foreign key from `column` to the `id` of `parent`. The index that supports it is asked for separately.
    pub(crate) fn references(
        mut self,
        column: &'static str,
        parent: &'static str,
        on_delete: OnDelete,
    ) -> Self {
        self.create.foreign_key(
            ForeignKey::create()
                .name(format!("fk-{}-{column}", self.name))
                .from(self.name, column)
                .to(parent, "id")
                .on_delete(on_delete.action())
                .on_update(ForeignKeyAction::Restrict),
        );
        self
    }

    /// `column` holds one of `words` and nothing else.
    pub(crate) fn one_of(mut self, column: &'static str, words: &[&'static str]) -> Self {
        let name = format!("ck-{}-{column}", self.name);
        self.create
            .check((name, Expr::col(column).is_in(words.iter().copied())));
        self
    }

    /// An index over `columns`.
    pub(crate) fn index(self, columns: &[&'static str]) -> Self {
        self.add_index(columns, false)
    }

    /// A key: no two rows agree in all of `columns`.
    pub(crate) fn unique(self, columns: &[&'static str]) -> Self {
        self.add_index(columns, true)
    }

    /// Creates the table, then its indexes.
    pub(crate) async fn create(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.create_table(self.create).await?;
        for index in self.indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn add_index(mut self, columns: &[&'static str], unique: bool) -> Self {
        let mut index = Index::create();
        index
            .name(format!("idx-{}-{}", self.name, columns.join("-")))
            .table(self.name);
        for column in columns {
            index.col(*column);
        }
        if unique {
            index.unique();
        }
        self.indexes.push(index);
        self
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// The table, and the indexes made after it.
    pub(crate) fn into_statements(self) -> (TableCreateStatement, Vec<IndexCreateStatement>) {
        (self.create, self.indexes)
    }

    fn column(&self, name: &'static str, holds: Holds) -> ColumnDef {
        column(self.backend, name, holds)
    }
}

fn column(backend: DbBackend, name: &'static str, holds: Holds) -> ColumnDef {
    let mysql = backend == DbBackend::MySql;
    let mut column = ColumnDef::new(name);
    match holds {
        Holds::Id => column.uuid(),
        Holds::Name => column.string_len(255),
        Holds::Word => column.string_len(128),
        Holds::Text if mysql => column.custom("longtext"),
        Holds::Text => column.text(),
        Holds::Json => column.json_binary(),
        Holds::Time if mysql => column.custom("datetime(6)"),
        Holds::Time => column.timestamp_with_time_zone(),
        Holds::Small => column.integer(),
        Holds::Big => column.big_integer(),
        Holds::Real => column.double(),
        Holds::Flag => column.boolean(),
    };
    column
}
