//! Pictures: compared with golden files, and safe whatever names a schema has.

use tdm_core::catalog::{Catalog, ForeignKey, RelationshipKind};
use tdm_core::category::Category;
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::ident::TableRef;
use tdm_core::profile::{ColumnProfile, PatternShare};
use tdm_core::types::Engine;
use tdm_discovery::picture::{Picture, View, dot, html, mermaid};
use tdm_testkit::fixture::Fixture;

fn shop() -> Catalog {
    let mut catalog = Catalog::new(Engine::Memory, "1");
    catalog.tables = Fixture::parse(
        "[customer]
           id: bigint pk | mail: text(80) not null unique | parent_id: bigint
           @fk parent_id -> customer(id)
         [invoice]
           id: bigint pk | customer_id: bigint not null | total: decimal(10,2)
           @fk customer_id -> customer(id)
         [line]
           invoice_id: bigint | no: int | text: text
           @pk invoice_id, no
           @fk invoice_id -> invoice(id)
         [remark]
           id: bigint pk | line_invoice: bigint | line_no: int
         [lonely]
           id: bigint pk",
    )
    .schemas(Engine::Memory);
    catalog.tables[0].comment = Some("people & <firms>".into());
    catalog
}

fn relationships() -> Vec<ForeignKey> {
    let mut inferred = ForeignKey::new(
        TableRef::new("remark"),
        TableRef::new("line"),
        vec![
            ("line_invoice".into(), "invoice_id".into()),
            ("line_no".into(), "no".into()),
        ],
    );
    inferred.kind = RelationshipKind::Inferred;
    vec![inferred]
}

fn classified() -> Vec<Classification> {
    vec![Classification {
        finding: Finding {
            column: TableRef::new("customer").column("mail"),
            category: Category::Email,
            technique: "fused".into(),
            confidence: 0.9,
            evidence: Vec::new(),
        },
        decision: Decision::Suggested,
        decided_by: "detector".into(),
    }]
}

#[test]
fn diagrams_are_as_they_were_agreed() {
    let (catalog, relationships, classifications) = (shop(), relationships(), classified());
    let picture = Picture {
        relationships: &relationships,
        classifications: &classifications,
        ..Picture::new(&catalog)
    };
    let drawn = mermaid(&picture, &View::Whole).unwrap();
    assert_eq!(drawn, include_str!("picture/shop.mmd"), "\n{drawn}");
    let drawn = dot(&picture, &View::Whole).unwrap();
    assert_eq!(drawn, include_str!("picture/shop.dot"), "\n{drawn}");
}

fn around(table: &str, hops: u32) -> View {
    View::Around {
        table: table.to_owned(),
        hops,
    }
}

#[test]
fn a_table_is_shown_with_its_neighbours() {
    let (catalog, relationships) = (shop(), relationships());
    let picture = Picture {
        relationships: &relationships,
        ..Picture::new(&catalog)
    };
    for (hops, shown) in [(0, 1), (1, 3), (2, 4), (9, 4)] {
        let drawn = mermaid(&picture, &around("line", hops)).unwrap();
        assert_eq!(
            drawn.matches(" {\n").count(),
            shown,
            "{hops} away:\n{drawn}"
        );
    }
    let error = mermaid(&picture, &around("lin", 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table `lin` does not exist; did you mean `line`?"
    );
}

#[test]
fn the_page_stands_alone_and_shows_what_is_known() {
    let (catalog, relationships, classifications) = (shop(), relationships(), classified());
    let profile = ColumnProfile {
        rows: 200,
        nulls: 20,
        distinct: 180,
        patterns: vec![PatternShare {
            pattern: "a+@a+.a+".into(),
            share: 0.9,
        }],
        ..ColumnProfile::default()
    };
    let profiles = [(TableRef::new("customer").column("mail"), profile)];
    let picture = Picture {
        catalog: &catalog,
        relationships: &relationships,
        classifications: &classifications,
        profiles: &profiles,
    };
    let page = html(&picture, "Shop <1>");
    for part in [
        "<title>Shop &lt;1&gt;</title>",
        "people &amp; &lt;firms&gt;",
        "180 distinct in ≈ 200 rows; 10 % NULL; <code>a+@a+.a+</code> 90 %",
        "<td>email</td>",
        "refers to <a href=\"#t2\">line</a> (invoice_id, no) <em>inferred</em>",
        "default-src 'none'",
    ] {
        assert!(page.contains(part), "no `{part}` in\n{page}");
    }
    for banned in ["<script", "http://", "https://", "src=", "url(", "@import"] {
        assert!(!page.contains(banned), "`{banned}` in the page");
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut catalog = shop();
    let hostile = "x\"]} <script>alert(1)</script>\n-- '&\\";
    for table in &mut catalog.tables {
        let renamed = TableRef::within(hostile, format!("{}{hostile}", table.table.name));
        for key in &mut table.foreign_keys {
            key.child = renamed.clone();
            key.parent = TableRef::within(hostile, format!("{}{hostile}", key.parent.name));
        }
        table.table = renamed;
        table.columns[0].name = hostile.into();
        table.columns[0].native = hostile.into();
        table.columns[0].comment = Some(hostile.into());
        table.columns[0].default = Some(hostile.into());
    }
    let picture = Picture::new(&catalog);
    let page = html(&picture, hostile);
    assert!(!page.contains("<script"), "{page}");
    let drawn = mermaid(&picture, &View::Whole).unwrap();
    assert!(!drawn.contains('<') && !drawn.contains("\"]}"), "{drawn}");
    let lines = drawn.lines().count();
    let columns: usize = catalog.tables.iter().map(|t| t.columns.len() + 2).sum();
    assert_eq!(lines, 1 + columns + 3, "one line a thing:\n{drawn}");
    let drawn = dot(&picture, &View::Whole).unwrap();
    assert!(!drawn.contains("<script"), "{drawn}");
}
