//! A difference as people read it: one line a change, `+` for new, `-` for gone, `~` for changed.

use std::fmt;

use super::{Change, SchemaDiff, TableDiff};

impl fmt::Display for SchemaDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no difference\n");
        }
        for table in &self.tables_added {
            writeln!(f, "+ table {table}")?;
        }
        for table in &self.tables_dropped {
            writeln!(f, "- table {table}")?;
        }
        for renamed in &self.tables_renamed {
            let (from, to, percent) = (&renamed.from, &renamed.to, percent(renamed.likeness));
            writeln!(f, "~ table {from} -> {to} (renamed, {percent} alike)")?;
        }
        self.tables
            .iter()
            .try_for_each(|table| write!(f, "{table}"))?;
        for object in &self.objects {
            let sign = match (object.before, object.after) {
                (false, _) => '+',
                (true, false) => '-',
                (true, true) => '~',
            };
            writeln!(f, "{sign} {} {}", object.kind, object.name)?;
        }
        Ok(())
    }
}

impl fmt::Display for TableDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "~ table {}", line(&self.table.to_string()))?;
        for change in &self.changes {
            writeln!(f, "    ~ {}", shown(change))?;
        }
        for column in &self.columns_added {
            writeln!(f, "    + column {}", line(column))?;
        }
        for column in &self.columns_dropped {
            writeln!(f, "    - column {}", line(column))?;
        }
        for renamed in &self.columns_renamed {
            let (from, to) = (line(&renamed.from), line(&renamed.to));
            let percent = percent(renamed.likeness);
            writeln!(f, "    ~ column {from} -> {to} (renamed, {percent} alike)")?;
        }
        for column in &self.columns {
            let changes: Vec<String> = column.changes.iter().map(shown).collect();
            writeln!(
                f,
                "    ~ column {}: {}",
                line(&column.column),
                changes.join("; ")
            )?;
        }
        for constraint in &self.constraints {
            let sign = if constraint.added { '+' } else { '-' };
            let kind = constraint.kind.as_str();
            writeln!(f, "    {sign} {kind} {}", line(&constraint.description))?;
        }
        Ok(())
    }
}

fn shown(change: &Change) -> String {
    line(&format!("{} {} -> {}", change.what, change.from, change.to))
}

fn percent(likeness: f64) -> String {
    format!("{:.0} %", likeness * 100.0)
}

/// Names and expressions come from a schema that anybody may have written: on one line, without control characters.
fn line(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_unicode());
            let plain = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}
