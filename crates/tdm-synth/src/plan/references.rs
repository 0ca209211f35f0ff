//! References of the request: collected, checked, and cycles broken.

use std::collections::HashSet;

use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::graph::FkGraph;
use tdm_core::ident::TableRef;

use super::request::SynthRequest;
use crate::error::SynthError;

/// One reference with positions instead of names.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) foreign_key: ForeignKey,
    /// Positions of the child's columns in the child's catalog.
    pub(super) child: Vec<usize>,
    /// Table number of the child.
    pub(super) table: usize,
    /// Table number of the parent, when it is made in the same plan.
    pub(super) parent: Option<usize>,
    /// Whether NULL is how the reference says that it refers to nothing.
    pub(super) nullable: bool,
    pub(super) cycle: Cycle,
}

/// What becomes of a reference that closes a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cycle {
    /// It closes none.
    No,
    /// It is NULL.
    Broken,
    /// It refers to rows that are loaded later.
    Late,
}

/// References and load order.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) links: Vec<Link>,
    pub(super) order: Vec<usize>,
}

/// Collects the references of all tables.
pub(super) fn collect(request: &SynthRequest<'_>, errors: &mut Vec<SynthError>) -> Links {
    let schemas: Vec<&TableSchema> = request.tables.iter().map(|t| t.schema).collect();
    let number = |table: &TableRef| schemas.iter().position(|s| s.table == *table);
    let mut links: Vec<Link> = Vec::new();
    let mut seen = HashSet::new();
    let declared = schemas.iter().flat_map(|s| &s.foreign_keys);
    for foreign_key in declared.chain(request.relationships) {
        let Some(table) = number(&foreign_key.child) else {
            continue;
        };
        if !seen.insert((
            table,
            foreign_key.parent.clone(),
            foreign_key.columns.clone(),
        )) {
            continue;
        }
        let place = |name: &str| schemas[table].columns.iter().position(|c| c.name == name);
        let child: Option<Vec<usize>> =
            foreign_key.child_columns().into_iter().map(place).collect();
        let Some(child) = child.filter(|c| !c.is_empty()) else {
            errors.push(SynthError::Reference {
                reference: foreign_key.describe(),
                reason: "it names a column that the child does not have".to_owned(),
                remedy: "scan the schema again".to_owned(),
            });
            continue;
        };
        links.push(Link {
            nullable: child.iter().any(|&c| schemas[table].columns[c].nullable),
            child,
            table,
            parent: number(&foreign_key.parent),
            foreign_key: foreign_key.clone(),
            cycle: Cycle::No,
        });
    }
    let order = break_cycles(request, &schemas, &mut links);
    Links { links, order }
}

/// Marks references until what is left has an order, and returns that order.
fn break_cycles(
    request: &SynthRequest<'_>,
    schemas: &[&TableSchema],
    links: &mut [Link],
) -> Vec<usize> {
    let bare: Vec<TableSchema> = schemas
        .iter()
        .map(|s| TableSchema::new(s.table.clone()))
        .collect();
    loop {
        let kept: Vec<ForeignKey> = links
            .iter()
            .filter(|l| l.cycle == Cycle::No && l.parent.is_some() && l.parent != Some(l.table))
            .map(|l| l.foreign_key.clone())
            .collect();
        let graph = FkGraph::new(&bare, &kept);
        let components = graph.components();
        let Some(cycle) = components.iter().find(|c| c.cyclic) else {
            return components.into_iter().flat_map(|c| c.tables).collect();
        };
        let inside = |l: &Link| {
            l.cycle == Cycle::No
                && l.parent
                    .is_some_and(|p| p != l.table && cycle.tables.contains(&p))
                && cycle.tables.contains(&l.table)
        };
        // A nullable reference first; among equals the first by name, so that the choice never depends on
        // the order in which tables were given.
        let chosen = links
            .iter()
            .enumerate()
            .filter(|(_, l)| inside(l))
            .min_by_key(|(_, l)| (!l.nullable, l.foreign_key.describe()))
            .map(|(at, _)| at);
        match chosen {
            Some(at) => {
                links[at].cycle = if links[at].nullable && !request.fill_cycles {
                    Cycle::Broken
                } else {
                    Cycle::Late
                };
            }
            None => return components.into_iter().flat_map(|c| c.tables).collect(),
        }
    }
}
