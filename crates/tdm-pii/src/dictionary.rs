//! Data dictionaries: lists of tables, columns and types, read without a database.

use std::collections::BTreeMap;

use tdm_core::detector::ColumnSample;

use crate::error::{Error, Result};

/// One line of a data dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryRow {
    /// Table, with its namespace before a point when it has one.
    pub table: String,
    /// Column.
    pub column: String,
    /// Type in any engine's words, when the dictionary gives one.
    pub native: Option<String>,
}

/// Reads a data dictionary: comma-separated lines under a heading that names `table`, `column` and, if given, `type`.
///
/// Fields may be in double quotes; other columns are passed over. Blank lines are skipped.
///
/// # Errors
/// When the heading lacks `table` or `column`, a quote does not end, or a line has too few fields.
pub fn read_dictionary(text: &str) -> Result<Vec<DictionaryRow>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut records = Records {
        rest: text,
        line: 1,
    };
    let Some(heading) = records.next() else {
        return Err(Error::Dictionary {
            line: 1,
            reason: "no heading",
        });
    };
    let (_, heading) = heading?;
    let find = |names: &[&str]| {
        heading
            .iter()
            .position(|field| names.contains(&field.trim().to_lowercase().as_str()))
    };
    let missing = |reason| Error::Dictionary { line: 1, reason };
    let table = find(&["table", "table_name"]).ok_or_else(|| missing("no heading `table`"))?;
    let column = find(&["column", "column_name"]).ok_or_else(|| missing("no heading `column`"))?;
    let native = find(&["type", "data_type", "native_type"]);
    let mut rows = Vec::new();
    for record in records {
        let (line, fields) = record?;
        if fields.iter().all(|f| f.trim().is_empty()) {
            continue;
        }
        let field = |at: usize| {
            fields
                .get(at)
                .map(|f| f.trim().to_owned())
                .ok_or(Error::Dictionary {
                    line,
                    reason: "too few fields",
                })
        };
        rows.push(DictionaryRow {
            table: field(table)?,
            column: field(column)?,
            native: native
                .and_then(|at| fields.get(at))
                .map(|f| f.trim().to_owned())
                .filter(|f| !f.is_empty()),
        });
    }
    Ok(rows)
}

/// Reads a comma-separated file with a heading into one sample per column, distinct values with counts.
///
/// At most `rows_max` rows are read, spread evenly over the file. Empty fields count as NULL.
///
/// # Errors
/// When there is no heading or a quote does not end. A row with too few fields has NULLs at its end.
pub fn read_csv(text: &str, rows_max: usize) -> Result<Vec<(String, ColumnSample)>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut records = Records {
        rest: text,
        line: 1,
    };
    let (_, heading) = records.next().ok_or(Error::Dictionary {
        line: 1,
        reason: "no heading",
    })??;
    let rows = records.collect::<Result<Vec<_>>>()?;
    let step = rows.len().div_ceil(rows_max.max(1)).max(1);
    let mut columns: Vec<(BTreeMap<&str, u64>, u64)> = vec![Default::default(); heading.len()];
    for (_, fields) in rows.iter().step_by(step) {
        for (i, (values, nulls)) in columns.iter_mut().enumerate() {
            match fields.get(i).filter(|f| !f.is_empty()) {
                Some(value) => *values.entry(value).or_default() += 1,
                None => *nulls += 1,
            }
        }
    }
    Ok(heading
        .into_iter()
        .zip(columns)
        .map(|(name, (values, nulls))| {
            let values = values.into_iter().map(|(v, n)| (v.to_owned(), n)).collect();
            (name, ColumnSample::new(values, nulls))
        })
        .collect())
}

/// Records of comma-separated text with their line numbers.
struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl Iterator for Records<'_> {
    type Item = Result<(usize, Vec<String>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.line;
        let mut fields = vec![String::new()];
        let mut quoted = false;
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            let field = fields.last_mut().expect("a record has a field");
            match c {
                '"' if quoted => {
                    if chars.next_if(|(_, c)| *c == '"').is_some() {
                        field.push('"');
                    } else {
                        quoted = false;
                    }
                }
                '"' if field.is_empty() => quoted = true,
                ',' if !quoted => fields.push(String::new()),
                '\n' if !quoted => {
                    self.line += 1;
                    end = at + 1;
                    break;
                }
                '\r' if !quoted => {}
                c => {
                    self.line += usize::from(c == '\n');
                    field.push(c);
                }
            }
        }
        self.rest = &self.rest[end..];
        if quoted {
            self.rest = "";
            return Some(Err(Error::Dictionary {
                line: start,
                reason: "a quote does not end",
            }));
        }
        Some(Ok((start, fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_is_read_whatever_else_it_holds() {
        let rows = read_dictionary(
            "\u{feff}comment,table,column,type\r\n\"a, \"\"b\"\"\",shop.orders,\"total\",\"decimal(10,2)\"\n\n,users,email,\n",
        )
        .unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].table, "shop.orders");
        assert_eq!(rows[0].native.as_deref(), Some("decimal(10,2)"));
        assert_eq!(rows[1].native, None);
    }

    #[test]
    fn a_file_becomes_one_sample_per_column() {
        let columns = read_csv("a,b\n1,x\n1,\n2\n", 100).unwrap();
        assert_eq!(columns.len(), 2);
        assert_eq!(columns[0].1.values().len(), 2);
        assert_eq!((columns[1].1.rows(), columns[1].1.nulls()), (3, 2));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        for (text, line) in [
            ("", 1),
            ("a,b\n", 1),
            ("table,column\nx\n", 2),
            ("table,column\n\"x,y\n", 2),
        ] {
            match read_dictionary(text) {
                Err(Error::Dictionary { line: found, .. }) => assert_eq!(found, line),
                other => panic!("{:?}", other.map(|r| r.len())),
            }
        }
    }
}
