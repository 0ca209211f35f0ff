//! Functions and generators bound to their columns.

use serde_json::{Map, Value};
use tdm_core::batch::BatchColumn;
use tdm_core::category::Category;
use tdm_core::function::{BindError, BindRequest, BoundMask, MaskingFunction, Params, Promise};
use tdm_core::generator::{BoundGenerator, GenerateRequest};
use tdm_core::rule::{Disposition, RuleSet};
use tdm_core::transform::Form;
use tdm_core::types::TypeClass;

use super::PlanRequest;
use super::decide::Decided;
use crate::error::{PlanProblem, ProblemCode};
use crate::guard::Guard;
use crate::policy;
use crate::registry::nearest;

/// A decision with the objects that carry it out.
pub(super) struct BoundColumn<'a, 'd> {
    pub(super) decided: &'d Decided<'a>,
    pub(super) action: Action,
    /// Parameters as they are in force.
    pub(super) params: Params,
}

pub(super) enum Action {
    Keep,
    Drop,
    /// All rows NULL; the column is not read.
    Null,
    Mask(Box<dyn BoundMask>),
    Generate(Box<dyn BoundGenerator>, Promise),
}

impl BoundColumn<'_, '_> {
    /// Whether different values stay different.
    pub(super) fn injective(&self) -> bool {
        match &self.action {
            Action::Keep => true,
            Action::Mask(bound) => bound.promise().injective,
            Action::Generate(_, promise) => promise.injective,
            Action::Null | Action::Drop => false,
        }
    }
}

pub(super) fn bind<'a, 'd>(
    request: &PlanRequest<'a>,
    decided: &'d [Decided<'a>],
    problems: &mut Vec<PlanProblem>,
) -> Vec<BoundColumn<'a, 'd>> {
    let mut bound = Vec::with_capacity(decided.len());
    for decision in decided {
        let unique =
            decision.grouped || decision.table.is_unique(&[decision.column.column.as_str()]);
        match column(request, decision, unique) {
            Ok((action, params)) => bound.push(BoundColumn {
                decided: decision,
                action,
                params,
            }),
            Err(problem) => problems.push(problem.at(&decision.column).by(&decision.rule)),
        }
    }
    upgrade(request, &mut bound);
    bound
}

/// Functions of a composite key that can be made unique are, where the key would not hold otherwise.
fn upgrade(request: &PlanRequest<'_>, bound: &mut [BoundColumn<'_, '_>]) {
    for at in 0..bound.len() {
        let decision = bound[at].decided;
        let name = &decision.column.column;
        let in_key = super::prove::keys(decision.table).into_iter().any(|key| {
            key.columns.len() > 1
                && key.columns.contains(name)
                && !super::prove::holds(&key, decision.table, bound)
        });
        if in_key
            && !bound[at].injective()
            && let Ok((action, params)) = column(request, decision, true)
        {
            bound[at].action = action;
            bound[at].params = params;
        }
    }
}

fn column(
    request: &PlanRequest<'_>,
    decision: &Decided<'_>,
    unique: bool,
) -> Result<(Action, Params), Box<PlanProblem>> {
    let none = Params::default();
    match &decision.disposition {
        Disposition::Keep { .. } => Ok((Action::Keep, none)),
        Disposition::Drop => Ok((Action::Drop, none)),
        Disposition::Null => Ok((Action::Null, none)),
        Disposition::Mask {
            function: name,
            params,
            ..
        } => {
            let function = request
                .registry
                .find(name)
                .ok_or_else(|| unknown("function", name, &request.registry.names()))?;
            // NULL for every row needs no value and no decoding, whatever the type.
            if decision.source.nullable
                && params.0.is_empty()
                && matches!(name.as_str(), "null" | "erase")
            {
                return Ok((Action::Null, none));
            }
            let params = in_force(request, function.as_ref(), params);
            mask(request, decision, function.as_ref(), params, unique)
        }
        Disposition::Generate {
            generator: name,
            params,
        } => {
            let generator = request
                .generators
                .iter()
                .find(|g| g.descriptor().name == name);
            let names: Vec<&str> = request
                .generators
                .iter()
                .map(|g| g.descriptor().name)
                .collect();
            let generator = generator.ok_or_else(|| unknown("generator", name, &names))?;
            params
                .check(generator.descriptor().parameters)
                .map_err(|e| refused(&BindError::Params(e)))?;
            let encoding = (request.encoding)(decision.table, decision.source, Form::Decoded);
            let bound = generator
                .bind(&GenerateRequest {
                    params,
                    column: &BatchColumn::of(decision.source, encoding),
                    table: decision.table,
                    seed: request.seed,
                    resources: request.resources,
                })
                .map_err(|e| refused(&e))?;
            let promise = generator.descriptor().promise;
            Ok((Action::Generate(bound, promise), params.clone()))
        }
        _ => Err(Box::new(PlanProblem::new(
            ProblemCode::Bind,
            "the disposition is not known to this version",
            "use keep, mask, generate, null or drop",
        ))),
    }
}

fn mask(
    request: &PlanRequest<'_>,
    decision: &Decided<'_>,
    function: &dyn MaskingFunction,
    mut params: Params,
    unique: bool,
) -> Result<(Action, Params), Box<PlanProblem>> {
    let encoding = (request.encoding)(decision.table, decision.source, Form::Decoded);
    let mut column = BatchColumn::of(decision.source, encoding);
    column.logical = decision.logical.clone();
    let bind = |params: &Params| {
        // What every function takes is taken off before the function sees its own.
        let mut own = params.clone();
        let guard = Guard::take(&mut own, decision.table).map_err(|e| refused(&e))?;
        let bound = function
            .bind(&BindRequest {
                params: &own,
                column: &column,
                table: decision.table,
                keyring: request.keyring,
                domain: &decision.domain,
                resources: request.resources,
            })
            .map_err(|e| refused(&e))?;
        Ok::<_, Box<PlanProblem>>(match guard {
            Some(guard) => guard.around(bound),
            None => bound,
        })
    };
    let mut bound = bind(&params)?;
    let can = function
        .descriptor()
        .parameters
        .iter()
        .any(|p| p.name == "unique");
    if unique && can && !bound.promise().injective && !params.0.contains_key("unique") {
        params.0.insert("unique".to_owned(), Value::Bool(true));
        bound = bind(&params)?;
    }
    Ok((Action::Mask(bound), params))
}

/// A function that masks by category inside a cell gets, for each category its rule does not mention, what
/// the rules say about columns of that category.
fn in_force(request: &PlanRequest<'_>, function: &dyn MaskingFunction, params: &Params) -> Params {
    let mut params = params.clone();
    if !function
        .descriptor()
        .parameters
        .iter()
        .any(|p| p.name == "categories")
    {
        return params;
    }
    let standard = policy::standard();
    let sets = [Some(request.rules), request.policy, Some(&standard)];
    let mut categories = match params.0.remove("categories") {
        Some(Value::Object(map)) => map,
        Some(other) => {
            // Not a map: the check of parameters says so.
            params.0.insert("categories".to_owned(), other);
            return params;
        }
        None => Map::new(),
    };
    for category in Category::ALL.iter().filter(|c| c.is_personal()) {
        if !categories.contains_key(category.as_str())
            && let Some(spec) = sets.iter().flatten().find_map(|set| inside(set, *category))
        {
            categories.insert(category.as_str().to_owned(), spec);
        }
    }
    params
        .0
        .insert("categories".to_owned(), Value::Object(categories));
    params
}

/// What a set says about text of a category, in the form that functions inside cells take.
fn inside(set: &RuleSet, category: Category) -> Option<Value> {
    let rule = set.rules.iter().find(|rule| {
        let s = &rule.selector;
        s.category == Some(category)
            && s.table.is_none()
            && s.column.is_none()
            && s.type_class.is_none_or(|class| class == TypeClass::Text)
    })?;
    Some(match &rule.disposition {
        Disposition::Mask { function, .. }
            if ["free_text", "json"].contains(&function.as_str()) =>
        {
            return None;
        }
        Disposition::Mask {
            function,
            params,
            domain,
        } => {
            let mut spec = Map::new();
            spec.insert("function".to_owned(), Value::from(function.as_str()));
            spec.insert("params".to_owned(), Value::Object(params.0.clone()));
            if let Some(domain) = domain {
                spec.insert("domain".to_owned(), Value::from(domain.as_str()));
            }
            Value::Object(spec)
        }
        Disposition::Keep { .. } => Value::from("keep"),
        _ => Value::from("erase"),
    })
}

fn unknown(kind: &str, name: &str, known: &[&str]) -> Box<PlanProblem> {
    let remedy = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("no {kind} is registered"),
        None => format!("known: {}", known.join(", ")),
    };
    Box::new(PlanProblem::new(
        ProblemCode::UnknownFunction,
        format!("there is no {kind} `{name}`"),
        remedy,
    ))
}

fn refused(error: &BindError) -> Box<PlanProblem> {
    let (code, remedy) = match error {
        BindError::Params(_) => (ProblemCode::Parameter, "correct the rule's parameters"),
        BindError::Type { .. } => (
            ProblemCode::Type,
            "choose a function that accepts the type, for example `erase`, or add a rule for this type",
        ),
        BindError::MissingInput(_) => {
            (ProblemCode::MissingInput, "name a column of the same table")
        }
        BindError::MissingResource { .. } => (
            ProblemCode::MissingInput,
            "configure it, or choose another function",
        ),
        _ => (ProblemCode::Bind, "choose another function for this column"),
    };
    Box::new(PlanProblem::new(code, error.to_string(), remedy))
}
