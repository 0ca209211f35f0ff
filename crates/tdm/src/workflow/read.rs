//! From a document to a workflow: every key, its type, and what only several keys together can get wrong.

use std::path::Path;

use tdm_core::category::Category;
use tdm_core::function::Params;
use tdm_core::place::EnvironmentKind;
use tdm_provision::subset::{Down, SeedRows};

use super::document::{Located, Node, Position, Yaml, parse};
use super::fields::Fields;
use super::problem::{Collector, Problem, Problems};
use super::reference::ReferenceText;
use super::rules::mask;
use super::{
    ClassifyStep, ColumnText, DiscoverStep, EdgeText, ProvisionStep, SeedText, SubsetStep,
    SynthesizeStep, Workflow,
};

const KINDS: &[EnvironmentKind] = &[
    EnvironmentKind::Production,
    EnvironmentKind::Staging,
    EnvironmentKind::Test,
    EnvironmentKind::Development,
];

pub(super) fn workflow(file: &str, text: &str) -> Result<Workflow, Problems> {
    let document = parse(text).map_err(|error| Problems {
        file: file.to_owned(),
        list: vec![Problem {
            at: error.at,
            message: error.value,
            hint: None,
        }],
    })?;
    let problems = &mut Collector::default();
    let mut fields = Fields::of(&document, "", problems);
    let dataset = fields.required("dataset", problems);
    if let Some(name) = dataset.as_ref().filter(|name| !is_plain_name(&name.value)) {
        problems.add(
            name.at,
            "`dataset` is a name of letters, digits, `-` and `_`, at most 100 long",
        );
    }
    let source = fields.text("source", problems);
    let relationships = fields
        .texts("relationships", problems)
        .iter()
        .filter_map(|text| reference(text, problems))
        .collect();
    let seed = fields.count("seed", problems).map_or(0, |seed| seed.value);
    let discover = step(&mut fields, "discover", problems, discover);
    let classify = step(&mut fields, "classify", problems, classify);
    let subset = step(&mut fields, "subset", problems, subset);
    let mask = step(&mut fields, "mask", problems, mask);
    let synthesize = step(&mut fields, "synthesize", problems, synthesize);
    let provision = step(&mut fields, "provision", problems, provision);
    let at = fields.at();
    fields.finish(problems);
    let directory = Path::new(file)
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let workflow = Workflow {
        file: file.to_owned(),
        directory,
        dataset: dataset.unwrap_or(Located {
            value: String::new(),
            at,
        }),
        source,
        relationships,
        seed,
        discover,
        classify,
        subset,
        mask,
        synthesize,
        provision: provision.flatten(),
    };
    check_whole(&workflow, at, problems);
    std::mem::take(problems).finish(file)?;
    Ok(workflow)
}

/// What only the steps together can get wrong.
fn check_whole(workflow: &Workflow, at: Position, problems: &mut Collector) {
    let needs_source = workflow.discover.is_some()
        || workflow.classify.is_some()
        || workflow.subset.is_some()
        || workflow.builds();
    if needs_source && workflow.source.is_none() {
        problems.add(at, "`source` is missing: the database to read");
    }
    if workflow.subset.is_some() && workflow.mask.is_none() {
        problems.add_with_hint(
            at,
            "`subset` takes rows but no `mask` clears them",
            Some("add `mask:` with `policy: default`; a column that may pass needs a rule with `keep: <reason>`".to_owned()),
        );
    }
    if !needs_source && workflow.provision.is_none() {
        problems.add(at, "the workflow has no step; known: discover, classify, subset, mask, synthesize, provision");
    }
}

fn step<'n, T>(
    fields: &mut Fields<'n>,
    key: &'static str,
    problems: &mut Collector,
    read: impl FnOnce(&mut Fields<'n>, &mut Collector) -> T,
) -> Option<T> {
    let node = fields.node(key)?;
    if matches!(node.value, Yaml::Bool(true)) {
        // `discover: true` is a step without settings.
        return Some(read(&mut Fields::none(node.at, key), problems));
    }
    let mut inner = Fields::of(node, key, problems);
    let value = read(&mut inner, problems);
    inner.finish(problems);
    Some(value)
}

fn discover(fields: &mut Fields<'_>, problems: &mut Collector) -> DiscoverStep {
    let rows = fields.count("sample_rows", problems);
    if let Some(rows) = rows.as_ref().filter(|rows| rows.value == 0) {
        problems.add(
            rows.at,
            "`discover.sample_rows` is at least 1: what is not looked at cannot be judged",
        );
    }
    DiscoverStep {
        sample_rows: rows.map_or(1_000, |rows| rows.value),
    }
}

fn classify(fields: &mut Fields<'_>, problems: &mut Collector) -> ClassifyStep {
    let mut confirm = Vec::new();
    for (column, node) in fields.map("confirm", problems) {
        if let Some(category) =
            word(node, "classify.confirm", problems).and_then(|w| category(&w, problems))
        {
            confirm.push((column.clone(), category));
        }
    }
    ClassifyStep { confirm }
}

fn subset(fields: &mut Fields<'_>, problems: &mut Collector) -> SubsetStep {
    let seeds = fields
        .list("seeds", problems)
        .iter()
        .filter_map(|node| seed(node, problems))
        .collect();
    let children = fields
        .node("children")
        .map_or(Down::All, |node| down(node, "subset.children", problems));
    let edges = fields
        .list("edges", problems)
        .iter()
        .filter_map(|node| edge(node, problems))
        .collect();
    let step = SubsetStep {
        seeds,
        whole: fields.texts("whole", problems),
        schema_only: fields.texts("schema_only", problems),
        skip: fields.texts("skip", problems),
        children,
        depth: fields
            .count("depth", problems)
            .map(|depth| u32::try_from(depth.value).unwrap_or(u32::MAX)),
        edges,
        keep_orphans: fields
            .texts("keep_orphans", problems)
            .iter()
            .filter_map(|text| reference(text, problems))
            .collect(),
    };
    if step.seeds.is_empty() && step.whole.is_empty() {
        problems.add(
            fields.at(),
            "`subset` needs `seeds` or `whole`: where it starts",
        );
    }
    step
}

fn seed(node: &Node, problems: &mut Collector) -> Option<SeedText> {
    let mut fields = Fields::of(node, "subset.seeds", problems);
    let table = fields.required("table", problems);
    let condition = fields.text("where", problems);
    let count = fields.count("count", problems);
    let percent = fields.number("percent", problems);
    let all = fields.boolean("all", problems);
    fields.finish(problems);
    let mut given = Vec::new();
    given.extend(condition.map(|c| (SeedRows::Where(c.value), c.at)));
    given.extend(count.map(|c| (SeedRows::Count(c.value), c.at)));
    if let Some(percent) = percent {
        if (0.0..=100.0).contains(&percent.value) {
            given.push((SeedRows::Percent(percent.value), percent.at));
        } else {
            problems.add(percent.at, "`percent` lies between 0 and 100");
        }
    }
    given.extend(
        all.filter(|all| all.value)
            .map(|all| (SeedRows::All, all.at)),
    );
    if given.len() != 1 {
        problems.add(
            node.at,
            "a seed says its rows by exactly one of `where`, `count`, `percent`, `all: true`",
        );
    }
    let (rows, at) = given.into_iter().next()?;
    Some(SeedText {
        table: table?,
        rows,
        at,
    })
}

fn edge(node: &Node, problems: &mut Collector) -> Option<EdgeText> {
    let mut fields = Fields::of(node, "subset.edges", problems);
    let text = fields.required("reference", problems);
    let children = match fields.node("children") {
        Some(node) => Some(down(node, "subset.edges.children", problems)),
        None => {
            problems.add(
                node.at,
                "`subset.edges.children` is missing: `all`, `none` or how many per parent",
            );
            None
        }
    };
    fields.finish(problems);
    Some(EdgeText {
        reference: reference(&text?, problems)?,
        children: children?,
    })
}

fn down(node: &Node, path: &str, problems: &mut Collector) -> Down {
    match &node.value {
        Yaml::Text(word) if word == "all" => Down::All,
        Yaml::Text(word) if word == "none" => Down::None,
        Yaml::Int(n) => match u64::try_from(*n) {
            Ok(n) => Down::Cap(n),
            Err(_) => {
                problems.add(node.at, format!("`{path}` cannot be negative"));
                Down::None
            }
        },
        _ => {
            problems.add(
                node.at,
                format!("`{path}` is `all`, `none` or how many per parent"),
            );
            Down::None
        }
    }
}

fn synthesize(fields: &mut Fields<'_>, problems: &mut Collector) -> SynthesizeStep {
    let mut tables = Vec::new();
    for (table, node) in fields.map("tables", problems) {
        match node.value {
            Yaml::Int(rows) if rows >= 0 => {
                let rows = Located {
                    value: rows.unsigned_abs(),
                    at: node.at,
                };
                tables.push((table.clone(), rows));
            }
            _ => problems.add(
                node.at,
                format!(
                    "`synthesize.tables.{}` is how many rows to add",
                    table.value
                ),
            ),
        }
    }
    if tables.is_empty() {
        problems.add(
            fields.at(),
            "`synthesize` needs `tables`: which, and how many rows to add",
        );
    }
    let columns = fields
        .map("columns", problems)
        .iter()
        .filter_map(|(column, node)| column_recipe(column, node, problems))
        .collect();
    SynthesizeStep {
        tables,
        columns,
        locale: fields.text("locale", problems),
    }
}

fn column_recipe(
    column: &Located<String>,
    node: &Node,
    problems: &mut Collector,
) -> Option<ColumnText> {
    let (generator, params) = if let Yaml::Text(name) = &node.value {
        let value = name.clone();
        (Located { value, at: node.at }, Params::default())
    } else {
        let path = format!("synthesize.columns.{}", column.value);
        let mut fields = Fields::of(node, path, problems);
        let generator = fields.required("generator", problems);
        let given = fields.node("params");
        let given = given.map(|node| params(node, "synthesize.columns.params", problems));
        fields.finish(problems);
        (generator?, given.unwrap_or_default())
    };
    Some(ColumnText {
        column: column.clone(),
        generator,
        params,
    })
}

fn provision(fields: &mut Fields<'_>, problems: &mut Collector) -> Option<ProvisionStep> {
    let environment = fields.required("environment", problems);
    let kind = match fields.text("kind", problems) {
        None => EnvironmentKind::Test,
        Some(word) => match KINDS.iter().find(|kind| kind.as_str() == word.value) {
            Some(EnvironmentKind::Production) => {
                problems.add(word.at, "a production environment is only ever a source");
                EnvironmentKind::Production
            }
            Some(kind) => *kind,
            None => {
                problems.unknown(
                    word.at,
                    "environment kind",
                    &word.value,
                    KINDS.iter().map(|kind| kind.as_str()),
                );
                EnvironmentKind::Test
            }
        },
    };
    let connection = fields.text("connection", problems);
    let adopt = fields
        .boolean("adopt", problems)
        .is_some_and(|adopt| adopt.value);
    Some(ProvisionStep {
        environment: environment?,
        kind,
        connection,
        adopt,
    })
}

pub(super) fn word(node: &Node, path: &str, problems: &mut Collector) -> Option<Located<String>> {
    match &node.value {
        Yaml::Text(text) => Some(Located {
            value: text.clone(),
            at: node.at,
        }),
        other => {
            problems.add(
                node.at,
                format!("`{path}` must be a text, not {}", other.kind()),
            );
            None
        }
    }
}

pub(super) fn category(
    word: &Located<String>,
    problems: &mut Collector,
) -> Option<Located<Category>> {
    match word.value.parse::<Category>() {
        Ok(value) => Some(Located { value, at: word.at }),
        Err(_) => {
            problems.unknown(
                word.at,
                "category",
                &word.value,
                Category::ALL.iter().map(|c| c.as_str()),
            );
            None
        }
    }
}

pub(super) fn params(node: &Node, path: &str, problems: &mut Collector) -> Params {
    match node.value.to_json() {
        serde_json::Value::Object(map) => Params(map),
        serde_json::Value::Null => Params::default(),
        _ => {
            problems.add(
                node.at,
                format!("`{path}` must be a map, not {}", node.value.kind()),
            );
            Params::default()
        }
    }
}

fn reference(text: &Located<String>, problems: &mut Collector) -> Option<Located<ReferenceText>> {
    match ReferenceText::parse(&text.value) {
        Ok(value) => Some(Located { value, at: text.at }),
        Err(reason) => {
            problems.add(text.at, format!("`{}`: {reason}", text.value));
            None
        }
    }
}

/// Names that are safe as parts of file names and namespaces on every engine.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        workflow("w.yaml", text).unwrap_err().to_string()
    }

    const GOOD: &str = "
dataset: brazil
source: sqlite:chinook.sqlite
discover: true
classify:
  confirm: {Customer.Company: none}
subset:
  seeds:
    - {table: Customer, where: Country = 'Brazil'}
  edges:
    - {reference: InvoiceLine -> Invoice, children: 3}
mask:
  policy: default
  rules:
    - {column: Employee.Title, keep: job titles are not personal}
    - {category: email, function: email, params: {keep_domain: true}}
synthesize:
  tables: {Customer: 10}
provision:
  environment: qa
";

    #[test]
    fn a_whole_workflow_is_read() {
        let workflow = workflow("dir/w.yaml", GOOD).unwrap();
        assert_eq!(workflow.directory, Path::new("dir"));
        let mask = workflow.mask.unwrap();
        assert_eq!(mask.rules[0].value.name, "Employee.Title");
        assert_eq!(mask.rules[1].value.name, "category email");
        let subset = workflow.subset.unwrap();
        assert_eq!(
            subset.seeds[0].rows,
            SeedRows::Where("Country = 'Brazil'".to_owned())
        );
        assert_eq!(subset.edges[0].children, Down::Cap(3));
    }

    #[test]
    fn every_problem_is_reported_with_line_key_and_suggestion() {
        let text = "
datset: x
source: 7
subset:
  seeds:
    - {tabel: Customer, where: a = 1}
    - {table: Customer, where: a = 1, count: 2}
mask:
  polcy: default
  rules:
    - {category: emial, function: email}
    - {function: email}
    - {column: a.b, keep: ''}
";
        let said = problems(text);
        for expected in [
            "w.yaml:2:1: unknown key `datset`\n  hint: did you mean `dataset`?",
            "w.yaml:6:8: unknown key in `subset.seeds` `tabel`\n  hint: did you mean `table`?",
            "a seed says its rows by exactly one of",
            "unknown key in `mask` `polcy`\n  hint: did you mean `policy`?",
            "unknown category `emial`\n  hint: did you mean `email`?",
            "a rule says where it applies",
            "`keep` needs a reason",
        ] {
            assert!(said.contains(expected), "`{expected}` is not in:\n{said}");
        }
    }

    #[test]
    fn rows_without_a_mask_are_refused_before_anything_happens() {
        let said = problems("dataset: d\nsource: sqlite:x\nsubset: {whole: [a]}\n");
        assert!(said.contains("no `mask` clears them"), "{said}");
    }

    #[test]
    fn a_production_environment_is_no_target() {
        let said = problems("dataset: d\nprovision: {environment: p, kind: production}\n");
        assert!(said.contains("w.yaml:2:"), "{said}");
        assert!(said.contains("only ever a source"), "{said}");
    }
}
