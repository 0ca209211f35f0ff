//! Columns that refer to each other form one group, and a group has one pseudonym domain.
//!
//! Union-find over the column pairs of all references: composite keys pair by pair, chains through several
//! tables, tables that refer to themselves, declared, virtual and inferred references alike.

use std::collections::{BTreeMap, HashMap, VecDeque};

use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::ident::ColumnRef;

/// All groups of two columns or more.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Vec<Group>,
    of: HashMap<ColumnRef, usize>,
    /// Neighbours of a column over references, for naming paths.
    near: BTreeMap<ColumnRef, Vec<ColumnRef>>,
}

/// Columns joined by references.
#[derive(Debug)]
pub(crate) struct Group {
    /// The columns, sorted.
    pub(crate) members: Vec<ColumnRef>,
    /// The column that the others lead to: it is referred to and refers to nothing, first by name.
    pub(crate) root: ColumnRef,
}

impl Group {
    /// Name of the group's domain: the same for the same tables on every engine, so without a namespace.
    pub(crate) fn domain(&self) -> String {
        let ColumnRef { table, column } = &self.root;
        format!("{}.{}", table.name.to_lowercase(), column.to_lowercase())
    }
}

impl Groups {
    /// Groups over the declared references of `tables` and over `extra` ones. References to tables or
    /// columns outside are left out.
    pub(crate) fn new(tables: &[TableSchema], extra: &[ForeignKey]) -> Self {
        let mut known: HashMap<ColumnRef, usize> = HashMap::new();
        for table in tables {
            for column in &table.columns {
                let next = known.len();
                known.insert(table.table.column(&column.name), next);
            }
        }
        let mut parent: Vec<usize> = (0..known.len()).collect();
        let mut groups = Self::default();
        let mut referred: HashMap<ColumnRef, (bool, bool)> = HashMap::new();
        for foreign_key in tables.iter().flat_map(|t| &t.foreign_keys).chain(extra) {
            for (child, parent_column) in &foreign_key.columns {
                let child = foreign_key.child.column(child);
                let target = foreign_key.parent.column(parent_column);
                let (Some(&a), Some(&b)) = (known.get(&child), known.get(&target)) else {
                    continue;
                };
                if a == b {
                    continue;
                }
                let (a, b) = (find(&mut parent, a), find(&mut parent, b));
                parent[a] = b;
                referred.entry(child.clone()).or_default().0 = true;
                referred.entry(target.clone()).or_default().1 = true;
                groups
                    .near
                    .entry(child.clone())
                    .or_default()
                    .push(target.clone());
                groups.near.entry(target).or_default().push(child);
            }
        }
        let mut members: BTreeMap<usize, Vec<ColumnRef>> = BTreeMap::new();
        for (column, &number) in &known {
            if referred.contains_key(column) {
                members
                    .entry(find(&mut parent, number))
                    .or_default()
                    .push(column.clone());
            }
        }
        for (_, mut columns) in members {
            columns.sort();
            let top = |column: &&ColumnRef| referred.get(*column) == Some(&(false, true));
            let root = columns
                .iter()
                .find(top)
                .or_else(|| {
                    columns
                        .iter()
                        .find(|c| referred.get(*c).is_some_and(|r| r.1))
                })
                .unwrap_or(&columns[0])
                .clone();
            for column in &columns {
                groups.of.insert(column.clone(), groups.groups.len());
            }
            groups.groups.push(Group {
                members: columns,
                root,
            });
        }
        groups
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// The group of `column`, when it is in one.
    pub(crate) fn of(&self, column: &ColumnRef) -> Option<&Group> {
        self.of.get(column).map(|&i| &self.groups[i])
    }

    /// A shortest way from one column to another over references, as messages print it.
    pub(crate) fn path(&self, from: &ColumnRef, to: &ColumnRef) -> String {
        let mut before: HashMap<&ColumnRef, &ColumnRef> = HashMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(column) = queue.pop_front() {
            if column == to {
                break;
            }
            for next in self.near.get(column).into_iter().flatten() {
                if next != from && !before.contains_key(next) {
                    before.insert(next, column);
                    queue.push_back(next);
                }
            }
        }
        let mut path = vec![to.to_string()];
        let mut at = to;
        while let Some(&previous) = before.get(at) {
            path.push(previous.to_string());
            at = previous;
        }
        path.reverse();
        path.join(" - ")
    }
}

fn find(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdm_core::catalog::Column;
    use tdm_core::ident::TableRef;
    use tdm_core::types::LogicalType;

    fn table(name: &str, columns: &[&str], references: &[(&str, &[(&str, &str)])]) -> TableSchema {
        let mut table = TableSchema::new(TableRef::new(name));
        table.columns = (1u32..)
            .zip(columns)
            .map(|(i, c)| Column::new(*c, i, "int", LogicalType::BIGINT))
            .collect();
        table.foreign_keys = references
            .iter()
            .map(|(parent, pairs)| {
                let pairs = pairs
                    .iter()
                    .map(|(c, p)| ((*c).to_owned(), (*p).to_owned()))
                    .collect();
                ForeignKey::new(table.table.clone(), TableRef::new(*parent), pairs)
            })
            .collect();
        table
    }

    #[test]
    fn composite_chained_and_self_references_form_groups() {
        let tables = [
            table("tenant", &["id"], &[]),
            table(
                "orders",
                &["tenant", "no"],
                &[("tenant", &[("tenant", "id")])],
            ),
            table(
                "item",
                &["t", "n", "line", "up"],
                &[
                    ("orders", &[("t", "tenant"), ("n", "no")]),
                    ("item", &[("up", "line")]),
                ],
            ),
        ];
        let groups = Groups::new(&tables, &[]);
        let names: Vec<String> = groups.iter().map(Group::domain).collect();
        assert_eq!(names.len(), 3);
        for name in ["tenant.id", "orders.no", "item.line"] {
            assert!(names.iter().any(|n| n == name), "{name}");
        }
        let from = tables[2].table.column("t");
        assert_eq!(
            groups.path(&from, &tables[0].table.column("id")),
            "item.t - orders.tenant - tenant.id"
        );
    }
}
