//! From a request to generators: every decision is made, checked and written down before the first row.

mod columns;
mod compile;
mod counted;
mod decide;
mod draft;
mod finish;
mod keys;
mod references;
pub(crate) mod request;
mod rows;
mod secure;
mod spread;
mod table;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tdm_core::generator::RowGenerator;
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::lineage::ColumnLineage;

use self::request::SynthRequest;
use self::rows::TableGenerator;
use self::table::Plans;
use crate::error::SynthErrors;

/// How one column is made, for people and for lineage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnCoverage {
    /// The column.
    pub column: ColumnRef,
    /// Name of the generator; `reference` for a key of another row, `server` for what the server computes.
    pub generator: String,
    /// Why this generator: `recipe`, `check constraint`, `key`, a category, `column name`, `default`, `type`.
    pub reason: String,
    /// Whether no two rows have the same value.
    pub unique: bool,
    /// Share of NULLs.
    pub null_share: f64,
}

/// A compiled request: which tables in which order, and how every column is made.
#[derive(Debug, Clone)]
pub struct SynthPlan {
    plans: Arc<Plans>,
    /// Positions of the tables, parents first.
    order: Vec<usize>,
    coverage: Vec<ColumnCoverage>,
    late: Vec<String>,
    shrunk: Vec<(TableRef, u64, u64)>,
    hash: String,
}

impl SynthPlan {
    /// Decides everything.
    ///
    /// # Errors
    /// All problems at once, each with place, reason and remedy.
    pub fn compile(request: &SynthRequest<'_>) -> Result<Self, SynthErrors> {
        compile::compile(request)
    }

    /// Tables in the order in which they can be loaded, each with its rows and its generator.
    pub fn tables(&self) -> Vec<PlannedTable> {
        self.order
            .iter()
            .map(|&at| PlannedTable {
                table: self.plans.tables[at].table.clone(),
                rows: self.plans.tables[at].rows,
                generator: Arc::new(TableGenerator {
                    plans: Arc::clone(&self.plans),
                    table: at,
                }),
            })
            .collect()
    }

    /// The generator of one table.
    pub fn generator(&self, table: &TableRef) -> Option<Arc<dyn RowGenerator>> {
        let at = self.plans.tables.iter().position(|t| t.table == *table)?;
        Some(Arc::new(TableGenerator {
            plans: Arc::clone(&self.plans),
            table: at,
        }))
    }

    /// SHA-256 over everything that decides the data, in lower-case hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How each column of `table` is made, as lineage keeps it.
    pub fn lineage(&self, table: &TableRef) -> Vec<ColumnLineage> {
        self.coverage
            .iter()
            .filter(|c| c.column.table == *table && c.generator != "server")
            .map(|c| ColumnLineage {
                source: None,
                target: c.column.clone(),
                transformation: c.generator.clone(),
                masked: true,
                rule: Some(c.reason.clone()),
            })
            .collect()
    }

    /// How every column is made.
    pub fn coverage(&self) -> &[ColumnCoverage] {
        &self.coverage
    }

    /// Tables that get fewer rows than were asked for: table, asked, made. Empty unless the request allows it.
    pub fn shrunk(&self) -> &[(TableRef, u64, u64)] {
        &self.shrunk
    }

    /// References to rows that are loaded later, as text: the loader must check references at the end.
    pub fn late_references(&self) -> &[String] {
        &self.late
    }
}

/// One table of a plan.
#[derive(Debug, Clone)]
pub struct PlannedTable {
    /// The table.
    pub table: TableRef,
    /// How many rows are made.
    pub rows: u64,
    /// Makes them; rows are numbered from 0.
    pub generator: Arc<dyn RowGenerator>,
}
