//! Ports: the traits through which engines meet databases, stores and the world.
//!
//! All are object safe and called once per batch or less. Each states its contract before its methods.

mod clock;
mod introspect;
mod progress;
mod sink;
mod source;
mod step;
mod store;

pub use clock::{Clock, FixedClock};
pub use introspect::{Introspection, Introspector};
pub use progress::{NoProgress, Progress, ProgressEvent};
pub use sink::{
    Namespace, NamespaceState, OwnerMark, Publication, RowSink, SinkCapability, StageRequest,
    Staging, TableWriter, TargetDatabase, WriteReceipt,
};
pub use source::{
    BatchStream, KeyBatch, RowFilter, RowSource, ScanRequest, ServerIdentity, SourceCapability,
};
pub use step::{StepContext, StepOutput};
pub use store::{
    CatalogStore, DatasetStore, LineageStore, MetadataStore, NewDatasetVersion, PlaceStore,
    RuleStore, RunStore, Scan, SchemaVersion, StoredRuleSet,
};
