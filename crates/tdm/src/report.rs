//! What a run did, in places and counts: for people by `Display`, for machines by serde. No cell value has a place here.

use std::fmt;

use serde::Serialize;
use tdm_core::ident::{ColumnRef, JobId};
use tdm_provision::subset::EdgeContribution;

use crate::tables::{aligned, count};

/// What a job did.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// Version of this form.
    pub schema: &'static str,
    /// The job.
    pub job: JobId,
    /// Hash of the plan it executed.
    pub plan_hash: String,
    /// Its steps in order.
    pub steps: Vec<StepReport>,
    /// Personal data that was found.
    pub found: Vec<Found>,
    /// Rows that were taken.
    pub taken: Vec<Taken>,
    /// Rows that each reference brought.
    pub references: Vec<EdgeContribution>,
    /// What was decided about each column.
    pub coverage: Vec<Coverage>,
    /// Shapes before and after masking.
    pub shapes: Vec<Shape>,
    /// Rows that were generated, by table.
    pub generated: Vec<(String, u64)>,
    /// References that were checked in the result, and rows without a parent.
    pub checked: Vec<(String, u64)>,
    /// The dataset version.
    pub dataset: Option<DatasetReport>,
    /// Where it was deployed.
    pub environment: Option<EnvironmentReport>,
    /// What to know besides.
    pub notes: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// Name.
    pub step: &'static str,
    /// One line.
    pub summary: String,
    /// How long it took.
    pub milliseconds: u64,
}

/// A column that holds personal data.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// The column.
    pub column: ColumnRef,
    /// Its category.
    pub category: String,
    /// Probability, 0 to 1.
    pub confidence: f64,
    /// Why, in a sentence.
    pub why: String,
}

/// Rows of one table in the subset.
#[derive(Debug, Clone, Serialize)]
pub struct Taken {
    /// Table.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// Of them, seeds.
    pub seeds: u64,
    /// Rows of the table in the source, when known.
    pub of: Option<u64>,
}

/// What was decided about one column.
#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    /// The column.
    pub column: String,
    /// Category.
    pub category: String,
    /// `mask`, `generate`, `keep`, `null`, `drop`.
    pub disposition: String,
    /// Function or generator, or the reason to keep.
    pub by: String,
    /// Rule that decided.
    pub rule: String,
}

/// How values of a column looked before and after.
#[derive(Debug, Clone, Serialize)]
pub struct Shape {
    /// The column.
    pub column: String,
    /// Character classes of a value in the source: `A` upper, `a` lower, `9` digit, others as they are.
    pub before: String,
    /// Character classes of a value in the result.
    pub after: String,
}

/// The dataset version that was made.
#[derive(Debug, Clone, Serialize)]
pub struct DatasetReport {
    /// `name@version`.
    pub name: String,
    /// Rows over all tables.
    pub rows: u64,
    /// Digest over all tables.
    pub digest: String,
    /// Where it is.
    pub location: String,
}

/// The environment that was provisioned.
#[derive(Debug, Clone, Serialize)]
pub struct EnvironmentReport {
    /// Name.
    pub name: String,
    /// Where the tables are.
    pub location: String,
    /// Rows.
    pub rows: u64,
}

impl RunReport {
    /// An empty report of `job`.
    pub(crate) const fn new(job: JobId) -> Self {
        Self {
            schema: "tdm.run/1",
            job,
            plan_hash: String::new(),
            steps: Vec::new(),
            found: Vec::new(),
            taken: Vec::new(),
            references: Vec::new(),
            coverage: Vec::new(),
            shapes: Vec::new(),
            generated: Vec::new(),
            checked: Vec::new(),
            dataset: None,
            environment: None,
            notes: Vec::new(),
        }
    }
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_plan(
            f,
            &self.found,
            &self.taken,
            &self.references,
            &self.coverage,
        )?;
        if !self.shapes.is_empty() {
            let rows = self
                .shapes
                .iter()
                .map(|s| vec![s.column.clone(), s.before.clone(), s.after.clone()]);
            writeln!(
                f,
                "Shapes before and after (A upper case, a lower case, 9 digit)\n"
            )?;
            writeln!(f, "{}", aligned(&["column", "before", "after"], rows))?;
        }
        if !self.generated.is_empty() {
            writeln!(f, "Rows generated\n")?;
            let rows = self
                .generated
                .iter()
                .map(|(table, rows)| vec![table.clone(), count(*rows)]);
            writeln!(f, "{}", aligned(&["table", "rows"], rows))?;
        }
        if !self.checked.is_empty() {
            let dangling: u64 = self.checked.iter().map(|(_, rows)| rows).sum();
            writeln!(
                f,
                "{} references checked in the result: {}\n",
                self.checked.len(),
                match dangling {
                    0 => "every one finds its parent".to_owned(),
                    rows => format!(
                        "{} rows without a parent, as the workflow allows",
                        count(rows)
                    ),
                }
            )?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        let rows = self.steps.iter().map(|step| {
            vec![
                step.step.to_owned(),
                format!("{} ms", count(step.milliseconds)),
                step.summary.clone(),
            ]
        });
        writeln!(f, "{}", aligned(&["step", "time", ""], rows))?;
        if let Some(dataset) = &self.dataset {
            writeln!(
                f,
                "dataset      {} ({} rows)",
                dataset.name,
                count(dataset.rows)
            )?;
            writeln!(f, "             {}", dataset.location)?;
        }
        if let Some(environment) = &self.environment {
            writeln!(
                f,
                "environment  {} ({} rows)",
                environment.name,
                count(environment.rows)
            )?;
            writeln!(f, "             {}", environment.location)?;
        }
        write!(f, "job          {}", self.job)
    }
}

/// The part that a plan and a run share.
pub(crate) fn write_plan(
    f: &mut fmt::Formatter<'_>,
    found: &[Found],
    taken: &[Taken],
    references: &[EdgeContribution],
    coverage: &[Coverage],
) -> fmt::Result {
    if !found.is_empty() {
        writeln!(f, "Personal data found in {} columns\n", found.len())?;
        let rows = found.iter().map(|c| {
            vec![
                c.column.to_string(),
                c.category.clone(),
                format!("{:.2}", c.confidence),
                c.why.clone(),
            ]
        });
        writeln!(
            f,
            "{}",
            aligned(&["column", "category", "sure", "why"], rows)
        )?;
    }
    if !taken.is_empty() {
        let total: u64 = taken.iter().map(|table| table.rows).sum();
        writeln!(f, "{} rows taken from the source\n", count(total))?;
        let rows = taken.iter().filter(|table| table.rows > 0).map(|table| {
            let of = table
                .of
                .map_or(String::new(), |of| format!("of {}", count(of)));
            let seeds = if table.seeds > 0 {
                format!("{} seeds", count(table.seeds))
            } else {
                String::new()
            };
            vec![table.table.clone(), count(table.rows), of, seeds]
        });
        writeln!(f, "{}", aligned(&["table", "rows", "", ""], rows))?;
    }
    let moved: Vec<_> = references
        .iter()
        .filter(|edge| edge.children + edge.parents > 0)
        .collect();
    if !moved.is_empty() {
        writeln!(f, "Why: rows that each reference brought\n")?;
        let rows = moved.iter().map(|edge| {
            let word = |n: u64, what: &str| {
                if n > 0 {
                    format!("{} {what}", count(n))
                } else {
                    String::new()
                }
            };
            vec![
                edge.reference.clone(),
                word(edge.children, "children"),
                word(edge.parents, "parents"),
            ]
        });
        writeln!(f, "{}", aligned(&["reference", "", ""], rows))?;
    }
    let masked: Vec<_> = coverage
        .iter()
        .filter(|c| c.disposition != "keep")
        .collect();
    if !masked.is_empty() {
        writeln!(
            f,
            "{} columns do not pass as they are; {} are kept, each with a reason\n",
            masked.len(),
            coverage.len() - masked.len()
        )?;
        let rows = masked.iter().map(|c| {
            vec![
                c.column.clone(),
                c.category.clone(),
                c.disposition.clone(),
                c.by.clone(),
                c.rule.clone(),
            ]
        });
        writeln!(
            f,
            "{}",
            aligned(&["column", "category", "", "by", "rule"], rows)
        )?;
    }
    Ok(())
}
