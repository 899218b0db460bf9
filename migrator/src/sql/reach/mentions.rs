//! Functions that act outside the database, and tables that are not part of it: what reaches beyond
//! it in the middle of a statement.

use std::collections::BTreeSet;

use super::Reach;
use super::tokens::{Placed, Token};

/// Functions with an effect on the whole server. Those that only read are not among them.
const FUNCTIONS: &[&str] = &[
    // Replication slots and origins.
    "pg_copy_logical_replication_slot",
    "pg_copy_physical_replication_slot",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_drop_replication_slot",
    "pg_logical_emit_message",
    "pg_logical_slot_get_binary_changes",
    "pg_logical_slot_get_changes",
    "pg_replication_origin_advance",
    "pg_replication_origin_create",
    "pg_replication_origin_drop",
    "pg_replication_slot_advance",
    "pg_sync_replication_slots",
    // Other sessions, and the server itself.
    "pg_backup_start",
    "pg_backup_stop",
    "pg_cancel_backend",
    "pg_create_restore_point",
    "pg_log_backend_memory_contexts",
    "pg_log_standby_snapshot",
    "pg_promote",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_start_backup",
    "pg_stat_reset_replication_slot",
    "pg_stat_reset_shared",
    "pg_stat_reset_slru",
    "pg_stat_reset_subscription_stats",
    "pg_stat_statements_reset",
    "pg_stop_backup",
    "pg_switch_wal",
    "pg_terminate_backend",
    "pg_wal_replay_pause",
    "pg_wal_replay_resume",
    // Files of the server.
    "lo_export",
    "pg_file_rename",
    "pg_file_sync",
    "pg_file_unlink",
    "pg_file_write",
];

/// Functions of extensions that connect to other servers, also as the beginning of a name.
const CONNECTING: &[&str] = &["dblink"];

/// Functions of extensions that send requests.
const REQUESTS: &[&str] =
    &["http_delete", "http_get", "http_head", "http_patch", "http_post", "http_put"];

/// Functions that run a text which they get.
pub(super) const RUN_TEXT: &[&str] = &[
    "crosstab",
    "crosstab2",
    "crosstab3",
    "crosstab4",
    "query_to_xml",
    "query_to_xml_and_xmlschema",
    "query_to_xmlschema",
    "ts_rewrite",
    "ts_stat",
    "xpath_table",
];

/// Words before `=` and a function, in the definition of an operator or an aggregate.
const ASSIGNED: &[&str] = &[
    "COMBINEFUNC",
    "FINALFUNC",
    "FUNCTION",
    "JOIN",
    "MFINALFUNC",
    "MINVFUNC",
    "MSFUNC",
    "PROCEDURE",
    "RESTRICT",
    "SFUNC",
];

/// System catalogs of which a server has one each.
const SHARED_CATALOGS: &[&str] = &[
    "pg_auth_members",
    "pg_authid",
    "pg_database",
    "pg_db_role_setting",
    "pg_parameter_acl",
    "pg_replication_origin",
    "pg_shdepend",
    "pg_shdescription",
    "pg_shseclabel",
    "pg_subscription",
    "pg_tablespace",
];

/// Words before a name with parentheses that is not a call.
const NO_CALL: &[&str] = &[
    "AGGREGATE",
    "EXISTS",
    "FUNCTION",
    "INTO",
    "ONLY",
    "PROCEDURE",
    "REFERENCES",
    "ROUTINE",
    "TABLE",
    "UPDATE",
    "VIEW",
];

/// True if this function leaves the server.
pub(super) fn connects(name: &str) -> bool {
    CONNECTING.iter().any(|prefix| name.starts_with(prefix)) || REQUESTS.contains(&name)
}

/// The name of the function that is called at `index`, or that an operator, an aggregate or a cast calls.
pub(super) fn call(tokens: &[Placed], index: usize) -> Option<String> {
    let name = tokens[index].token.name()?;
    let next = tokens.get(index + 1).map(|next| &next.token);
    let mut first = index;
    while first >= 2 && tokens[first - 1].token.is_symbol('.') {
        first -= 2;
    }
    let before = |number| first.checked_sub(number).map(|before| &tokens[before].token);
    let is_call = if next.is_some_and(|next| next.is_symbol('(')) {
        // The function of a cast.
        let is_used = || before(2).is_some_and(|before| before.is("WITH"));
        before(1)
            .is_none_or(|before| !before.is_one_of(NO_CALL) || before.is("FUNCTION") && is_used())
    } else {
        before(1).is_some_and(|before| before.is_symbol('='))
            && before(2).is_some_and(|before| before.is_one_of(ASSIGNED))
            && next.is_none_or(|next| !next.is_symbol('.'))
    };
    is_call.then_some(name)
}

/// What calling a function reaches.
pub(super) fn function(name: &str) -> Option<Reach> {
    (FUNCTIONS.contains(&name) || connects(name)).then(|| Reach::Function(name.to_owned()))
}

/// What the statement at `index` writes to: `insert into`, `update`, `delete from`, `merge into`,
/// `truncate`, `copy … from` or `alter table` of a table that is not part of the database.
pub(super) fn write(
    tokens: &[Placed],
    index: usize,
    foreign_tables: &BTreeSet<String>,
) -> Option<Reach> {
    let at = |index: usize| tokens.get(index).map_or(&Token::Other, |placed| &placed.token);
    let Token::Word(verb) = at(index) else { return None };
    let next = at(index + 1);
    let mut target = match verb.as_str() {
        "INSERT" | "MERGE" if next.is("INTO") => index + 2,
        "DELETE" if next.is("FROM") => index + 2,
        "ALTER" | "TRUNCATE" if next.is("TABLE") => index + 2,
        "UPDATE" | "TRUNCATE" | "COPY" => index + 1,
        _ => return None,
    };
    loop {
        if at(target).is("ONLY") {
            target += 1;
        }
        while at(target + 1).is_symbol('.') {
            target += 2;
        }
        let name = at(target).name()?;
        if SHARED_CATALOGS.contains(&name.as_str()) {
            let is_read = verb == "COPY" && at(target + 1).is("TO");
            return (!is_read).then_some(Reach::SharedCatalog(name));
        }
        let is_written = verb != "ALTER" && !at(target + 1).is("TO");
        if is_written && foreign_tables.contains(&name) {
            return Some(Reach::ForeignTable(name));
        }
        if verb != "TRUNCATE" || !at(target + 1).is_symbol(',') {
            return None;
        }
        target += 2;
    }
}
