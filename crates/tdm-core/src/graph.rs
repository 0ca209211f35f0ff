//! The foreign-key graph: components, cycles and load order. Pure; linear in tables and references.

use std::collections::HashMap;

use crate::catalog::{ForeignKey, TableSchema};
use crate::ident::TableRef;

/// Tables and the references between them.
///
/// References to tables outside the set are left out and reported by [`FkGraph::outside`].
#[derive(Debug, Clone)]
pub struct FkGraph {
    tables: Vec<TableRef>,
    index: HashMap<TableRef, usize>,
    edges: Vec<Edge>,
    outgoing: Vec<Vec<usize>>,
    incoming: Vec<Vec<usize>>,
    outside: Vec<ForeignKey>,
}

/// One reference as an edge from child to parent.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Number of the child table.
    pub child: usize,
    /// Number of the parent table.
    pub parent: usize,
    /// The reference.
    pub foreign_key: ForeignKey,
}

/// A strongly connected component: one table, or tables that refer to each other in a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Numbers of its tables, ascending.
    pub tables: Vec<usize>,
    /// Whether a reference runs inside it: a cycle, or a table that refers to itself.
    pub cyclic: bool,
}

impl FkGraph {
    /// The graph of the declared references of `tables` and of `extra` ones (virtual, inferred).
    pub fn new<'a>(
        tables: impl IntoIterator<Item = &'a TableSchema>,
        extra: &[ForeignKey],
    ) -> Self {
        let schemas: Vec<&TableSchema> = tables.into_iter().collect();
        let names: Vec<TableRef> = schemas.iter().map(|t| t.table.clone()).collect();
        let index: HashMap<_, _> = names
            .iter()
            .cloned()
            .enumerate()
            .map(|(i, t)| (t, i))
            .collect();
        let mut graph = Self {
            outgoing: vec![Vec::new(); names.len()],
            incoming: vec![Vec::new(); names.len()],
            tables: names,
            index,
            edges: Vec::new(),
            outside: Vec::new(),
        };
        for foreign_key in schemas.iter().flat_map(|t| &t.foreign_keys).chain(extra) {
            match (
                graph.index.get(&foreign_key.child),
                graph.index.get(&foreign_key.parent),
            ) {
                (Some(&child), Some(&parent)) => {
                    let edge = graph.edges.len();
                    graph.edges.push(Edge {
                        child,
                        parent,
                        foreign_key: foreign_key.clone(),
                    });
                    graph.outgoing[child].push(edge);
                    graph.incoming[parent].push(edge);
                }
                _ => graph.outside.push(foreign_key.clone()),
            }
        }
        graph
    }

    /// Number of tables.
    pub const fn len(&self) -> usize {
        self.tables.len()
    }

    /// Whether there is no table.
    pub const fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The table with this number.
    ///
    /// # Panics
    /// When there is none.
    pub fn table(&self, number: usize) -> &TableRef {
        &self.tables[number]
    }

    /// Number of a table.
    pub fn number(&self, table: &TableRef) -> Option<usize> {
        self.index.get(table).copied()
    }

    /// All edges; an edge's number is its position.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Numbers of the edges by which `table` refers to parents.
    pub fn to_parents(&self, table: usize) -> &[usize] {
        &self.outgoing[table]
    }

    /// Numbers of the edges by which children refer to `table`.
    pub fn to_children(&self, table: usize) -> &[usize] {
        &self.incoming[table]
    }

    /// References that leave the set of tables.
    pub fn outside(&self) -> &[ForeignKey] {
        &self.outside
    }

    /// Strongly connected components, parents before children (Tarjan 1972, without recursion).
    pub fn components(&self) -> Vec<Component> {
        const UNSEEN: usize = usize::MAX;
        let n = self.tables.len();
        let (mut order, mut low) = (vec![UNSEEN; n], vec![0; n]);
        let mut on_stack = vec![false; n];
        let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
        for root in 0..n {
            if order[root] != UNSEEN {
                continue;
            }
            // Each frame: a table and how many of its outgoing edges were followed.
            let mut frames = vec![(root, 0)];
            while let Some(&mut (table, ref mut followed)) = frames.last_mut() {
                if *followed == 0 && order[table] == UNSEEN {
                    order[table] = next;
                    low[table] = next;
                    next += 1;
                    stack.push(table);
                    on_stack[table] = true;
                }
                if let Some(&edge) = self.outgoing[table].get(*followed) {
                    *followed += 1;
                    let parent = self.edges[edge].parent;
                    if order[parent] == UNSEEN {
                        frames.push((parent, 0));
                    } else if on_stack[parent] {
                        low[table] = low[table].min(order[parent]);
                    }
                    continue;
                }
                frames.pop();
                if let Some(&(child, _)) = frames.last() {
                    low[child] = low[child].min(low[table]);
                }
                if low[table] == order[table] {
                    let start = stack
                        .iter()
                        .rposition(|&t| t == table)
                        .expect("a component's root is on the stack");
                    let mut tables = stack.split_off(start);
                    tables.iter().for_each(|&t| on_stack[t] = false);
                    tables.sort_unstable();
                    let cyclic = tables.len() > 1
                        || self.outgoing[table]
                            .iter()
                            .any(|&e| self.edges[e].parent == table);
                    found.push(Component { tables, cyclic });
                }
            }
        }
        // Edges run from child to parent, so Tarjan finishes parents first.
        found
    }

    /// Tables in an order in which every parent outside a cycle comes before its children.
    pub fn load_order(&self) -> Vec<usize> {
        self.components()
            .into_iter()
            .flat_map(|c| c.tables)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(references: &[(&str, &str)]) -> FkGraph {
        let mut names: Vec<&str> = references.iter().flat_map(|(a, b)| [*a, *b]).collect();
        names.sort_unstable();
        names.dedup();
        let tables: Vec<TableSchema> = names
            .iter()
            .map(|name| {
                let mut table = TableSchema::new(TableRef::new(*name));
                table.foreign_keys = references
                    .iter()
                    .filter(|(child, _)| child == name)
                    .map(|(c, p)| {
                        ForeignKey::new(
                            TableRef::new(*c),
                            TableRef::new(*p),
                            vec![("p".into(), "id".into())],
                        )
                    })
                    .collect();
                table
            })
            .collect();
        FkGraph::new(&tables, &[])
    }

    fn names(graph: &FkGraph) -> Vec<Vec<&str>> {
        graph
            .components()
            .iter()
            .map(|c| {
                c.tables
                    .iter()
                    .map(|&t| graph.table(t).name.as_str())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn parents_come_first_and_cycles_stay_together() {
        let graph = graph(&[
            ("item", "order"),
            ("order", "store"),
            ("store", "staff"),
            ("staff", "store"),
            ("order", "staff"),
        ]);
        assert_eq!(
            names(&graph),
            [vec!["staff", "store"], vec!["order"], vec!["item"]]
        );
        assert!(graph.components()[0].cyclic);
        assert!(!graph.components()[1].cyclic);
    }

    #[test]
    fn a_table_that_refers_to_itself_is_a_cycle_of_one() {
        let graph = graph(&[("employee", "employee")]);
        assert_eq!(
            graph.components(),
            [Component {
                tables: vec![0],
                cyclic: true
            }]
        );
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_tables_does_not_overflow_the_stack() {
        let tables: Vec<TableSchema> = (0..100_000)
            .map(|i| {
                let mut table = TableSchema::new(TableRef::new(format!("t{i}")));
                let parent = TableRef::new(format!("t{}", i + 1));
                table.foreign_keys = vec![ForeignKey::new(
                    table.table.clone(),
                    parent,
                    vec![("p".into(), "id".into())],
                )];
                table
            })
            .collect();
        let graph = FkGraph::new(&tables, &[]);
        assert_eq!(graph.load_order().first(), Some(&99_999));
        assert_eq!(graph.outside().len(), 1);
    }
}
