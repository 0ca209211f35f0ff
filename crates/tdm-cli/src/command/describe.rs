//! Reference of functions, from their own descriptors.

use serde_json::{Value, json};
use tdm::core::function::Descriptor;
use tdm::{Error, Result, aligned};

use crate::output::show;

pub(super) fn functions(name: Option<&str>, json: bool) -> Result<()> {
    let masking = tdm::masking::registry::Registry::standard();
    let generating = tdm::synth::Registry::new();
    let mut all: Vec<(&'static str, Descriptor)> =
        masking.descriptors().map(|d| ("mask", *d)).collect();
    all.extend(
        generating
            .descriptors()
            .into_iter()
            .map(|d| ("generate", d)),
    );
    if let Some(name) = name {
        let known: Vec<&'static str> = all.iter().map(|(_, d)| d.name).collect();
        all.retain(|(_, d)| d.name == name);
        if all.is_empty() {
            let near = tdm::core::suggest::nearest(name, known);
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(Error::Settings(format!(
                "no function is called `{name}`{hint}"
            )));
        }
    }
    let rows: Vec<Value> = all
        .iter()
        .map(|(use_as, descriptor)| as_json(use_as, descriptor))
        .collect();
    show(json, &rows, |_| match name {
        Some(_) => all
            .iter()
            .map(|(use_as, d)| in_full(use_as, d))
            .collect::<Vec<_>>()
            .join("\n"),
        None => aligned(
            &["name", "use", "what it does"],
            all.iter().map(|(use_as, d)| {
                vec![
                    d.name.to_owned(),
                    (*use_as).to_owned(),
                    d.summary.to_owned(),
                ]
            }),
        ),
    });
    Ok(())
}

fn as_json(use_as: &str, d: &Descriptor) -> Value {
    let parameters: Vec<Value> = d
        .parameters
        .iter()
        .map(|p| json!({ "name": p.name, "kind": p.kind.as_str(), "summary": p.summary, "default": p.default }))
        .collect();
    json!({
        "name": d.name, "use": use_as, "summary": d.summary, "parameters": parameters,
        "accepts": d.accepts, "weakness": d.weakness,
        "promise": {
            "deterministic": d.promise.deterministic, "injective": d.promise.injective,
            "null_preserving": d.promise.null_preserving, "format_preserving": d.promise.format_preserving,
            "length_max": d.promise.length_max,
        },
    })
}

fn in_full(use_as: &str, d: &Descriptor) -> String {
    let accepts: Vec<&str> = d.accepts.iter().map(|class| class.as_str()).collect();
    let promises = [
        (d.promise.deterministic, "deterministic"),
        (d.promise.injective, "injective"),
        (d.promise.null_preserving, "keeps NULL"),
        (d.promise.format_preserving, "keeps the format"),
    ];
    let promises: Vec<&str> = promises
        .iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, word)| *word)
        .collect();
    let mut text = format!("{} ({use_as})\n{}\n\n", d.name, d.summary);
    text.push_str(&format!(
        "accepts   {}\npromises  {}\nweakness  {}\n",
        accepts.join(", "),
        promises.join(", "),
        d.weakness
    ));
    if !d.parameters.is_empty() {
        text.push('\n');
        let rows = d.parameters.iter().map(|p| {
            let default = p
                .default
                .map_or("required".to_owned(), |value| format!("default {value}"));
            vec![
                p.name.to_owned(),
                p.kind.as_str().to_owned(),
                default,
                p.summary.to_owned(),
            ]
        });
        text.push_str(&aligned(&["parameter", "", "", ""], rows));
    }
    text
}
