//! The classifier: one answer per column, alone or within a whole catalog.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use tdm_core::catalog::{Catalog, Column, ForeignKey, Generation, TableSchema};
use tdm_core::category::Category;
use tdm_core::detector::{ColumnContext, ColumnSample, Detector};
use tdm_core::finding::{Classification, Decision, Evidence, Finding};
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::profile::ColumnProfile;
use tdm_core::types::LogicalType;

use crate::config::{Config, Pattern};
use crate::dictionary::DictionaryRow;
use crate::error::{Error, Result};
use crate::fusion::{self, Extra};
use crate::json;
use crate::name::{self, Frame, Lexicon, Strength, Verdict};
use crate::text::SpanDetector;
use crate::value::{Dictionary, Tally, Weighing};

/// Name that findings of the combination carry.
const TECHNIQUE: &str = "combined";
/// Texts that the span scanner reads per column.
const TEXTS_MAX: usize = 120;

/// Finds what columns hold. Cheap to clone; safe to share between threads.
#[derive(Clone)]
pub struct Classifier {
    lexicon: Arc<Lexicon>,
    dictionary: Arc<Dictionary>,
    spans: Arc<SpanDetector>,
    detectors: Vec<Arc<dyn Detector>>,
    patterns: Vec<Pattern>,
    fixed: HashMap<String, Category>,
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classifier")
            .field("detectors", &self.detectors)
            .field("patterns", &self.patterns.len())
            .finish_non_exhaustive()
    }
}

/// Builds a [`Classifier`] with knowledge of one's own.
#[derive(Debug)]
pub struct ClassifierBuilder {
    classifier: Classifier,
}

/// The built-in lexicon and dictionaries, read once per process.
pub(crate) fn standard_parts() -> (Arc<Lexicon>, Arc<Dictionary>) {
    static PARTS: OnceLock<(Arc<Lexicon>, Arc<Dictionary>)> = OnceLock::new();
    PARTS
        .get_or_init(|| {
            (
                Arc::new(Lexicon::standard()),
                Arc::new(Dictionary::standard()),
            )
        })
        .clone()
}

/// A function that gives the sample and the profile of a column, when there are any.
type SampleOf<'a> = &'a dyn Fn(&ColumnRef) -> Option<(&'a ColumnSample, Option<&'a ColumnProfile>)>;

impl Classifier {
    /// The classifier with everything that comes with the crate.
    pub fn standard() -> Self {
        let (lexicon, dictionary) = standard_parts();
        Self {
            lexicon,
            dictionary,
            spans: Arc::new(SpanDetector::standard()),
            detectors: Vec::new(),
            patterns: Vec::new(),
            fixed: HashMap::new(),
        }
    }

    /// Starts from [`Classifier::standard`] and adds to it.
    pub fn builder() -> ClassifierBuilder {
        ClassifierBuilder {
            classifier: Self::standard(),
        }
    }

    /// The one answer about a column; `none` is an answer. An empty sample is no evidence.
    pub fn classify_column(
        &self,
        context: &ColumnContext<'_>,
        sample: &ColumnSample,
    ) -> Classification {
        let frame = self.frame(context.table);
        self.column(&frame, context, sample)
    }

    /// Answers for all columns of all tables, in catalog order.
    ///
    /// `sample_of` gives what was sampled of a column, or nothing. `relationships` are references beyond the declared
    /// ones. A second pass carries categories along references: a column that refers to a column of personal data
    /// holds the same data.
    pub fn classify_catalog<'a>(
        &self,
        catalog: &Catalog,
        sample_of: SampleOf<'a>,
        relationships: &[ForeignKey],
    ) -> Vec<Classification> {
        let empty = ColumnSample::default();
        let mut answers = Vec::new();
        for table in &catalog.tables {
            let frame = self.frame(table);
            for column in &table.columns {
                let reference = table.table.column(&column.name);
                let known = sample_of(&reference);
                let context = ColumnContext {
                    table,
                    column,
                    profile: known.and_then(|(_, profile)| profile),
                };
                let sample = known.map_or(&empty, |(sample, _)| sample);
                answers.push(self.column(&frame, &context, sample));
            }
        }
        self.follow_references(catalog, relationships, &mut answers);
        answers
    }

    /// Answers for a data dictionary: names and types alone, without a database. Rows keep their order.
    ///
    /// Rows of one table need not be neighbours. A type that no engine knows is no evidence.
    pub fn classify_dictionary(&self, rows: &[DictionaryRow]) -> Vec<Classification> {
        let types: Vec<Option<LogicalType>> = rows
            .iter()
            .map(|row| row.native.as_deref().and_then(name::parse_type))
            .collect();
        let mut tables: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, row) in rows.iter().enumerate() {
            tables.entry(&row.table).or_default().push(i);
        }
        let mut answers: Vec<Option<Classification>> = vec![None; rows.len()];
        for (table, members) in tables {
            let frame = Frame::new(
                &self.lexicon,
                table.rsplit('.').next().unwrap_or(table),
                members
                    .iter()
                    .map(|i| (rows[*i].column.as_str(), types[*i].as_ref())),
            );
            let reference = match table.rsplit_once('.') {
                Some((namespace, name)) => TableRef::within(namespace, name),
                None => TableRef::new(table),
            };
            for i in members {
                let column = &rows[i].column;
                let reference = reference.column(column);
                let answer = match self.fixed(&reference) {
                    Some(fixed) => fixed,
                    None => {
                        let verdict = name::judge(&self.lexicon, &frame, column, types[i].as_ref());
                        suggest(reference, fusion::fuse(&verdict, &Weighing::default(), &[]))
                    }
                };
                answers[i] = Some(answer);
            }
        }
        answers.into_iter().flatten().collect()
    }

    /// The detector of personal data in text that this classifier uses.
    pub fn spans(&self) -> &Arc<SpanDetector> {
        &self.spans
    }

    fn frame(&self, table: &TableSchema) -> Frame {
        Frame::new(
            &self.lexicon,
            &table.table.name,
            table
                .columns
                .iter()
                .map(|c| (c.name.as_str(), Some(known_type(c)))),
        )
    }

    fn fixed(&self, column: &ColumnRef) -> Option<Classification> {
        if self.fixed.is_empty() {
            return None;
        }
        let bare = format!("{}.{}", column.table.name, column.column).to_lowercase();
        let category = *self
            .fixed
            .get(&column.to_string().to_lowercase())
            .or_else(|| self.fixed.get(&bare))?;
        Some(Classification {
            finding: Finding {
                column: column.clone(),
                category,
                technique: "configured".to_owned(),
                confidence: 1.0,
                evidence: vec![evidence(
                    "configuration",
                    "column named in the configuration",
                    9.0,
                )],
            },
            decision: Decision::Suggested,
            decided_by: "detector".to_owned(),
        })
    }

    fn column(
        &self,
        frame: &Frame,
        context: &ColumnContext<'_>,
        sample: &ColumnSample,
    ) -> Classification {
        let reference = context.table.table.column(&context.column.name);
        if let Some(fixed) = self.fixed(&reference) {
            return fixed;
        }
        let logical = known_type(context.column);
        let mut verdict = name::judge(&self.lexicon, frame, &context.column.name, Some(logical));
        if let Some(veto) = key_veto(context, &verdict) {
            verdict.vetoed = true;
            verdict.scores.iter_mut().for_each(|(_, s)| *s -= 5.0);
            verdict.evidence.push(evidence("reference", veto, -5.0));
        }
        let mut extras = Vec::new();
        let values = if readable(logical) {
            self.values(context, sample, &verdict, &mut extras)
        } else {
            Weighing::default()
        };
        for detector in &self.detectors {
            for finding in detector.inspect(context, sample) {
                let weight = odds(finding.confidence);
                extras.push(Extra {
                    category: finding.category,
                    evidence: evidence("detector", &format!("`{}`", detector.name()), weight),
                });
                extras.extend(finding.evidence.into_iter().map(|e| Extra {
                    category: finding.category,
                    evidence: Evidence { weight: 0.0, ..e },
                }));
            }
        }
        suggest(reference, fusion::fuse(&verdict, &values, &extras))
    }

    fn values(
        &self,
        context: &ColumnContext<'_>,
        sample: &ColumnSample,
        verdict: &Verdict,
        extras: &mut Vec<Extra>,
    ) -> Weighing {
        let mut tally = Tally::default();
        let mut scratch = String::new();
        let step = sample
            .values()
            .len()
            .div_ceil(crate::value::VALUES_MAX)
            .max(1);
        for (value, rows) in sample.values().step_by(step) {
            tally.read(&self.dictionary, value, rows, &mut scratch);
        }
        let mut weighing = tally.weigh();
        tally.distributions(&mut weighing);
        let text = matches!(
            context.column.logical,
            LogicalType::Text { .. }
                | LogicalType::Json
                | LogicalType::Other
                | LogicalType::Array { .. }
        );
        if weighing.json && text {
            self.documents(sample, extras);
        } else if weighing.prose && text {
            self.prose(sample, verdict, extras);
        }
        for pattern in &self.patterns {
            pattern.weigh(sample, extras);
        }
        weighing
    }

    /// Long texts: how many of them name people.
    fn prose(&self, sample: &ColumnSample, verdict: &Verdict, extras: &mut Vec<Extra>) {
        let (mut tested, mut matched) = (0, 0);
        for (text, _) in sample.values().take(TEXTS_MAX) {
            tested += 1;
            matched += u64::from(self.spans.names_someone(text));
        }
        if tested == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most a hundred texts")]
        let share = matched as f64 / tested as f64;
        let named = verdict
            .scores
            .iter()
            .any(|(c, s)| *c == Category::FreeText && *s > 2.0);
        let (category, weight) = if share > 0.04 || matched >= 3 {
            (Category::FreeText, 3.0 + 3.0 * share.min(1.0))
        } else if named {
            (Category::FreeText, 0.5)
        } else {
            (Category::None, 2.0)
        };
        extras.push(Extra {
            category,
            evidence: Evidence {
                source: "values".to_owned(),
                feature: "long texts that name people".to_owned(),
                weight,
                tested,
                matched,
            },
        });
    }

    /// JSON documents: each path is a column of its own; one that holds personal data makes the document so.
    fn documents(&self, sample: &ColumnSample, extras: &mut Vec<Extra>) {
        let documents: Vec<&str> = sample.values().take(TEXTS_MAX).map(|(v, _)| v).collect();
        let mut found: Vec<(String, Category, f64)> = Vec::new();
        for (path, inner) in json::paths(&documents) {
            let key = path.rsplit('.').next().unwrap_or(&path).to_owned();
            let parent = path.rsplit('.').nth(1).unwrap_or("document").to_owned();
            let mut table = TableSchema::new(TableRef::new(parent));
            table
                .columns
                .push(Column::new(key, 1, "text", LogicalType::TEXT));
            let context = ColumnContext {
                table: &table,
                column: &table.columns[0],
                profile: None,
            };
            let answer = self.classify_column(&context, &inner);
            if answer.finding.category.is_personal() && answer.finding.confidence > 0.6 {
                found.push((path, answer.finding.category, answer.finding.confidence));
            }
        }
        for (path, category, confidence) in found.into_iter().take(12) {
            extras.push(Extra {
                category: Category::FreeText,
                evidence: evidence(
                    "values",
                    &format!("`{path}` in the document holds {category}"),
                    3.5 * confidence,
                ),
            });
        }
    }

    /// Carries categories from referenced columns to the columns that refer to them, along chains.
    fn follow_references(
        &self,
        catalog: &Catalog,
        relationships: &[ForeignKey],
        answers: &mut [Classification],
    ) {
        let index: HashMap<ColumnRef, usize> = answers
            .iter()
            .enumerate()
            .map(|(i, a)| (a.finding.column.clone(), i))
            .collect();
        let pairs: Vec<(usize, usize)> = catalog
            .tables
            .iter()
            .flat_map(|t| &t.foreign_keys)
            .chain(relationships)
            .flat_map(|key| {
                key.columns.iter().filter_map(|(child, parent)| {
                    Some((
                        *index.get(&key.child.column(child))?,
                        *index.get(&key.parent.column(parent))?,
                    ))
                })
            })
            .collect();
        // Each round settles at least one link of a chain; more rounds than columns cannot be needed.
        for _ in 0..answers.len() {
            let mut changed = false;
            for (child, parent) in &pairs {
                let from = &answers[*parent].finding;
                let to = &answers[*child].finding;
                if child == parent
                    || !from.category.is_personal()
                    || to.category == from.category
                    || to.category.is_personal() && to.confidence >= from.confidence
                    || to.technique == "configured"
                {
                    continue;
                }
                let (category, confidence) = (from.category, from.confidence);
                let feature = format!("refers to {}", from.column);
                let finding = &mut answers[*child].finding;
                finding.category = category;
                finding.confidence = confidence * 0.98;
                finding.evidence.push(evidence("reference", &feature, 5.0));
                changed = true;
            }
            if !changed {
                break;
            }
        }
    }
}

impl ClassifierBuilder {
    /// Adds a detector: its findings count with the odds of their confidence.
    #[must_use]
    pub fn with_detector(mut self, detector: Arc<dyn Detector>) -> Self {
        self.classifier.detectors.push(detector);
        self
    }

    /// Adds a lexicon of column words in the format of the crate's own: `[category strength]` headings over
    /// phrases separated by commas. `language` is a code such as `de`; it tells where the language puts its head noun.
    ///
    /// # Errors
    /// When a line is not of the format.
    pub fn with_lexicon(mut self, name: &str, language: &str, text: &str) -> Result<Self> {
        Arc::make_mut(&mut self.classifier.lexicon)
            .add(language, text)
            .map_err(|error| Error::Lexicon {
                name: name.to_owned(),
                error,
            })?;
        Ok(self)
    }

    /// Says that columns called `phrase` hold `category`.
    #[must_use]
    pub fn allow(mut self, phrase: &str, category: Category) -> Self {
        Arc::make_mut(&mut self.classifier.lexicon).phrase(
            phrase,
            category,
            Strength::Strong,
            false,
        );
        self
    }

    /// Says that columns called `name` are never personal by their name. Values may still speak.
    #[must_use]
    pub fn deny(mut self, name: &str) -> Self {
        Arc::make_mut(&mut self.classifier.lexicon).deny(name);
        self
    }

    /// Fixes the category of one column, `table.column` or `namespace.table.column`, whatever else speaks.
    #[must_use]
    pub fn fix(mut self, column: &str, category: Category) -> Self {
        self.classifier
            .fixed
            .insert(column.to_lowercase(), category);
        self
    }

    /// Adds patterns, names, deny list and fixed columns from a configuration in TOML.
    ///
    /// # Errors
    /// When it is not of the format, a pattern does not compile or a validator does not exist.
    pub fn with_config(mut self, text: &str) -> Result<Self> {
        let config = Config::read(text)?;
        for (phrase, category) in config.names {
            self = self.allow(&phrase, category);
        }
        for name in config.deny {
            self = self.deny(&name);
        }
        for (column, category) in config.columns {
            self = self.fix(&column, category);
        }
        self.classifier.patterns.extend(config.patterns);
        Ok(self)
    }

    /// The classifier.
    pub fn build(self) -> Classifier {
        self.classifier
    }
}

fn suggest(column: ColumnRef, answer: fusion::Answer) -> Classification {
    Classification {
        finding: Finding {
            column,
            category: answer.category,
            technique: TECHNIQUE.to_owned(),
            confidence: answer.confidence,
            evidence: answer.evidence,
        },
        decision: Decision::Suggested,
        decided_by: "detector".to_owned(),
    }
}

fn evidence(source: &str, feature: &str, weight: f64) -> Evidence {
    Evidence {
        source: source.to_owned(),
        feature: feature.to_owned(),
        weight,
        tested: 0,
        matched: 0,
    }
}

/// Log-odds of a confidence, bounded: nobody is certain.
fn odds(confidence: f64) -> f64 {
    let p = confidence.clamp(0.01, 0.99);
    (p / (1.0 - p)).ln() + 1.5
}

const fn known_type(column: &Column) -> &LogicalType {
    &column.logical
}

/// Whether values of the type are text that a detector can read.
const fn readable(logical: &LogicalType) -> bool {
    !matches!(
        logical,
        LogicalType::Bytes { .. }
            | LogicalType::Interval
            | LogicalType::Boolean
            | LogicalType::Time
    )
}

/// Surrogate keys and references to them hold no personal data, unless the name says plainly that they do.
fn key_veto(context: &ColumnContext<'_>, verdict: &Verdict) -> Option<&'static str> {
    let column = context.column;
    if verdict.scores.iter().any(|(_, s)| *s >= 3.4) {
        return None;
    }
    let surrogate = matches!(
        column.logical,
        LogicalType::Integer { .. } | LogicalType::Uuid
    ) || matches!(column.logical, LogicalType::Decimal { scale: Some(0), .. });
    if matches!(column.generation, Generation::Identity { .. }) {
        return Some("the server counts it up");
    }
    if !surrogate {
        return None;
    }
    let is_key = context
        .table
        .primary_key
        .as_ref()
        .is_some_and(|key| key.columns.contains(&column.name));
    if is_key {
        return Some("surrogate key");
    }
    context
        .table
        .foreign_keys
        .iter()
        .any(|key| key.columns.iter().any(|(child, _)| *child == column.name))
        .then_some("reference to a surrogate key")
}
