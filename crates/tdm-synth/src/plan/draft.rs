//! One table while it is planned: who decides which column, and how every key and reference is met.

use tdm_core::arrow_array::Array;

use super::columns::{Made, Workshop};
use super::compile::read_conditions;
use super::decide::is_contradiction;
use super::keys::{UniqueKey, unique_keys};
use super::references::{Cycle, Link, Links};
use super::request::SynthRequest;
use super::table::{Choice, KeyGroup, Parents};
use crate::check::{Condition, Order};
use crate::error::SynthError;
use crate::make::bounds::Bounds;
use crate::stream::TableKey;
use crate::value::Value;

/// One table while it is planned.
pub(super) struct Draft<'a> {
    pub(super) shop: Workshop<'a>,
    pub(super) table: usize,
    pub(super) links: Vec<(&'a Link, Parents)>,
    pub(super) bounds: Vec<Bounds>,
    pub(super) orders: Vec<Order>,
    pub(super) conditions: Vec<Condition>,
    pub(super) keys: Vec<UniqueKey>,
    /// The reference and the part that decide a column.
    pub(super) owner: Vec<Option<(usize, usize)>>,
    pub(super) choices: Vec<Option<Choice>>,
    pub(super) groups: Vec<KeyGroup>,
    /// The digit of a group that decides a column.
    pub(super) digits: Vec<Option<(usize, usize)>>,
    pub(super) made: Vec<Option<Made>>,
    pub(super) unique: Vec<bool>,
    pub(super) frozen: Vec<bool>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        request: &'a SynthRequest<'a>,
        links: &'a Links,
        table: usize,
        errors: &mut Vec<SynthError>,
    ) -> Self {
        let asked = &request.tables[table];
        let schema = asked.schema;
        let shop = Workshop {
            request,
            schema,
            key: TableKey::new(request.seed, &schema.table),
            rows: asked.rows,
        };
        let width = schema.columns.len();
        let mut bounds = vec![Bounds::default(); width];
        let mut orders = Vec::new();
        let conditions = read_conditions(request, schema, &mut bounds, &mut orders, errors);
        for (column, bounds) in schema.columns.iter().zip(&bounds) {
            if is_contradiction(bounds) {
                errors.push(shop.error(
                    column,
                    "its constraints leave no value",
                    "correct the constraints, or list them as unchecked",
                ));
            }
        }
        let mut draft = Self {
            shop,
            table,
            links: Vec::new(),
            bounds,
            orders,
            conditions,
            keys: unique_keys(schema),
            owner: vec![None; width],
            choices: Vec::new(),
            groups: Vec::new(),
            digits: vec![None; width],
            made: (0..width).map(|_| None).collect(),
            unique: vec![false; width],
            frozen: vec![false; width],
        };
        for key in &draft.keys {
            key.columns.iter().for_each(|&c| draft.frozen[c] = true);
        }
        draft.own(links, errors);
        draft.make_columns(errors);
        let keys = draft.keys.clone();
        for key in &keys {
            draft.secure(key, errors);
        }
        draft.choose_rest(errors);
        draft
    }

    /// Decides which reference decides which column: those that must hold first, wider ones before narrower.
    fn own(&mut self, links: &'a Links, errors: &mut Vec<SynthError>) {
        let mut mine: Vec<&Link> = links
            .links
            .iter()
            .filter(|l| l.table == self.table)
            .collect();
        mine.sort_by_key(|l| {
            let optional = l
                .child
                .iter()
                .any(|&c| self.shop.schema.columns[c].nullable);
            (
                l.cycle == Cycle::Broken,
                optional,
                usize::MAX - l.child.len(),
                l.foreign_key.describe(),
            )
        });
        for link in mine {
            let at = self.links.len();
            for (part, &column) in link.child.iter().enumerate() {
                if self.owner[column].is_none() && self.shop.schema.columns[column].is_written() {
                    self.owner[column] = Some((at, part));
                }
            }
            let parents = self.parents(link, errors);
            self.links.push((link, parents));
            self.choices.push(None);
        }
    }

    /// Rows that a reference may refer to.
    fn parents(&self, link: &Link, errors: &mut Vec<SynthError>) -> Parents {
        let request = self.shop.request;
        let names = link.foreign_key.parent_columns();
        let arrays = request
            .existing
            .keys(&link.foreign_key.parent, &names)
            .unwrap_or_default();
        let rows = arrays.first().map_or(0, Array::len);
        let mut existing = vec![Vec::new(); names.len()];
        if arrays.len() == names.len() {
            for row in 0..rows {
                if arrays.iter().any(|a| a.is_null(row)) {
                    continue;
                }
                for (column, array) in existing.iter_mut().zip(&arrays) {
                    column.push(Value::read(array.as_ref(), row));
                }
            }
        }
        let mut columns = Vec::new();
        if let Some(parent) = link.parent {
            let schema = request.tables[parent].schema;
            for name in &names {
                match schema.columns.iter().position(|c| c.name == *name) {
                    Some(at) => columns.push(at),
                    None => errors.push(SynthError::Reference {
                        reference: link.foreign_key.describe(),
                        reason: "it names a column that the parent does not have".to_owned(),
                        remedy: "scan the schema again".to_owned(),
                    }),
                }
            }
            if !schema.is_unique(&names) {
                errors.push(SynthError::Reference {
                    reference: link.foreign_key.describe(),
                    reason: "what it refers to is not unique in the parent".to_owned(),
                    remedy: "declare the key of the parent, or leave the reference out".to_owned(),
                });
            }
        }
        Parents {
            existing_rows: existing.first().map_or(0, Vec::len) as u64,
            existing,
            table: link.parent,
            columns,
            made_rows: link.parent.map_or(0, |p| request.tables[p].rows),
        }
    }

    fn make_columns(&mut self, errors: &mut Vec<SynthError>) {
        let schema = self.shop.schema;
        let primary: &[String] = schema
            .primary_key
            .as_ref()
            .map_or(&[], |k| k.columns.as_slice());
        for (at, column) in schema.columns.iter().enumerate() {
            if !column.is_written() {
                continue;
            }
            if let Some((link, _)) = self.owner[at] {
                let place = schema.table.column(&column.name);
                let recipe = self.shop.request.recipes.iter().find(|r| r.column == place);
                if recipe.is_some_and(|r| r.generator != "reference") {
                    let reference = self.links[link].0.foreign_key.describe();
                    errors.push(self.shop.error(
                        column,
                        format!("a recipe gives it a generator, and the reference {reference} decides it"),
                        "remove the recipe, or use generator `reference` with null_share",
                    ));
                }
                continue;
            }
            let alone = self.keys.iter().any(|k| k.columns == [at]);
            let in_key = self.keys.iter().any(|k| k.columns.contains(&at));
            let is_primary = matches!(primary, [only] if *only == column.name);
            match self
                .shop
                .make(column, &self.bounds[at], alone && is_primary, in_key)
            {
                Ok(made) => {
                    if made.decision.generator == "null" && !column.nullable {
                        errors.push(self.shop.error(
                            column,
                            format!(
                                "NULL is not allowed and values of type `{}` cannot be made",
                                column.native
                            ),
                            "give a recipe for the column, for example `constant` or `pattern`",
                        ));
                    }
                    self.made[at] = Some(made);
                }
                Err(error) => errors.push(error),
            }
        }
    }
}
