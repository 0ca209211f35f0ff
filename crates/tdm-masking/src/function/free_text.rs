//! Personal data inside prose: detected spans are replaced in place, each as its own column would be.

use std::fmt;
use std::sync::Arc;

use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::BatchColumn;
use tdm_core::category::Category;
use tdm_core::detector::TextDetector;
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskContext, MaskError, MaskingFunction,
    ParameterKind, Promise,
};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::types::TypeClass;

use super::nested::{Functions, Inner, Pieces, bind_categories};
use super::{Bound, check, parameter};
use crate::cells::length_max;

const DESCRIPTOR: Descriptor = Descriptor {
    name: "free_text",
    summary: "Personal data found inside the text is replaced in place, as the columns of the same category are.",
    parameters: &[
        parameter(
            "categories",
            ParameterKind::Map,
            "the rules by category",
            "Function by category: a name, or a map with function, params and domain.",
        ),
        parameter(
            "confidence",
            ParameterKind::Number,
            "0",
            "Spans below this probability stay.",
        ),
    ],
    accepts: &[TypeClass::Text],
    promise: Promise::KEYED,
    weakness: "What the detector does not find stays; names in prose are the hardest to find.",
};

/// `free_text`, with the functions it may use.
#[derive(Debug)]
pub(crate) struct FreeText {
    pub(crate) functions: Functions,
}

impl MaskingFunction for FreeText {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    fn bind(&self, request: &BindRequest<'_>) -> Bound {
        check(&DESCRIPTOR, request)?;
        let detector =
            request
                .resources
                .text_detector()
                .ok_or_else(|| BindError::MissingResource {
                    kind: "detector",
                    name: "text detector".to_owned(),
                })?;
        Ok(Box::new(FreeTextColumn {
            detector,
            categories: bind_categories(&self.functions, request)?,
            confidence: request.params.number("confidence").unwrap_or(0.0),
            output: request.column.clone(),
        }))
    }
}

struct FreeTextColumn {
    detector: Arc<dyn TextDetector>,
    categories: Vec<(Category, Inner)>,
    confidence: f64,
    output: BatchColumn,
}

impl fmt::Debug for FreeTextColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeTextColumn")
            .field("categories", &self.categories.len())
            .finish_non_exhaustive()
    }
}

/// A span of a row: where it was, and which piece of which function replaces it; `None` for a placeholder.
struct Place {
    start: usize,
    end: usize,
    category: Category,
    piece: Option<(usize, usize)>,
}

impl FreeTextColumn {
    fn places(&self, text: &str, pieces: &mut [Pieces]) -> Option<Vec<Place>> {
        let mut end = 0;
        let mut places = Vec::new();
        for span in self.detector.spans(text) {
            if span.confidence < self.confidence || !span.category.is_personal() {
                continue;
            }
            // A detector that breaks its contract must not make us skip text.
            let found = text.get(span.range.clone())?;
            if span.range.start < end {
                return None;
            }
            end = span.range.end;
            let slot = self
                .categories
                .iter()
                .position(|(category, _)| *category == span.category);
            places.push(Place {
                start: span.range.start,
                end,
                category: span.category,
                piece: slot.map(|slot| (slot, pieces[slot].push(found))),
            });
        }
        Some(places)
    }
}

impl BoundMask for FreeTextColumn {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        Promise {
            length_max: length_max(&self.output).and_then(|n| u32::try_from(n).ok()),
            ..Promise::KEYED
        }
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut pieces = vec![Pieces::default(); self.categories.len()];
        let mut rows = Vec::with_capacity(input.len());
        for row in 0..input.len() {
            let fail = |reason| MaskError { row, reason };
            rows.push(match cell(input.as_ref(), row) {
                ScalarRef::Null => Vec::new(),
                ScalarRef::Text(text) => self.places(text, &mut pieces).ok_or_else(|| {
                    fail("the detector gave spans that overlap or cut a character")
                })?,
                _ => {
                    return Err(fail(
                        "the value is of a kind that the function does not take",
                    ));
                }
            });
        }
        let masked: Vec<Vec<String>> = pieces
            .iter()
            .zip(&self.categories)
            .map(|(pieces, (_, inner))| pieces.mask(inner))
            .collect();
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        let max = length_max(&self.output).unwrap_or(usize::MAX);
        let mut out = String::new();
        for (row, places) in rows.iter().enumerate() {
            let pushed = match cell(input.as_ref(), row) {
                ScalarRef::Text(text) => {
                    out.clear();
                    let mut at = 0;
                    for place in places {
                        out.push_str(&text[at..place.start]);
                        match place.piece {
                            Some((slot, piece)) => out.push_str(&masked[slot][piece]),
                            None => {
                                use fmt::Write as _;
                                let _ = write!(out, "[{}]", place.category);
                            }
                        }
                        at = place.end;
                    }
                    out.push_str(&text[at..]);
                    if let Some((cut, _)) = out.char_indices().nth(max) {
                        out.truncate(cut);
                    }
                    builder.push(ScalarRef::Text(&out))
                }
                other => builder.push(other),
            };
            pushed.map_err(|_| MaskError {
                row,
                reason: "the text does not fit the column's encoding",
            })?;
        }
        Ok(builder.finish())
    }
}
