//! What the command line can say.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Test data from production: discover, classify, subset, mask, synthesize, provision.
#[derive(Debug, Parser)]
#[command(name = "tdm", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a small shop database and run the whole workflow on it.
    Demo {
        /// Where the shop's database and workflow go.
        #[arg(long, default_value = ".tdm/demo")]
        directory: PathBuf,
    },
    /// Create the metadata database, its tables and a masking key, where they are missing.
    Init,
    /// Look at both databases and say what is wrong.
    Doctor,
    /// Run a workflow file as one job.
    Run {
        /// The workflow file.
        workflow: PathBuf,
    },
    /// Say what running a workflow file would do; nothing is written.
    Plan {
        /// The workflow file.
        workflow: PathBuf,
    },
    /// The schema of the metadata database.
    Migrate {
        #[command(subcommand)]
        step: Migrate,
    },
    /// Jobs and their logs.
    Job {
        #[command(subcommand)]
        verb: Job,
    },
    /// Dataset versions.
    Dataset {
        #[command(subcommand)]
        verb: Dataset,
    },
    /// Where columns came from.
    Lineage {
        /// Only edges into or out of `table` or `table.column`.
        place: Option<String>,
    },
    /// Connections that workflows name.
    Connection {
        #[command(subcommand)]
        verb: Connection,
    },
    /// Masking functions and generators, with their parameters.
    Functions {
        /// Only this one, in full.
        name: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Apply migrations that are missing.
    Up,
    /// Take migrations back.
    Down {
        /// How many; all of them with `--all`.
        #[arg(short = 'n', long, default_value_t = 1)]
        steps: u32,
        /// All of them.
        #[arg(long, conflicts_with = "steps")]
        all: bool,
        /// Go on although rows are lost.
        #[arg(long)]
        yes: bool,
    },
    /// Which migrations are applied and which are missing.
    Status,
    /// Drop all tables of the metadata database and make them anew.
    Fresh {
        /// Go on although rows are lost.
        #[arg(long)]
        yes: bool,
    },
    /// Hold entities against migrations; exit 3 when they differ.
    Check,
    /// Write a migration from the difference between migrations and entities.
    New {
        /// What it does, in a few words.
        description: String,
        /// Folder of the crate that holds the migrations.
        #[arg(long, default_value = "migration")]
        directory: PathBuf,
        /// Write it although nothing differs.
        #[arg(long)]
        empty: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// The latest jobs.
    List {
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u64,
    },
    /// One job with its log.
    Show {
        /// Its identifier.
        id: tdm::core::ident::JobId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dataset {
    /// All versions, or those of one dataset.
    List {
        /// Name of the dataset.
        name: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connection {
    /// Store a connection under a name.
    Add {
        /// Its name.
        name: String,
        /// Its URL, without a password.
        url: String,
        /// Where the password is: env:NAME, file:PATH or cmd:COMMAND.
        #[arg(long)]
        secret: Option<tdm::core::place::SecretRef>,
    },
    /// All connections.
    List,
}
