//! The rules: dangerous statements, and safe ones.

use super::{found, found_in_undo};
use crate::support::program::run_with;

#[tokio::test]
async fn dangerous_statements_are_found_with_their_places() {
    for (sql, finding) in [
        ("create index i on tasks (title);", "require-concurrent-index-creation 1:1"),
        ("create unique index on tasks (title);", "require-concurrent-index-creation 1:1"),
        ("drop index i;", "require-concurrent-index-deletion 1:1"),
        ("reindex table tasks;", "require-concurrent-reindex 1:1"),
        ("alter table parts detach partition one;", "require-concurrent-partition-detach 1:19"),
        ("alter table tasks alter column id type bigint;", "changing-column-type 1:35"),
        ("alter table tasks alter column due set not null;", "adding-not-nullable-field 1:36"),
        ("alter table tasks add column due text not null;", "adding-required-field 1:19"),
        (
            "alter table tasks add column key uuid default gen_random_uuid();",
            "adding-field-with-default 1:47",
        ),
        (
            "alter table tasks add column n bigint generated always as (1) stored;",
            "adding-field-with-default 1:39",
        ),
        (
            "alter table tasks add constraint c foreign key (a) references users (id);",
            "adding-foreign-key-constraint 1:23",
        ),
        ("alter table tasks add constraint c check (a > 0);", "constraint-missing-not-valid 1:19"),
        ("alter table tasks add constraint c unique (a);", "disallowed-unique-constraint 1:23"),
        (
            "alter table tasks add constraint c primary key (a);",
            "adding-serial-primary-key-field 1:23",
        ),
        ("alter table tasks drop column title;", "ban-drop-column 1:19"),
        ("alter table tasks drop constraint c;", "ban-drop-constraint 1:19"),
        ("alter table tasks alter column a drop not null;", "ban-drop-not-null 1:34"),
        ("alter table tasks alter column a drop default;", "ban-drop-default 1:34"),
        ("alter table tasks rename column a to b;", "renaming-column 1:19"),
        ("alter table tasks rename to jobs;", "renaming-table 1:19"),
        ("drop table tasks;", "ban-drop-table 1:1"),
        ("drop view v;", "ban-drop-view 1:1"),
        ("drop function f();", "ban-drop-function 1:1"),
        ("drop type mood;", "ban-drop-type 1:1"),
        ("drop schema other;", "ban-drop-schema 1:1"),
        ("truncate users cascade;", "ban-truncate-cascade 1:16"),
        ("create table t (id int);", "prefer-bigint-over-int 1:20"),
        ("create table t (id serial primary key);", "prefer-bigint-over-int 1:20"),
        ("create table t (at timestamp);", "prefer-timestamp-tz 1:20"),
        ("create table t (code char(3));", "ban-char-field 1:22"),
        (
            "create domain positive as bigint check (value > 0);",
            "ban-create-domain-with-constraint 1:34",
        ),
    ] {
        assert_eq!(found(sql).await, [finding], "{sql}");
    }
}

#[tokio::test]
async fn safe_statements_are_not() {
    for sql in [
        "",
        "-- nothing but a comment",
        "alter table tasks add column due timestamptz;",
        "alter table tasks add column done boolean not null default false;",
        "alter table tasks add constraint c check (a > 0) not valid;",
        "alter table tasks validate constraint c;",
        "alter table tasks add constraint c foreign key (a) references users (id) not valid;",
        "create table t (id bigint primary key, name varchar(9)); create index on t (name);",
        "create table t (id bigint); alter table t add constraint c unique (id);",
        "create table t (id bigint generated always as identity primary key);",
        "create table t (id bigserial primary key, small smallint, at timestamptz);",
        "-- migrator: no-transaction\ncreate index concurrently i on tasks (title);",
        "-- migrator: no-transaction\ndrop index concurrently i;",
        "alter type mood add value 'glad';",
        "create or replace function f() returns bigint language sql return 1;",
        "do $$ begin drop table tasks; end $$;",
        "insert into users (id, email) values ('a', 'b');",
        "set local lock_timeout = '1s'; comment on table tasks is 'x';",
    ] {
        assert_eq!(found(sql).await, [""; 0], "{sql}");
    }
}

#[tokio::test]
async fn a_statement_that_cannot_run_in_a_transaction_is_found_even_as_the_only_one() {
    let rule = "ban-concurrent-index-creation-in-transaction";
    for (sql, place) in [
        ("create index concurrently i on tasks (title);", "1:14"),
        ("drop index concurrently i;", "1:12"),
        ("reindex table concurrently tasks;", "1:15"),
        ("alter table parts detach partition one concurrently;", "1:40"),
        ("select 1;\ncreate index concurrently i on tasks (title);", "2:14"),
    ] {
        let found = found(sql).await;
        assert!(found.contains(&format!("{rule} {place}")), "{sql}: {found:?}");
        let outside = format!("-- migrator: no-transaction\n{sql}");
        let found = super::found(&outside).await;
        assert!(found.iter().all(|finding| !finding.starts_with(rule)), "{outside}: {found:?}");
    }
}

#[tokio::test]
async fn a_table_created_in_the_same_transaction_may_be_locked() {
    let sql = "create table t (id bigint);\ncreate index i on t (id);";
    assert_eq!(found(sql).await, [""; 0]);
    let alter = "create table app.t (id bigint); alter table app.T alter column id set not null;
alter table app.t add column a bigint not null; alter table app.t rename column a to b; drop table app.t;";
    assert_eq!(found(alter).await, [""; 0]);
    for old in [
        "create table if not exists t (id bigint);\nalter table t rename column id to a;",
        "create table other.t (id bigint);\nalter table t rename column id to a;",
        "create table t_new (id bigint);\nalter table t rename column id to a;",
    ] {
        assert_eq!(found(old).await, ["renaming-column 2:15"], "{old}");
    }
    let both = "create table t (id bigint);\ndrop table t, tasks;";
    assert_eq!(found(both).await, ["ban-drop-table 2:1"]);
    let outside = format!("-- migrator: no-transaction\n{sql}");
    assert_eq!(found(&outside).await, ["require-concurrent-index-creation 3:1"]);
}

#[tokio::test]
async fn scripts_that_undo_may_drop_and_may_not_block() {
    for (sql, findings) in [
        ("drop table tasks; drop function f(); drop type mood;", &[][..]),
        ("alter table tasks drop column due; alter table tasks rename to jobs;", &[]),
        ("create table t (id int);", &[]),
        ("drop index i;", &["require-concurrent-index-deletion 1:1"]),
        ("create index i on tasks (title);", &["require-concurrent-index-creation 1:1"]),
        ("alter table tasks alter column id type int;", &["changing-column-type 1:35"]),
        ("drop tabel tasks;", &["syntax 1:1"]),
        ("-- migrator: no-transaction\ndrop index concurrently i;", &[]),
    ] {
        assert_eq!(found_in_undo(sql).await, findings, "{sql}");
    }
}

#[tokio::test]
async fn columns_count_characters() {
    for (sql, finding) in [
        ("/* größer 🦀 */ drop table tasks;", "ban-drop-table 1:16"),
        ("select 'ä';\n\tdrop table tasks;", "ban-drop-table 2:2"),
        ("select 'ä';\r\n-- ö\r\n  drop table tasks;\r\n", "ban-drop-table 3:3"),
    ] {
        assert_eq!(found(sql).await, [finding], "{sql:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_parsed_is_found_once_for_each_statement() {
    let sql = "select 1;\nselec a b c d;\nselect 2;\ncreate tabel t (id bigint);";
    assert_eq!(found(sql).await, ["syntax 2:1", "syntax 4:1"]);
}

#[tokio::test]
async fn the_built_in_migrations_have_no_lint_findings() {
    let output = run_with(&[], &["lint"]).await.exits(0);
    assert_eq!(output.stdout, "");
    assert_eq!(output.stderr, "No findings in 10 files; 7 allowed\n");
}

#[tokio::test]
async fn the_folder_of_this_project_is_clean() {
    let folder = tests::workspace().join("migrations");
    let folder = folder.to_str().expect("a plain path");
    run_with(&[], &["lint", "--dir", folder]).await.exits(0).says("No findings in 10 files");
}
