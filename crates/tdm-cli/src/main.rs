//! The `tdm` command: reads arguments, calls the library, prints what it says.
//!
//! Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 1 internal error,
//! 2 usage or configuration, 3 findings or data, 4 a guard refused, 5 a database is unavailable, 130 cancelled.

mod arguments;
mod command;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(1, &format!("failed to start: {}", error.kind())),
    };
    let code = runtime.block_on(command::run(arguments));
    // A reader that blocks on a slow server is not waited for.
    runtime.shutdown_background();
    code
}
