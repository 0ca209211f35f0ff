//! `tdm demo`: a small shop, and the whole workflow over it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// SQL of the shop: schema and rows.
const SHOP: &str = include_str!("demo/shop.sql");

/// The workflow that the demo runs.
pub const WORKFLOW: &str = include_str!("demo/workflow.yaml");

/// Where a demo put its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// The shop's database.
    pub database: PathBuf,
    /// The workflow file.
    pub workflow: PathBuf,
}

/// Makes the shop's database and its workflow file under `directory`, unless they are there already.
///
/// # Errors
/// When a file cannot be written.
pub async fn prepare(directory: &Path) -> Result<Demo> {
    std::fs::create_dir_all(directory).map_err(|error| Error::file(directory, &error))?;
    let demo = Demo {
        database: directory.join("shop.sqlite"),
        workflow: directory.join("shop.yaml"),
    };
    if !demo.database.exists() {
        // Built beside and renamed: a demo that is stopped half way leaves no half shop.
        let building = directory.join(format!(".shop-{}.sqlite", std::process::id()));
        let _ = std::fs::remove_file(&building);
        tdm_sql::sqlite::execute_script(&building, SHOP).await?;
        std::fs::rename(&building, &demo.database)
            .map_err(|error| Error::file(&demo.database, &error))?;
    }
    if !demo.workflow.exists() {
        std::fs::write(&demo.workflow, WORKFLOW)
            .map_err(|error| Error::file(&demo.workflow, &error))?;
    }
    Ok(demo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Workflow;

    #[test]
    fn the_workflow_of_the_demo_is_sound() {
        Workflow::parse("shop.yaml", WORKFLOW).unwrap();
    }
}
