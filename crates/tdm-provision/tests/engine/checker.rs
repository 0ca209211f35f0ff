//! Judges of a result that know nothing of how it was made.

use std::collections::BTreeMap;

use super::oracle::{self, Chosen, Rules};
use super::world::{Value, World};

/// Which rows of the source are in the result; panics when the result holds a row that the source does not.
pub(crate) fn located(world: &World, result: &BTreeMap<String, Vec<Vec<Value>>>) -> Chosen {
    world
        .tables
        .iter()
        .map(|table| {
            let mut rows = result.get(&table.name).cloned().unwrap_or_default();
            let chosen = table
                .rows
                .iter()
                .map(|row| match rows.iter().position(|r| r == row) {
                    Some(at) => {
                        rows.swap_remove(at);
                        true
                    }
                    None => false,
                })
                .collect();
            assert!(rows.is_empty(), "rows that the source does not have");
            chosen
        })
        .collect()
}

/// References of chosen rows whose parent is in the source and not in the result.
pub(crate) fn dangling(world: &World, rules: &Rules, chosen: &Chosen) -> usize {
    let mut count = 0;
    for (_, edge) in oracle::live(world, rules) {
        for c in 0..world.tables[edge.child].rows.len() {
            for p in 0..world.tables[edge.parent].rows.len() {
                if chosen[edge.child][c]
                    && !chosen[edge.parent][p]
                    && oracle::refers(world, edge, c, p)
                {
                    count += 1;
                }
            }
        }
    }
    count
}

/// Chosen rows that no chain of rules leads to from a seed, walking over chosen rows only.
pub(crate) fn underivable(world: &World, rules: &Rules, chosen: &Chosen) -> usize {
    // A walk over (row, expanded, steps left): a seed is expanded, a child stays so, a parent is not.
    let steps = rules.depth.unwrap_or(u32::MAX);
    let mut reached: Chosen = chosen.iter().map(|rows| vec![false; rows.len()]).collect();
    let mut best: Vec<Vec<Option<u32>>> = chosen.iter().map(|r| vec![None; r.len()]).collect();
    let mut open = Vec::new();
    for (table, rows) in rules.seeds.iter().enumerate() {
        for row in (0..rows.len()).filter(|&row| rows[row]) {
            open.push((table, row, Some(steps)));
        }
    }
    while let Some((table, row, left)) = open.pop() {
        if !chosen[table][row] {
            continue;
        }
        let news = match (left, best[table][row]) {
            (Some(left), Some(known)) => left > known,
            (Some(_), None) => true,
            (None, _) => !reached[table][row],
        };
        if !news {
            continue;
        }
        reached[table][row] = true;
        best[table][row] = left.max(best[table][row]);
        for (number, edge) in oracle::live(world, rules) {
            if edge.child == table {
                let parents = 0..world.tables[edge.parent].rows.len();
                open.extend(
                    parents
                        .filter(|&p| oracle::refers(world, edge, row, p))
                        .map(|p| (edge.parent, p, None)),
                );
            }
            if edge.parent == table
                && let Some(left) = left.and_then(|left| left.checked_sub(1))
                && rules.edge_depth[number].is_none_or(|depth| steps - left <= depth)
            {
                let children = oracle::selected(world, rules, number, row);
                open.extend(children.into_iter().map(|c| (edge.child, c, Some(left))));
            }
        }
    }
    chosen
        .iter()
        .flatten()
        .zip(reached.iter().flatten())
        .filter(|(chosen, reached)| **chosen && !**reached)
        .count()
}
