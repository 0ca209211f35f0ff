//! The star: who may know whom, held over `cargo metadata`.
//!
//! Change a table here only together with the reason in `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;

use cargo_metadata::{DependencyKind, Metadata, PackageId};

use crate::workspace::{declared, resolved, root};

/// One crate and the crates of this workspace that it may depend on.
struct Allowed {
    name: &'static str,
    /// Normal and build dependencies.
    product: &'static [&'static str],
    /// Further ones for its tests. `tdm-testkit` is allowed everywhere.
    tests: &'static [&'static str],
}

const fn allowed(name: &'static str, product: &'static [&'static str]) -> Allowed {
    Allowed {
        name,
        product,
        tests: &[],
    }
}

/// Every crate of the workspace. A crate that is not listed fails the test.
const STAR: [Allowed; 14] = [
    allowed("tdm-core", &[]),
    allowed("tdm-discovery", &["tdm-core"]),
    allowed("tdm-pii", &["tdm-core"]),
    allowed("tdm-masking", &["tdm-core"]),
    allowed("tdm-synth", &["tdm-core"]),
    allowed("tdm-provision", &["tdm-core"]),
    // Its entities are tested against the tables that the migrations make.
    Allowed {
        name: "tdm-model",
        product: &["tdm-core"],
        tests: &["migration"],
    },
    allowed("tdm-sql", &["tdm-core"]),
    allowed("migration", &[]),
    allowed("tdm-testkit", &["tdm-core"]),
    allowed(
        "tdm",
        &[
            "migration",
            "tdm-core",
            "tdm-discovery",
            "tdm-masking",
            "tdm-model",
            "tdm-pii",
            "tdm-provision",
            "tdm-sql",
            "tdm-synth",
        ],
    ),
    allowed("tdm-cli", &["tdm"]),
    allowed("tdm-examples", &["tdm", "tdm-testkit"]),
    allowed("tdm-tests", &["tdm", "tdm-testkit"]),
];

const TESTKIT: &str = "tdm-testkit";

/// Libraries without I/O, then engines that reach the world through ports only.
const WITHOUT_IO: [&str; 6] = [
    "tdm-core",
    "tdm-pii",
    "tdm-masking",
    "tdm-synth",
    "tdm-discovery",
    "tdm-provision",
];

/// Packages that [`WITHOUT_IO`] must not even know through others. Each also bans the packages it prefixes.
const RUNTIMES_AND_DRIVERS: [&str; 10] = [
    "tokio",
    "async-std",
    "smol",
    "sqlx",
    "sea-orm",
    "sea-query",
    "rusqlite",
    "libsqlite3-sys",
    "mysql",
    "postgres",
];

/// Packages that only the named crates may name: package or prefix, users, and whether tests elsewhere may.
const OWNED: [(&str, &[&str], bool); 6] = [
    ("sea-orm", &["tdm-model", "migration"], false),
    ("arrow", &["tdm-core"], false),
    // An independent reader of a database is just what a test needs.
    ("sqlx", &["tdm-sql"], true),
    ("rusqlite", &["tdm-sql"], true),
    ("mysql", &["tdm-sql"], true),
    ("tokio-postgres", &["tdm-sql"], true),
];

/// One declared dependency between two packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
    for_tests: bool,
}

#[test]
fn internal_dependencies_form_the_star() {
    let metadata = declared();
    let members = members(&metadata);
    let faults = star_faults(&members, &internal(&edges(&metadata), &members));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn an_edge_or_a_crate_too_many_is_noticed() {
    let members: BTreeSet<String> = STAR.iter().map(|allowed| allowed.name.to_owned()).collect();
    assert!(star_faults(&members, &BTreeSet::new()).is_empty());
    for (from, to, for_tests, is_fault) in [
        ("tdm-masking", "tdm-pii", false, true),
        ("tdm-masking", "tdm-pii", true, true),
        ("tdm-core", "tdm-testkit", false, true),
        ("tdm-cli", "tdm-core", false, true),
        ("tdm-model", "migration", false, true),
        ("migration", "tdm-core", false, true),
        ("tdm-masking", "tdm-testkit", true, false),
        ("tdm-model", "migration", true, false),
    ] {
        let edge = Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            for_tests,
        };
        let faults = star_faults(&members, &BTreeSet::from([edge]));
        assert_eq!(
            !faults.is_empty(),
            is_fault,
            "{from} -> {to}, for tests: {for_tests}"
        );
    }
    let mut more = members;
    more.insert("tdm-utils".to_owned());
    assert_eq!(star_faults(&more, &BTreeSet::new()).len(), 1);
}

#[test]
fn libraries_and_engines_know_no_runtime_and_no_driver() {
    let metadata = resolved();
    let mut faults = Vec::new();
    for name in WITHOUT_IO {
        for path in paths_to(&metadata, name, &RUNTIMES_AND_DRIVERS) {
            faults.push(path);
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    // The same search finds what is there: a misspelt name would be absent from every tree.
    assert!(!paths_to(&metadata, "tdm-core", &["arrow-array"]).is_empty());
    assert!(!paths_to(&metadata, "tdm-masking", &["arrow-array"]).is_empty());
    assert!(!paths_to(&metadata, "tdm-model", &["sea-orm"]).is_empty());
    assert!(!paths_to(&metadata, "tdm-model", &["tokio"]).is_empty());
    assert!(!paths_to(&metadata, "tdm-model", &["sqlx"]).is_empty());
}

#[test]
fn every_outside_package_with_an_owner_is_named_by_its_owner_only() {
    let metadata = declared();
    let edges = edges(&metadata);
    let mut faults = Vec::new();
    for edge in &edges {
        for (package, owners, tests_may) in OWNED {
            let tests_only = edge.for_tests || edge.from == "tdm-tests";
            if is_or_extends(&edge.to, package)
                && !owners.contains(&edge.from.as_str())
                && !(tests_may && tests_only)
            {
                faults.push(format!(
                    "{} names {}, which belongs to {owners:?}",
                    edge.from, edge.to
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    // The owners do name them.
    for (from, to) in [
        ("tdm-core", "arrow-array"),
        ("tdm-model", "sea-orm"),
        ("migration", "sea-orm-migration"),
    ] {
        assert!(
            edges.iter().any(|edge| edge.from == from && edge.to == to),
            "{from} -> {to}"
        );
    }
}

#[test]
fn every_crate_inherits_lints_edition_and_compiler_version() {
    let mut faults = Vec::new();
    let metadata = declared();
    for package in metadata.workspace_packages() {
        let manifest: toml::Table = fs::read_to_string(&package.manifest_path)
            .unwrap()
            .parse()
            .unwrap();
        let inherits = |table: &str, key: Option<&str>| {
            let value = manifest.get(table);
            let value = key.map_or(value, |key| value.and_then(|value| value.get(key)));
            value
                .and_then(|value| value.get("workspace"))
                .and_then(toml::Value::as_bool)
                == Some(true)
        };
        if !inherits("lints", None) {
            faults.push(format!(
                "{}: `[lints] workspace = true` is missing",
                package.name
            ));
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits("package", Some(key)) {
                faults.push(format!(
                    "{}: `{key}.workspace = true` is missing",
                    package.name
                ));
            }
        }
        if package.description.is_none() {
            faults.push(format!("{}: no description", package.name));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert_eq!(metadata.workspace_packages().len(), STAR.len());
}

#[test]
fn the_workspace_forbids_unsafe_code_and_asks_for_documentation() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let lints = &manifest["workspace"]["lints"]["rust"];
    assert_eq!(lints["unsafe_code"].as_str(), Some("forbid"));
    assert_eq!(lints["missing_docs"].as_str(), Some("warn"));
    assert_eq!(
        manifest["workspace"]["package"]["edition"].as_str(),
        Some("2024")
    );
    assert_eq!(
        manifest["workspace"]["package"]["rust-version"].as_str(),
        Some("1.94")
    );
}

fn star_faults(members: &BTreeSet<String>, edges: &BTreeSet<Edge>) -> Vec<String> {
    let mut faults = Vec::new();
    for member in members {
        if !STAR.iter().any(|allowed| allowed.name == member) {
            faults.push(format!("{member} is not in the table of crates"));
        }
    }
    for allowed in &STAR {
        if !members.contains(allowed.name) {
            faults.push(format!(
                "{} is in the table of crates and not in the workspace",
                allowed.name
            ));
        }
    }
    for edge in edges {
        let Some(allowed) = STAR.iter().find(|allowed| allowed.name == edge.from) else {
            continue;
        };
        let to = edge.to.as_str();
        let in_tests = edge.for_tests && (to == TESTKIT || allowed.tests.contains(&to));
        if !allowed.product.contains(&to) && !in_tests {
            let kind = if edge.for_tests {
                "in its tests"
            } else {
                "in the product"
            };
            faults.push(format!("{} must not know {to} {kind}", edge.from));
        }
    }
    faults
}

fn members(metadata: &Metadata) -> BTreeSet<String> {
    metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.to_string())
        .collect()
}

fn edges(metadata: &Metadata) -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    for package in metadata.workspace_packages() {
        for dependency in &package.dependencies {
            edges.insert(Edge {
                from: package.name.to_string(),
                to: dependency.name.clone(),
                for_tests: dependency.kind == DependencyKind::Development,
            });
        }
    }
    edges
}

fn internal(edges: &BTreeSet<Edge>, members: &BTreeSet<String>) -> BTreeSet<Edge> {
    edges
        .iter()
        .filter(|edge| members.contains(&edge.to))
        .cloned()
        .collect()
}

/// One shortest path over normal dependencies from `root` to every package that `wanted` names or prefixes.
fn paths_to(metadata: &Metadata, root: &str, wanted: &[&str]) -> Vec<String> {
    let names: BTreeMap<&PackageId, &str> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.as_str()))
        .collect();
    let nodes: BTreeMap<_, _> = metadata
        .resolve
        .as_ref()
        .unwrap()
        .nodes
        .iter()
        .map(|node| (&node.id, node))
        .collect();
    let start = metadata
        .workspace_packages()
        .into_iter()
        .find(|package| *package.name == root)
        .unwrap();

    let mut parents: BTreeMap<&PackageId, &PackageId> = BTreeMap::new();
    let mut queue = VecDeque::from([&start.id]);
    let mut found = Vec::new();
    while let Some(id) = queue.pop_front() {
        if wanted.iter().any(|name| is_or_extends(names[id], name)) {
            let mut path = vec![names[id]];
            let mut at = id;
            while let Some(parent) = parents.get(at) {
                path.push(names[*parent]);
                at = parent;
            }
            path.reverse();
            found.push(path.join(" -> "));
        }
        for dependency in &nodes[id].deps {
            let is_normal = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if is_normal && dependency.pkg != start.id && !parents.contains_key(&dependency.pkg) {
                parents.insert(&dependency.pkg, id);
                queue.push_back(&dependency.pkg);
            }
        }
    }
    found
}

/// `name` itself, or `name-…`, `name_…`.
fn is_or_extends(package: &str, name: &str) -> bool {
    package
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}
