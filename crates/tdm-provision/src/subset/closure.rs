use std::collections::BinaryHeap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use serde::Serialize;
use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{BatchColumn, BatchLimit};
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{RelationshipKind, TableSchema};
use tdm_core::port::{Progress, ProgressEvent, RowFilter, RowSource, ScanRequest};
use tdm_core::transform::{ColumnRequest, Form};

use super::key::{Key, KeyMap, KeySet, bind};
use super::plan::SubsetPlan;
use super::spec::{Down, SeedRows};
use crate::error::Result;

/// Why a row is in the subset, by the rule that brought it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It is a seed.
    Seed,
    /// It is a child, by this edge.
    Child(usize),
    /// Another row refers to it, by this edge.
    Parent(usize),
}

/// The chosen rows of one table.
#[derive(Debug)]
pub struct TableSelection {
    /// The table.
    pub table: Arc<TableSchema>,
    /// Whether every row was chosen.
    pub all: bool,
    keyed: bool,
    rows: u64,
    keys: Vec<Key>,
}

impl TableSelection {
    /// Every row of `table`, of which there are `rows`.
    pub const fn whole(table: Arc<TableSchema>, rows: u64) -> Self {
        Self {
            table,
            all: true,
            keyed: false,
            rows,
            keys: Vec::new(),
        }
    }

    /// Whether rows are identified by a key, rather than by a hash of the whole row.
    pub(crate) const fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// The key columns as `source` delivers them decoded.
    pub(crate) fn key_columns(&self, source: &dyn RowSource) -> Vec<BatchColumn> {
        let names = row_key(&self.table).unwrap_or_default();
        let columns = names.iter().filter_map(|name| self.table.column(name));
        columns
            .map(|column| BatchColumn::of(column, source.encoding(column)))
            .collect()
    }

    /// Rows chosen. For a table without a key, distinct rows.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Keys of the chosen rows, sorted; empty when all were chosen.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Bytes that the keys occupy.
    pub fn key_bytes(&self) -> usize {
        self.keys.iter().map(Key::bytes).sum()
    }
}

/// How many rows one reference brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeContribution {
    /// `child(columns) -> parent(columns)`.
    pub reference: String,
    /// Children that followed their parents.
    pub children: u64,
    /// Parents that were needed.
    pub parents: u64,
    /// Distinct keys of the child that found no parent in the source.
    pub orphans: u64,
}

/// A closed subset: for each table, which rows.
#[derive(Debug)]
pub struct Closure {
    /// One selection per table of the plan, in the plan's order.
    pub tables: Vec<TableSelection>,
    /// One contribution per edge of the plan's graph.
    pub edges: Vec<EdgeContribution>,
    /// Rows that are seeds, per table.
    pub seeds: Vec<u64>,
}

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
    let mut walk = Walk::new(plan, source, keys_max.max(1), cancel, progress);
    walk.check_seeds().await?;
    walk.take_seeds().await?;
    walk.follow_children().await?;
    walk.follow_parents().await?;
    Ok(walk.finish())
}

/// What is known of one table while the closure runs.
struct Table {
    schema: Arc<TableSchema>,
    /// Identity first, then every other column that an edge needs; see `Projection`.
    request: Vec<ColumnRequest>,
    identity: Vec<usize>,
    keyless: bool,
    all: bool,
    rows: u64,
    chosen: KeyMap<Reason>,
}

/// What is known of one edge while the closure runs.
struct Edge {
    /// Positions of the child's columns in the child's request, and of the parent's in the parent's.
    child: Vec<usize>,
    parent: Vec<usize>,
    /// Parents' keys seen in children: `true` once looked up.
    wanted: KeyMap<bool>,
    /// Keys of expanded parents whose children are still to follow.
    frontier: KeyMap<()>,
    /// Whether a child's key equals the parent's identity byte for byte, so that presence can be told
    /// without a query.
    direct: bool,
    /// Whether a child's key lies as the parent's does.
    alike: bool,
    /// Whether the server vouches that every reference finds its parent.
    vouched: bool,
    orphans: u64,
}

struct Walk<'a> {
    plan: &'a SubsetPlan,
    source: &'a dyn RowSource,
    keys_max: usize,
    cancel: &'a CancelToken,
    progress: &'a dyn Progress,
    tables: Vec<Table>,
    edges: Vec<Edge>,
}

impl<'a> Walk<'a> {
    fn new(
        plan: &'a SubsetPlan,
        source: &'a dyn RowSource,
        keys_max: usize,
        cancel: &'a CancelToken,
        progress: &'a dyn Progress,
    ) -> Self {
        let mut tables: Vec<Table> = plan
            .tables
            .iter()
            .map(|schema| Table::new(Arc::clone(schema)))
            .collect();
        let edges = plan
            .graph
            .edges()
            .iter()
            .map(|edge| {
                let fk = &edge.foreign_key;
                let child = tables[edge.child].positions(&fk.child_columns());
                let parent = tables[edge.parent].positions(&fk.parent_columns());
                let encoding =
                    |table: &Table, at: usize| source.encoding(&table.request[at].column);
                let alike = child.iter().zip(&parent).all(|(&c, &p)| {
                    encoding(&tables[edge.child], c) == encoding(&tables[edge.parent], p)
                });
                let target = &tables[edge.parent];
                let direct = alike && !target.keyless && parent == target.identity;
                Edge {
                    child,
                    parent,
                    wanted: KeyMap::default(),
                    frontier: KeyMap::default(),
                    direct,
                    alike,
                    vouched: fk.validated && fk.kind == RelationshipKind::Declared,
                    orphans: 0,
                }
            })
            .collect();
        Self {
            plan,
            source,
            keys_max,
            cancel,
            progress,
            tables,
            edges,
        }
    }

    fn scan(&self, table: usize, filter: RowFilter) -> ScanRequest {
        let table = &self.tables[table];
        ScanRequest {
            table: Arc::clone(&table.schema),
            columns: table.request.clone(),
            filter,
            limit: BatchLimit::default(),
        }
    }

    /// Every condition is prepared before the first row is read.
    async fn check_seeds(&self) -> Result<()> {
        for (table, rows) in &self.plan.seeds {
            let filter = match rows {
                SeedRows::Where(condition) => RowFilter::Where(condition.clone()),
                _ => RowFilter::All,
            };
            self.source.check(&self.scan(*table, filter)).await?;
        }
        Ok(())
    }

    async fn take_seeds(&mut self) -> Result<()> {
        let plan = self.plan;
        for (table, rows) in &plan.seeds {
            match rows {
                SeedRows::All => self.tables[*table].all = true,
                SeedRows::Where(_) | SeedRows::Count(_) | SeedRows::Percent(_) => {}
            }
        }
        for (table, rows) in &plan.seeds {
            let table = *table;
            match rows {
                SeedRows::All if self.tables[table].rows > 0 => {}
                SeedRows::All => {
                    self.visit(table, RowFilter::All, Reason::Seed, true)
                        .await?;
                }
                // Every row of the table is a seed already.
                _ if self.tables[table].all => {}
                SeedRows::Where(condition) => {
                    self.visit(
                        table,
                        RowFilter::Where(condition.clone()),
                        Reason::Seed,
                        true,
                    )
                    .await?;
                }
                SeedRows::Count(count) => {
                    let keys = self.lowest_ranks(table, *count).await?;
                    self.visit_keys(table, &self.own_key(table), keys, Reason::Seed, true)
                        .await?;
                }
                SeedRows::Percent(share) => {
                    let keys = self.share(table, *share).await?;
                    self.visit_keys(table, &self.own_key(table), keys, Reason::Seed, true)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Children, level by level, so that a row is met first at its smallest distance from a seed.
    async fn follow_children(&mut self) -> Result<()> {
        let mut level = 0;
        while self.plan.depth.is_none_or(|depth| level < depth) {
            let mut moved = false;
            let frontiers: Vec<KeyMap<()>> = self
                .edges
                .iter_mut()
                .map(|e| std::mem::take(&mut e.frontier))
                .collect();
            for (number, frontier) in frontiers.into_iter().enumerate() {
                let child = self.plan.graph.edges()[number].child;
                if frontier.is_empty() || self.tables[child].all {
                    continue;
                }
                moved = true;
                let keys = sorted(frontier);
                let (columns, keys) = match self.plan.edges[number].down {
                    Down::None => continue,
                    Down::All => {
                        let parent = self.plan.graph.edges()[number].parent;
                        let edge = &self.edges[number];
                        (self.bound(child, &edge.child, parent, &edge.parent), keys)
                    }
                    Down::Cap(cap) => (
                        self.own_key(child),
                        self.first_children(number, keys, cap).await?,
                    ),
                };
                self.visit_keys(child, &columns, keys, Reason::Child(number), true)
                    .await?;
            }
            if !moved {
                break;
            }
            level += 1;
        }
        self.edges.iter_mut().for_each(|edge| edge.frontier.clear());
        Ok(())
    }

    /// Parents, components of children before those of their parents; within a cycle until nothing is new.
    async fn follow_parents(&mut self) -> Result<()> {
        let plan = self.plan;
        for component in plan.graph.components().iter().rev() {
            loop {
                let mut moved = false;
                for &table in &component.tables {
                    for &edge in plan.graph.to_children(table) {
                        moved |= self.look_up_parents(edge, table).await?;
                    }
                }
                if !moved || !component.cyclic {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn look_up_parents(&mut self, edge: usize, parent: usize) -> Result<bool> {
        let vouched = self.edges[edge].vouched;
        let present = &self.tables[parent];
        let mut missing = Vec::new();
        for (key, asked) in &mut self.edges[edge].wanted {
            // Of a table that is taken whole nothing can be missing but what the server does not vouch for.
            let news = !std::mem::replace(asked, true);
            if news && !(present.all && vouched) {
                missing.push(key.clone());
            }
        }
        if self.edges[edge].direct {
            missing.retain(|key| !present.chosen.contains_key(key));
        }
        if missing.is_empty() {
            return Ok(false);
        }
        missing.sort_unstable();
        let columns = self.bound(
            parent,
            &self.edges[edge].parent,
            self.child_of(edge),
            &self.edges[edge].child,
        );
        for chunk in missing.chunks(self.keys_max) {
            let mut unmatched: KeySet = chunk.iter().cloned().collect();
            let filter = RowFilter::Keys(bind(&columns, chunk.iter())?);
            self.visit_parents(edge, parent, filter, &mut unmatched)
                .await?;
            self.edges[edge].orphans += self.count_orphans(&columns, parent, unmatched).await?;
        }
        Ok(true)
    }

    /// Visits the parents of one scan and strikes their keys from `unmatched`.
    async fn visit_parents(
        &mut self,
        edge: usize,
        parent: usize,
        filter: RowFilter,
        unmatched: &mut KeySet,
    ) -> Result<()> {
        let mut stream = self.source.scan(self.scan(parent, filter)).await?;
        let mut scratch = Vec::new();
        while let Some(batch) = stream.next().await {
            self.cancel.check()?;
            let batch = batch?;
            if self.edges[edge].alike {
                let at = &self.edges[edge].parent;
                let key: Vec<&ArrayRef> = at.iter().map(|&i| batch.column(i)).collect();
                for row in 0..batch.rows() {
                    if let Some(key) = Key::read(&key, row, &mut scratch) {
                        unmatched.remove(&key);
                    }
                }
            }
            if !self.tables[parent].all {
                let reason = Reason::Parent(edge);
                self.take(parent, batch.columns(), batch.rows(), reason, false);
            }
            self.report(parent);
        }
        Ok(())
    }

    /// How many of `keys` find no row. Only the server knows when two keys are equal (collations, types), so
    /// it is asked again for those that were not seen literally; as a rule it answers with nothing.
    async fn count_orphans(
        &self,
        columns: &[BatchColumn],
        parent: usize,
        keys: KeySet,
    ) -> Result<u64> {
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort_unstable();
        let mut pieces = vec![keys];
        let mut orphans = 0;
        while let Some(mut piece) = pieces.pop() {
            if piece.is_empty() {
                continue;
            }
            let filter = RowFilter::Keys(bind(columns, piece.iter())?);
            let mut found = false;
            self.each_row(parent, filter, |_, _, _| found = true)
                .await?;
            if !found {
                orphans += piece.len() as u64;
            } else if piece.len() > 1 {
                let rest = piece.split_off(piece.len() / 2);
                pieces.push(piece);
                pieces.push(rest);
            }
        }
        Ok(orphans)
    }

    fn child_of(&self, edge: usize) -> usize {
        self.plan.graph.edges()[edge].child
    }

    /// Columns `at` of `table`, to be compared with values that lie as columns `from_at` of `from` do.
    fn bound(
        &self,
        table: usize,
        at: &[usize],
        from: usize,
        from_at: &[usize],
    ) -> Vec<BatchColumn> {
        at.iter()
            .zip(from_at)
            .map(|(&to, &of)| {
                let origin = &self.tables[from].request[of].column;
                let mut column = BatchColumn::of(origin, self.source.encoding(origin));
                column
                    .name
                    .clone_from(&self.tables[table].request[to].column.name);
                column
            })
            .collect()
    }

    fn own_key(&self, table: usize) -> Vec<BatchColumn> {
        let identity = &self.tables[table].identity;
        self.bound(table, identity, table, identity)
    }

    /// Visits the rows that have one of `keys`; returns how many there are.
    async fn visit_keys(
        &mut self,
        table: usize,
        columns: &[BatchColumn],
        keys: Vec<Key>,
        reason: Reason,
        expand: bool,
    ) -> Result<u64> {
        let mut found = 0;
        for chunk in keys.chunks(self.keys_max) {
            let filter = RowFilter::Keys(bind(columns, chunk.iter())?);
            found += self.visit(table, filter, reason, expand).await?;
        }
        Ok(found)
    }

    /// Visits the rows of one scan; returns how many there are.
    async fn visit(
        &mut self,
        table: usize,
        filter: RowFilter,
        reason: Reason,
        expand: bool,
    ) -> Result<u64> {
        let request = self.scan(table, filter);
        let mut stream = self.source.scan(request).await?;
        let mut found = 0;
        while let Some(batch) = stream.next().await {
            self.cancel.check()?;
            let batch = batch?;
            found += batch.rows() as u64;
            self.take(table, batch.columns(), batch.rows(), reason, expand);
            self.report(table);
        }
        Ok(found)
    }

    fn report(&self, table: usize) {
        self.progress.report(&ProgressEvent::Rows {
            step: "subset".to_owned(),
            table: self.tables[table].schema.table.clone(),
            rows: self.tables[table].rows,
            expected: None,
        });
    }

    fn take(
        &mut self,
        table: usize,
        columns: &[ArrayRef],
        rows: usize,
        reason: Reason,
        expand: bool,
    ) {
        let plan = self.plan;
        let mut scratch = Vec::new();
        let pick = |at: &[usize]| -> Vec<&ArrayRef> { at.iter().map(|&i| &columns[i]).collect() };
        let identity = pick(&self.tables[table].identity);
        let up: Vec<_> = plan
            .graph
            .to_parents(table)
            .iter()
            .map(|&edge| (edge, pick(&self.edges[edge].child)))
            .collect();
        let down: Vec<_> = plan
            .graph
            .to_children(table)
            .iter()
            .filter(|&&edge| expand && plan.edges[edge].down != Down::None)
            .map(|&edge| (edge, pick(&self.edges[edge].parent)))
            .collect();
        for row in 0..rows {
            let state = &mut self.tables[table];
            if !state.all {
                let key = if state.keyless {
                    Some(Key::whole_row(&identity, row, &mut scratch))
                } else {
                    Key::read(&identity, row, &mut scratch)
                };
                // A key column that is NOT NULL holds no NULL; see `row_key`.
                let Some(key) = key else { continue };
                if state.chosen.contains_key(&key) {
                    continue;
                }
                state.chosen.insert(key, reason);
            }
            state.rows += 1;
            for (edge, arrays) in &up {
                if let Some(key) = Key::read(arrays, row, &mut scratch) {
                    self.edges[*edge].wanted.entry(key).or_insert(false);
                }
            }
            for (edge, arrays) in &down {
                if let Some(key) = Key::read(arrays, row, &mut scratch) {
                    self.edges[*edge].frontier.insert(key, ());
                }
            }
        }
    }

    /// Each table has ranks of its own: equal keys of two tables are chosen independently.
    fn rank_seed(&self, table: usize) -> u64 {
        let name = self.tables[table].schema.table.to_string();
        xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), self.plan.seed)
    }

    /// Keys of the `count` rows of `table` with the lowest ranks.
    async fn lowest_ranks(&self, table: usize, count: u64) -> Result<Vec<Key>> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut lowest = BinaryHeap::new();
        let seed = self.rank_seed(table);
        self.each_key(table, RowFilter::All, |key, _| {
            keep_lowest(&mut lowest, count, key, seed);
        })
        .await?;
        Ok(ranked(lowest))
    }

    /// Keys of `percent` of the rows of `table`, each row by its own rank.
    async fn share(&self, table: usize, percent: f64) -> Result<Vec<Key>> {
        // 53 bits of the rank: exact as a float.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float's mantissa")]
        let position = |rank: u64| (rank >> 11) as f64 / (1u64 << 53) as f64;
        let mut keys = Vec::new();
        let seed = self.rank_seed(table);
        self.each_key(table, RowFilter::All, |key, _| {
            if position(key.rank(seed)) * 100.0 < percent {
                keys.push(key);
            }
        })
        .await?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// For each parent key, the `cap` children with the lowest ranks.
    async fn first_children(&self, edge: usize, parents: Vec<Key>, cap: u64) -> Result<Vec<Key>> {
        let child = self.child_of(edge);
        let parent = self.plan.graph.edges()[edge].parent;
        let columns = self.bound(
            child,
            &self.edges[edge].child,
            parent,
            &self.edges[edge].parent,
        );
        let cap = usize::try_from(cap).unwrap_or(usize::MAX);
        let seed = self.rank_seed(child);
        let mut chosen = Vec::new();
        for chunk in parents.chunks(self.keys_max) {
            let filter = RowFilter::Keys(bind(&columns, chunk.iter())?);
            let mut families: KeyMap<BinaryHeap<(u64, Key)>> = KeyMap::default();
            let reference = self.edges[edge].child.clone();
            self.each_row(child, filter, |arrays, row, scratch| {
                let pick: Vec<&ArrayRef> = reference.iter().map(|&i| &arrays[i]).collect();
                let own: Vec<&ArrayRef> = self.tables[child]
                    .identity
                    .iter()
                    .map(|&i| &arrays[i])
                    .collect();
                let family = Key::read(&pick, row, scratch);
                if let Some((family, key)) = family.zip(Key::read(&own, row, scratch)) {
                    keep_lowest(families.entry(family).or_default(), cap, key, seed);
                }
            })
            .await?;
            chosen.extend(families.into_values().flatten().map(|(_, key)| key));
        }
        chosen.sort_unstable();
        Ok(chosen)
    }

    async fn each_key(
        &self,
        table: usize,
        filter: RowFilter,
        mut use_key: impl FnMut(Key, usize),
    ) -> Result<()> {
        self.each_row(table, filter, |arrays, row, scratch| {
            let own: Vec<&ArrayRef> = self.tables[table]
                .identity
                .iter()
                .map(|&i| &arrays[i])
                .collect();
            if let Some(key) = Key::read(&own, row, scratch) {
                use_key(key, row);
            }
        })
        .await
    }

    async fn each_row(
        &self,
        table: usize,
        filter: RowFilter,
        mut use_row: impl FnMut(&[ArrayRef], usize, &mut Vec<u8>),
    ) -> Result<()> {
        let mut stream = self.source.scan(self.scan(table, filter)).await?;
        let mut scratch = Vec::new();
        while let Some(batch) = stream.next().await {
            self.cancel.check()?;
            let batch = batch?;
            (0..batch.rows()).for_each(|row| use_row(batch.columns(), row, &mut scratch));
        }
        Ok(())
    }

    fn finish(self) -> Closure {
        let mut seeds = vec![0; self.tables.len()];
        let mut edges: Vec<EdgeContribution> = self
            .plan
            .edges
            .iter()
            .zip(&self.edges)
            .map(|(plan, edge)| EdgeContribution {
                reference: plan.reference.clone(),
                children: 0,
                parents: 0,
                orphans: edge.orphans,
            })
            .collect();
        let tables = self
            .tables
            .into_iter()
            .enumerate()
            .map(|(number, table)| {
                if table.all {
                    seeds[number] = table.rows;
                }
                for reason in table.chosen.values() {
                    match *reason {
                        Reason::Seed => seeds[number] += 1,
                        Reason::Child(edge) => edges[edge].children += 1,
                        Reason::Parent(edge) => edges[edge].parents += 1,
                    }
                }
                let keys = sorted(table.chosen);
                TableSelection {
                    table: table.schema,
                    all: table.all,
                    keyed: !table.keyless,
                    rows: table.rows,
                    keys,
                }
            })
            .collect();
        Closure {
            tables,
            edges,
            seeds,
        }
    }
}

impl Table {
    fn new(schema: Arc<TableSchema>) -> Self {
        let decoded = |name: &String| {
            schema.column(name).map(|column| ColumnRequest {
                column: column.clone(),
                form: Form::Decoded,
            })
        };
        let key: Option<Vec<ColumnRequest>> =
            row_key(&schema).map(|names| names.iter().filter_map(decoded).collect());
        let keyless = key.is_none();
        let request = key.unwrap_or_else(|| whole_row(&schema));
        let identity = (0..request.len()).collect();
        Self {
            schema,
            request,
            identity,
            keyless,
            all: false,
            rows: 0,
            chosen: KeyMap::default(),
        }
    }

    /// Positions of decoded columns in the request; columns that are not there yet are added.
    fn positions(&mut self, names: &[&str]) -> Vec<usize> {
        names
            .iter()
            .filter_map(|name| {
                let here = |r: &ColumnRequest| r.column.name == *name && r.form == Form::Decoded;
                if let Some(at) = self.request.iter().position(here) {
                    return Some(at);
                }
                let column = self.schema.column(name)?.clone();
                self.request.push(ColumnRequest {
                    column,
                    form: Form::Decoded,
                });
                Some(self.request.len() - 1)
            })
            .collect()
    }
}

/// The columns that identify a row of `table` and never hold NULL: SQLite allows NULL in a primary key.
pub(super) fn row_key(table: &TableSchema) -> Option<&[String]> {
    let not_null = |name: &String| table.column(name).is_some_and(|c| !c.nullable);
    let mut keys = table.primary_key.iter().chain(&table.unique);
    keys.find(|key| key.columns.iter().all(not_null))
        .map(|key| key.columns.as_slice())
}

/// Every written column in the server's own form: what stands for a row that has no key.
pub(crate) fn whole_row(table: &TableSchema) -> Vec<ColumnRequest> {
    let written = table.columns.iter().filter(|column| column.is_written());
    written
        .map(|column| ColumnRequest {
            column: column.clone(),
            form: Form::Carried,
        })
        .collect()
}

fn keep_lowest(lowest: &mut BinaryHeap<(u64, Key)>, count: usize, key: Key, seed: u64) {
    lowest.push((key.rank(seed), key));
    if lowest.len() > count {
        lowest.pop();
    }
}

fn ranked(lowest: BinaryHeap<(u64, Key)>) -> Vec<Key> {
    let mut keys: Vec<Key> = lowest.into_iter().map(|(_, key)| key).collect();
    keys.sort_unstable();
    keys
}

fn sorted<V>(keys: KeyMap<V>) -> Vec<Key> {
    let mut keys: Vec<Key> = keys.into_keys().collect();
    keys.sort_unstable();
    keys
}
