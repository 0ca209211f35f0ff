//! From staging to publication.

use tdm_core::catalog::{ForeignKey, RelationshipKind};
use tdm_core::ident::TableRef;
use tdm_core::port::{Namespace, NamespaceState};
use tdm_core::transform::Form;

use super::{
    Target, assert_holds, assert_reads, dataset, digest, filled, fixture, published, staged,
    written,
};
use crate::conformance::{not_found, ok};
use crate::fixture::Fixture;

/// The fixture with its first row gone, so that two datasets can be told apart.
fn shorter() -> Fixture {
    let mut fixture = fixture();
    fixture.table("purchase");
    for table in &mut fixture.tables {
        match table.schema.table.name.as_str() {
            "purchase" => table.rows.retain(|row| row[0].as_deref() != Some("1")),
            "customer" => table.rows.retain(|row| row[0].as_deref() != Some("1")),
            _ => {}
        }
    }
    fixture
}

pub(super) async fn nothing_is_visible_before_publish(target: &Target) {
    let (place, fixture) = (dataset("hidden", 1), fixture());
    let nothing = async |when: &str| {
        let state = ok(target.state(&place).await, "state");
        assert_eq!(state, NamespaceState::Empty, "{when}");
        not_found(target.read(&place).await, when);
    };
    nothing("before staging").await;
    let mut staging = staged(target, &place, &fixture).await;
    nothing("after staging").await;
    filled(staging.as_mut(), &fixture).await;
    nothing("after writing").await;
    ok(staging.complete().await, "complete");
    nothing("after completing").await;
    ok(staging.publish().await, "publish");
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Ours
    );
    assert_holds(target, &place, &fixture).await;
}

pub(super) async fn what_was_written_is_read_back(target: &Target) {
    let (place, fixture) = (dataset("read_back", 1), fixture());
    let mut staging = staged(target, &place, &fixture).await;
    filled(staging.as_mut(), &fixture).await;
    ok(staging.complete().await, "complete");
    let source = ok(staging.read().await, "read the staged rows");
    assert_reads(source.as_ref(), target, &fixture).await;
    drop(source);
    ok(staging.publish().await, "publish");
    assert_holds(target, &place, &fixture).await;
}

pub(super) async fn receipts_agree_with_a_second_reading(target: &Target) {
    let (place, fixture) = (dataset("receipts", 1), fixture());
    let mut staging = staged(target, &place, &fixture).await;
    let mut receipts = Vec::new();
    for table in &fixture.tables {
        receipts.push(written(staging.as_mut(), table, 0..table.rows.len()).await);
    }
    ok(staging.complete().await, "complete");
    let source = ok(staging.read().await, "read the staged rows");
    let schemas = fixture.schemas(target.engine());
    for (receipt, schema) in receipts.iter().zip(&schemas) {
        let read = digest(source.as_ref(), schema, Form::Carried).await;
        assert_eq!(receipt.digest, read, "receipt of {}", schema.table);
    }
    drop(source);
    ok(staging.publish().await, "publish");
    let source = ok(target.read(&place).await, "read what is published");
    for (receipt, schema) in receipts.iter().zip(&schemas) {
        let read = digest(source.as_ref(), schema, Form::Carried).await;
        assert_eq!(receipt.digest, read, "published rows of {}", schema.table);
    }
}

pub(super) async fn dangling_references_are_counted(target: &Target) {
    // No declared reference: what dangles must be countable before a constraint refuses it.
    let fixture = Fixture::parse(
        "[parent]
           a: bigint | b: text(10)
           @pk a, b
           1 | x
           1 | y
           2 | x
         [child]
           id: bigint pk | pa: bigint | pb: text(10)
           1 | 1    | x
           2 | 1    | z
           3 | 2    | y
           4 | NULL | z
           5 | 7    | NULL
           6 | NULL | NULL
           7 | 2    | x
           8 | 9    | x",
    );
    let mut staging = staged(target, &dataset("dangling", 1), &fixture).await;
    filled(staging.as_mut(), &fixture).await;
    ok(staging.complete().await, "complete");
    let reference = |columns: &[(&str, &str)]| {
        let pair = |(c, p): &(&str, &str)| ((*c).to_owned(), (*p).to_owned());
        let columns = columns.iter().map(pair).collect();
        ForeignKey::new(TableRef::new("child"), TableRef::new("parent"), columns)
    };
    for (columns, dangling) in [
        (&[("pa", "a"), ("pb", "b")][..], 3),
        (&[("pb", "b"), ("pa", "a")], 3),
        (&[("pa", "a")], 2),
        (&[("pb", "b")], 2),
        (&[("id", "a")], 6),
    ] {
        let reference = reference(columns);
        let counted = ok(staging.dangling(&reference).await, "count");
        assert_eq!(counted, dangling, "{}", reference.describe());
    }
    ok(staging.discard().await, "discard");
}

pub(super) async fn references_by_type_dangle_by_type(target: &Target) {
    let fixture = Fixture::parse(
        "[post]
           id: bigint pk
           1
           2
         [remark]
           id: bigint pk | subject_type: text(20) | subject_id: bigint
           1 | Post  | 1
           2 | Post  | 9
           3 | Photo | 9
           4 | Photo | 1
           5 | NULL  | 9
           6 | Post  | NULL
           7 | posts | 9",
    );
    let mut staging = staged(target, &dataset("by_type", 1), &fixture).await;
    filled(staging.as_mut(), &fixture).await;
    ok(staging.complete().await, "complete");
    for (label, dangling) in [("Post", 1), ("Photo", 1), ("Video", 0)] {
        let mut reference = ForeignKey::new(
            TableRef::new("remark"),
            TableRef::new("post"),
            vec![("subject_id".into(), "id".into())],
        );
        reference.kind = RelationshipKind::Polymorphic;
        reference.predicate = Some(("subject_type".into(), label.into()));
        let counted = ok(staging.dangling(&reference).await, "count");
        assert_eq!(counted, dangling, "rows of type {label}");
    }
    ok(staging.discard().await, "discard");
}

pub(super) async fn discarding_leaves_what_was_published(target: &Target) {
    let (place, fixture) = (dataset("discarded", 1), fixture());
    published(target, &place, &fixture).await;
    let mut staging = staged(target, &place, &shorter()).await;
    filled(staging.as_mut(), &shorter()).await;
    ok(staging.complete().await, "complete");
    ok(staging.discard().await, "discard");
    assert_holds(target, &place, &fixture).await;
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Ours
    );
}

pub(super) async fn dropping_leaves_what_was_published(target: &Target) {
    let (place, fixture) = (dataset("dropped", 1), fixture());
    published(target, &place, &fixture).await;
    let mut staging = staged(target, &place, &shorter()).await;
    filled(staging.as_mut(), &shorter()).await;
    drop(staging);
    assert_holds(target, &place, &fixture).await;
    ok(target.remove_leftovers().await, "remove leftovers");
    assert_holds(target, &place, &fixture).await;
    let again = ok(target.remove_leftovers().await, "remove leftovers again");
    assert_eq!(again, 0, "nothing is left over twice");
    // The same namespace can be staged again.
    published(target, &place, &shorter()).await;
    assert_holds(target, &place, &shorter()).await;
}

pub(super) async fn publishing_replaces(target: &Target) {
    let place = dataset("replaced", 1);
    published(target, &place, &fixture()).await;
    published(target, &place, &shorter()).await;
    assert_holds(target, &place, &shorter()).await;
    // With another set of tables: those that are not in it are gone.
    let mut one = fixture();
    one.tables.truncate(1);
    published(target, &place, &one).await;
    assert_holds(target, &place, &one).await;
    published(target, &place, &fixture()).await;
    assert_holds(target, &place, &fixture()).await;
}

pub(super) async fn versions_live_side_by_side(target: &Target) {
    let (one, two) = (dataset("versions", 1), dataset("versions", 2));
    let other = dataset("versions__1", 2);
    published(target, &one, &fixture()).await;
    published(target, &two, &shorter()).await;
    published(target, &other, &fixture()).await;
    assert_holds(target, &one, &fixture()).await;
    assert_holds(target, &two, &shorter()).await;
    ok(target.remove(&one).await, "remove the first");
    not_found(target.read(&one).await, "read what was removed");
    assert_holds(target, &two, &shorter()).await;
    assert_holds(target, &other, &fixture()).await;
}

pub(super) async fn main_is_published_like_any_other(target: &Target) {
    let place = Namespace::Main;
    ok(
        target.remove(&place).await,
        "remove what an earlier case published",
    );
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Empty
    );
    let beside = dataset("beside_main", 1);
    published(target, &beside, &shorter()).await;
    published(target, &place, &fixture()).await;
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Ours
    );
    assert_holds(target, &place, &fixture()).await;
    published(target, &place, &shorter()).await;
    assert_holds(target, &place, &shorter()).await;
    ok(target.remove(&place).await, "remove");
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Empty
    );
    assert_holds(target, &beside, &shorter()).await;
}

pub(super) async fn removing_leaves_nothing_and_may_be_repeated(target: &Target) {
    let place = dataset("removed", 1);
    ok(target.remove(&place).await, "remove nothing");
    published(target, &place, &fixture()).await;
    ok(target.remove(&place).await, "remove");
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Empty
    );
    not_found(target.read(&place).await, "read what was removed");
    ok(target.remove(&place).await, "remove again");
}

pub(super) async fn units_of_one_table_add_up(target: &Target) {
    let (place, fixture) = (dataset("units", 1), fixture());
    let mut staging = staged(target, &place, &fixture).await;
    let customer = fixture.table("customer");
    let first = written(staging.as_mut(), customer, 0..2).await;
    let nothing = written(staging.as_mut(), customer, 2..2).await;
    let second = written(staging.as_mut(), customer, 2..6).await;
    assert_eq!(
        (first.digest.rows, nothing.digest.rows, second.digest.rows),
        (2, 0, 4)
    );
    for table in &fixture.tables[1..] {
        written(staging.as_mut(), table, 0..table.rows.len()).await;
    }
    ok(staging.complete().await, "complete");
    let source = ok(staging.read().await, "read the staged rows");
    let schema = customer.schema_for(target.engine());
    let read = digest(source.as_ref(), &schema, Form::Carried).await;
    assert_eq!(
        first.digest.merge(nothing.digest).merge(second.digest),
        read
    );
    drop(source);
    ok(staging.publish().await, "publish");
    assert_holds(target, &place, &fixture).await;
}

pub(super) async fn aborted_units_leave_no_rows(target: &Target) {
    let (place, fixture) = (dataset("aborted", 1), fixture());
    let mut staging = staged(target, &place, &fixture).await;
    let customer = fixture.table("customer");
    let name = &customer.schema.table;
    for by_drop in [false, true] {
        let mut writer = ok(staging.open(name, &customer.batch_schema()).await, "open");
        ok(writer.write(customer.batch(0..4)).await, "write");
        if by_drop {
            drop(writer);
        } else {
            ok(writer.abort().await, "abort");
        }
    }
    filled(staging.as_mut(), &fixture).await;
    ok(staging.complete().await, "complete");
    ok(staging.publish().await, "publish");
    assert_holds(target, &place, &fixture).await;
}

pub(super) async fn tables_without_rows_are_published(target: &Target) {
    let (place, mut fixture) = (dataset("rowless", 1), fixture());
    for table in &mut fixture.tables {
        table.rows.clear();
    }
    let mut staging = staged(target, &place, &fixture).await;
    // One with a writer that writes nothing, the others without a writer.
    written(staging.as_mut(), fixture.table("customer"), 0..0).await;
    ok(staging.complete().await, "complete");
    ok(staging.publish().await, "publish");
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Ours
    );
    assert_holds(target, &place, &fixture).await;
}

pub(super) async fn left_out_columns_take_their_default(target: &Target) {
    let (place, fixture) = (dataset("narrow", 1), fixture());
    // Written by a narrower table of the same name: the column that is missing becomes NULL.
    let narrow = Fixture::parse(
        "[customer]
           id: bigint pk | name: text(60) not null
           1 | Ada
           2 | Bob",
    );
    let mut staging = staged(target, &place, &fixture).await;
    let customer = narrow.table("customer");
    let receipt = written(staging.as_mut(), customer, 0..2).await;
    assert_eq!(receipt.digest.rows, 2);
    ok(staging.complete().await, "complete");
    let source = ok(staging.read().await, "read the staged rows");
    let schema = customer.schema_for(target.engine());
    let read = digest(source.as_ref(), &schema, Form::Carried).await;
    assert_eq!(receipt.digest, read, "the columns that were written");
    drop(source);
    ok(staging.discard().await, "discard");
}
