//! Workflow files: read, checked, and turned into a [`Workflow`] without anything left that its text alone
//! could get wrong. What depends on the schema is checked when the plan is made, with the same positions.

mod document;
mod fields;
mod problem;
mod read;
mod reference;
mod rules;

use tdm_core::place::EnvironmentKind;
use tdm_core::rule::{MaskingRule, OnUndecided};
use tdm_provision::subset::Down;

pub use document::{Located, Position};
pub(crate) use problem::Collector;
pub use problem::{Problem, Problems};
pub use reference::ReferenceText;

/// A workflow: what is to be done, in the words of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// The file, as the user named it.
    pub file: String,
    /// Directory that relative paths are relative to.
    pub directory: std::path::PathBuf,
    /// Name of the dataset, and of the schema that is discovered.
    pub dataset: Located<String>,
    /// URL of the source, or the name of a stored connection.
    pub source: Option<Located<String>>,
    /// References that the schema does not declare.
    pub relationships: Vec<Located<ReferenceText>>,
    /// Seed of everything that is chosen or generated.
    pub seed: u64,
    /// Look at the source's schema.
    pub discover: Option<DiscoverStep>,
    /// Find its personal data.
    pub classify: Option<ClassifyStep>,
    /// Take some of its rows.
    pub subset: Option<SubsetStep>,
    /// Clear them.
    pub mask: Option<MaskStep>,
    /// Add generated rows.
    pub synthesize: Option<SynthesizeStep>,
    /// Deploy the result.
    pub provision: Option<ProvisionStep>,
}

/// `discover:`
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoverStep {
    /// Rows sampled from each table.
    pub sample_rows: u64,
}

/// `classify:`
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClassifyStep {
    /// Columns whose category a person states.
    pub confirm: Vec<(Located<String>, Located<tdm_core::category::Category>)>,
}

/// `subset:`
#[derive(Debug, Clone, PartialEq)]
pub struct SubsetStep {
    /// Where it starts.
    pub seeds: Vec<SeedText>,
    /// Tables taken whole.
    pub whole: Vec<Located<String>>,
    /// Tables created empty.
    pub schema_only: Vec<Located<String>>,
    /// Tables left out.
    pub skip: Vec<Located<String>>,
    /// Which children follow.
    pub children: Down,
    /// How many steps of children follow.
    pub depth: Option<u32>,
    /// Exceptions by reference.
    pub edges: Vec<EdgeText>,
    /// References whose orphans in the source are kept as they are.
    pub keep_orphans: Vec<Located<ReferenceText>>,
}

/// One entry of `subset.seeds`.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedText {
    /// Table.
    pub table: Located<String>,
    /// Rows.
    pub rows: tdm_provision::subset::SeedRows,
    /// Where the rows are said.
    pub at: Position,
}

/// One entry of `subset.edges`.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeText {
    /// The reference.
    pub reference: Located<ReferenceText>,
    /// Which children follow.
    pub children: Down,
}

/// `mask:`
#[derive(Debug, Clone, PartialEq)]
pub struct MaskStep {
    /// Rules of the workflow, before those of the policies.
    pub rules: Vec<Located<MaskingRule>>,
    /// Policies by name or file, in order.
    pub policies: Vec<Located<String>>,
    /// What happens to undecided columns.
    pub on_undecided: OnUndecided,
}

/// `synthesize:`
#[derive(Debug, Clone, PartialEq)]
pub struct SynthesizeStep {
    /// Rows to add by table.
    pub tables: Vec<(Located<String>, Located<u64>)>,
    /// Generators by column.
    pub columns: Vec<ColumnText>,
    /// Locale of names and addresses.
    pub locale: Option<Located<String>>,
}

/// One entry of `synthesize.columns`.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnText {
    /// The column.
    pub column: Located<String>,
    /// Its generator.
    pub generator: Located<String>,
    /// Parameters of the generator.
    pub params: tdm_core::function::Params,
}

/// `provision:`
#[derive(Debug, Clone, PartialEq)]
pub struct ProvisionStep {
    /// Environment.
    pub environment: Located<String>,
    /// What it is for.
    pub kind: EnvironmentKind,
    /// Its own connection: a URL or the name of a stored one.
    pub connection: Option<Located<String>>,
    /// Whether tables that tdm did not make may be replaced.
    pub adopt: bool,
}

impl Workflow {
    /// Reads a workflow from the text of `file`.
    ///
    /// # Errors
    /// All problems of the text, each with its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        read::workflow(file, text)
    }

    /// Reads a workflow file.
    ///
    /// # Errors
    /// When it cannot be read, and with all problems of its text.
    pub fn load(path: &std::path::Path) -> crate::Result<Self> {
        let text =
            std::fs::read_to_string(path).map_err(|error| crate::Error::file(path, &error))?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }

    /// Whether the workflow makes a dataset version.
    pub const fn builds(&self) -> bool {
        self.mask.is_some() || self.synthesize.is_some()
    }
}
