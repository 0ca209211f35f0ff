//! The `tdm` command.
fn main() {}
