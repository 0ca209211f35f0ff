//! Runnable examples over the public API of TDM, in reading order:
//!
//! 1. `mask_a_batch`: clear a batch in memory, without a database;
//! 2. `write_your_own`: a masking function and a detector of your own;
//! 3. `whole_pipeline`: a SQLite database through discovery, subset, masking, synthesis and deployment.
//!
//! Run one with `cargo run -p tdm-examples --bin mask_a_batch`. Each ends with a non-zero status when what it shows does
//! not hold.
//!
//! This library holds nothing but the code blocks of the documents, which `cargo test --doc` runs.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/book/src/your-own.md")]
pub struct YourOwn;

#[cfg(doctest)]
#[doc = include_str!("../../docs/book/src/embedding.md")]
pub struct Embedding;
