//! Looking at databases through the in-memory doubles and through sources that misbehave.

use std::sync::atomic::{AtomicI64, Ordering};

use futures_executor::block_on;
use futures_util::StreamExt as _;
use tdm_core::batch::{BatchLimit, Encoding};
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{Column, ForeignKey, TableKind};
use tdm_core::category::Category;
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::TableRef;
use tdm_core::memory::MemorySource;
use tdm_core::port::{
    BatchStream, Clock, FixedClock, Introspection, Introspector, NoProgress, RowSource,
    ScanRequest, ServerIdentity, SourceCapability,
};
use tdm_core::time::UtcMicros;
use tdm_core::types::Engine;
use tdm_discovery::{
    Depth, DiscoverContext, DiscoverOptions, Discovery, Error, SkipReason, discover, without_values,
};
use tdm_testkit::canary;
use tdm_testkit::fixture::Fixture;

/// A source whose faults and talents can be chosen.
#[derive(Debug)]
struct Odd {
    inner: MemorySource,
    capability: SourceCapability,
    broken: Option<(&'static str, PortError)>,
    kinds: Vec<(&'static str, TableKind)>,
    estimate: Option<u64>,
}

impl Odd {
    fn new(fixture: &Fixture) -> Self {
        let inner = fixture.source("odd");
        Self {
            capability: inner.capability(),
            inner,
            broken: None,
            kinds: Vec::new(),
            estimate: None,
        }
    }
}

#[async_trait::async_trait]
impl Introspector for Odd {
    async fn introspect(&self) -> PortResult<Introspection> {
        let mut introspection = self.inner.introspect().await?;
        for table in &mut introspection.catalog.tables {
            table.row_estimate = self.estimate;
            for (name, kind) in &self.kinds {
                if table.table.name == *name {
                    table.kind = *kind;
                }
            }
        }
        Ok(introspection)
    }
}

#[async_trait::async_trait]
impl RowSource for Odd {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }
    fn capability(&self) -> SourceCapability {
        self.capability
    }
    async fn identity(&self) -> PortResult<ServerIdentity> {
        self.inner.identity().await
    }
    fn encoding(&self, column: &Column) -> Encoding {
        self.inner.encoding(column)
    }
    fn carried(&self, column: &Column) -> Encoding {
        self.inner.carried(column)
    }
    async fn check(&self, request: &ScanRequest) -> PortResult<()> {
        self.inner.check(request).await
    }
    async fn scan(&self, request: ScanRequest) -> PortResult<BatchStream> {
        match &self.broken {
            Some((name, error)) if request.table.table.name == *name => Err(error.clone()),
            Some((name, error)) if request.columns.iter().any(|c| c.column.name == *name) => {
                // Not before the first batch: a stray value is met on the way.
                let batches = self.inner.scan(request).await?;
                let fault = futures_util::stream::iter([Err(error.clone())]);
                Ok(Box::pin(batches.chain(fault)))
            }
            _ => self.inner.scan(request).await,
        }
    }
}

/// A clock that goes on by a second each time it is looked at.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> UtcMicros {
        UtcMicros(self.0.fetch_add(1_000_000, Ordering::Relaxed))
    }
}

fn looked_with(
    source: &Odd,
    options: &DiscoverOptions,
    clock: &dyn Clock,
    cancel: &CancelToken,
) -> Result<Discovery, Error> {
    let context = DiscoverContext {
        cancel,
        progress: &NoProgress,
        clock,
    };
    block_on(discover(source, source, options, context))
}

fn looked(source: &Odd, options: &DiscoverOptions) -> Result<Discovery, Error> {
    looked_with(
        source,
        options,
        &FixedClock(UtcMicros(0)),
        &CancelToken::new(),
    )
}

fn shop() -> Fixture {
    let mail = canary::token(Category::Email);
    let mut text =
        "[customer]\n id: bigint pk | name: text(60) not null | mail: text | born: date | \
        credit: decimal(10,2) | vip: boolean | photo: bytes\n"
            .to_owned();
    for id in 0..50 {
        let day = id % 28 + 1;
        text.push_str(&format!(
            "{id} | Name{id} | {mail} | 1990-01-{day:02} | {id}.50 | true | 00ff\n"
        ));
    }
    text.push_str("[visit]\n id: bigint pk | customer_id: bigint | page: text\n");
    for id in 0..3_000 {
        let page = if id % 10 == 0 {
            "NULL".to_owned()
        } else {
            format!("/p{}", id % 7)
        };
        text.push_str(&format!("{id} | {} | {page}\n", id % 50));
    }
    Fixture::parse(&text)
}

#[test]
fn every_column_that_can_be_looked_into_has_a_profile_and_a_sample() {
    let found = looked(&Odd::new(&shop()), &DiscoverOptions::default()).unwrap();
    let customer = TableRef::new("customer");
    let names: Vec<_> = found.columns.keys().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "customer.born",
            "customer.credit",
            "customer.id",
            "customer.mail",
            "customer.name",
            "customer.vip",
            "visit.customer_id",
            "visit.id",
            "visit.page",
        ]
    );
    let born = &found.columns[&customer.column("born")];
    assert_eq!((born.profile.rows, born.profile.distinct), (50, 28));
    assert!(born.profile.complete && born.profile.quantiles.is_some());
    assert!(without_values(born.profile.clone()).quantiles.is_none());
    assert!(born.sample.values().any(|(value, _)| value == "1990-01-01"));
    let mail = &found.columns[&customer.column("mail")];
    assert_eq!(
        mail.sample.values().collect::<Vec<_>>(),
        [(canary::token(Category::Email), 50)]
    );
    let skipped: Vec<_> = found.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        ["customer.photo: values of type bytes are not looked into"]
    );
    // Values stay in the sample.
    let shown = format!("{found:?}");
    canary::assert_absent_in_text("Debug of a discovery", &shown);
    assert!(!shown.contains("Name1") && !shown.contains("/p1"));
}

#[test]
fn large_tables_are_sampled_and_the_sample_repeats() {
    for estimate in [None, Some(3_000), Some(5)] {
        let mut source = Odd::new(&shop());
        source.estimate = estimate;
        let options = DiscoverOptions {
            depth: Depth::Sample { rows: 100 },
            seed: 42,
            ..DiscoverOptions::default()
        };
        let found = looked(&source, &options).unwrap();
        let id = &found.columns[&TableRef::new("visit").column("id")];
        assert_eq!(id.profile.rows, 100, "estimate {estimate:?}");
        assert!(!id.profile.complete);
        let median = id.profile.quantiles.unwrap().median;
        assert!(
            (500.0..2_500.0).contains(&median),
            "spread over the table, not its head"
        );
        let again = looked(&source, &options).unwrap();
        let values = |found: &Discovery| -> Vec<(String, u64)> {
            let seen = &found.columns[&TableRef::new("visit").column("id")];
            seen.sample
                .values()
                .map(|(v, n)| (v.to_owned(), n))
                .collect()
        };
        assert_eq!(values(&found), values(&again));
        let other = looked(
            &source,
            &DiscoverOptions {
                seed: 43,
                ..options
            },
        )
        .unwrap();
        assert_ne!(values(&found), values(&other));
    }
}

#[test]
fn without_sampling_the_first_rows_are_looked_at_and_that_is_said() {
    let mut source = Odd::new(&shop());
    source.capability.sample = false;
    let options = DiscoverOptions {
        depth: Depth::Sample { rows: 100 },
        limit: BatchLimit {
            rows_max: 30,
            bytes_max: 1 << 20,
        },
        ..DiscoverOptions::default()
    };
    let found = looked(&source, &options).unwrap();
    let id = &found.columns[&TableRef::new("visit").column("id")];
    assert_eq!((id.profile.rows, id.profile.complete), (100, false));
    assert_eq!(found.diagnostics.len(), 1);
    assert_eq!(found.diagnostics[0].code, "discover.head");
}

#[test]
fn full_depth_reads_every_row_and_no_depth_reads_none() {
    let full = DiscoverOptions {
        depth: Depth::Full,
        ..DiscoverOptions::default()
    };
    let found = looked(&Odd::new(&shop()), &full).unwrap();
    assert_eq!(found.rows_read, 3_050);
    let page = &found.columns[&TableRef::new("visit").column("page")];
    assert_eq!((page.profile.nulls, page.profile.distinct), (300, 7));
    let none = DiscoverOptions {
        depth: Depth::Schema,
        ..DiscoverOptions::default()
    };
    let found = looked(&Odd::new(&shop()), &none).unwrap();
    assert_eq!((found.rows_read, found.columns.len()), (0, 0));
    assert_eq!(found.catalog.tables.len(), 2);
    assert!(
        found
            .skipped
            .iter()
            .all(|s| s.reason == SkipReason::NotAsked)
    );
}

#[test]
fn limits_on_rows_and_time_leave_the_rest_out_and_say_so() {
    let options = DiscoverOptions {
        rows_total_max: 40,
        ..DiscoverOptions::default()
    };
    let found = looked(&Odd::new(&shop()), &options).unwrap();
    assert_eq!(found.skipped.last().unwrap().reason, SkipReason::RowBudget);
    let customer = &found.columns[&TableRef::new("customer").column("id")];
    assert!(!customer.profile.complete);

    let options = DiscoverOptions {
        seconds_max: Some(2),
        ..DiscoverOptions::default()
    };
    let clock = Ticking(AtomicI64::new(0));
    let found = looked_with(&Odd::new(&shop()), &options, &clock, &CancelToken::new()).unwrap();
    assert_eq!(found.skipped.last().unwrap().reason, SkipReason::TimeBudget);
}

#[test]
fn views_and_foreign_tables_are_left_out() {
    let mut source = Odd::new(&shop());
    source.kinds = vec![("visit", TableKind::View), ("customer", TableKind::Foreign)];
    let found = looked(&source, &DiscoverOptions::default()).unwrap();
    assert!(found.columns.is_empty());
    let skipped: Vec<_> = found.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "customer: not an ordinary table (Foreign)",
            "visit: a view, not a table"
        ]
    );
}

#[test]
fn a_table_that_cannot_be_read_is_reported_and_a_lost_server_ends_the_work() {
    let mut source = Odd::new(&shop());
    let denied = PortError::Denied {
        object: "table customer".into(),
        reason: "permission denied".into(),
    };
    source.broken = Some(("customer", denied));
    let found = looked(&source, &DiscoverOptions::default()).unwrap();
    assert_eq!(found.diagnostics[0].code, "discover.unreadable");
    assert!(found.columns.keys().all(|c| c.table.name == "visit"));

    let lost = PortError::Unavailable {
        object: "shop".into(),
        reason: "connection lost".into(),
    };
    source.broken = Some(("customer", lost.clone()));
    let error = looked(&source, &DiscoverOptions::default()).unwrap_err();
    assert_eq!(error, Error::Port(lost));
    assert!(error.is_transient());
}

#[test]
fn a_column_that_cannot_be_decoded_does_not_hide_the_others() {
    let mut source = Odd::new(&shop());
    let stray = PortError::Invalid {
        object: "customer.born".into(),
        reason: "a value is not of the column's type".into(),
    };
    source.broken = Some(("born", stray));
    let found = looked(&source, &DiscoverOptions::default()).unwrap();
    let customer: Vec<_> = found
        .columns
        .keys()
        .filter(|c| c.table.name == "customer")
        .map(|c| c.column.as_str())
        .collect();
    assert_eq!(customer, ["credit", "id", "mail", "name", "vip"]);
    assert_eq!(found.diagnostics[0].place, "customer.born");
    assert!(
        found
            .skipped
            .iter()
            .any(|s| s.column.as_deref() == Some("born"))
    );
    let id = &found.columns[&TableRef::new("customer").column("id")];
    assert_eq!((id.profile.rows, id.profile.complete), (50, true));
}

#[test]
fn cancellation_ends_the_work() {
    let cancel = CancelToken::new();
    cancel.cancel();
    let clock = FixedClock(UtcMicros(0));
    let source = Odd::new(&shop());
    let error = looked_with(&source, &DiscoverOptions::default(), &clock, &cancel).unwrap_err();
    assert_eq!(error, Error::Port(PortError::Cancelled));
}

#[test]
fn named_tables_and_relationships_are_checked() {
    let source = Odd::new(&shop());
    let only = |table: &str| DiscoverOptions {
        tables: vec![table.to_owned()],
        ..DiscoverOptions::default()
    };
    let found = looked(&source, &only("customer")).unwrap();
    assert!(found.columns.keys().all(|c| c.table.name == "customer"));
    let error = looked(&source, &only("custumer")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table `custumer` does not exist; did you mean `customer`?"
    );
    let options = DiscoverOptions {
        relationships: vec![ForeignKey::new(
            TableRef::new("visit"),
            TableRef::new("customer"),
            vec![("customer_id".into(), "id".into())],
        )],
        infer: Some(tdm_discovery::InferOptions::default()),
        ..DiscoverOptions::default()
    };
    let found = looked(&source, &options).unwrap();
    assert_eq!(
        found.relationships.len(),
        1,
        "what is known is not inferred again"
    );
}

#[test]
fn a_rejected_reference_is_not_proposed_again() {
    let source = Odd::new(&shop());
    let mut options = DiscoverOptions {
        infer: Some(tdm_discovery::InferOptions::default()),
        ..DiscoverOptions::default()
    };
    let proposed = looked(&source, &options).unwrap().relationships;
    assert_eq!(proposed.len(), 1);
    assert_eq!(proposed[0].describe(), "visit(customer_id) -> customer(id)");
    options.rejected = proposed;
    let found = looked(&source, &options).unwrap();
    assert!(found.relationships.is_empty());
    assert_eq!(
        found.candidates.len(),
        1,
        "what speaks for it can still be read"
    );
}
