//! The in-memory doubles pass the suites that adapters must pass.

use std::sync::Arc;

use futures_executor::block_on;
use tdm_core::memory::{MemoryStore, MemoryTarget};
use tdm_core::port::{Introspector as _, MetadataStore, TargetDatabase};
use tdm_testkit::conformance::source::SourceUnderTest;
use tdm_testkit::conformance::{source, store, target};
use tdm_testkit::fixture::Fixture;

#[test]
fn the_store_in_memory_conforms() {
    block_on(store::all(async || {
        Arc::new(MemoryStore::new()) as Arc<dyn MetadataStore>
    }));
}

#[test]
fn the_source_in_memory_conforms() {
    block_on(source::all(async |fixture: Fixture| {
        let source = fixture.source("shop");
        let catalog = source.introspect().await.unwrap().catalog;
        SourceUnderTest {
            source: Arc::new(source),
            catalog,
            change: None,
            fixture,
        }
    }));
}

#[test]
fn the_target_in_memory_conforms() {
    block_on(target::all(async || {
        Arc::new(MemoryTarget::new("target")) as Arc<dyn TargetDatabase>
    }));
}

#[test]
#[should_panic(expected = "the suite has no case `misspelt`")]
fn an_exception_that_is_no_case_is_refused() {
    block_on(store::all_but(
        async || Arc::new(MemoryStore::new()) as Arc<dyn MetadataStore>,
        &["misspelt"],
    ));
}
