//! Test Data Management as a library: discover a database's schema, find its personal data, take a subset in which every
//! reference holds, mask it in flight, add generated rows, verify, publish and deploy, and be able to say where every
//! column came from.
//!
//! [`Tdm`] is the composition root: it knows settings, stores, databases and registries. A [`Workflow`] says what is
//! to be done; [`Tdm::plan`] finds out what that means, [`Tdm::run`] does it. The parts are crates of their own, re-exported
//! here: [`core`], [`discovery`], [`pii`], [`masking`], [`synth`], [`provision`], [`sql`], [`model`].

mod error;
mod settings;

mod secret;
mod tdm;

mod workflow;

mod report;
mod run;
mod tables;

pub mod demo;
pub mod doctor;
pub mod migrate;

pub use error::{Error, Result};
pub use report::{
    Coverage, DatasetReport, EnvironmentReport, Found, RunReport, Shape, StepReport, Taken,
};
pub use run::{PlanReport, RunOptions};
pub use settings::{SETTINGS_FILE, Settings};
pub use tables::{aligned, count};
pub use tdm::{SystemClock, Tdm};
pub use workflow::{
    ClassifyStep, ColumnText, DiscoverStep, EdgeText, Located, MaskStep, Position, Problem,
    Problems, ProvisionStep, ReferenceText, SeedText, SubsetStep, SynthesizeStep, Workflow,
};

pub use tdm_core as core;
pub use tdm_discovery as discovery;
pub use tdm_masking as masking;
pub use tdm_model as model;
pub use tdm_pii as pii;
pub use tdm_provision as provision;
pub use tdm_sql as sql;
pub use tdm_synth as synth;
