//! From rules to a program: one decision for every column, proven against the schema before a row is read.

mod bind;
mod decide;
mod prove;
mod report;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tdm_core::batch::Encoding;
use tdm_core::catalog::{Column, ForeignKey, TableSchema};
use tdm_core::finding::Classification;
use tdm_core::function::Resources;
use tdm_core::generator::GeneratorFunction;
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::keyring::Keyring;
use tdm_core::lineage::ColumnLineage;
use tdm_core::rule::RuleSet;
use tdm_core::transform::Form;

use crate::error::{PlanErrors, PlanWarning};
use crate::registry::Registry;

pub use report::CoverageRow;
pub use table::TablePlan;

/// The encoding in which a source delivers a column in a form, see
/// [`tdm_core::port::RowSource::encoding`] and [`tdm_core::port::RowSource::carried`].
pub type EncodingOf<'a> = &'a dyn Fn(&TableSchema, &Column, Form) -> Encoding;

/// Everything a plan is made from.
#[derive(Clone, Copy)]
pub struct PlanRequest<'a> {
    /// Tables to be cleared, with their declared references.
    pub tables: &'a [TableSchema],
    /// Virtual and inferred references beside the declared ones.
    pub relationships: &'a [ForeignKey],
    /// The accepted word on each column, as far as there is one.
    pub classifications: &'a [Classification],
    /// The user's rules. They stand before the policy's.
    pub rules: &'a RuleSet,
    /// A policy that decides what the rules leave open, see [`crate::policy`].
    pub policy: Option<&'a RuleSet>,
    /// Functions that rules may name.
    pub registry: &'a Registry,
    /// Where keys come from.
    pub keyring: &'a dyn Keyring,
    /// Dictionaries, lists and detectors.
    pub resources: &'a dyn Resources,
    /// How the source delivers columns.
    pub encoding: EncodingOf<'a>,
    /// Generators that `generate` may name.
    pub generators: &'a [Arc<dyn GeneratorFunction>],
    /// Seed of the generators.
    pub seed: u64,
    /// Fingerprint of the schema version that the tables belong to.
    pub catalog_fingerprint: &'a str,
}

impl fmt::Debug for PlanRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanRequest")
            .field("tables", &self.tables.len())
            .field("rules", &self.rules.name)
            .finish_non_exhaustive()
    }
}

/// A decision for every column of a set of tables, bound, proven and hashed.
#[derive(Debug)]
pub struct MaskingPlan {
    tables: BTreeMap<TableRef, Arc<TablePlan>>,
    coverage: Vec<CoverageRow>,
    warnings: Vec<PlanWarning>,
    hash: String,
}

impl MaskingPlan {
    /// Decides every column that a load writes, binds functions and proves their promises against keys,
    /// references, nullability, lengths and checks.
    ///
    /// # Errors
    /// All problems at once, each with its place, rule, reason and remedy.
    pub fn compile(request: PlanRequest<'_>) -> Result<Self, PlanErrors> {
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let decided = decide::decide(&request, &mut problems, &mut warnings);
        let bound = bind::bind(&request, &decided, &mut problems);
        prove::prove(&request, &bound, &mut problems, &mut warnings);
        if !problems.is_empty() {
            problems
                .sort_by(|a, b| (&a.column, a.code, &a.rule).cmp(&(&b.column, b.code, &b.rule)));
            problems.dedup();
            return Err(PlanErrors(problems));
        }
        let coverage = report::coverage(&bound);
        let hash = report::hash(&request, &bound);
        let tables = table::build(&request, bound);
        Ok(Self {
            tables,
            coverage,
            warnings,
            hash,
        })
    }

    /// The program of one table; `None` when the plan does not have it.
    pub fn table(&self, table: &TableRef) -> Option<Arc<TablePlan>> {
        self.tables.get(table).cloned()
    }

    /// Tables of the plan, sorted.
    pub fn tables(&self) -> impl Iterator<Item = &TableRef> {
        self.tables.keys()
    }

    /// SHA-256 in hexadecimal over everything that decides an output: the decision for each column, function,
    /// parameters, domain, the key's fingerprint, the seed and the schema's fingerprint.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// One row for each column, in order of table and column.
    pub fn coverage(&self) -> &[CoverageRow] {
        &self.coverage
    }

    /// What a person should know although the plan works.
    pub fn warnings(&self) -> &[PlanWarning] {
        &self.warnings
    }

    /// How each column of a table's target is made.
    pub fn lineage(&self, table: &TableRef) -> Vec<ColumnLineage> {
        let rows = self
            .coverage
            .iter()
            .filter(|row| row.column.table == *table);
        rows.filter_map(CoverageRow::lineage).collect()
    }

    /// Columns of a table whose values do not reach the target in clear.
    pub fn masked_columns(&self, table: &TableRef) -> Vec<ColumnRef> {
        self.coverage
            .iter()
            .filter(|row| row.column.table == *table && row.disposition != "keep")
            .map(|row| row.column.clone())
            .collect()
    }
}
