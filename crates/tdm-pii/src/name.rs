//! Names: words of columns and tables, the lexicon, and what they say about a column.

mod frame;
mod lexicon;
mod model;
mod tokens;
mod types;

pub(crate) use frame::Frame;
pub(crate) use lexicon::{Lexicon, Strength};
pub(crate) use model::{Verdict, judge};
pub(crate) use tokens::fold_into;
pub(crate) use types::parse as parse_type;
