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
const REQUESTS: &[&str] = &["http_delete", "http_get", "http_patch", "http_post", "http_put"];

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

/// The name of the function that is called at `index`.
pub(super) fn call(tokens: &[Placed], index: usize) -> Option<String> {
    let name = tokens[index].token.name()?;
    if !tokens.get(index + 1)?.token.is_symbol('(') {
        return None;
    }
    let mut first = index;
    while first >= 2 && tokens[first - 1].token.is_symbol('.') {
        first -= 2;
    }
    let before = first.checked_sub(1).map(|before| &tokens[before].token);
    before.is_none_or(|before| !before.is_one_of(NO_CALL)).then_some(name)
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
    if at(target).is("ONLY") {
        target += 1;
    }
    while at(target + 1).is_symbol('.') {
        target += 2;
    }
    let name = at(target).name()?;
    if SHARED_CATALOGS.contains(&name.as_str()) {
        return (verb != "COPY" || !at(target + 1).is("TO")).then_some(Reach::SharedCatalog(name));
    }
    let is_foreign = foreign_tables.contains(&name) && verb != "ALTER" && !at(target + 1).is("TO");
    is_foreign.then_some(Reach::ForeignTable(name))
}
