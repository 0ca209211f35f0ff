//! The subset by the slowest way there is: every rule over every row until nothing changes.

use std::collections::BTreeMap;

use tdm_provision::subset::{Down, Order, OrphanPolicy, SeedRows, SubsetSpec};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::world::{Edge, Table, Value, World};

/// Which rows of each table are in the subset.
pub(crate) type Chosen = Vec<Vec<bool>>;

/// What an edge does, resolved from the names of a specification.
pub(crate) struct Rules {
    pub(crate) down: Vec<Down>,
    pub(crate) order: Vec<Option<Order>>,
    pub(crate) edge_depth: Vec<Option<u32>>,
    pub(crate) condition: Vec<Option<String>>,
    pub(crate) orphans: Vec<OrphanPolicy>,
    /// Tables that take no part.
    pub(crate) skipped: Vec<bool>,
    /// Seed rows by table.
    pub(crate) seeds: Chosen,
    pub(crate) depth: Option<u32>,
    pub(crate) seed: u64,
}

/// Whether row `c` of the child refers to row `p` of the parent.
pub(crate) fn refers(world: &World, edge: &Edge, c: usize, p: usize) -> bool {
    let (child, parent) = (
        &world.tables[edge.child].rows[c],
        &world.tables[edge.parent].rows[p],
    );
    let of_type = edge
        .only
        .as_ref()
        .is_none_or(|(column, value)| child[*column].canonical().as_ref() == Some(value));
    let pairs = edge.child_columns.iter().zip(&edge.parent_columns);
    of_type
        && pairs.into_iter().all(|(&c, &p)| {
            let value = child[c].canonical();
            value.is_some() && value == parent[p].canonical()
        })
}

/// The bytes that stand for a key and its rank: written out here a second time so that a change of the
/// choice is noticed.
fn rank(table: &Table, row: usize, seed: u64) -> (u64, Vec<u8>) {
    let mut bytes = Vec::new();
    for &column in table.identity().unwrap() {
        match &table.rows[row][column] {
            Value::Int(v) => {
                bytes.push(b'i');
                bytes.extend((v ^ i64::MIN).to_be_bytes());
            }
            Value::Text(v) => {
                bytes.push(b't');
                bytes.extend((v.len() as u64).to_be_bytes());
                bytes.extend(v.as_bytes());
            }
            Value::Null => panic!("a key without NULL"),
        }
    }
    let own = xxh3_64_with_seed(table.name.as_bytes(), seed);
    (xxh3_64_with_seed(&bytes, own), bytes)
}

impl Rules {
    pub(crate) fn resolve(world: &World, spec: &SubsetSpec) -> Self {
        let number = |name: &String| world.tables.iter().position(|t| t.name == *name).unwrap();
        let mut rules = Self {
            down: vec![spec.down; world.edges.len()],
            order: vec![None; world.edges.len()],
            edge_depth: vec![None; world.edges.len()],
            condition: vec![None; world.edges.len()],
            orphans: vec![spec.orphans; world.edges.len()],
            skipped: vec![false; world.tables.len()],
            seeds: world
                .tables
                .iter()
                .map(|t| vec![false; t.rows.len()])
                .collect(),
            depth: spec.depth,
            seed: spec.seed,
        };
        for (edge, down) in world.edges.iter().zip(&mut rules.down) {
            let whole = spec.whole.contains(&world.tables[edge.parent].name);
            let empty = spec.schema_only.contains(&world.tables[edge.child].name);
            if whole || empty {
                *down = Down::None;
            }
            for policy in &spec.edges {
                let columns = world.edge_columns(edge);
                if number(&policy.child) == edge.child
                    && number(&policy.parent) == edge.parent
                    && (policy.columns.is_empty() || policy.columns == columns)
                {
                    *down = policy.down;
                }
            }
        }
        for (at, edge) in world.edges.iter().enumerate() {
            for detail in &spec.details {
                if number(&detail.child) == edge.child
                    && number(&detail.parent) == edge.parent
                    && (detail.columns.is_empty() || detail.columns == world.edge_columns(edge))
                {
                    rules.order[at] = detail.order.clone().or(rules.order[at].take());
                    let condition = detail.condition.clone();
                    rules.condition[at] = condition.or(rules.condition[at].take());
                    rules.edge_depth[at] = detail.depth.or(rules.edge_depth[at]);
                    rules.orphans[at] = detail.orphans.unwrap_or(rules.orphans[at]);
                }
            }
        }
        for name in &spec.skip {
            rules.skipped[number(name)] = true;
        }
        for name in &spec.whole {
            rules.seeds[number(name)].fill(true);
        }
        for seed in &spec.seeds {
            let at = number(&seed.table);
            let table = &world.tables[at];
            for row in seed_rows(table, &seed.rows, spec.seed) {
                rules.seeds[at][row] = true;
            }
        }
        rules
    }
}

/// Whether `v < n` is true for a row.
fn meets(table: &Table, row: usize, condition: Option<&str>) -> bool {
    let Some(condition) = condition else {
        return true;
    };
    let bound: i64 = condition.strip_prefix("v < ").unwrap().parse().unwrap();
    let v = table.columns.iter().position(|c| c.name == "v").unwrap();
    matches!(table.rows[row][v], Value::Int(v) if v < bound)
}

fn seed_rows(table: &Table, rows: &SeedRows, seed: u64) -> Vec<usize> {
    let all = 0..table.rows.len();
    match rows {
        SeedRows::Where(condition) => all
            .filter(|&row| meets(table, row, Some(condition)))
            .collect(),
        SeedRows::Count(count) => lowest(table, all.collect(), *count, seed),
        SeedRows::Keys(keys) => all
            .filter(|&row| {
                let key = table.identity().unwrap().iter();
                let key: Vec<String> = key
                    .map(|&c| table.rows[row][c].canonical().unwrap())
                    .collect();
                keys.iter().any(|wanted| wanted.0 == key)
            })
            .collect(),
        SeedRows::Stratified { by, rows } => {
            let column = table.columns.iter().position(|c| c.name == *by).unwrap();
            let mut strata: BTreeMap<&Value, Vec<usize>> = BTreeMap::new();
            for row in all {
                let value = &table.rows[row][column];
                strata.entry(value).or_default().push(row);
            }
            let strata = strata.into_values();
            strata
                .flat_map(|members| lowest(table, members, *rows, seed))
                .collect()
        }
        SeedRows::Percent(share) => all
            .filter(|&row| {
                #[expect(clippy::cast_precision_loss, reason = "53 bits")]
                let position = (rank(table, row, seed).0 >> 11) as f64 / (1u64 << 53) as f64;
                position * 100.0 < *share
            })
            .collect(),
        _ => all.collect(),
    }
}

fn lowest(table: &Table, mut rows: Vec<usize>, count: u64, seed: u64) -> Vec<usize> {
    rows.sort_by_key(|&row| rank(table, row, seed));
    rows.truncate(usize::try_from(count).unwrap());
    rows
}

/// The first by a column, NULL last, ties by key.
fn first(table: &Table, mut rows: Vec<usize>, cap: u64, order: &Order) -> Vec<usize> {
    let column = table
        .columns
        .iter()
        .position(|c| c.name == order.column)
        .unwrap();
    rows.sort_by(|&a, &b| {
        let value = |row: usize| &table.rows[row][column];
        let (x, y) = (value(a), value(b));
        let null = (*x == Value::Null).cmp(&(*y == Value::Null));
        let by_value = if order.descending { y.cmp(x) } else { x.cmp(y) };
        let by_key = rank(table, a, 0).1.cmp(&rank(table, b, 0).1);
        null.then(by_value).then(by_key)
    });
    rows.truncate(usize::try_from(cap).unwrap());
    rows
}

/// Children of row `p` that an edge selects.
pub(crate) fn selected(world: &World, rules: &Rules, edge: usize, p: usize) -> Vec<usize> {
    let reference = &world.edges[edge];
    let child = &world.tables[reference.child];
    let family: Vec<usize> = (0..child.rows.len())
        .filter(|&c| refers(world, reference, c, p))
        .filter(|&c| meets(child, c, rules.condition[edge].as_deref()))
        .collect();
    match rules.down[edge] {
        Down::None => Vec::new(),
        Down::Cap(cap) => match &rules.order[edge] {
            None => lowest(child, family, cap, rules.seed),
            Some(order) => first(child, family, cap, order),
        },
        _ => family,
    }
}

/// Steps of children from a seed to each row that is expanded.
pub(crate) fn distances(world: &World, rules: &Rules) -> Vec<Vec<Option<u32>>> {
    let mut distance: Vec<Vec<Option<u32>>> = rules
        .seeds
        .iter()
        .map(|rows| rows.iter().map(|&seed| seed.then_some(0)).collect())
        .collect();
    loop {
        let mut moved = false;
        for (number, edge) in live(world, rules) {
            for p in 0..world.tables[edge.parent].rows.len() {
                let Some(next) = distance[edge.parent][p].map(|d| d + 1) else {
                    continue;
                };
                let far = |depth: Option<u32>| depth.is_some_and(|depth| next > depth);
                if far(rules.depth) || far(rules.edge_depth[number]) {
                    continue;
                }
                for c in selected(world, rules, number, p) {
                    let here = &mut distance[edge.child][c];
                    if here.is_none_or(|d| d > next) {
                        *here = Some(next);
                        moved = true;
                    }
                }
            }
        }
        if !moved {
            return distance;
        }
    }
}

/// Edges both of whose tables take part.
pub(crate) fn live<'w>(
    world: &'w World,
    rules: &'w Rules,
) -> impl Iterator<Item = (usize, &'w Edge)> {
    world
        .edges
        .iter()
        .enumerate()
        .filter(|(_, e)| !rules.skipped[e.child] && !rules.skipped[e.parent])
}

/// The least fixpoint.
pub(crate) fn subset(world: &World, rules: &Rules) -> Chosen {
    let mut chosen: Chosen = distances(world, rules)
        .into_iter()
        .map(|rows| rows.into_iter().map(|d| d.is_some()).collect())
        .collect();
    loop {
        let mut moved = false;
        for (_, edge) in live(world, rules) {
            for c in 0..world.tables[edge.child].rows.len() {
                if !chosen[edge.child][c] {
                    continue;
                }
                for (p, present) in chosen[edge.parent].iter_mut().enumerate() {
                    if refers(world, edge, c, p) && !*present {
                        *present = true;
                        moved = true;
                    }
                }
            }
        }
        if !moved {
            return chosen;
        }
    }
}

/// The rows themselves, by table, sorted.
pub(crate) fn rows(
    world: &World,
    rules: &Rules,
    chosen: &Chosen,
) -> BTreeMap<String, Vec<Vec<Value>>> {
    world
        .tables
        .iter()
        .enumerate()
        .filter(|(number, _)| !rules.skipped[*number])
        .map(|(number, table)| {
            let picked = table.rows.iter().zip(&chosen[number]);
            let mut rows: Vec<_> = picked
                .filter(|(_, c)| **c)
                .map(|(r, _)| r.clone())
                .collect();
            rows.sort();
            (table.name.clone(), rows)
        })
        .collect()
}
