//! A plan as the text of a migration, in the form of those that are there.

use std::collections::BTreeSet;

use super::form::TableForm;
use super::plan::{Op, Plan, Step, What};
use super::rust::{Argument, chain, constant, literal, plain, text, texts, word};

/// Longest line of a comment.
const COMMENT: usize = 110;

/// A migration in Rust.
pub(super) struct Rendered {
    pub(super) source: String,
    /// What a person has to decide, one sentence or two each.
    pub(super) decisions: Vec<String>,
}

/// The file of a migration called `title`.
pub(super) fn render(title: &str, plan: &Plan) -> Rendered {
    let mut decisions: Vec<String> = plan
        .up
        .iter()
        .chain(&plan.down)
        .flat_map(|step| step.decisions.clone())
        .collect();
    let mut uses = Uses::default();
    let up = body(&plan.up, "after", "create", &mut uses);
    let down = body(&plan.down, "before", "restore", &mut uses);
    let mut drafts = String::new();
    for (step, suffix) in plan
        .up
        .iter()
        .map(|s| (s, "after"))
        .chain(plan.down.iter().map(|s| (s, "before")))
    {
        match &step.what {
            What::Create(form) => drafts.push_str(&draft(
                &format!("{}_table", word(&form.name)),
                form,
                &mut uses,
            )),
            What::Change {
                table,
                rebuilt: Some(form),
                ..
            } => {
                drafts.push_str(&draft(
                    &format!("{}_{suffix}", word(table)),
                    form,
                    &mut uses,
                ));
            }
            _ => {}
        }
    }
    let mut source = format!("//! {title}.\n");
    if plan.up.is_empty() {
        let open = "say what this migration does, and how it is undone.";
        decisions.push(open.to_owned());
        source.push_str(&comment(0, open));
    }
    source.push_str("\nuse sea_orm_migration::prelude::*;\n");
    source.push_str(&uses.lines());
    let created = plan.up.iter().filter_map(|step| match &step.what {
        What::Create(form) => Some(form.name.clone()),
        What::RenameTable { to, .. } => Some(to.clone()),
        _ => None,
    });
    let dropped = plan.up.iter().filter_map(|step| match &step.what {
        What::DropTable(name) => Some(name.clone()),
        What::RenameTable { from, .. } => Some(from.clone()),
        _ => None,
    });
    source.push_str("\n/// Tables that this migration creates, parents before children.\n");
    source.push_str(&constant("CREATES", &created.collect::<Vec<_>>()));
    source.push_str("\n/// Tables that are not there any more under that name.\n");
    source.push_str(&constant("DROPS", &dropped.collect::<Vec<_>>()));
    source.push_str(
        "\n#[derive(DeriveMigrationName)]\npub(crate) struct Migration;\n\n\
         #[async_trait::async_trait]\nimpl MigrationTrait for Migration {\n",
    );
    source.push_str(&function("up", &up));
    source.push('\n');
    source.push_str(&function("down", &down));
    source.push_str("}\n");
    source.push_str(&drafts);
    Rendered { source, decisions }
}

/// What a file takes from elsewhere.
#[derive(Default)]
struct Uses {
    change: BTreeSet<&'static str>,
    portable: BTreeSet<&'static str>,
    holds: BTreeSet<&'static str>,
    on_delete: BTreeSet<&'static str>,
}

impl Uses {
    fn lines(&self) -> String {
        let line = |path: &str, names: &BTreeSet<&str>| {
            let all: Vec<&str> = names.iter().copied().collect();
            match all.as_slice() {
                [] => String::new(),
                [only] => format!("use {path}::{only};\n"),
                _ => format!("use {path}::{{{}}};\n", all.join(", ")),
            }
        };
        let lines = [
            line("crate::change", &self.change),
            // A list sorts behind what has one more name, and a single name does not.
            if self.portable.len() == 1 {
                line("crate::portable", &self.portable)
            } else {
                String::new()
            },
            line("crate::portable::Holds", &self.holds),
            line("crate::portable::OnDelete", &self.on_delete),
            if self.portable.len() > 1 {
                line("crate::portable", &self.portable)
            } else {
                String::new()
            },
        ]
        .concat();
        if lines.is_empty() {
            lines
        } else {
            format!("\n{lines}")
        }
    }
}

/// The statements of one direction; empty when there are none.
fn body(steps: &[Step], suffix: &str, create: &str, uses: &mut Uses) -> String {
    let mut lines = String::new();
    let mut dialect = false;
    for step in steps {
        for decision in &step.decisions {
            lines.push_str(&comment(8, decision));
        }
        match &step.what {
            What::RenameTable { from, to } => {
                uses.change.insert("rename_table");
                let root = format!("rename_table(manager, {}, {})", literal(from), literal(to));
                lines.push_str(&awaited(&root, Vec::new()));
            }
            What::DropTable(name) => {
                uses.change.insert("drop_table");
                lines.push_str(&awaited(
                    &format!("drop_table(manager, {})", literal(name)),
                    Vec::new(),
                ));
            }
            What::Create(form) => {
                dialect = true;
                let create = (create.to_owned(), vec![plain("manager")]);
                lines.push_str(&awaited(
                    &format!("{}_table(dialect)", word(&form.name)),
                    vec![create],
                ));
            }
            What::Change {
                table,
                ops,
                rebuilt,
            } => {
                dialect = true;
                uses.change.insert("Change");
                let mut calls: Vec<_> = ops.iter().map(|op| op_call(op, uses)).collect();
                calls.push(match rebuilt {
                    None => ("apply".to_owned(), vec![plain("manager")]),
                    Some(_) => {
                        let result = format!("{}_{suffix}(dialect)", word(table));
                        (
                            "apply_or_rebuild".to_owned(),
                            vec![plain("manager"), plain(&result)],
                        )
                    }
                });
                lines.push_str(&awaited(
                    &format!("Change::of(dialect, {})", literal(table)),
                    calls,
                ));
            }
            What::Nothing => {}
        }
    }
    if dialect {
        uses.portable.insert("Dialect");
        lines.insert_str(0, "        let dialect = Dialect::of(manager).await?;\n");
    }
    lines
}

fn function(name: &str, body: &str) -> String {
    let manager = if body.contains("manager") {
        "manager"
    } else {
        "_manager"
    };
    format!(
        "    async fn {name}(&self, {manager}: &SchemaManager) -> Result<(), DbErr> {{\n{body}        Ok(())\n    }}\n"
    )
}

fn awaited(root: &str, mut calls: Vec<(String, Vec<Argument>)>) -> String {
    calls.push(("await?".to_owned(), Vec::new()));
    chain(8, root, &calls, ";")
}

fn op_call(op: &Op, uses: &mut Uses) -> (String, Vec<Argument>) {
    let mut holds = |holds: super::form::Holds| {
        uses.holds.insert(holds.as_str());
        plain(holds.as_str())
    };
    let (name, arguments) = match op {
        Op::DropReference(name) => ("drop_reference", vec![text(name)]),
        Op::DropCheck(name) => ("drop_check", vec![text(name)]),
        Op::DropIndex(name) => ("drop_index", vec![text(name)]),
        Op::Rename(from, to) => ("rename", vec![text(from), text(to)]),
        Op::Add(column, kind) => ("add", vec![text(column), holds(*kind)]),
        Op::AddRequired(column, kind, fill) => {
            ("add_required", vec![text(column), holds(*kind), text(fill)])
        }
        Op::Require(column, kind, fill) => {
            ("require", vec![text(column), holds(*kind), text(fill)])
        }
        Op::Relax(column, kind) => ("relax", vec![text(column), holds(*kind)]),
        Op::Index(columns, unique) => (
            if *unique { "unique" } else { "index" },
            vec![texts(columns)],
        ),
        Op::Drop(column) => ("drop", vec![text(column)]),
        Op::OneOf(column, words) => ("one_of", vec![text(column), texts(words)]),
        Op::Reference(column, parent, on_delete) => {
            uses.on_delete.insert(on_delete);
            (
                "references",
                vec![text(column), text(parent), plain(on_delete)],
            )
        }
    };
    (name.to_owned(), arguments)
}

/// A function that returns a whole table.
fn draft(name: &str, form: &TableForm, uses: &mut Uses) -> String {
    uses.portable.extend(["Dialect", "Draft"]);
    let mut calls = Vec::new();
    for column in &form.columns {
        uses.holds.insert(column.holds.as_str());
        let call = if column.required {
            "required"
        } else {
            "optional"
        };
        calls.push((
            call.to_owned(),
            vec![text(&column.name), plain(column.holds.as_str())],
        ));
    }
    for reference in &form.references {
        uses.on_delete.insert(reference.on_delete);
        let arguments = vec![
            text(&reference.column),
            text(&reference.parent),
            plain(reference.on_delete),
        ];
        calls.push(("references".to_owned(), arguments));
    }
    for check in &form.checks {
        calls.push((
            "one_of".to_owned(),
            vec![text(&check.column), texts(&check.words)],
        ));
    }
    let unique = form.indexes.iter().filter(|index| index.unique);
    for index in unique.chain(form.indexes.iter().filter(|index| !index.unique)) {
        let call = if index.unique { "unique" } else { "index" };
        calls.push((call.to_owned(), vec![texts(&index.columns)]));
    }
    let body = chain(
        4,
        &format!("Draft::new(dialect, {})", literal(&form.name)),
        &calls,
        "",
    );
    format!("\nfn {name}(dialect: Dialect) -> Draft {{\n{body}}}\n")
}

/// A decision as a comment, over as many lines as it needs.
fn comment(indent: usize, decision: &str) -> String {
    let pad = " ".repeat(indent);
    let mut lines = vec![format!("{pad}// DECIDE:")];
    // Names come from a schema; a line break in one would end the comment.
    let shown: String = decision
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    for word in shown.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < COMMENT => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{pad}// {word}")),
        }
    }
    format!("{}\n", lines.join("\n"))
}
