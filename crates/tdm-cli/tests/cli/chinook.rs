//! A database nobody here wrote: one country's customers with everything they need, masked.

use std::path::{Path, PathBuf};

use crate::{Desk, dangling, number, open, texts};

const WORKFLOW: &str = "
dataset: brazil
source: sqlite:SOURCE
discover: true
classify: true
subset:
  seeds:
    - table: Customer
      where: Country = 'Brazil'
mask:
  policy: default
provision:
  environment: qa
";

/// The sample, when the folder of samples is there; says loudly when it is not.
pub(crate) fn sample(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TDM_SAMPLES").map(PathBuf::from);
    let found = folder
        .map(|folder| folder.join("chinook/chinook.sqlite"))
        .filter(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: {test}: set TDM_SAMPLES to the folder of sample databases");
    }
    found
}

fn workflow(source: &Path) -> String {
    WORKFLOW.replace("SOURCE", &source.display().to_string())
}

#[test]
fn one_country_of_chinook_is_whole_masked_and_leaves_no_trace() {
    let Some(sample) = sample("one_country_of_chinook_is_whole_masked_and_leaves_no_trace") else {
        return;
    };
    let desk = Desk::new();
    let text = workflow(&sample);
    assert!(text.lines().count() < 30);
    desk.file("brazil.yaml", &text);
    let run = desk.run(&["run", "brazil.yaml"]).expect(0);

    let (source, target) = (open(&sample), desk.target());
    assert_eq!(dangling(&target), 0);
    for (child, column, parent, key) in [
        ("Customer", "SupportRepId", "Employee", "EmployeeId"),
        ("Employee", "ReportsTo", "Employee", "EmployeeId"),
        ("Invoice", "CustomerId", "Customer", "CustomerId"),
        ("InvoiceLine", "InvoiceId", "Invoice", "InvoiceId"),
        ("InvoiceLine", "TrackId", "Track", "TrackId"),
        ("Track", "AlbumId", "Album", "AlbumId"),
        ("Track", "GenreId", "Genre", "GenreId"),
        ("Track", "MediaTypeId", "MediaType", "MediaTypeId"),
        ("Album", "ArtistId", "Artist", "ArtistId"),
    ] {
        let orphans = format!(
            "SELECT count(*) FROM {child} c WHERE c.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = c.{column})"
        );
        assert_eq!(number(&target, &orphans), 0, "{child}.{column}");
    }
    // The subset is what SQL over the source says it is.
    for (table, sql) in [
        (
            "Customer",
            "SELECT count(*) FROM Customer WHERE Country = 'Brazil'",
        ),
        (
            "Invoice",
            "SELECT count(*) FROM Invoice JOIN Customer USING (CustomerId) WHERE Country = 'Brazil'",
        ),
        (
            "InvoiceLine",
            "SELECT count(*) FROM InvoiceLine JOIN Invoice USING (InvoiceId) JOIN Customer USING (CustomerId) \
             WHERE Country = 'Brazil'",
        ),
        (
            "Track",
            "SELECT count(DISTINCT TrackId) FROM InvoiceLine JOIN Invoice USING (InvoiceId) \
             JOIN Customer USING (CustomerId) WHERE Country = 'Brazil'",
        ),
    ] {
        let expected = number(&source, sql);
        assert!(expected > 0);
        assert_eq!(
            number(&target, &format!("SELECT count(*) FROM {table}")),
            expected,
            "{table}"
        );
    }
    // Names, e-mails, phones and addresses are other than they were, and still there.
    for (table, key, columns) in [
        (
            "Customer",
            "CustomerId",
            ["FirstName", "LastName", "Email", "Phone", "Address"],
        ),
        (
            "Employee",
            "EmployeeId",
            ["FirstName", "LastName", "Email", "Phone", "Address"],
        ),
    ] {
        for column in columns {
            let sql = |table: &str| {
                format!("SELECT {key} || '=' || {column} FROM {table} WHERE {column} IS NOT NULL")
            };
            let before = texts(&source, &sql(table));
            let after = texts(&target, &sql(table));
            assert!(!after.is_empty(), "{table}.{column} is empty");
            let same = after.iter().filter(|value| before.contains(value)).count();
            assert!(
                same * 20 <= after.len(),
                "{table}.{column}: {same} of {} values passed",
                after.len()
            );
        }
    }

    let mut canaries = texts(&source, "SELECT Email FROM Customer");
    canaries.extend(texts(&source, "SELECT Email FROM Employee"));
    canaries.extend(texts(
        &source,
        "SELECT Phone FROM Customer WHERE Phone IS NOT NULL",
    ));
    canaries.extend(texts(&source, "SELECT Address FROM Customer"));
    assert_absent(&canaries, &files_but(desk.path(), &[]));
    let said = vec![
        ("output".to_owned(), run.out.into_bytes()),
        ("errors".to_owned(), run.err.into_bytes()),
    ];
    assert_absent(&canaries, &said);
    let kept = desk.run(&["job", "list", "--json"]).expect(0);
    assert_absent(&canaries, &[("job list".to_owned(), kept.out.into_bytes())]);
}

#[test]
fn the_same_customer_keeps_a_pseudonym_from_run_to_run() {
    let Some(sample) = sample("the_same_customer_keeps_a_pseudonym_from_run_to_run") else {
        return;
    };
    let desk = Desk::new();
    desk.file("brazil.yaml", &workflow(&sample));
    desk.file(
        "all.yaml",
        &workflow(&sample)
            .replace("brazil", "everyone")
            .replace("where: Country = 'Brazil'", "all: true"),
    );
    desk.run(&["run", "brazil.yaml"]).expect(0);
    let pairs = "SELECT CustomerId || ' ' || Email FROM Customer";
    let some = texts(&desk.target(), pairs);
    desk.run(&["run", "all.yaml"]).expect(0);
    let all = texts(&desk.target(), pairs);
    assert!(some.len() < all.len());
    assert!(
        some.iter().all(|pair| all.contains(pair)),
        "a pseudonym changed with the subset"
    );
}

/// Every file below `folder` with its bytes, those called one of `names` left out.
pub(crate) fn files_but(folder: &Path, names: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !names.contains(&name.as_str()) {
                files.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    assert!(!files.is_empty());
    files
}

/// No canary is in any of the files. Names the file and how many, never the canary.
pub(crate) fn assert_absent(canaries: &[String], files: &[(String, Vec<u8>)]) {
    assert!(!canaries.is_empty());
    let search =
        aho_corasick::AhoCorasick::new(canaries.iter().filter(|canary| canary.len() >= 8)).unwrap();
    for (name, bytes) in files {
        assert_eq!(
            search.find_iter(bytes).count(),
            0,
            "{name} holds personal values of the source"
        );
    }
}
