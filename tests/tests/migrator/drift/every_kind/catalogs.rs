//! PostgreSQL's catalogs: each is read, or has a reason why not.

use tests::TestDatabase;

/// PostgreSQL's catalogs, each with what becomes of a change in it.
const CATALOGS: &[(&str, &str)] = &[
    ("pg_aggregate", "aggregate"),
    ("pg_am", "access method"),
    ("pg_amop", "operator class and family"),
    ("pg_amproc", "operator class and family"),
    ("pg_attrdef", "column"),
    ("pg_attribute", "column"),
    ("pg_auth_members", "of the cluster"),
    ("pg_authid", "of the cluster"),
    ("pg_cast", "cast"),
    ("pg_class", "table, view, materialized view, index, sequence, foreign table, composite type"),
    ("pg_collation", "collation"),
    ("pg_constraint", "constraint, domain constraint, not-null constraint of a column"),
    ("pg_conversion", "conversion"),
    ("pg_database", "of the cluster"),
    ("pg_db_role_setting", "of the cluster"),
    ("pg_default_acl", "default acl"),
    ("pg_depend", "made by PostgreSQL"),
    ("pg_description", "comment"),
    ("pg_enum", "labels"),
    ("pg_event_trigger", "event trigger"),
    ("pg_extension", "extension"),
    ("pg_foreign_data_wrapper", "foreign data wrapper"),
    ("pg_foreign_server", "server"),
    ("pg_foreign_table", "foreign table"),
    ("pg_index", "index, replica identity, cluster on"),
    ("pg_inherits", "inherits, partition of"),
    ("pg_init_privs", "made by PostgreSQL"),
    ("pg_language", "language"),
    ("pg_largeobject", "data"),
    ("pg_largeobject_metadata", "data"),
    ("pg_namespace", "schema"),
    ("pg_opclass", "operator class"),
    ("pg_operator", "operator"),
    ("pg_opfamily", "operator family"),
    ("pg_parameter_acl", "of the cluster"),
    ("pg_partitioned_table", "partition key"),
    ("pg_policy", "policy"),
    ("pg_proc", "function"),
    ("pg_publication", "publication"),
    ("pg_publication_namespace", "publication"),
    ("pg_publication_rel", "publication"),
    ("pg_range", "range type"),
    ("pg_replication_origin", "of the cluster"),
    ("pg_rewrite", "rule"),
    ("pg_seclabel", "security label"),
    ("pg_sequence", "sequence, identity"),
    ("pg_shdepend", "of the cluster"),
    ("pg_shdescription", "of the cluster"),
    ("pg_shseclabel", "of the cluster"),
    ("pg_statistic", "data"),
    ("pg_statistic_ext", "statistics"),
    ("pg_statistic_ext_data", "data"),
    ("pg_subscription", "subscription"),
    ("pg_subscription_rel", "data"),
    ("pg_tablespace", "of the cluster"),
    ("pg_transform", "transform"),
    ("pg_trigger", "trigger"),
    ("pg_ts_config", "text search configuration"),
    ("pg_ts_config_map", "text search configuration"),
    ("pg_ts_dict", "text search dictionary"),
    ("pg_ts_parser", "text search parser"),
    ("pg_ts_template", "text search template"),
    ("pg_type", "enum, domain, composite type, range type, type"),
    ("pg_user_mapping", "user mapping"),
];

/// A catalog that a new version of PostgreSQL brings has to be thought of.
#[tokio::test]
async fn every_catalog_is_thought_of() {
    let database = TestDatabase::create().await;
    let query = "select relname::text from pg_class
                  where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("list the catalogs");
    for row in rows {
        let name: &str = row.get(0);
        assert!(CATALOGS.iter().any(|(catalog, _)| *catalog == name), "{name}");
    }
}
