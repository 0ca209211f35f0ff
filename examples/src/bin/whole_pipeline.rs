//! The whole pipeline on SQLite: look, find, take a subset, mask, generate, verify, deploy, and ask where data came from.
//!
//! Everything happens in a temporary directory that is gone afterwards.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use tdm::core::ident::TableRef;
use tdm::core::port::Namespace;
use tdm::sql::sqlite::{SqliteTarget, execute_script};
use tdm::{RunOptions, Settings, Tdm, Workflow, count};

/// Production, in small: two people, three pets, one of them without an owner.
const SOURCE: &str = "
CREATE TABLE owners (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, email TEXT UNIQUE, city TEXT);
CREATE TABLE pets (id INTEGER PRIMARY KEY, owner_id INTEGER REFERENCES owners (id), species TEXT NOT NULL, born DATE);
INSERT INTO owners VALUES (1, 'Maria Winter', 'maria.winter@postbox.test', 'Leeds'),
                          (2, 'Jonas Keller', 'jonas.keller@postbox.test', 'Lyon');
INSERT INTO pets VALUES (1, 1, 'cat', '2020-02-29'), (2, 1, 'dog', '2021-07-01'), (3, 2, 'cat', '2019-01-15'),
                        (4, NULL, 'hen', '2024-05-05');
";

/// What is to be done. Unknown keys, misspelt functions and missing tables are errors with line and suggestion.
const WORKFLOW: &str = "
dataset: pets
source: sqlite:production.sqlite
discover: true
classify:
  confirm: {owners.full_name: person_name.full, owners.email: email, owners.city: address.city,
            owners.id: none, pets.id: none, pets.owner_id: none, pets.species: none, pets.born: none}
subset:
  seeds: [{table: owners, where: id = 1}]
mask:
  policy: default
synthesize:
  tables: {owners: 5}
provision:
  environment: qa
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name);
    execute_script(&path("production.sqlite"), SOURCE).await?;
    std::fs::write(path("pets.yaml"), WORKFLOW)?;

    // An empty environment: metadata, data and key are files under `.tdm/` of the directory.
    let tdm = Tdm::open(Settings::resolve(directory.path(), &BTreeMap::new())?).await?;
    let workflow = Workflow::load(&path("pets.yaml"))?;
    let options = RunOptions::default();

    // A plan reads and writes no data; it says what a run would do.
    let plan = tdm.plan(&workflow, &options).await?;
    println!("{plan}\n");

    let report = tdm.run(&workflow, &options).await?;
    println!("{report}\n");
    let dangling: u64 = report.checked.iter().map(|(_, rows)| rows).sum();
    let taken: u64 = report.taken.iter().map(|table| table.rows).sum();
    if plan.plan_hash != report.plan_hash || dangling > 0 || taken != 3 {
        return Err("the run is not what the plan said".into());
    }

    // One owner was taken with her two pets, five owners were generated, and lineage knows every column.
    let edges = tdm.store().lineage_of_job(report.job).await?;
    let columns: usize = edges.iter().map(|edge| edge.edge.columns.len()).sum();
    println!(
        "{} rows in dataset version pets@1, {columns} column facts in lineage",
        count(report.dataset.map_or(0, |d| d.rows))
    );
    holds_no_original(&path(".tdm/tdm_target.sqlite"))?;

    // The environment has no connection of its own, so it is the data database itself.
    let target = SqliteTarget::open(path(".tdm/tdm_target.sqlite"))?;
    for namespace in [
        Namespace::Main,
        Namespace::Dataset {
            dataset: "pets".into(),
            version: 1,
        },
    ] {
        println!(
            "{namespace}: {} in {}",
            TableRef::new("owners"),
            target
                .file(&namespace)?
                .file_name()
                .unwrap_or_default()
                .display()
        );
    }
    Ok(())
}

/// The name and the address of the one owner who was taken must be nowhere in the result.
fn holds_no_original(file: &Path) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(file)?;
    for original in ["Maria Winter", "maria.winter@postbox.test"] {
        if bytes
            .windows(original.len())
            .any(|window| window == original.as_bytes())
        {
            return Err("an original is in the result".into());
        }
    }
    Ok(())
}
