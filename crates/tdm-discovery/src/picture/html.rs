//! A page about a schema that stands alone: no network, no script; the browser's own search finds everything.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tdm_core::catalog::{Catalog, ForeignKey, Generation, RelationshipKind, TableSchema};
use tdm_core::category::Category;
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::profile::ColumnProfile;

use super::Picture;

const STYLE: &str = include_str!("page.css");

/// The page: an index, then every relation with columns, keys, references both ways, profiles and categories.
///
/// Profiles are shown as they are given: what must not be shown must not be in them.
pub fn html(picture: &Picture<'_>, title: &str) -> String {
    let catalog = picture.catalog;
    let page = Page {
        picture,
        categories: picture.categories(),
        profiles: picture.profiles.iter().map(|(c, p)| (c, p)).collect(),
        references: picture.references().collect(),
    };
    let title = escaped(title);
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    let columns: usize = catalog.tables.iter().map(|t| t.columns.len()).sum();
    let _ = writeln!(
        text,
        "<p>{} {} · {} relations · {columns} columns · {} references · {} columns of personal data</p>",
        escaped(catalog.engine.as_str()),
        escaped(&catalog.server_version),
        catalog.tables.len(),
        page.references.len(),
        page.categories.len(),
    );
    page.index(&mut text);
    for table in &catalog.tables {
        page.table(&mut text, table);
    }
    page.objects(&mut text, catalog);
    text.push_str("</body>\n</html>\n");
    text
}

struct Page<'a> {
    picture: &'a Picture<'a>,
    categories: BTreeMap<&'a ColumnRef, Category>,
    profiles: BTreeMap<&'a ColumnRef, &'a ColumnProfile>,
    references: Vec<&'a ForeignKey>,
}

impl Page<'_> {
    /// Anchors are numbers: a name may hold anything.
    fn anchor(&self, table: &TableRef) -> Option<usize> {
        self.picture
            .catalog
            .tables
            .iter()
            .position(|t| t.table == *table)
    }

    fn link(&self, table: &TableRef) -> String {
        let name = escaped(&table.to_string());
        match self.anchor(table) {
            Some(number) => format!("<a href=\"#t{number}\">{name}</a>"),
            None => name,
        }
    }

    fn index(&self, text: &mut String) {
        text.push_str("<nav>\n<table class=\"index\">\n<thead><tr><th>relation</th><th>kind</th><th>rows</th><th>columns</th><th>personal</th><th>comment</th></tr></thead>\n<tbody>\n");
        for table in &self.picture.catalog.tables {
            let personal = self
                .categories
                .keys()
                .filter(|c| c.table == table.table)
                .count();
            let _ = writeln!(
                text,
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
                self.link(&table.table),
                kind(table),
                table
                    .row_estimate
                    .map(|n| n.to_string())
                    .unwrap_or_default(),
                table.columns.len(),
                if personal > 0 {
                    personal.to_string()
                } else {
                    String::new()
                },
                escaped(table.comment.as_deref().unwrap_or_default()),
            );
        }
        text.push_str("</tbody>\n</table>\n</nav>\n");
    }

    fn table(&self, text: &mut String, table: &TableSchema) {
        let number = self.anchor(&table.table).unwrap_or_default();
        let name = escaped(&table.table.to_string());
        let _ = writeln!(
            text,
            "<section id=\"t{number}\">\n<h2>{name} <small>{}</small></h2>",
            kind(table)
        );
        if let Some(comment) = &table.comment {
            let _ = writeln!(text, "<p>{}</p>", escaped(comment));
        }
        text.push_str("<table>\n<thead><tr><th>column</th><th>type</th><th></th><th>default</th><th>category</th><th>profile</th><th>comment</th></tr></thead>\n<tbody>\n");
        for column in &table.columns {
            let place = table.table.column(&column.name);
            let category = self.categories.get(&place);
            let class = if category.is_some() {
                " class=\"personal\""
            } else {
                ""
            };
            let mut marks = super::marks(table, &column.name, &self.references);
            if !column.nullable {
                marks.push("NOT NULL");
            }
            let origin = match &column.generation {
                Generation::None => column.default.clone().unwrap_or_default(),
                Generation::Identity { .. } => "identity".to_owned(),
                Generation::Computed { expression, .. } => format!("= {expression}"),
                _ => String::new(),
            };
            let profile = self
                .profiles
                .get(&place)
                .map(|p| profile(p))
                .unwrap_or_default();
            let _ = writeln!(
                text,
                "<tr{class}><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{profile}</td><td>{}</td></tr>",
                escaped(&column.name),
                escaped(&column.native),
                marks.join(" "),
                escaped(&origin),
                category.map(ToString::to_string).unwrap_or_default(),
                escaped(column.comment.as_deref().unwrap_or_default()),
            );
        }
        text.push_str("</tbody>\n</table>\n");
        self.constraints(text, table);
        text.push_str("</section>\n");
    }

    fn constraints(&self, text: &mut String, table: &TableSchema) {
        let mut lines = Vec::new();
        let list = |columns: &[String]| escaped(&columns.join(", "));
        lines.extend(
            table
                .primary_key
                .iter()
                .map(|k| format!("primary key ({})", list(&k.columns))),
        );
        lines.extend(
            table
                .unique
                .iter()
                .map(|k| format!("unique ({})", list(&k.columns))),
        );
        for reference in self.references.iter().filter(|r| r.child == table.table) {
            lines.push(format!(
                "({}) refers to {} ({}){}",
                escaped(&reference.child_columns().join(", ")),
                self.link(&reference.parent),
                escaped(&reference.parent_columns().join(", ")),
                origin(reference),
            ));
        }
        for reference in self.references.iter().filter(|r| r.parent == table.table) {
            lines.push(format!(
                "referred to by {} ({}){}",
                self.link(&reference.child),
                escaped(&reference.child_columns().join(", ")),
                origin(reference),
            ));
        }
        lines.extend(
            table
                .checks
                .iter()
                .map(|c| format!("check <code>{}</code>", escaped(&c.expression))),
        );
        for index in &table.indexes {
            let unique = if index.unique {
                "unique index"
            } else {
                "index"
            };
            let columns = index.plain_columns();
            let parts = if columns.is_empty() {
                "expression".to_owned()
            } else {
                list(&columns)
            };
            lines.push(format!("{unique} {} ({parts})", escaped(&index.name)));
        }
        if lines.is_empty() {
            return;
        }
        text.push_str("<ul>\n");
        for line in lines {
            let _ = writeln!(text, "<li>{line}</li>");
        }
        text.push_str("</ul>\n");
    }

    fn objects(&self, text: &mut String, catalog: &Catalog) {
        if catalog.types.is_empty() && catalog.sequences.is_empty() && catalog.objects.is_empty() {
            return;
        }
        text.push_str("<section>\n<h2>other objects</h2>\n<ul>\n");
        for kind in &catalog.types {
            let _ = writeln!(
                text,
                "<li>{} type {}</li>",
                escaped(&kind.kind),
                escaped(&kind.name.to_string())
            );
        }
        for sequence in &catalog.sequences {
            let _ = writeln!(
                text,
                "<li>sequence {}</li>",
                escaped(&sequence.name.to_string())
            );
        }
        for object in &catalog.objects {
            let of = object
                .table
                .as_ref()
                .map(|t| format!(" on {}", self.link(t)))
                .unwrap_or_default();
            let _ = writeln!(
                text,
                "<li>{} {}{of}</li>",
                escaped(&object.kind),
                escaped(&object.name.to_string())
            );
        }
        text.push_str("</ul>\n</section>\n");
    }
}

fn kind(table: &TableSchema) -> String {
    let name = format!("{:?}", table.kind);
    crate::words::tokens(&name).join(" ")
}

fn origin(reference: &ForeignKey) -> String {
    match reference.kind {
        RelationshipKind::Declared => String::new(),
        kind => format!(" <em>{}</em>", kind.as_str()),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than 53 bits"
)]
fn profile(profile: &ColumnProfile) -> String {
    if profile.rows == 0 {
        return "no rows".to_owned();
    }
    let share = |n: u64| format!("{:.0} %", n as f64 * 100.0 / profile.rows as f64);
    let about = if profile.complete { "" } else { "≈ " };
    let mut parts = vec![format!(
        "{} distinct in {about}{} rows",
        profile.distinct, profile.rows
    )];
    if profile.nulls > 0 {
        parts.push(format!("{} NULL", share(profile.nulls)));
    }
    if profile.blanks > 0 {
        parts.push(format!("{} blank", share(profile.blanks)));
    }
    if let (Some(low), Some(high)) = (profile.length_min, profile.length_max) {
        parts.push(format!("length {low} to {high}"));
    }
    let patterns: Vec<String> = profile
        .patterns
        .iter()
        .take(3)
        .map(|p| {
            format!(
                "<code>{}</code> {:.0} %",
                escaped(&p.pattern),
                p.share * 100.0
            )
        })
        .collect();
    parts.extend(patterns);
    parts.join("; ")
}

/// Text as HTML text or attribute; control characters become spaces.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
