//! Columns by name and type, scored against the labelled sets: dev may be tuned on, held-out is only scored.
#![expect(
    clippy::unwrap_used,
    reason = "a labelled set that cannot be read is a bug"
)]

mod score;

use score::{Sheet, data};
use tdm_core::category::Category;
use tdm_pii::{Classifier, DictionaryRow};

struct Case {
    language: String,
    row: DictionaryRow,
    category: Category,
    near: bool,
}

fn cases(name: &str) -> Vec<Case> {
    let text = data(name);
    let mut cases = Vec::new();
    for line in text.lines().skip(1).filter(|l| !l.trim().is_empty()) {
        // The only commas inside fields are those of a type's measures.
        let (head, tail) = line.split_at(line.find('(').map_or(line.len(), |open| {
            line[open..]
                .find(')')
                .map_or(line.len(), |close| open + close)
        }));
        let mut fields: Vec<String> = head.splitn(4, ',').map(str::to_owned).collect();
        let mut rest: Vec<String> = tail.split(',').map(str::to_owned).collect();
        if let Some(kind) = fields.last_mut()
            && tail.is_empty()
        {
            let all: Vec<String> = kind.split(',').map(str::to_owned).collect();
            fields.pop();
            fields.extend(all);
            rest.clear();
        } else if let (Some(kind), Some(first)) = (fields.last_mut(), rest.first()) {
            kind.push_str(first);
        }
        fields.extend(rest.into_iter().skip(1));
        cases.push(Case {
            language: fields[0].clone(),
            row: DictionaryRow {
                table: fields[1].clone(),
                column: fields[2].clone(),
                native: Some(fields[3].clone()),
            },
            category: fields[4].parse().unwrap(),
            near: fields.get(5).is_some_and(|f| f == "near"),
        });
    }
    cases
}

fn run(name: &str) -> (Sheet, Sheet) {
    let cases = cases(name);
    let rows: Vec<DictionaryRow> = cases.iter().map(|c| c.row.clone()).collect();
    let answers = Classifier::standard().classify_dictionary(&rows);
    let (mut all, mut foreign) = (Sheet::default(), Sheet::default());
    for (case, answer) in cases.iter().zip(&answers) {
        let place = answer.finding.column.to_string();
        all.add(case.category, answer.finding.category, case.near, &place);
        all.calibrate(
            answer.finding.confidence,
            case.category == answer.finding.category,
        );
        if case.language != "en" {
            foreign.add(case.category, answer.finding.category, case.near, &place);
        }
    }
    (all, foreign)
}

#[test]
fn development_columns() {
    let (all, foreign) = run("columns.dev.csv");
    all.print("columns, dev", true);
    foreign.print("columns, dev, not English", false);
    assert!(all.macro_f1() >= 0.95);
}

#[test]
fn held_out_columns() {
    let (all, foreign) = run("columns.heldout.csv");
    all.print(
        "columns, held-out",
        std::env::var_os("TDM_PII_MISSES").is_some(),
    );
    foreign.print("columns, held-out, not English", false);
    assert!(all.macro_f1() >= 0.80, "macro F1 {:.3}", all.macro_f1());
    assert!(all.binary_f1() >= 0.88, "binary F1 {:.3}", all.binary_f1());
    assert!(foreign.binary_f1() >= 0.78);
    assert!(
        all.near_flagged() <= 0.06,
        "look-alikes {:.3}",
        all.near_flagged()
    );
}
