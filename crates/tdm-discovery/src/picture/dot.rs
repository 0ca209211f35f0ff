//! Entity-relationship diagrams in Graphviz's language.

use std::fmt::Write as _;

use tdm_core::catalog::RelationshipKind;
use tdm_core::ident::TableRef;

use super::{Picture, View, html::escaped, is_optional, is_single, marks};
use crate::error::Error;

/// The diagram: one node a table with its columns, one edge a reference from child to parent; dashed edges are
/// references that the schema does not declare.
///
/// # Errors
/// When the table of the view does not exist or is ambiguous.
pub fn dot(picture: &Picture<'_>, view: &View) -> Result<String, Error> {
    let tables = picture.tables(view)?;
    let references = picture.references_among(&tables);
    let categories = picture.categories();
    let number = |table: &TableRef| {
        tables
            .iter()
            .position(|t| t.table == *table)
            .unwrap_or_default()
    };
    let mut text = String::from(
        "digraph schema {\n  rankdir=RL;\n  node [shape=plain, fontname=\"sans-serif\", fontsize=10];\n  \
         edge [dir=both, fontname=\"sans-serif\", fontsize=9];\n",
    );
    for (index, table) in tables.iter().enumerate() {
        let title = escaped(&table.table.to_string());
        let _ = writeln!(
            text,
            "  t{index} [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" cellpadding=\"3\">\n    \
             <tr><td bgcolor=\"#e8eef4\" colspan=\"2\"><b>{title}</b></td></tr>"
        );
        for (position, column) in table.columns.iter().enumerate() {
            let place = table.table.column(&column.name);
            let mut name = escaped(&column.name);
            let marks = marks(table, &column.name, &references).join(" ");
            if !marks.is_empty() {
                let _ = write!(name, " <i>{marks}</i>");
            }
            let color = if categories.contains_key(&place) {
                " bgcolor=\"#fdecea\""
            } else {
                ""
            };
            let mut kind = escaped(&column.native);
            if let Some(category) = categories.get(&place) {
                let _ = write!(kind, " · {category}");
            }
            let _ = writeln!(
                text,
                "    <tr><td align=\"left\" port=\"c{position}\"{color}>{name}</td><td align=\"left\"{color}>{kind}</td></tr>"
            );
        }
        text.push_str("  </table>>];\n");
    }
    for reference in references {
        let (child, parent) = (number(&reference.child), number(&reference.parent));
        let schema = tables.get(child).copied();
        let port = |table: usize, name: &str| {
            let position = tables[table].columns.iter().position(|c| c.name == name);
            position.map_or_else(|| format!("t{table}"), |p| format!("t{table}:c{p}"))
        };
        let Some((from, to)) = reference.columns.first() else {
            continue;
        };
        let head = if is_optional(schema, reference) {
            "teeodot"
        } else {
            "tee"
        };
        let tail = if is_single(schema, reference) {
            "teeodot"
        } else {
            "crowodot"
        };
        let style = if reference.kind == RelationshipKind::Declared {
            "solid"
        } else {
            "dashed"
        };
        let mut label = String::new();
        if reference.columns.len() > 1 {
            let columns = reference
                .child_columns()
                .join(", ")
                .replace('\\', "\\\\")
                .replace('"', "\\\"");
            let _ = write!(
                label,
                ", label=\"{}\"",
                columns.replace(char::is_control, " ")
            );
        }
        let _ = writeln!(
            text,
            "  {} -> {} [arrowhead={head}, arrowtail={tail}, style={style}{label}];",
            port(child, from),
            port(parent, to)
        );
    }
    text.push_str("}\n");
    Ok(text)
}
