//! Small random databases with everything that makes a closure hard, and the way from them to the ports.

use std::sync::Arc;

use tdm_core::arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use tdm_core::catalog::{Column, ForeignKey, Key, RelationshipKind, TableSchema};
use tdm_core::ident::TableRef;
use tdm_core::memory::{MemorySource, MemoryTable};
use tdm_core::scalar::{ScalarRef, cell};
use tdm_core::types::LogicalType;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
}

impl Value {
    /// What two cells of different types are compared by; `None` for NULL.
    pub(crate) fn canonical(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(v) => Some(v.to_string()),
            Self::Text(v) => Some(v.clone()),
        }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Col {
    pub(crate) name: String,
    pub(crate) text: bool,
    pub(crate) not_null: bool,
}

/// A table with its rows.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Col>,
    pub(crate) pk: Option<Vec<usize>>,
    pub(crate) unique: Vec<Vec<usize>>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Table {
    /// Columns that identify a row and hold no NULL.
    pub(crate) fn identity(&self) -> Option<&[usize]> {
        self.pk
            .iter()
            .chain(&self.unique)
            .find(|key| key.iter().all(|&c| self.columns[c].not_null))
            .map(Vec::as_slice)
    }

    fn add(&mut self, name: &str, text: bool, not_null: bool) -> usize {
        self.columns.push(Col {
            name: name.to_owned(),
            text,
            not_null,
        });
        self.columns.len() - 1
    }
}

/// A reference.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) child: usize,
    pub(crate) parent: usize,
    pub(crate) child_columns: Vec<usize>,
    pub(crate) parent_columns: Vec<usize>,
    pub(crate) declared: bool,
    /// The child's type column and the value, as text, for which the reference holds.
    pub(crate) only: Option<(usize, String)>,
}

/// A database.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) tables: Vec<Table>,
    pub(crate) edges: Vec<Edge>,
}

/// A generator of numbers that needs no crate (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).unwrap()
    }

    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }
}

impl World {
    /// A random database.
    pub(crate) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut world = Self::default();
        let tables = 1 + dice.below(5);
        for number in 0..tables {
            world.tables.push(random_table(number, &mut dice));
        }
        for number in 0..dice.below(2 * tables + 1) {
            world.random_edge(number, &mut dice);
        }
        for table in &mut world.tables {
            if table.identity().is_none() && table.pk.is_none() {
                duplicate_rows(table, &mut dice);
            }
        }
        world
    }

    /// Employees, each the boss of the next; only the last has `v` zero.
    pub(crate) fn chain(rows: i64) -> Self {
        let rows = (0..rows).map(|i| {
            let boss = if i == 0 {
                Value::Null
            } else {
                Value::Int(i - 1)
            };
            vec![Value::Int(i), boss, Value::Int(i64::from(i != rows - 1))]
        });
        Self {
            tables: vec![keyed("employee", &["boss", "v"], rows.collect())],
            edges: vec![reference((0, 1), 0)],
        }
    }

    /// `families` customers with `orders` orders each; `v` of a customer is its number modulo 4.
    pub(crate) fn shop(families: i64, orders: i64) -> Self {
        let customers = (0..families).map(|i| vec![Value::Int(i), Value::Int(i % 4)]);
        let all = (0..families * orders)
            .map(|i| vec![Value::Int(i), Value::Int(i / orders), Value::Int(i % 7)]);
        Self {
            tables: vec![
                keyed("customer", &["v"], customers.collect()),
                keyed("orders", &["customer_id", "v"], all.collect()),
            ],
            edges: vec![reference((1, 1), 0)],
        }
    }

    fn random_edge(&mut self, number: usize, dice: &mut Dice) {
        let child = dice.below(self.tables.len());
        let parent = dice.below(self.tables.len());
        let target = &self.tables[parent];
        let mut choices: Vec<(Vec<usize>, bool)> = target
            .pk
            .iter()
            .chain(&target.unique)
            .map(|key| (key.clone(), true))
            .collect();
        let payload = target.columns.iter().position(|c| c.name == "v");
        choices.push((payload.into_iter().collect(), false));
        let (mut parent_columns, unique) = choices[dice.below(choices.len())].clone();
        if parent_columns.len() > 1 && dice.percent(40) {
            parent_columns.reverse();
        }
        let mut declared = unique && dice.percent(75);
        let flip = !declared && dice.percent(50);
        let wanted: Vec<bool> = parent_columns
            .iter()
            .map(|&c| self.tables[parent].columns[c].text != flip)
            .collect();
        // Sometimes columns that hold another reference already hold this one too.
        let shared = self
            .edges
            .iter()
            .find(|e| {
                e.child == child
                    && e.child_columns
                        .iter()
                        .map(|&c| self.tables[child].columns[c].text)
                        .eq(wanted.iter().copied())
            })
            .map(|e| e.child_columns.clone());
        let child_columns = if let Some(columns) = shared.filter(|_| dice.percent(25)) {
            declared = false;
            columns
        } else {
            self.fill_reference(
                number,
                child,
                parent,
                &parent_columns,
                &wanted,
                declared,
                dice,
            )
        };
        let only = (!declared && dice.percent(35)).then(|| self.type_column(number, child, dice));
        self.edges.push(Edge {
            child,
            parent,
            child_columns,
            parent_columns,
            declared,
            only,
        });
    }

    /// A type column of `child`, an old one where there is one, and one of its values.
    fn type_column(&mut self, number: usize, child: usize, dice: &mut Dice) -> (usize, String) {
        let value = if dice.percent(50) { "1" } else { "2" }.to_owned();
        let table = &mut self.tables[child];
        let old = table.columns.iter().position(|c| c.name.starts_with('k'));
        if let Some(old) = old.filter(|_| dice.percent(70)) {
            return (old, value);
        }
        let text = dice.percent(50);
        let column = table.add(&format!("k{number}"), text, false);
        for row in &mut table.rows {
            let kind = i64::try_from(dice.below(4)).unwrap();
            row.push(match kind {
                3 => Value::Null,
                kind if text => Value::Text(kind.to_string()),
                kind => Value::Int(kind),
            });
        }
        (column, value)
    }

    #[expect(clippy::too_many_arguments, reason = "one call, all of them needed")]
    fn fill_reference(
        &mut self,
        number: usize,
        child: usize,
        parent: usize,
        parent_columns: &[usize],
        text: &[bool],
        declared: bool,
        dice: &mut Dice,
    ) -> Vec<usize> {
        let keys: Vec<Vec<Value>> = self.tables[parent]
            .rows
            .iter()
            .map(|row| parent_columns.iter().map(|&c| row[c].clone()).collect())
            .collect();
        let complete = keys.iter().all(|k| !k.contains(&Value::Null));
        // A key that holds a reference: order_items(order, line).
        let inside_key = child != parent
            && complete
            && !keys.is_empty()
            && self.tables[child]
                .pk
                .as_ref()
                .is_some_and(|pk| pk.len() == 1)
            && self.tables[child].columns[0].not_null
            && self.tables[child].unique.iter().all(|u| u != &[0])
            && dice.percent(30);
        let start = self.tables[child].columns.len();
        for (i, &text) in text.iter().enumerate() {
            self.tables[child].add(&format!("e{number}_{i}"), text, inside_key);
        }
        for row in &mut self.tables[child].rows {
            let key = (!keys.is_empty()).then(|| keys[dice.below(keys.len())].clone());
            let orphan = !declared && dice.percent(15);
            for (i, &text) in text.iter().enumerate() {
                let value = key.as_ref().map_or(Value::Null, |key| key[i].clone());
                let value = match value {
                    _ if !inside_key && dice.percent(15) => Value::Null,
                    Value::Null => Value::Null,
                    _ if orphan && text => Value::Text("zz".to_owned()),
                    _ if orphan => Value::Int(990 + i64::try_from(i).unwrap()),
                    Value::Int(v) if text => Value::Text(v.to_string()),
                    Value::Text(v) if !text => v.parse().map_or(Value::Null, Value::Int),
                    value => value,
                };
                row.push(value);
            }
        }
        let columns: Vec<usize> = (start..start + text.len()).collect();
        let table = &mut self.tables[child];
        let null = |c: &usize| table.rows.iter().any(|row| row[*c] == Value::Null);
        if inside_key && columns.iter().any(null) {
            // A text that is no number became NULL: the column stays an ordinary one.
            for &c in &columns {
                table.columns[c].not_null = false;
            }
        } else if inside_key {
            let mut pk = columns.clone();
            pk.push(0);
            table.unique.push(vec![0]);
            table.pk = Some(pk);
        }
        columns
    }

    /// Schemas in table order and the references that are not declared.
    pub(crate) fn schemas(&self) -> (Vec<TableSchema>, Vec<ForeignKey>) {
        let mut schemas: Vec<TableSchema> = self.tables.iter().map(schema).collect();
        let mut extra = Vec::new();
        for edge in &self.edges {
            let mut fk = self.foreign_key(edge);
            if edge.declared {
                schemas[edge.child].foreign_keys.push(fk);
            } else {
                fk.kind = RelationshipKind::Virtual;
                fk.validated = false;
                if let Some((column, value)) = &edge.only {
                    fk.kind = RelationshipKind::Polymorphic;
                    let column = self.tables[edge.child].columns[*column].name.clone();
                    fk.predicate = Some((column, value.clone()));
                }
                extra.push(fk);
            }
        }
        (schemas, extra)
    }

    fn foreign_key(&self, edge: &Edge) -> ForeignKey {
        let (child, parent) = (&self.tables[edge.child], &self.tables[edge.parent]);
        let columns = edge
            .child_columns
            .iter()
            .zip(&edge.parent_columns)
            .map(|(&c, &p)| {
                (
                    child.columns[c].name.clone(),
                    parent.columns[p].name.clone(),
                )
            })
            .collect();
        ForeignKey::new(
            TableRef::new(&child.name),
            TableRef::new(&parent.name),
            columns,
        )
    }

    /// Names of an edge's child columns.
    pub(crate) fn edge_columns(&self, edge: &Edge) -> Vec<String> {
        edge.child_columns
            .iter()
            .map(|&c| self.tables[edge.child].columns[c].name.clone())
            .collect()
    }

    /// The database behind the source port.
    pub(crate) fn source(&self) -> MemorySource {
        let (schemas, _) = self.schemas();
        let tables = self
            .tables
            .iter()
            .zip(schemas)
            .map(|(table, schema)| MemoryTable::new(schema, arrays(table)).unwrap())
            .collect();
        MemorySource::new("world", tables)
    }
}

/// A table with an integer key `id` and nullable integer columns.
pub(crate) fn keyed(name: &str, columns: &[&str], rows: Vec<Vec<Value>>) -> Table {
    let mut table = Table {
        name: name.to_owned(),
        columns: Vec::new(),
        pk: Some(vec![0]),
        unique: Vec::new(),
        rows,
    };
    table.add("id", false, true);
    for column in columns {
        table.add(column, false, false);
    }
    table
}

/// A declared reference of one column to the first column of `parent`.
pub(crate) fn reference((child, column): (usize, usize), parent: usize) -> Edge {
    Edge {
        child,
        parent,
        child_columns: vec![column],
        parent_columns: vec![0],
        declared: true,
        only: None,
    }
}

fn random_table(number: usize, dice: &mut Dice) -> Table {
    let mut table = Table {
        name: format!("t{number}"),
        columns: Vec::new(),
        pk: None,
        unique: Vec::new(),
        rows: Vec::new(),
    };
    let kind = dice.below(8);
    match kind {
        0..=2 => {
            table.add("id", false, true);
            table.pk = Some(vec![0]);
        }
        3 => {
            table.add("id", true, true);
            table.pk = Some(vec![0]);
        }
        4 => {
            table.add("a", false, true);
            table.add("b", true, true);
            table.pk = Some(vec![0, 1]);
        }
        // A primary key that allows NULL, as SQLite does.
        5 => {
            table.add("id", false, false);
            table.pk = Some(vec![0]);
        }
        // A unique NOT NULL key and no primary key.
        6 => {
            let id = table.add("id", true, true);
            table.unique.push(vec![id]);
        }
        // No key at all.
        _ => {}
    }
    let unique = (kind != 7).then(|| table.add("u", dice.percent(50), false));
    table.add("v", false, false);
    table.unique.extend(unique.map(|u| vec![u]));
    let columns = table.columns.clone();
    for row in 0..dice.below(9) {
        let row = i64::try_from(row).unwrap();
        let typed = |v: i64, text: bool| {
            if text {
                Value::Text(v.to_string())
            } else {
                Value::Int(v)
            }
        };
        let cells = columns.iter().map(|column| match column.name.as_str() {
            "id" if !column.not_null && dice.percent(25) => Value::Null,
            "id" => typed(row * 3 + 1, column.text),
            "a" => Value::Int(row / 2),
            "b" => Value::Text(if row % 2 == 0 { "x" } else { "y" }.to_owned()),
            "u" if dice.percent(30) => Value::Null,
            "u" => typed(row + 2, column.text),
            _ if dice.percent(20) => Value::Null,
            _ => Value::Int(i64::try_from(dice.below(4)).unwrap()),
        });
        table.rows.push(cells.collect());
    }
    table
}

fn duplicate_rows(table: &mut Table, dice: &mut Dice) {
    for row in 1..table.rows.len() {
        if dice.percent(40) {
            table.rows[row] = table.rows[dice.below(row)].clone();
        }
    }
}

fn schema(table: &Table) -> TableSchema {
    let mut schema = TableSchema::new(TableRef::new(&table.name));
    let names = |key: &Vec<usize>| Key::over(key.iter().map(|&c| &table.columns[c].name));
    schema.columns = table
        .columns
        .iter()
        .zip(1..)
        .map(|(column, ordinal)| {
            let logical = if column.text {
                LogicalType::TEXT
            } else {
                LogicalType::BIGINT
            };
            let mut result = Column::new(&column.name, ordinal, "any", logical);
            result.nullable = !column.not_null;
            result
        })
        .collect();
    schema.primary_key = table.pk.as_ref().map(names);
    schema.unique = table.unique.iter().map(names).collect();
    schema
}

/// The columns of a table as arrays.
pub(crate) fn arrays(table: &Table) -> Vec<ArrayRef> {
    let column = |number: usize, text: bool| -> ArrayRef {
        let cells = table.rows.iter().map(|row| &row[number]);
        if text {
            Arc::new(StringArray::from_iter(cells.map(|v| match v {
                Value::Text(v) => Some(v.clone()),
                _ => None,
            })))
        } else {
            Arc::new(Int64Array::from_iter(cells.map(|v| match v {
                Value::Int(v) => Some(*v),
                _ => None,
            })))
        }
    };
    table
        .columns
        .iter()
        .enumerate()
        .map(|(number, c)| column(number, c.text))
        .collect()
}

/// Rows of arrays that lie side by side.
pub(crate) fn rows_of(columns: &[ArrayRef]) -> Vec<Vec<Value>> {
    let rows = columns.first().map_or(0, Array::len);
    let value = |array: &ArrayRef, row| match cell(array.as_ref(), row) {
        ScalarRef::Int(v) => Value::Int(v),
        ScalarRef::Text(v) => Value::Text(v.to_owned()),
        _ => Value::Null,
    };
    (0..rows)
        .map(|row| columns.iter().map(|array| value(array, row)).collect())
        .collect()
}
