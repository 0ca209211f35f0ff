//! The rules of a workflow: where each applies and the one thing it does there.

use tdm_core::rule::{Disposition, MaskingRule, OnUndecided, Selector};
use tdm_core::types::TypeClass;

use super::MaskStep;
use super::document::{Located, Node, Yaml};
use super::fields::Fields;
use super::problem::Collector;
use super::read::{category, params, word};

const TYPES: &[TypeClass] = &[
    TypeClass::Boolean,
    TypeClass::Integer,
    TypeClass::Decimal,
    TypeClass::Float,
    TypeClass::Text,
    TypeClass::Bytes,
    TypeClass::Date,
    TypeClass::Time,
    TypeClass::Timestamp,
    TypeClass::Interval,
    TypeClass::Uuid,
    TypeClass::Json,
    TypeClass::Enum,
    TypeClass::Array,
    TypeClass::Other,
];

pub(super) fn mask(fields: &mut Fields<'_>, problems: &mut Collector) -> MaskStep {
    let policies = match fields.node("policy") {
        None => Vec::new(),
        Some(node) => match &node.value {
            Yaml::List(items) => items
                .iter()
                .filter_map(|n| word(n, "mask.policy", problems))
                .collect(),
            _ => word(node, "mask.policy", problems).into_iter().collect(),
        },
    };
    let on_undecided = match fields.text("on_undecided", problems) {
        None => OnUndecided::Block,
        Some(word) => match word.value.as_str() {
            "block" => OnUndecided::Block,
            "null" => OnUndecided::Null,
            other => {
                problems.unknown(
                    word.at,
                    "value of `mask.on_undecided`",
                    other,
                    ["block", "null"],
                );
                OnUndecided::Block
            }
        },
    };
    let mut rules: Vec<Located<MaskingRule>> = Vec::new();
    for node in fields.list("rules", problems) {
        let Some(rule) = rule(node, problems) else {
            continue;
        };
        if rules.iter().any(|other| other.value.name == rule.name) {
            let message = format!(
                "a second rule called `{}`; give one of them another `name`",
                rule.name
            );
            problems.add(node.at, message);
        }
        rules.push(Located {
            value: rule,
            at: node.at,
        });
    }
    MaskStep {
        rules,
        policies,
        on_undecided,
    }
}

fn rule(node: &Node, problems: &mut Collector) -> Option<MaskingRule> {
    let mut fields = Fields::of(node, "mask.rules", problems);
    let name = fields.text("name", problems);
    let table = fields.text("table", problems);
    let column = fields.text("column", problems);
    let category = fields
        .text("category", problems)
        .and_then(|word| category(&word, problems));
    let type_class = fields
        .text("type", problems)
        .and_then(|word| type_class(&word, problems));
    let function = fields.text("function", problems);
    let generator = fields.text("generate", problems);
    let keep = fields.text("keep", problems);
    let null = fields.boolean("null", problems).filter(|flag| flag.value);
    let drop = fields.boolean("drop", problems).filter(|flag| flag.value);
    let params = fields
        .node("params")
        .map(|node| (node.at, params(node, "mask.rules.params", problems)));
    let domain = fields.text("domain", problems).map(|domain| domain.value);
    fields.finish(problems);

    let mut selector = Selector {
        table: table.map(|t| t.value),
        column: None,
        category: None,
        type_class,
    };
    if let Some(column) = column {
        // `table.column`: the last dot divides; a bare name means the column in every table.
        match column.value.rsplit_once('.') {
            Some((table, name)) if selector.table.is_none() => {
                selector.table = Some(table.to_owned());
                selector.column = Some(name.to_owned());
            }
            _ => selector.column = Some(column.value),
        }
    }
    selector.category = category.map(|category| category.value);
    if selector == Selector::default() {
        problems.add(
            node.at,
            "a rule says where it applies by `column`, `table`, `category` or `type`",
        );
        return None;
    }
    if keep
        .as_ref()
        .is_some_and(|reason| reason.value.trim().is_empty())
    {
        problems.add(
            node.at,
            "`keep` needs a reason: it is what an auditor reads",
        );
    }
    if let Some((at, _)) = params
        .as_ref()
        .filter(|_| function.is_none() && generator.is_none())
    {
        problems.add(*at, "`params` go with `function` or `generate`");
    }
    let params = params.map(|(_, params)| params).unwrap_or_default();
    let mut actions = Vec::new();
    actions.extend(function.map(|f| Disposition::Mask {
        function: f.value,
        params: params.clone(),
        domain: domain.clone(),
    }));
    actions.extend(generator.map(|g| Disposition::Generate {
        generator: g.value,
        params: params.clone(),
    }));
    actions.extend(keep.map(|reason| Disposition::Keep {
        reason: reason.value,
    }));
    actions.extend(null.map(|_| Disposition::Null));
    actions.extend(drop.map(|_| Disposition::Drop));
    if actions.len() != 1 {
        problems.add(
            node.at,
            "a rule does exactly one of `function`, `generate`, `keep: <reason>`, `null: true`, `drop: true`",
        );
    }
    let name = name.map_or_else(|| selector.to_string(), |name| name.value);
    Some(MaskingRule {
        name,
        selector,
        disposition: actions.into_iter().next()?,
    })
}

fn type_class(word: &Located<String>, problems: &mut Collector) -> Option<TypeClass> {
    let found = TYPES
        .iter()
        .copied()
        .find(|class| class.as_str() == word.value);
    if found.is_none() {
        problems.unknown(
            word.at,
            "type",
            &word.value,
            TYPES.iter().map(|class| class.as_str()),
        );
    }
    found
}
