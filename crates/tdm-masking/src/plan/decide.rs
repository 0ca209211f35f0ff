//! Which disposition each column gets, and why.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tdm_core::catalog::{Column, TableSchema};
use tdm_core::category::Category;
use tdm_core::ident::ColumnRef;
use tdm_core::keyring::PseudonymDomain;
use tdm_core::rule::{Disposition, MaskingRule, OnUndecided, RuleSet, Selector};
use tdm_core::types::LogicalType;

use super::PlanRequest;
use crate::error::{PlanProblem, PlanWarning, ProblemCode};
use crate::group::{Group, Groups};
use crate::registry::nearest;
use crate::selection::{Specificity, selects, selects_table, specificity, winner};

/// The decision about one column.
pub(super) struct Decided<'a> {
    pub(super) table: &'a TableSchema,
    pub(super) source: &'a Column,
    pub(super) column: ColumnRef,
    pub(super) category: Option<Category>,
    pub(super) disposition: Disposition,
    pub(super) rule: String,
    pub(super) decided_by: String,
    pub(super) domain: PseudonymDomain,
    /// Whether references join the column to others.
    pub(super) grouped: bool,
    /// The column's type, narrowed to what all columns of its group hold.
    pub(super) logical: LogicalType,
}

struct Voice<'r> {
    rank: Specificity,
    rule: &'r str,
    disposition: Disposition,
}

pub(super) fn decide<'a>(
    request: &PlanRequest<'a>,
    problems: &mut Vec<PlanProblem>,
    warnings: &mut Vec<PlanWarning>,
) -> Vec<Decided<'a>> {
    let rules: Vec<&MaskingRule> = request
        .rules
        .rules
        .iter()
        .chain(request.policy.iter().flat_map(|p| &p.rules))
        .collect();
    check_rules(request, problems, warnings);
    let by_column: HashMap<&ColumnRef, &tdm_core::finding::Classification> = request
        .classifications
        .iter()
        .map(|c| (&c.finding.column, c))
        .collect();
    let category = |column: &ColumnRef| by_column.get(column).map(|c| c.effective());
    let groups = Groups::new(request.tables, request.relationships);

    let mut voices: BTreeMap<ColumnRef, Voice<'_>> = BTreeMap::new();
    for table in request.tables {
        for column in table.columns.iter().filter(|c| c.is_written()) {
            let place = table.table.column(&column.name);
            if let Some((rank, rule)) = winner(&rules, table, column, category(&place)) {
                voices.insert(
                    place,
                    Voice {
                        rank,
                        rule: &rule.name,
                        disposition: rule.disposition.clone(),
                    },
                );
            }
        }
    }
    let mut reached: HashMap<ColumnRef, (Disposition, String, ColumnRef)> = HashMap::new();
    for group in groups.iter() {
        spread(group, &groups, &voices, &mut reached, problems);
    }

    let mut decided = Vec::new();
    for table in request.tables {
        for column in table.columns.iter().filter(|c| c.is_written()) {
            let place = table.table.column(&column.name);
            let category = category(&place);
            let (disposition, rule, decided_by) = if let Some((disposition, rule, from)) =
                reached.remove(&place)
            {
                let by = if from == place {
                    speaker(&by_column, &place, &voices)
                } else {
                    format!("reference to {from}")
                };
                (disposition, rule, by)
            } else if let Some(voice) = voices.get(&place) {
                (
                    voice.disposition.clone(),
                    voice.rule.to_owned(),
                    speaker(&by_column, &place, &voices),
                )
            } else if request.rules.on_undecided == OnUndecided::Null && column.nullable {
                (
                    Disposition::Null,
                    "on_undecided".to_owned(),
                    "on_undecided".to_owned(),
                )
            } else {
                let (reason, remedy) = if category.is_none() {
                    (
                        "no rule decides the column, and it is not classified",
                        "classify it, or write a rule for it; `keep` with a reason lets it through",
                    )
                } else {
                    (
                        "no rule decides the column",
                        "write a rule for the column or its category; `keep` with a reason lets it through",
                    )
                };
                problems.push(PlanProblem::new(ProblemCode::Undecided, reason, remedy).at(&place));
                continue;
            };
            let group = groups.of(&place);
            decided.push(Decided {
                table,
                source: column,
                domain: domain(&disposition, &place, group, &category_of(&by_column)),
                grouped: group.is_some(),
                logical: narrowed(request.tables, column, group),
                column: place,
                category,
                disposition,
                rule,
                decided_by,
            });
        }
    }
    decided
}

fn category_of<'a>(
    by_column: &'a HashMap<&ColumnRef, &tdm_core::finding::Classification>,
) -> impl Fn(&ColumnRef) -> Option<Category> + 'a {
    |column| {
        by_column
            .get(column)
            .map(|c| c.effective())
            .filter(|c| c.is_personal())
    }
}

/// Who is behind a decision: the person or detector that classified the column, or whoever wrote the rule.
fn speaker(
    by_column: &HashMap<&ColumnRef, &tdm_core::finding::Classification>,
    column: &ColumnRef,
    voices: &BTreeMap<ColumnRef, Voice<'_>>,
) -> String {
    let by_category = voices
        .get(column)
        .is_some_and(|v| matches!(v.rank, Specificity::Category | Specificity::NotPersonal));
    match by_column.get(column) {
        Some(classification) if by_category => classification.decided_by.clone(),
        _ => "rule".to_owned(),
    }
}

/// The domain of a column: the rule's own; else the category, so that an e-mail has one pseudonym wherever
/// it is; else the referential group; else the column.
fn domain(
    disposition: &Disposition,
    column: &ColumnRef,
    group: Option<&Group>,
    category: &dyn Fn(&ColumnRef) -> Option<Category>,
) -> PseudonymDomain {
    if let Disposition::Mask {
        domain: Some(domain),
        ..
    } = disposition
    {
        return PseudonymDomain::new(domain);
    }
    match group {
        Some(group) => category(&group.root)
            .or_else(|| group.members.iter().find_map(category))
            .map_or_else(
                || PseudonymDomain::new(group.domain()),
                |c| PseudonymDomain::new(c.as_str()),
            ),
        None => PseudonymDomain::new(category(column).map_or_else(
            || {
                format!(
                    "{}.{}",
                    column.table.name.to_lowercase(),
                    column.column.to_lowercase()
                )
            },
            |c| c.as_str().to_owned(),
        )),
    }
}

/// The narrowest type of a group, so that both ends of a reference compute the same.
fn narrowed(tables: &[TableSchema], column: &Column, group: Option<&Group>) -> LogicalType {
    let mut narrow = column.logical.clone();
    for member in group.iter().flat_map(|g| &g.members) {
        let other = tables
            .iter()
            .find(|t| t.table == member.table)
            .and_then(|t| t.column(&member.column))
            .map(|c| &c.logical);
        match (&mut narrow, other) {
            (
                LogicalType::Text { max_length },
                Some(LogicalType::Text {
                    max_length: Some(other),
                }),
            ) => {
                *max_length = Some(max_length.map_or(*other, |mine| mine.min(*other)));
            }
            (
                LogicalType::Integer { bits, unsigned },
                Some(LogicalType::Integer {
                    bits: other,
                    unsigned: other_unsigned,
                }),
            ) => {
                // A signed column of the same width holds the half of an unsigned one.
                if *other < *bits {
                    (*bits, *unsigned) = (*other, *other_unsigned);
                } else if *other == *bits {
                    *unsigned = *unsigned && *other_unsigned;
                }
            }
            (
                LogicalType::Decimal { precision, .. },
                Some(LogicalType::Decimal {
                    precision: Some(other),
                    ..
                }),
            ) => *precision = Some(precision.map_or(*other, |mine| mine.min(*other))),
            _ => {}
        }
    }
    narrow
}

/// Whether a disposition concerns one column alone: a child may lose its reference.
const fn local(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::Null | Disposition::Drop)
}

fn same(a: &Disposition, b: &Disposition) -> bool {
    match (a, b) {
        (Disposition::Keep { .. }, Disposition::Keep { .. }) => true,
        _ => a == b,
    }
}

/// Lets the strongest voice of a group reach all its columns.
fn spread(
    group: &Group,
    groups: &Groups,
    voices: &BTreeMap<ColumnRef, Voice<'_>>,
    reached: &mut HashMap<ColumnRef, (Disposition, String, ColumnRef)>,
    problems: &mut Vec<PlanProblem>,
) {
    let heard: Vec<(&ColumnRef, &Voice<'_>)> = group
        .members
        .iter()
        .filter_map(|m| Some((m, voices.get(m)?)))
        .filter(|(_, v)| !local(&v.disposition))
        .collect();
    let Some(top) = heard.iter().map(|(_, v)| v.rank).max() else {
        return;
    };
    let mut strongest = heard.iter().filter(|(_, v)| v.rank == top);
    let Some((from, voice)) = strongest.next() else {
        return;
    };
    for (other, against) in strongest {
        if !same(&voice.disposition, &against.disposition) {
            problems.push(
                PlanProblem::new(
                    ProblemCode::Contradiction,
                    format!(
                        "rule `{}` on {from} says {} and rule `{}` says {} here, and references join the two: {}",
                        voice.rule,
                        word(&voice.disposition),
                        against.rule,
                        word(&against.disposition),
                        groups.path(from, other),
                    ),
                    "decide one of the columns by an exact rule; it reaches the others",
                )
                .at(other)
                .by(against.rule),
            );
        }
    }
    for member in &group.members {
        let own = voices
            .get(member)
            .is_some_and(|v| local(&v.disposition) || v.rank == top);
        if own && voices.get(member).is_some_and(|v| local(&v.disposition)) {
            continue;
        }
        let source = if own { member } else { *from };
        let by = voices.get(source).map_or(voice.rule, |v| v.rule);
        reached.insert(
            member.clone(),
            (voice.disposition.clone(), by.to_owned(), source.clone()),
        );
    }
}

fn word(disposition: &Disposition) -> String {
    match disposition {
        Disposition::Mask {
            function,
            domain: Some(domain),
            ..
        } => format!("mask with `{function}` in domain `{domain}`"),
        Disposition::Mask { function, .. } => format!("mask with `{function}`"),
        other => other.as_str().to_owned(),
    }
}

/// Rules that cannot be right whatever the columns are.
fn check_rules(
    request: &PlanRequest<'_>,
    problems: &mut Vec<PlanProblem>,
    warnings: &mut Vec<PlanWarning>,
) {
    let sets: Vec<&RuleSet> = std::iter::once(request.rules)
        .chain(request.policy)
        .collect();
    for set in sets {
        let mut names = BTreeSet::new();
        for rule in &set.rules {
            if !names.insert(&rule.name) {
                let problem = PlanProblem::new(
                    ProblemCode::DuplicateRule,
                    "two rules have this name",
                    "give each rule a name of its own",
                );
                problems.push(problem.by(&rule.name));
            }
            if specificity(&rule.selector).is_none() {
                let problem = PlanProblem::new(
                    ProblemCode::EmptySelector,
                    "the selector says nothing",
                    "give it a table, column, category or type",
                );
                problems.push(problem.by(&rule.name));
            }
            if let Disposition::Keep { reason } = &rule.disposition
                && reason.trim().is_empty()
            {
                let problem = PlanProblem::new(
                    ProblemCode::ReasonMissing,
                    "keep has no reason",
                    "write why the values may pass",
                );
                problems.push(problem.by(&rule.name));
            }
        }
    }
    for rule in &request.rules.rules {
        check_reach(request, rule, problems, warnings);
    }
}

/// A rule that reaches nothing is a mistake when it names a column, and worth a word when it does not.
fn check_reach(
    request: &PlanRequest<'_>,
    rule: &MaskingRule,
    problems: &mut Vec<PlanProblem>,
    warnings: &mut Vec<PlanWarning>,
) {
    let effective: HashMap<&ColumnRef, Category> = request
        .classifications
        .iter()
        .map(|c| (&c.finding.column, c.effective()))
        .collect();
    let columns = || {
        request
            .tables
            .iter()
            .flat_map(|t| t.columns.iter().map(move |c| (t, c)))
    };
    let reached = columns().any(|(table, column)| {
        let place = table.table.column(&column.name);
        selects(
            &rule.selector,
            table,
            column,
            effective.get(&place).copied(),
        )
    });
    if reached {
        return;
    }
    let Selector { table, column, .. } = &rule.selector;
    let exact = |text: &Option<String>| {
        text.as_deref()
            .filter(|t| !t.contains('*'))
            .map(str::to_owned)
    };
    if let Some(name) = exact(table)
        && !request
            .tables
            .iter()
            .any(|t| selects_table(&name, &t.table))
    {
        let known: Vec<String> = request.tables.iter().map(|t| t.table.to_string()).collect();
        let remedy = nearest(&name, known.iter().map(String::as_str)).map_or_else(
            || "check the name".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        problems.push(
            PlanProblem::new(
                ProblemCode::UnknownColumn,
                format!("table `{name}` does not exist"),
                remedy,
            )
            .by(&rule.name),
        );
        return;
    }
    if let Some(name) = exact(column) {
        let in_tables =
            |t: &TableSchema| table.as_deref().is_none_or(|p| selects_table(p, &t.table));
        let known: Vec<&str> = columns()
            .filter(|(t, _)| in_tables(t))
            .map(|(_, c)| c.name.as_str())
            .collect();
        if !known.iter().any(|k| k.eq_ignore_ascii_case(&name)) {
            let remedy = nearest(&name, known).map_or_else(
                || "check the name".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            problems.push(
                PlanProblem::new(
                    ProblemCode::UnknownColumn,
                    format!("column `{name}` does not exist"),
                    remedy,
                )
                .by(&rule.name),
            );
            return;
        }
    }
    warnings.push(PlanWarning {
        column: None,
        rule: Some(rule.name.clone()),
        text: format!("selects no column ({})", rule.selector),
    });
}
