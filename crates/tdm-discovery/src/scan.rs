//! One look at a database: schema, a bounded sample of every table, profiles, relationships.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::batch::Encoding;
use tdm_core::catalog::{Catalog, ForeignKey, TableKind, TableSchema};
use tdm_core::detector::ColumnSample;
use tdm_core::diagnostic::Diagnostic;
use tdm_core::error::PortError;
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::port::{Introspector, ProgressEvent, RowFilter, RowSource, ScanRequest};
use tdm_core::profile::ColumnProfile;
use tdm_core::scalar::cell;
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::TypeClass;

use crate::error::Error;
use crate::infer::{Relationship, infer};
use crate::options::{Depth, DiscoverContext, DiscoverOptions};
use crate::profile::{GatherLimits, Gatherer};
use crate::relationship::{checked, same};

/// Name under which progress is reported.
const STEP: &str = "discover";

/// What a look at a database found.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The schema.
    pub catalog: Catalog,
    /// What could not be understood or was guessed.
    pub diagnostics: Vec<Diagnostic>,
    /// References that the schema does not declare: those that a person wrote, then those inferred at or above the
    /// score asked for.
    pub relationships: Vec<ForeignKey>,
    /// All inferred candidates with their evidence, best first, those below the score as well.
    pub candidates: Vec<Relationship>,
    /// Profile and sample of every column that was looked at.
    pub columns: BTreeMap<ColumnRef, Observed>,
    /// What was not looked at, and why.
    pub skipped: Vec<Skipped>,
    /// Rows that were read.
    pub rows_read: u64,
}

/// What was seen of a column. The sample holds values: it stays in memory and `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Counts and shapes.
    pub profile: ColumnProfile,
    /// Distinct values.
    pub sample: ColumnSample,
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The table.
    pub table: TableRef,
    /// The column, when it is one of a table that was looked at.
    pub column: Option<String>,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// It holds no rows of its own.
    Kind(TableKind),
    /// Only other tables, or no rows at all, were asked for.
    NotAsked,
    /// The limit on rows of all tables was reached.
    RowBudget,
    /// The limit on time was reached.
    TimeBudget,
    /// Its type is not one that is looked into.
    Type(String),
    /// The server did not let it be read.
    Unreadable(PortError),
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "{}: ", self.table.column(column))?,
            None => write!(f, "{}: ", self.table)?,
        }
        match &self.reason {
            SkipReason::Kind(TableKind::View | TableKind::MaterializedView) => {
                f.write_str("a view, not a table")
            }
            SkipReason::Kind(kind) => write!(f, "not an ordinary table ({kind:?})"),
            SkipReason::NotAsked => f.write_str("not asked for"),
            SkipReason::RowBudget => f.write_str("the limit on rows was reached before"),
            SkipReason::TimeBudget => f.write_str("the limit on time was reached before"),
            SkipReason::Type(native) => write!(f, "values of type {native} are not looked into"),
            SkipReason::Unreadable(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

/// Looks at a database.
///
/// Reads the whole catalog and, within the limits of `options`, one scan of every table that holds rows. A table
/// that cannot be read is reported and left out. Nothing is written; values stay in memory.
///
/// # Errors
/// When the server cannot be reached, the catalog cannot be read at all, the work is cancelled, or a table or
/// relationship that `options` names does not fit the schema.
pub async fn discover(
    introspector: &dyn Introspector,
    source: &dyn RowSource,
    options: &DiscoverOptions,
    context: DiscoverContext<'_>,
) -> Result<Discovery, Error> {
    context.cancel.check()?;
    let introspection = introspector.introspect().await?;
    let relationships = checked(&introspection.catalog, &options.relationships)?;
    let mut looker = Looker {
        source,
        options,
        context,
        deadline: options.seconds_max.map(|seconds| {
            context
                .clock
                .now()
                .0
                .saturating_add(i64::from(seconds) * 1_000_000)
        }),
        found: Discovery {
            catalog: introspection.catalog,
            diagnostics: introspection.diagnostics,
            relationships,
            candidates: Vec::new(),
            columns: BTreeMap::new(),
            skipped: Vec::new(),
            rows_read: 0,
        },
    };
    let wanted = wanted(&looker.found.catalog, &options.tables)?;
    let tables: Vec<Arc<TableSchema>> = looker
        .found
        .catalog
        .tables
        .iter()
        .cloned()
        .map(Arc::new)
        .collect();
    for table in tables {
        context.cancel.check()?;
        match looker.refusal(&table, wanted.as_deref()) {
            Some(reason) => looker.skip(&table.table, None, reason),
            None => looker.look(&table).await?,
        }
    }
    let mut found = looker.found;
    if let Some(infer_options) = &options.infer {
        found.candidates = infer(
            &found.catalog,
            &found.relationships,
            &found.columns,
            Some(source),
            infer_options,
            context.cancel,
        )
        .await?;
        for candidate in &mut found.candidates {
            candidate.accepted &= !options
                .rejected
                .iter()
                .any(|r| same(r, &candidate.reference));
        }
        let proposed = found.candidates.iter().filter(|c| c.accepted);
        found
            .relationships
            .extend(proposed.map(|c| c.reference.clone()));
    }
    Ok(found)
}

/// The tables that `names` mean; `None` for all.
fn wanted(catalog: &Catalog, names: &[String]) -> Result<Option<Vec<TableRef>>, Error> {
    if names.is_empty() {
        return Ok(None);
    }
    let found: Result<Vec<_>, _> = names
        .iter()
        .map(|name| crate::relationship::find(catalog, name))
        .collect();
    Ok(Some(found?))
}

struct Looker<'a> {
    source: &'a dyn RowSource,
    options: &'a DiscoverOptions,
    context: DiscoverContext<'a>,
    deadline: Option<i64>,
    found: Discovery,
}

/// The requested column that an error is about, when it is about one.
fn blamed(error: &PortError, table: &TableSchema, requests: &[ColumnRequest]) -> Option<usize> {
    let (PortError::Invalid { object, .. }
    | PortError::Denied { object, .. }
    | PortError::Backend { object, .. }) = error
    else {
        return None;
    };
    let named =
        |request: &ColumnRequest| table.table.column(&request.column.name).to_string() == *object;
    requests.iter().position(named)
}

/// How a scan of a table went.
enum Outcome {
    /// Gathered, and whether every row was seen.
    Read(Vec<Gatherer>, bool),
    /// There are more rows than asked for, and a sample would be better than the first ones.
    TooLarge,
}

impl Looker<'_> {
    fn skip(&mut self, table: &TableRef, column: Option<String>, reason: SkipReason) {
        self.found.skipped.push(Skipped {
            table: table.clone(),
            column,
            reason,
        });
    }

    fn refusal(&self, table: &TableSchema, wanted: Option<&[TableRef]>) -> Option<SkipReason> {
        let not_asked = wanted.is_some_and(|wanted| !wanted.contains(&table.table));
        if !table.kind.holds_rows() {
            Some(SkipReason::Kind(table.kind))
        } else if not_asked || self.options.depth == Depth::Schema {
            Some(SkipReason::NotAsked)
        } else if self.found.rows_read >= self.options.rows_total_max {
            Some(SkipReason::RowBudget)
        } else if self.is_late() {
            Some(SkipReason::TimeBudget)
        } else {
            None
        }
    }

    fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| self.context.clock.now().0 >= deadline)
    }

    async fn look(&mut self, table: &Arc<TableSchema>) -> Result<(), Error> {
        let (columns, left_out): (Vec<_>, Vec<_>) = table.columns.iter().partition(|column| {
            let class = column.logical.class();
            let encoding = self.source.encoding(column);
            !matches!(class, TypeClass::Bytes | TypeClass::Other)
                && !matches!(encoding, Encoding::Carried(_) | Encoding::Bytes)
        });
        for column in left_out {
            let reason = SkipReason::Type(column.native.clone());
            self.skip(&table.table, Some(column.name.clone()), reason);
        }
        if columns.is_empty() {
            return Ok(());
        }
        let mut requests: Vec<ColumnRequest> = columns
            .iter()
            .map(|column| ColumnRequest {
                column: (*column).clone(),
                form: Form::Decoded,
            })
            .collect();
        loop {
            let outcome = match self.options.depth {
                Depth::Full => {
                    self.read(table, &requests, RowFilter::All, u64::MAX, false)
                        .await
                }
                Depth::Sample { rows } => self.sample(table, &requests, rows).await,
                Depth::Schema => return Ok(()),
            };
            match outcome {
                Ok(Outcome::Read(gatherers, complete)) => {
                    for (request, gatherer) in requests.iter().zip(gatherers) {
                        let (profile, sample) = gatherer.finish(complete);
                        let column = table.table.column(&request.column.name);
                        self.found
                            .columns
                            .insert(column, Observed { profile, sample });
                    }
                    return Ok(());
                }
                Ok(Outcome::TooLarge) => return Ok(()),
                Err(error @ (PortError::Cancelled | PortError::Unavailable { .. })) => {
                    return Err(error.into());
                }
                // One column that cannot be decoded must not hide the others.
                Err(error) => match blamed(&error, table, &requests) {
                    Some(at) if requests.len() > 1 => {
                        let column = requests.remove(at).column.name;
                        self.unreadable(&table.table, Some(column), error);
                    }
                    _ => {
                        self.unreadable(&table.table, None, error);
                        return Ok(());
                    }
                },
            }
        }
    }

    fn unreadable(&mut self, table: &TableRef, column: Option<String>, error: PortError) {
        let place = match &column {
            Some(column) => table.column(column).to_string(),
            None => table.to_string(),
        };
        self.found.diagnostics.push(Diagnostic::warning(
            "discover.unreadable",
            place,
            format!("left out of profiles and classification: {error}"),
        ));
        self.skip(table, column, SkipReason::Unreadable(error));
    }

    async fn sample(
        &mut self,
        table: &Arc<TableSchema>,
        requests: &[ColumnRequest],
        rows: u64,
    ) -> Result<Outcome, PortError> {
        let can_sample = self.source.capability().sample;
        let seems_small = table.row_estimate.is_none_or(|estimate| estimate <= rows);
        if seems_small || !can_sample {
            let whole = self
                .read(table, requests, RowFilter::All, rows, can_sample)
                .await?;
            if let Outcome::Read(..) = whole {
                return Ok(whole);
            }
        }
        let filter = RowFilter::Sample {
            rows,
            seed: self.options.seed,
        };
        self.read(table, requests, filter, rows.saturating_mul(4), false)
            .await
    }

    /// Reads until the end, `rows_max`, or a budget; gives up on more rows than that when asked to.
    async fn read(
        &mut self,
        table: &Arc<TableSchema>,
        requests: &[ColumnRequest],
        filter: RowFilter,
        rows_max: u64,
        give_up: bool,
    ) -> Result<Outcome, PortError> {
        let limits = GatherLimits {
            values_max: self.options.values_max,
            value_bytes_max: self.options.value_bytes_max,
            pattern_count_min: self.options.pattern_count_min,
            seed: self.options.seed,
        };
        let mut gatherers: Vec<Gatherer> = requests
            .iter()
            .map(|request| {
                let decimal = request.column.logical.class() == TypeClass::Decimal;
                Gatherer::new(limits, decimal)
            })
            .collect();
        let whole = matches!(filter, RowFilter::All);
        let request = ScanRequest {
            table: Arc::clone(table),
            columns: requests.to_vec(),
            filter,
            limit: self.options.limit,
        };
        let mut stream = self.source.scan(request).await?;
        let mut seen = 0;
        let mut complete = whole;
        while let Some(batch) = stream.next().await {
            self.context.cancel.check()?;
            let batch = batch?;
            let room = rows_max - seen;
            if give_up && batch.rows() as u64 > room {
                return Ok(Outcome::TooLarge);
            }
            let taken = usize::try_from(room)
                .unwrap_or(usize::MAX)
                .min(batch.rows());
            for (gatherer, array) in gatherers.iter_mut().zip(batch.columns()) {
                for row in 0..taken {
                    gatherer.add(cell(array.as_ref(), row));
                }
            }
            seen += taken as u64;
            self.found.rows_read += taken as u64;
            self.context.progress.report(&ProgressEvent::Rows {
                step: STEP.to_owned(),
                table: table.table.clone(),
                rows: seen,
                expected: table.row_estimate.map(|estimate| estimate.min(rows_max)),
            });
            let out_of_budget = self.found.rows_read >= self.options.rows_total_max;
            if taken < batch.rows() || out_of_budget || self.is_late() {
                complete = false;
                self.note_cut(table, whole && taken < batch.rows());
                break;
            }
        }
        Ok(Outcome::Read(gatherers, complete))
    }

    fn note_cut(&mut self, table: &TableSchema, head: bool) {
        let message = if head {
            "only the first rows were looked at: the source takes no samples"
        } else {
            "looked at in part: a limit on rows or time was reached"
        };
        let code = if head {
            "discover.head"
        } else {
            "discover.budget"
        };
        self.found
            .diagnostics
            .push(Diagnostic::info(code, &table.table, message));
    }
}
