//! Spans in running text, scored by characters against the labelled sets.
#![expect(
    clippy::unwrap_used,
    reason = "a labelled set that cannot be read is a bug"
)]

mod score;

use score::data;
use tdm_core::detector::TextDetector as _;
use tdm_pii::SpanDetector;

struct Score {
    both: usize,
    found: usize,
    there: usize,
    same_label: usize,
}

impl Score {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand characters")]
    fn f1(&self) -> f64 {
        2.0 * self.both as f64 / (self.found + self.there).max(1) as f64
    }
}

/// The text without marks, and per byte the label that covers it.
fn unmark(line: &str) -> (String, Vec<Option<String>>) {
    let mut text = String::new();
    let mut labels = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find("[[") {
        let close = rest[open..].find("]]").unwrap() + open;
        let (label, inner) = rest[open + 2..close].split_once('|').unwrap();
        text.push_str(&rest[..open]);
        labels.resize(text.len(), None);
        text.push_str(inner);
        labels.resize(text.len(), Some(label.to_owned()));
        rest = &rest[close + 2..];
    }
    text.push_str(rest);
    labels.resize(text.len(), None);
    (text, labels)
}

#[expect(
    clippy::print_stdout,
    reason = "the table is what a reader of the test wants"
)]
fn run(name: &str) -> Score {
    let detector = SpanDetector::standard();
    let mut score = Score {
        both: 0,
        found: 0,
        there: 0,
        same_label: 0,
    };
    for (number, line) in data(name).lines().enumerate() {
        let (text, labels) = unmark(line);
        let mut found: Vec<Option<String>> = vec![None; text.len()];
        for span in detector.spans(&text) {
            found[span.range].fill(Some(span.category.to_string()));
        }
        let mut wrong = 0;
        for (truth, answer) in labels.iter().zip(&found) {
            score.there += usize::from(truth.is_some());
            score.found += usize::from(answer.is_some());
            score.both += usize::from(truth.is_some() && answer.is_some());
            score.same_label += usize::from(truth.is_some() && truth == answer);
            wrong += usize::from(truth != answer);
        }
        if wrong > 0 && std::env::var_os("TDM_PII_MISSES").is_some() {
            println!("  {name}:{}: {wrong} characters differ", number + 1);
        }
    }
    println!(
        "{name}: character F1 {:.3}, {} of {} characters with the same label",
        score.f1(),
        score.same_label,
        score.there
    );
    score
}

#[test]
fn development_texts() {
    assert!(run("texts.dev.txt").f1() >= 0.90);
}

#[test]
fn held_out_texts() {
    assert!(run("texts.heldout.txt").f1() >= 0.80);
}
