//! The walk to the least fixpoint: seeds, then children level by level, then parents component by component.

use std::collections::BTreeMap;
use std::sync::Arc;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, BatchLimit, Sensitive};
use tdm_core::cancel::CancelToken;
use tdm_core::port::{Progress, ProgressEvent, RowFilter, RowSource, ScanRequest};
use tdm_core::scalar::cell;

use super::choose::Feature;
use super::key::{Key, KeyMap, KeyReader, KeyRef, KeySet};
use super::names::refused;
use super::options::CloseOptions;
use super::plan::SubsetPlan;
use super::project::{Edge, Table, parse_keys, unsupported};
use super::scans::{Scans, Wanted};
use super::selection::{Closure, EdgeContribution, Mark, TableSelection};
use super::spec::{Down, SeedRows};
use crate::error::Result;

/// Computes the subset of `plan` in the source.
///
/// `keys_max` bounds how many keys are bound in one query.
///
/// # Errors
/// When the source fails, a seed's condition does not parse, or the work is cancelled.
pub async fn close(
    plan: &SubsetPlan,
    source: &dyn RowSource,
    keys_max: usize,
    cancel: &CancelToken,
    progress: &dyn Progress,
) -> Result<Closure> {
    let options = CloseOptions::default().keys_max(keys_max);
    close_with(plan, source, options, cancel, progress).await
}

/// Computes the subset of `plan` in the source as `options` say.
///
/// # Errors
/// When the source fails, a seed's condition does not parse, a table that rows may come from cannot be read,
/// or the work is cancelled.
pub async fn close_with(
    plan: &SubsetPlan,
    source: &dyn RowSource,
    options: CloseOptions,
    cancel: &CancelToken,
    progress: &dyn Progress,
) -> Result<Closure> {
    let mut walk = Walk::new(plan, source, options, cancel, progress)?;
    walk.check().await?;
    walk.take_seeds().await?;
    walk.follow_children().await?;
    walk.follow_parents().await?;
    walk.settle().await
}

pub(super) struct Walk<'a> {
    pub(super) plan: &'a SubsetPlan,
    pub(super) source: &'a dyn RowSource,
    pub(super) keys_max: usize,
    readers: usize,
    memory_max: Option<usize>,
    cancel: &'a CancelToken,
    progress: &'a dyn Progress,
    pub(super) tables: Vec<Table>,
    pub(super) edges: Vec<Edge>,
    pub(super) scans: u64,
    memory: usize,
    covered: BTreeMap<String, Vec<Feature>>,
    /// Children for which an edge's condition is true, once it was read.
    conditions: Vec<Option<KeySet>>,
}

/// Rows to keep of a scan that delivers more.
#[derive(Clone, Copy, Default)]
pub(super) struct Among<'k> {
    /// Those whose reference, by edge number and columns, holds one of these keys.
    referring: Option<(usize, &'k [usize], &'k KeySet)>,
    /// Those with these keys of their own.
    own: Option<&'k KeySet>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        plan: &'a SubsetPlan,
        source: &'a dyn RowSource,
        options: CloseOptions,
        cancel: &'a CancelToken,
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        let schemas = plan.tables.iter();
        let mut tables: Vec<Table> = schemas.map(|s| Table::new(Arc::clone(s))).collect();
        let mut edges = Vec::with_capacity(plan.edges.len());
        for (edge, policy) in plan.graph.edges().iter().zip(&plan.edges) {
            let ends = (edge.child, edge.parent);
            edges.push(Edge::new(&edge.foreign_key, ends, &mut tables, source)?);
            if let Some(order) = &policy.order {
                tables[edge.child].position(&order.column);
            }
        }
        for (table, rows) in &plan.seeds {
            if let SeedRows::Stratified { by, .. } = rows {
                tables[*table].position(by);
            }
        }
        let parallel = source.capability().parallel_scans;
        Ok(Self {
            plan,
            source,
            keys_max: options.keys_max.max(1),
            readers: if parallel { options.readers } else { 1 },
            memory_max: options.memory_max,
            conditions: plan.edges.iter().map(|_| None).collect(),
            cancel,
            progress,
            tables,
            edges,
            scans: 0,
            memory: 0,
            covered: BTreeMap::new(),
        })
    }

    pub(super) fn request(&self, table: usize, filter: RowFilter) -> ScanRequest {
        let table = &self.tables[table];
        ScanRequest {
            table: Arc::clone(&table.schema),
            columns: table.request.clone(),
            filter,
            limit: BatchLimit::default(),
        }
    }

    pub(super) fn begin(&self, table: usize, wanted: Wanted) -> Scans<'a> {
        let request = self.request(table, RowFilter::All);
        Scans::new(self.source, self.cancel, request, wanted, self.readers)
    }

    pub(super) fn begin_with(&self, request: ScanRequest, wanted: Wanted) -> Scans<'a> {
        Scans::new(self.source, self.cancel, request, wanted, self.readers)
    }

    /// Every condition is prepared, and every table that rows may come from, before the first row is read.
    async fn check(&self) -> Result<()> {
        let capability = self.source.capability();
        if !capability.key_set && !self.plan.edges.is_empty() {
            return Err(unsupported(self.source, "looking rows up by key").into());
        }
        for (table, rows) in &self.plan.seeds {
            if let SeedRows::Where(condition) = rows {
                let request = self.request(*table, RowFilter::Where(condition.clone()));
                self.source.check(&request).await?;
            }
        }
        for (edge, policy) in self.plan.edges.iter().enumerate() {
            if let Some(condition) = &policy.condition {
                let filter = RowFilter::Where(condition.clone());
                let request = self.request(self.child_of(edge), filter);
                self.source.check(&request).await?;
            }
        }
        for table in self.plan.reachable() {
            self.source
                .check(&self.request(table, RowFilter::All))
                .await?;
        }
        Ok(())
    }

    async fn take_seeds(&mut self) -> Result<()> {
        let plan = self.plan;
        let seed = Mark {
            level: 0,
            edge: Mark::SEED,
        };
        for (table, rows) in &plan.seeds {
            if *rows == SeedRows::All {
                self.tables[*table].all = true;
            }
        }
        let mut scanned = vec![false; self.tables.len()];
        for (table, rows) in &plan.seeds {
            let table = *table;
            let keys = match rows {
                SeedRows::All if std::mem::replace(&mut scanned[table], true) => continue,
                SeedRows::All => {
                    self.visit(table, Wanted::One(RowFilter::All), seed, Among::default())
                        .await?;
                    continue;
                }
                // Every row of the table is a seed already.
                _ if self.tables[table].all => continue,
                SeedRows::Where(condition) => {
                    let filter = RowFilter::Where(condition.clone());
                    self.visit(table, Wanted::One(filter), seed, Among::default())
                        .await?;
                    continue;
                }
                SeedRows::Count(count) => self.lowest_ranks(table, *count).await?,
                SeedRows::Percent(share) => self.share(table, *share).await?,
                SeedRows::Stratified { by, rows } => self.strata(table, by, *rows).await?,
                SeedRows::Coverage { times } => {
                    let found = self.coverage(table, *times).await?;
                    let name = self.tables[table].schema.table.to_string();
                    self.covered.insert(name, found.features);
                    found.keys
                }
                SeedRows::Keys(keys) => {
                    let binding = self.tables[table].own_key(self.source);
                    parse_keys(&self.tables[table], &binding, keys)?
                }
            };
            let listed = keys.len() as u64;
            let wanted = self.own_keys(table, keys);
            let found = self.visit(table, wanted, seed, Among::default()).await?;
            self.tables[table].missing += listed.saturating_sub(found);
        }
        Ok(())
    }

    fn own_keys(&self, table: usize, keys: Vec<Key>) -> Wanted {
        Wanted::Keys {
            binding: self.tables[table].own_key(self.source),
            keys,
            step: self.keys_max,
        }
    }

    /// Children, level by level, so that a row is met first at its smallest distance from a seed.
    async fn follow_children(&mut self) -> Result<()> {
        let mut level = 0;
        loop {
            let take = |edge: &mut Edge| std::mem::take(&mut edge.frontier);
            let frontiers: Vec<KeyMap<()>> = self.edges.iter_mut().map(take).collect();
            if frontiers.iter().all(KeyMap::is_empty) {
                return Ok(());
            }
            level += 1;
            for (number, frontier) in frontiers.into_iter().enumerate() {
                if !frontier.is_empty() {
                    self.follow_edge(number, frontier.sorted(), level).await?;
                }
            }
        }
    }

    async fn follow_edge(&mut self, number: usize, keys: Vec<Key>, level: u32) -> Result<()> {
        let child = self.child_of(number);
        let edge = u32::try_from(number).unwrap_or(Mark::SEED - 1);
        let mark = Mark { level, edge };
        self.read_condition(number).await?;
        let condition = self.conditions[number].take();
        let own = condition.as_ref();
        let binding = self.edges[number].to_children.clone();
        let unindexed = !self.plan.edges[number].indexed;
        let literal = binding.is_literal() && self.edges[number].alike;
        if let Down::Cap(cap) = self.plan.edges[number].down {
            let chosen = self.first_children(number, keys, cap, own).await?;
            let wanted = self.own_keys(child, chosen);
            self.visit(child, wanted, mark, Among::default()).await?;
        } else if unindexed && keys.len() > self.keys_max && literal {
            // Without an index every query is a scan: one scan, and the keys are compared here.
            let keys: KeySet = keys.into_iter().collect();
            let columns = self.edges[number].child.clone();
            let among = Among {
                referring: Some((number, &columns, &keys)),
                own,
            };
            let wanted = Wanted::One(RowFilter::All);
            self.visit(child, wanted, mark, among).await?;
        } else {
            let wanted = Wanted::Keys {
                binding,
                keys,
                step: if unindexed { usize::MAX } else { self.keys_max },
            };
            let among = Among {
                referring: None,
                own,
            };
            self.visit(child, wanted, mark, among).await?;
        }
        self.conditions[number] = condition;
        Ok(())
    }

    /// Reads once which children an edge's condition is true for.
    async fn read_condition(&mut self, number: usize) -> Result<()> {
        let Some(condition) = &self.plan.edges[number].condition else {
            return Ok(());
        };
        if self.conditions[number].is_some() {
            return Ok(());
        }
        let child = self.child_of(number);
        let mut request = self.request(child, RowFilter::All);
        request.columns.truncate(self.tables[child].identity.len());
        let wanted = Wanted::One(RowFilter::Where(condition.clone()));
        let (mut keys, mut scratch) = (KeySet::default(), Vec::new());
        let mut scans = self.begin_with(request, wanted);
        while let Some(batch) = scans.next().await? {
            let identity = batch.columns().iter().collect();
            let reader = self.tables[child].reader(identity);
            for row in 0..batch.rows() {
                keys.extend(reader.read(row, &mut scratch).map(KeyRef::to_key));
            }
        }
        self.scans += scans.started;
        self.conditions[number] = Some(keys);
        Ok(())
    }

    pub(super) fn child_of(&self, edge: usize) -> usize {
        self.plan.graph.edges()[edge].child
    }

    /// Visits the rows that some scans deliver; returns how many there are.
    async fn visit(
        &mut self,
        table: usize,
        wanted: Wanted,
        mark: Mark,
        among: Among<'_>,
    ) -> Result<u64> {
        let mut scans = self.begin(table, wanted);
        let mut found = 0;
        while let Some(batch) = scans.next().await? {
            found += batch.rows() as u64;
            self.take(table, &batch, mark, among);
            self.check_memory()?;
            self.report(table);
        }
        self.scans += scans.started;
        Ok(found)
    }

    pub(super) fn report(&mut self, table: usize) {
        self.progress.report(&ProgressEvent::Rows {
            step: "subset".to_owned(),
            table: self.tables[table].schema.table.clone(),
            rows: self.tables[table].rows,
            expected: None,
        });
    }

    pub(super) fn take(
        &mut self,
        table: usize,
        batch: &Batch<Sensitive>,
        mark: Mark,
        among: Among<'_>,
    ) {
        let (graph, policies) = (&self.plan.graph, &self.plan.edges);
        let pick =
            |at: &[usize]| -> Vec<&ArrayRef> { at.iter().map(|&i| batch.column(i)).collect() };
        let identity = pick(&self.tables[table].identity);
        let identity = self.tables[table].reader(identity);
        let parents = graph.to_parents(table).iter();
        let up: Vec<(usize, KeyReader<'_>)> = parents
            .filter(|&&e| !(self.edges[e].vouched && self.tables[graph.edges()[e].parent].all))
            .map(|&e| (e, KeyReader::new(pick(&self.edges[e].child))))
            .collect();
        let follows = |e: usize| {
            let policy = &policies[e];
            let near = |depth: Option<u32>| depth.is_none_or(|depth| mark.level < depth);
            policy.down != Down::None
                && near(policy.depth)
                && near(self.plan.depth)
                && !self.tables[graph.edges()[e].child].all
        };
        let children = graph.to_children(table).iter();
        let down: Vec<(usize, KeyReader<'_>)> = children
            .filter(|&&e| mark.is_expanded() && follows(e))
            .map(|&e| (e, KeyReader::new(pick(&self.edges[e].parent))))
            .collect();
        let referring = among
            .referring
            .map(|(edge, columns, keys)| (edge, KeyReader::new(pick(columns)), keys));
        let (mut scratch, mut text) = (Vec::new(), Vec::new());
        let mut taken = 0;
        for row in 0..batch.rows() {
            let of_type = |edge: &Edge, text: &mut Vec<u8>| match &edge.only {
                None => true,
                Some((at, _)) => edge.is_of_type(cell(batch.column(*at).as_ref(), row), text),
            };
            if let Some((edge, reader, keys)) = &referring {
                let key = reader.read(row, &mut scratch);
                let wanted = key.is_some_and(|key| keys.contains(&key.to_key()));
                if !wanted || !of_type(&self.edges[*edge], &mut text) {
                    continue;
                }
            }
            let state = &mut self.tables[table];
            if !state.all {
                // A key column that is NOT NULL holds no NULL; see `row_key`.
                let Some(key) = identity.read(row, &mut scratch) else {
                    continue;
                };
                if among.own.is_some_and(|own| !own.contains(&key.to_key())) {
                    continue;
                }
                if !state.chosen.insert_new(key, mark) {
                    continue;
                }
            }
            state.rows += 1;
            taken += 1;
            for (number, reader) in &up {
                let edge = &mut self.edges[*number];
                if !of_type(edge, &mut text) {
                    continue;
                }
                let Some(key) = reader.read(row, &mut scratch) else {
                    continue;
                };
                let known = if edge.direct {
                    self.tables[graph.edges()[*number].parent]
                        .chosen
                        .contains(key)
                        || edge.orphaned.contains(key)
                } else {
                    edge.asked.contains(key)
                };
                if !known {
                    edge.pending.insert_new(key, ());
                }
            }
            for (number, reader) in &down {
                if let Some(key) = reader.read(row, &mut scratch) {
                    self.edges[*number].frontier.insert_new(key, ());
                }
            }
        }
        if let Some(edge) = self.edges.get_mut(mark.edge as usize) {
            if mark.is_expanded() {
                edge.children += taken;
            } else {
                edge.parents += taken;
            }
        }
        self.memory = self.memory.max(self.memory_now());
    }

    pub(super) fn check_memory(&self) -> Result<()> {
        let Some(limit) = self.memory_max.filter(|&limit| self.memory > limit) else {
            return Ok(());
        };
        let largest = self.tables.iter().max_by_key(|t| t.chosen.memory());
        let place = largest.map_or(String::new(), |t| t.schema.table.to_string());
        let reason = format!(
            "most of the keys are of this table, and all together they need more than {limit} bytes; \
             take fewer seeds, cap a reference, or allow more memory"
        );
        Err(refused(place, &reason))
    }

    fn memory_now(&self) -> usize {
        let tables: usize = self.tables.iter().map(|t| t.chosen.memory()).sum();
        let edges = self.edges.iter().map(|e| {
            e.pending.memory() + e.asked.memory() + e.orphaned.memory() + e.frontier.memory()
        });
        tables + edges.sum::<usize>()
    }

    /// The chosen rows as they are, before orphans are dealt with.
    pub(super) fn finish(&mut self) -> Closure {
        let edges: Vec<EdgeContribution> = self
            .plan
            .edges
            .iter()
            .zip(&self.edges)
            .map(|(plan, edge)| EdgeContribution {
                reference: plan.reference.clone(),
                children: edge.children,
                parents: edge.parents,
                orphans: edge.orphaned.len() as u64,
            })
            .collect();
        let mut seeds: Vec<u64> = self.tables.iter().map(|table| table.rows).collect();
        for (edge, contribution) in self.plan.graph.edges().iter().zip(&edges) {
            seeds[edge.child] -= contribution.children;
            seeds[edge.parent] -= contribution.parents;
        }
        let select = |table: &mut Table| {
            let marks = std::mem::take(&mut table.chosen);
            TableSelection::new(Arc::clone(&table.schema), table.all, table.rows, marks)
        };
        Closure {
            missing: self.tables.iter().map(|t| t.missing).collect(),
            dropped: vec![0; self.tables.len()],
            tables: self.tables.iter_mut().map(select).collect(),
            edges,
            seeds,
            coverage: std::mem::take(&mut self.covered),
            scans: self.scans,
            memory: self.memory,
        }
    }
}
