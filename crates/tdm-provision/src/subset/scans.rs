//! Scans of one table, several at once where the source allows it.

use futures_util::StreamExt as _;
use futures_util::stream::SelectAll;
use tdm_core::batch::{Batch, Sensitive};
use tdm_core::cancel::CancelToken;
use tdm_core::port::{BatchStream, RowFilter, RowSource, ScanRequest};

use super::binding::Binding;
use super::key::Key;
use crate::error::Result;

/// Which rows a group of scans delivers.
pub(super) enum Wanted {
    /// One scan.
    One(RowFilter),
    /// One scan for each `step` keys.
    Keys {
        binding: Binding,
        keys: Vec<Key>,
        step: usize,
    },
}

/// Scans in progress; batches come in no particular order.
pub(super) struct Scans<'a> {
    source: &'a dyn RowSource,
    cancel: &'a CancelToken,
    /// The request but for its filter.
    template: ScanRequest,
    wanted: Option<Wanted>,
    next_key: usize,
    readers: usize,
    open: SelectAll<BatchStream>,
    pub(super) started: u64,
}

impl<'a> Scans<'a> {
    pub(super) fn new(
        source: &'a dyn RowSource,
        cancel: &'a CancelToken,
        template: ScanRequest,
        wanted: Wanted,
        readers: usize,
    ) -> Self {
        Self {
            source,
            cancel,
            template,
            wanted: Some(wanted),
            next_key: 0,
            readers: readers.max(1),
            open: SelectAll::new(),
            started: 0,
        }
    }

    /// The next batch; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Batch<Sensitive>>> {
        loop {
            while self.open.len() < self.readers {
                let Some(filter) = self.next_filter()? else {
                    break;
                };
                let mut request = self.template.clone();
                request.filter = filter;
                self.started += 1;
                self.open.push(self.source.scan(request).await?);
            }
            if self.open.is_empty() {
                return Ok(None);
            }
            if let Some(batch) = self.open.next().await {
                self.cancel.check()?;
                return Ok(Some(batch?));
            }
        }
    }

    fn next_filter(&mut self) -> Result<Option<RowFilter>> {
        match &mut self.wanted {
            None => Ok(None),
            Some(Wanted::One(_)) => Ok(self.wanted.take().and_then(|wanted| match wanted {
                Wanted::One(filter) => Some(filter),
                Wanted::Keys { .. } => None,
            })),
            Some(Wanted::Keys {
                binding,
                keys,
                step,
            }) => {
                let end = self.next_key.saturating_add(*step).min(keys.len());
                let piece = &keys[self.next_key..end];
                if piece.is_empty() {
                    return Ok(None);
                }
                self.next_key = end;
                Ok(Some(RowFilter::Keys(binding.bind(piece.iter())?)))
            }
        }
    }
}
