//! A masking function and a detector of your own, plugged in beside the ones that come with TDM.
//!
//! The company of this example writes loyalty numbers as `LN-` and six digits. No general tool knows that.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod detector;
mod function;

use std::error::Error;
use std::sync::Arc;

use tdm::core::arrow_array::cast::AsArray as _;
use tdm::core::arrow_array::{ArrayRef, StringArray};
use tdm::core::batch::{Batch, BatchColumn, BatchSchema, Encoding};
use tdm::core::catalog::{Column, TableSchema};
use tdm::core::category::Category;
use tdm::core::detector::{ColumnContext, ColumnSample};
use tdm::core::function::NoResources;
use tdm::core::ident::TableRef;
use tdm::core::keyring::RootKey;
use tdm::core::transform::Transform as _;
use tdm::core::types::LogicalType;
use tdm::masking::plan::{MaskingPlan, PlanRequest};
use tdm::masking::{policy, registry::Registry};
use tdm::pii::Classifier;

/// A rule names the function like any other.
const RULES: &str = "
name: example
rules:
  - name: loyalty
    selector: {category: other_personal}
    disposition: {action: mask, function: loyalty_number}
";

fn main() -> Result<(), Box<dyn Error>> {
    let mut table = TableSchema::new(TableRef::new("members"));
    table.columns = vec![Column::new("loyalty_card", 1, "TEXT", LogicalType::TEXT)];

    // The classifier weighs the detector's claim together with its own evidence.
    let builder = Classifier::builder().with_detector(Arc::new(detector::LoyaltyDetector));
    let values = (0..40).map(|n| (format!("LN-{:06}", n * 7_919), 1));
    let sample = ColumnSample::new(values.collect(), 0);
    let context = ColumnContext {
        table: &table,
        column: &table.columns[0],
        profile: None,
    };
    let found = builder.build().classify_column(&context, &sample);
    println!("members.loyalty_card holds {}", found.effective());
    if found.effective() != Category::OtherPersonal {
        return Err("the detector was not heard".into());
    }

    // The function joins the registry; the plan binds it because the detector's category selects the rule.
    let plan = MaskingPlan::compile(PlanRequest {
        tables: std::slice::from_ref(&table),
        relationships: &[],
        classifications: &[found],
        rules: &policy::parse(RULES)?,
        policy: None,
        registry: &Registry::standard().with(Arc::new(function::Loyalty)),
        keyring: &RootKey::new([7; 32]),
        resources: &NoResources,
        encoding: &|_, _, _| Encoding::Text,
        generators: &[],
        seed: 0,
        catalog_fingerprint: "example",
    })?;

    let schema = BatchSchema {
        table: table.table.clone(),
        columns: vec![BatchColumn::of(&table.columns[0], Encoding::Text)],
    };
    let cells: ArrayRef = Arc::new(StringArray::from(vec![Some("LN-000001"), None]));
    let read = Batch::read(Arc::new(schema), vec![cells], 2, 0)?;
    let program = plan.table(&table.table).ok_or("no program")?;
    let cleared = program.apply(&read)?;
    let cards = cleared.column(0).as_string::<i32>();
    let masked = cards.iter().next().flatten().unwrap_or_default();
    println!("LN-000001 became {masked}");
    let kept = masked.starts_with("LN-") && masked.len() == 9 && masked != "LN-000001";
    if !kept || cards.iter().nth(1) != Some(None) {
        return Err("the function does not keep its promise".into());
    }
    Ok(())
}
