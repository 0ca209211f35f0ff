//! Holding the target to what was written into it.

use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::batch::{BatchLimit, Encoding};
use tdm_core::catalog::TableSchema;
use tdm_core::digest::RowDigest;
use tdm_core::port::{RowFilter, RowSource, ScanRequest, StepContext};
use tdm_core::transform::{ColumnRequest, Form};

use super::Loaded;
use crate::error::{Error, Result};
use crate::subset::whole_row;

/// Reads a table back and compares it with what was written, sent and passed through.
pub(super) async fn reread(
    source: &dyn RowSource,
    schema: &Arc<TableSchema>,
    loaded: &Loaded,
    context: &StepContext,
) -> Result<RowDigest> {
    let column = |name: &String| {
        schema.column(name).cloned().map(|column| ColumnRequest {
            column,
            form: Form::Carried,
        })
    };
    let columns: Vec<_> = loaded
        .columns
        .columns
        .iter()
        .filter_map(|c| column(&c.name))
        .collect();
    let passing: Vec<usize> = loaded
        .columns
        .columns
        .iter()
        .enumerate()
        .filter(|(_, c)| matches!(c.encoding, Encoding::Carried(_)))
        .map(|(i, _)| i)
        .collect();
    let request = ScanRequest {
        table: Arc::clone(schema),
        columns,
        filter: RowFilter::All,
        limit: BatchLimit::default(),
    };
    let mut stream = source.scan(request).await?;
    let (mut whole, mut passed) = (RowDigest::default(), RowDigest::default());
    let mut sent = RowDigest::default();
    while let Some(batch) = stream.next().await {
        context.cancel.check()?;
        let batch = batch?;
        whole.add(&batch);
        sent.add_columns(&batch, &loaded.compared);
        if loaded.passed.is_some() {
            passed.add_columns(&batch, &passing);
        }
    }
    let mismatch = |check| Error::Mismatch {
        table: schema.table.clone(),
        check,
    };
    if whole.rows != loaded.written.rows {
        return Err(mismatch("rows in the target = rows written"));
    }
    if whole != loaded.written {
        return Err(mismatch(
            "digest of the target = digest of what was written",
        ));
    }
    if sent != loaded.sent {
        return Err(mismatch("digest of the target = digest of what was sent"));
    }
    if loaded.passed.is_some_and(|expected| expected != passed) {
        return Err(mismatch(
            "digest of unmasked columns in the target = in the source",
        ));
    }
    Ok(whole)
}

/// Holds a table that nobody wrote to being empty.
pub(crate) async fn expect_empty(
    source: &dyn RowSource,
    schema: &Arc<TableSchema>,
    context: &StepContext,
) -> Result<RowDigest> {
    let columns = whole_row(schema);
    let request = ScanRequest {
        table: Arc::clone(schema),
        columns,
        filter: RowFilter::All,
        limit: BatchLimit::default(),
    };
    let mut stream = source.scan(request).await?;
    while let Some(batch) = stream.next().await {
        context.cancel.check()?;
        if batch?.rows() > 0 {
            return Err(Error::Mismatch {
                table: schema.table.clone(),
                check: "a table nobody wrote is empty",
            });
        }
    }
    Ok(RowDigest::default())
}
