//! Generated migrations from any schema to any other and back, with random tables, columns, defaults,
//! nullability, indexes, checks and foreign keys.

use std::fmt::Write as _;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tests::TestDatabase;

use super::write;
use crate::support::catalog::objects_without_history;
use crate::support::folder::Folder;
use crate::support::program::run;

/// Each case creates two databases and two shadow databases.
const CASES: u32 = 16;

/// A table without its name. Every table has the key `id`.
#[derive(Clone, Debug)]
struct Table {
    columns: Vec<(u8, Column)>,
    indexes: Vec<(u8, bool)>,
    /// The referenced table, which may be the same one or may not exist.
    points_to: Option<u8>,
    comment: Option<u8>,
}

#[derive(Clone, Debug)]
struct Column {
    kind: &'static str,
    not_null: bool,
    default: bool,
    check: Option<u8>,
}

fn any_column() -> impl Strategy<Value = Column> {
    let kinds = vec!["text", "varchar(20)", "varchar(30)", "integer", "bigint", "numeric(9, 2)"];
    (select(kinds), any::<bool>(), any::<bool>(), proptest::option::of(0_u8..3))
        .prop_map(|(kind, not_null, default, check)| Column { kind, not_null, default, check })
}

fn any_table() -> impl Strategy<Value = Table> {
    let columns = btree_map(0_u8..5, any_column(), 0..5);
    let indexes = vec((0_u8..5, any::<bool>()), 0..3);
    let (points_to, comment) = (proptest::option::of(0_u8..4), proptest::option::of(0_u8..2));
    (columns, indexes, points_to, comment).prop_map(|(columns, indexes, points_to, comment)| {
        Table { columns: columns.into_iter().collect(), indexes, points_to, comment }
    })
}

type Schema = Vec<(u8, Table)>;

fn any_schema() -> impl Strategy<Value = Schema> {
    btree_map(0_u8..4, any_table(), 0..4).prop_map(|tables| tables.into_iter().collect())
}

/// The statements that create a schema.
fn create(schema: &Schema) -> String {
    let mut sql = String::new();
    for (number, table) in schema {
        let mut lines = vec!["id bigint primary key".to_owned()];
        for (name, Column { kind, not_null, default, check }) in &table.columns {
            let mut line = format!("c{name} {kind}");
            line.push_str(if *not_null { " not null" } else { "" });
            line.push_str(if *default { " default '7'" } else { "" });
            if let Some(limit) = check {
                let _ = write!(line, " constraint check_{name} check (c{name}::text <> '{limit}')");
            }
            lines.push(line);
        }
        let _ = writeln!(sql, "create table t{number} ({});", lines.join(", "));
        for (place, (column, unique)) in table.indexes.iter().enumerate() {
            if table.columns.iter().any(|(name, _)| name == column) {
                let unique = if *unique { "unique " } else { "" };
                let _ = writeln!(
                    sql,
                    "create {unique}index t{number}_{place} on t{number} (c{column});"
                );
            }
        }
        if let Some(text) = table.comment {
            let _ = writeln!(sql, "comment on table t{number} is '{text}';");
        }
    }
    for (number, table) in schema {
        let target = table.points_to.filter(|to| schema.iter().any(|(other, _)| other == to));
        if let Some(target) = target {
            let _ = writeln!(
                sql,
                "alter table t{number} add constraint points foreign key (id) references t{target};"
            );
        }
    }
    sql
}

/// The statements that drop a schema.
fn drop(schema: &Schema) -> String {
    schema
        .iter()
        .fold(String::new(), |sql, (number, _)| sql + &format!("drop table t{number} cascade;\n"))
}

async fn goes_there_and_back(before: &Schema, after: &Schema) {
    let base = create(before);
    let folder = Folder::new(&[("V1__base.sql", &base)]);
    let dir = folder.path();
    let [live, other] = [TestDatabase::create().await, TestDatabase::create().await];
    for database in [&live, &other] {
        run(database, &["up", "--dir", dir]).await.exits(0);
    }
    let by_hand = format!("{}{}", drop(before), create(after));
    live.client().await.batch_execute(&by_hand).await.expect("change it by hand");
    let wanted = objects_without_history(&live).await;
    let given = objects_without_history(&other).await;
    let document = write(&live, &folder).await;
    if document["version"].is_null() {
        assert_eq!(given, wanted, "no drift");
        return;
    }
    let scripts = ["sql", "down.sql"].map(|end| folder.read(&format!("V2__by_hand.{end}")));
    let [apply, undo] = scripts;
    assert_eq!(
        document["problems"],
        serde_json::json!([]),
        "from\n{base}\nto\n{by_hand}\nby\n{apply}\nand back by\n{undo}"
    );
    run(&other, &["up", "--dir", dir]).await.exits(0);
    assert_eq!(objects_without_history(&other).await, wanted, "applied");
    run(&other, &["down", "--yes", "--dir", dir]).await.exits(0);
    assert_eq!(objects_without_history(&other).await, given, "undone");
    run(&other, &["up", "--dir", dir]).await.exits(0);
    assert_eq!(objects_without_history(&other).await, wanted, "applied again");
}

#[test]
fn any_schema_becomes_any_other() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config {
        cases: CASES,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        max_shrink_iters: 4,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&(any_schema(), any_schema()), |(before, after)| {
        runtime.block_on(goes_there_and_back(&before, &after));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
