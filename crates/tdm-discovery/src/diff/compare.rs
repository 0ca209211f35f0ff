//! Finds the difference. Names decide first; what is left over on both sides may have been renamed.

use std::collections::{BTreeMap, BTreeSet};

use tdm_core::catalog::{
    Action, Catalog, Check, Column, Deferrability, ForeignKey, Generation, Index, IndexPart, Key,
    MatchType, TableKind, TableSchema,
};
use tdm_core::ident::TableRef;

use super::{
    Change, ColumnDiff, ConstraintChange, ConstraintKind, ObjectChange, Renamed, SchemaDiff,
    TableDiff,
};
use crate::words::tokens;

/// Likeness from which two leftovers count as one that was renamed.
const LIKENESS: f64 = 0.6;

/// What changed from `older` to `newer`. Estimates of rows and bytes are not part of a schema.
///
/// The result is empty exactly when nothing that it can name has changed.
pub fn diff(older: &Catalog, newer: &Catalog) -> SchemaDiff {
    let mut result = SchemaDiff::default();
    let before: BTreeMap<&TableRef, &TableSchema> =
        older.tables.iter().map(|t| (&t.table, t)).collect();
    let after: BTreeMap<&TableRef, &TableSchema> =
        newer.tables.iter().map(|t| (&t.table, t)).collect();
    let gone: Vec<&TableSchema> = before
        .values()
        .filter(|t| !after.contains_key(&t.table))
        .copied()
        .collect();
    let come: Vec<&TableSchema> = after
        .values()
        .filter(|t| !before.contains_key(&t.table))
        .copied()
        .collect();
    let renamed = paired(&gone, &come, table_likeness);
    let mut names: BTreeMap<TableRef, TableRef> = BTreeMap::new();
    for (from, to, likeness) in &renamed {
        names.insert(gone[*from].table.clone(), come[*to].table.clone());
        result.tables_renamed.push(Renamed {
            from: gone[*from].table.clone(),
            to: come[*to].table.clone(),
            likeness: *likeness,
        });
    }
    let from: BTreeSet<usize> = renamed.iter().map(|(from, ..)| *from).collect();
    let to: BTreeSet<usize> = renamed.iter().map(|(_, to, _)| *to).collect();
    result.tables_dropped = left(&gone, &from).map(|t| t.table.clone()).collect();
    result.tables_added = left(&come, &to).map(|t| t.table.clone()).collect();
    let same = before
        .keys()
        .filter(|name| after.contains_key(**name))
        .map(|name| (*name, *name));
    let pairs: Vec<(&TableRef, &TableRef)> = same.chain(&names).collect();
    for (from, to) in pairs {
        let change = table(before[from], after[to], &names);
        if !change.is_empty() {
            result.tables.push(change);
        }
    }
    result.tables.sort_by(|a, b| a.table.cmp(&b.table));
    result.objects = objects(older, newer);
    result
}

fn left<'a, T>(all: &'a [T], taken: &'a BTreeSet<usize>) -> impl Iterator<Item = &'a T> {
    let rest = all
        .iter()
        .enumerate()
        .filter(|(index, _)| !taken.contains(index));
    rest.map(|(_, item)| item)
}

/// Pairs what is most alike first; each is paired once. Ties go to the earlier.
fn paired<T>(gone: &[T], come: &[T], likeness: impl Fn(&T, &T) -> f64) -> Vec<(usize, usize, f64)> {
    let mut all: Vec<(usize, usize, f64)> = Vec::new();
    for (i, from) in gone.iter().enumerate() {
        for (j, to) in come.iter().enumerate() {
            let score = likeness(from, to);
            if score >= LIKENESS {
                all.push((i, j, score));
            }
        }
    }
    all.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    let (mut from, mut to) = (BTreeSet::new(), BTreeSet::new());
    all.retain(|(i, j, _)| {
        !from.contains(i) && !to.contains(j) && from.insert(*i) && to.insert(*j)
    });
    all.sort_by_key(|(i, ..)| *i);
    all
}

/// Share of what both have in all that either has.
#[expect(clippy::cast_precision_loss, reason = "numbers of columns are small")]
fn overlap<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    let all = a.union(b).count();
    if all == 0 {
        return 0.0;
    }
    a.intersection(b).count() as f64 / all as f64
}

fn name_likeness(a: &str, b: &str) -> f64 {
    overlap(
        &tokens(a).into_iter().collect(),
        &tokens(b).into_iter().collect(),
    )
}

fn table_likeness(a: &&TableSchema, b: &&TableSchema) -> f64 {
    let shape = |table: &TableSchema| -> BTreeSet<(String, String)> {
        table
            .columns
            .iter()
            .map(|c| (c.name.to_lowercase(), c.logical.to_string()))
            .collect()
    };
    if a.kind != b.kind {
        return 0.0;
    }
    // The columns say more than the name; one column says little.
    let columns = overlap(&shape(a), &shape(b));
    let weight = if a.columns.len() < 3 { 0.5 } else { 0.85 };
    weight * columns + (1.0 - weight) * name_likeness(&a.table.name, &b.table.name)
}

fn column_likeness(a: &&Column, b: &&Column) -> f64 {
    if a.logical.class() != b.logical.class() {
        return 0.0;
    }
    let mut score = 0.25 + 0.35 * name_likeness(&a.name, &b.name);
    if a.name.eq_ignore_ascii_case(&b.name) {
        score += 0.3;
    }
    score += if a.ordinal == b.ordinal { 0.2 } else { 0.0 };
    score += if a.native == b.native { 0.1 } else { 0.0 };
    score += if a.nullable == b.nullable && a.default == b.default {
        0.1
    } else {
        0.0
    };
    score += if a.comment.is_some() && a.comment == b.comment {
        0.3
    } else {
        0.0
    };
    score.min(1.0)
}

fn table(
    before: &TableSchema,
    after: &TableSchema,
    tables: &BTreeMap<TableRef, TableRef>,
) -> TableDiff {
    let mut result = TableDiff::new(after.table.clone());
    let changes = &mut result.changes;
    note(changes, "kind", kind(before.kind), kind(after.kind));
    note(
        changes,
        "comment",
        shown(before.comment.as_ref()),
        shown(after.comment.as_ref()),
    );
    let parent =
        |parent: Option<&TableRef>| parent.map_or_else(|| "none".into(), ToString::to_string);
    note(
        changes,
        "parent",
        parent(before.parent.as_ref()),
        parent(after.parent.as_ref()),
    );
    for name in before
        .options
        .keys()
        .chain(after.options.keys())
        .collect::<BTreeSet<_>>()
    {
        let (from, to) = (before.options.get(name), after.options.get(name));
        note(changes, &format!("option {name}"), shown(from), shown(to));
    }

    let gone: Vec<&Column> = before
        .columns
        .iter()
        .filter(|c| after.column(&c.name).is_none())
        .collect();
    let come: Vec<&Column> = after
        .columns
        .iter()
        .filter(|c| before.column(&c.name).is_none())
        .collect();
    let renamed = paired(&gone, &come, column_likeness);
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (from, to, likeness) in &renamed {
        names.insert(gone[*from].name.clone(), come[*to].name.clone());
        result.columns_renamed.push(Renamed {
            from: gone[*from].name.clone(),
            to: come[*to].name.clone(),
            likeness: *likeness,
        });
    }
    let from: BTreeSet<usize> = renamed.iter().map(|(from, ..)| *from).collect();
    let to: BTreeSet<usize> = renamed.iter().map(|(_, to, _)| *to).collect();
    result.columns_dropped = left(&gone, &from).map(|c| c.name.clone()).collect();
    result.columns_added = left(&come, &to).map(|c| c.name.clone()).collect();

    // Positions are compared among the columns that both have: one that went moves nobody.
    let kept: Vec<&str> = before
        .columns
        .iter()
        .map(|c| renamed_to(&names, &c.name))
        .filter(|name| after.column(name).is_some())
        .collect();
    let order: Vec<&str> = after
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .filter(|name| kept.contains(name))
        .collect();
    for column in &before.columns {
        let name = renamed_to(&names, &column.name);
        let Some(newer) = after.column(name) else {
            continue;
        };
        let mut changes = column_changes(column, newer);
        let position = |list: &[&str]| list.iter().position(|n| *n == name).map_or(0, |i| i + 1);
        note(
            &mut changes,
            "position",
            position(&kept).to_string(),
            position(&order).to_string(),
        );
        if !changes.is_empty() {
            result.columns.push(ColumnDiff {
                column: name.to_owned(),
                changes,
            });
        }
    }
    result.constraints = constraints(before, after, &names, tables);
    // The definition repeats the rest of an ordinary table and says what nothing else does of a view or a partition.
    if !after.kind.holds_rows() || after.kind == TableKind::Partitioned {
        let definition = |d: Option<&String>| d.map_or("none", |_| "given").to_owned();
        if before.definition != after.definition {
            result.changes.push(Change {
                what: "definition".to_owned(),
                from: definition(before.definition.as_ref()),
                to: definition(after.definition.as_ref()).replace("given", "another"),
            });
        }
    }
    result
}

fn renamed_to<'a>(names: &'a BTreeMap<String, String>, name: &'a str) -> &'a str {
    names.get(name).map_or(name, String::as_str)
}

fn note(changes: &mut Vec<Change>, what: &str, from: String, to: String) {
    if from != to {
        changes.push(Change {
            what: what.to_owned(),
            from,
            to,
        });
    }
}

fn shown(text: Option<&String>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| format!("`{text}`"))
}

fn kind(kind: TableKind) -> String {
    format!("{kind:?}").to_lowercase()
}

fn column_changes(before: &Column, after: &Column) -> Vec<Change> {
    let mut changes = Vec::new();
    let kind = |c: &Column| {
        let logical = c.logical.to_string();
        // Ours beside the server's word only where it says more.
        if before.logical == after.logical || c.native == logical {
            c.native.clone()
        } else {
            format!("{} ({logical})", c.native)
        }
    };
    note(&mut changes, "type", kind(before), kind(after));
    if let (
        tdm_core::types::LogicalType::Enum { labels: a },
        tdm_core::types::LogicalType::Enum { labels: b },
    ) = (&before.logical, &after.logical)
        && a != b
    {
        let labels = |labels: &[String]| labels.join(", ");
        note(&mut changes, "labels", labels(a), labels(b));
    }
    let null = |c: &Column| if c.nullable { "NULL" } else { "NOT NULL" }.to_owned();
    note(&mut changes, "nullability", null(before), null(after));
    note(
        &mut changes,
        "default",
        shown(before.default.as_ref()),
        shown(after.default.as_ref()),
    );
    note(
        &mut changes,
        "generation",
        generation(&before.generation),
        generation(&after.generation),
    );
    note(
        &mut changes,
        "collation",
        shown(before.collation.as_ref()),
        shown(after.collation.as_ref()),
    );
    let visible = |c: &Column| if c.invisible { "invisible" } else { "visible" }.to_owned();
    note(&mut changes, "visibility", visible(before), visible(after));
    note(
        &mut changes,
        "comment",
        shown(before.comment.as_ref()),
        shown(after.comment.as_ref()),
    );
    changes
}

fn generation(generation: &Generation) -> String {
    match generation {
        Generation::None => "none".to_owned(),
        Generation::Identity { always: true } => "identity, always".to_owned(),
        Generation::Identity { always: false } => "identity".to_owned(),
        Generation::Computed { expression, stored } => {
            format!(
                "{} as `{expression}`",
                if *stored { "stored" } else { "computed" }
            )
        }
        other => format!("{other:?}"),
    }
}

type Described = BTreeSet<(ConstraintKind, String)>;

fn constraints(
    before: &TableSchema,
    after: &TableSchema,
    columns: &BTreeMap<String, String>,
    tables: &BTreeMap<TableRef, TableRef>,
) -> Vec<ConstraintChange> {
    let same_column = |name: &str| renamed_to(columns, name).to_owned();
    let same_table = |table: &TableRef| tables.get(table).unwrap_or(table).clone();
    let old = described(before, &same_column, &same_table);
    let new = described(after, &|name| name.to_owned(), &TableRef::clone);
    let change = |added: bool, (kind, description): &(ConstraintKind, String)| ConstraintChange {
        added,
        kind: *kind,
        description: description.clone(),
    };
    let dropped = old.difference(&new).map(|c| change(false, c));
    let added = new.difference(&old).map(|c| change(true, c));
    let mut all: Vec<_> = dropped.chain(added).collect();
    all.sort_by(|a, b| (a.kind, &a.description, a.added).cmp(&(b.kind, &b.description, b.added)));
    all
}

fn described(
    table: &TableSchema,
    column: &dyn Fn(&str) -> String,
    parent: &dyn Fn(&TableRef) -> TableRef,
) -> Described {
    let list = |names: &[String]| {
        names
            .iter()
            .map(|n| column(n))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut all = Described::new();
    let key = |key: &Key| {
        let nulls = if key.nulls_not_distinct {
            ", NULLs equal"
        } else {
            ""
        };
        format!(
            "({}){nulls}{}",
            list(&key.columns),
            deferred(key.deferrability)
        )
    };
    all.extend(
        table
            .primary_key
            .iter()
            .map(|k| (ConstraintKind::PrimaryKey, key(k))),
    );
    all.extend(
        table
            .unique
            .iter()
            .map(|k| (ConstraintKind::Unique, key(k))),
    );
    all.extend(table.foreign_keys.iter().map(|reference| {
        let text = foreign_key(reference, column, parent, &table.table);
        (ConstraintKind::ForeignKey, text)
    }));
    all.extend(
        table
            .checks
            .iter()
            .map(|c| (ConstraintKind::Check, check(c))),
    );
    all.extend(
        table
            .indexes
            .iter()
            .map(|i| (ConstraintKind::Index, index(i, column))),
    );
    all
}

fn deferred(deferrability: Deferrability) -> &'static str {
    match deferrability {
        Deferrability::Immediate => "",
        Deferrability::Deferrable => ", deferrable",
        Deferrability::Deferred => ", deferred",
    }
}

fn foreign_key(
    reference: &ForeignKey,
    column: &dyn Fn(&str) -> String,
    parent: &dyn Fn(&TableRef) -> TableRef,
    own: &TableRef,
) -> String {
    let children: Vec<String> = reference.columns.iter().map(|(c, _)| column(c)).collect();
    let target = parent(&reference.parent);
    // A table that refers to itself has its renamed columns on both sides.
    let parents: Vec<String> = reference
        .columns
        .iter()
        .map(|(_, p)| {
            if reference.parent == *own {
                column(p)
            } else {
                p.clone()
            }
        })
        .collect();
    let mut text = format!(
        "({}) -> {target}({})",
        children.join(", "),
        parents.join(", ")
    );
    for (word, action) in [
        ("delete", reference.on_delete),
        ("update", reference.on_update),
    ] {
        let action = match action {
            Action::NoAction => continue,
            Action::Restrict => "restrict",
            Action::Cascade => "cascade",
            Action::SetNull => "set null",
            Action::SetDefault => "set default",
        };
        text.push_str(&format!(", on {word} {action}"));
    }
    if reference.match_type == MatchType::Full {
        text.push_str(", match full");
    }
    text.push_str(deferred(reference.deferrability));
    if !reference.validated {
        text.push_str(", not validated");
    }
    text
}

fn check(check: &Check) -> String {
    let validated = if check.validated {
        ""
    } else {
        ", not validated"
    };
    let kind = if check.exclusion { "exclusion " } else { "" };
    format!("{kind}`{}`{validated}", check.expression)
}

fn index(index: &Index, column: &dyn Fn(&str) -> String) -> String {
    let parts: Vec<String> = index
        .parts
        .iter()
        .map(|part| match part {
            IndexPart::Column {
                name,
                descending: false,
            } => column(name),
            IndexPart::Column {
                name,
                descending: true,
            } => format!("{} desc", column(name)),
            IndexPart::Expression { sql } => format!("`{sql}`"),
        })
        .collect();
    let unique = if index.unique { "unique " } else { "" };
    let mut text = format!("{unique}{} ({})", index.name, parts.join(", "));
    if let Some(method) = index
        .method
        .as_deref()
        .filter(|m| !m.eq_ignore_ascii_case("btree"))
    {
        text.push_str(&format!(" using {method}"));
    }
    if !index.include.is_empty() {
        text.push_str(&format!(" including {}", index.include.join(", ")));
    }
    if let Some(predicate) = &index.predicate {
        text.push_str(&format!(" where `{predicate}`"));
    }
    if !index.valid {
        text.push_str(", not valid");
    }
    text
}

fn objects(older: &Catalog, newer: &Catalog) -> Vec<ObjectChange> {
    type Objects<'a> = BTreeMap<(String, &'a TableRef), Vec<String>>;
    fn all(catalog: &Catalog) -> Objects<'_> {
        let mut all = Objects::new();
        let mut put = |kind: &str, name, text: String| {
            all.entry((kind.to_owned(), name)).or_default().push(text);
        };
        for kind in &catalog.types {
            put(
                &format!("{} type", kind.kind),
                &kind.name,
                format!("{kind:?}"),
            );
        }
        for sequence in &catalog.sequences {
            put("sequence", &sequence.name, format!("{sequence:?}"));
        }
        for object in &catalog.objects {
            put(&object.kind, &object.name, format!("{object:?}"));
        }
        all.values_mut().for_each(|texts| texts.sort());
        all
    }
    let (before, after) = (all(older), all(newer));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|key| ObjectChange {
            kind: key.0.clone(),
            name: key.1.clone(),
            before: before.contains_key(key),
            after: after.contains_key(key),
        })
        .collect()
}
