//! The text that the queries share.

/// Prepends what the queries have in common: the schemas, and the relations in them that are
/// neither an extension's nor bookkeeping of a migration tool.
macro_rules! query {
    ($($text:expr),+ $(,)?) => {
        concat!(
            "\
with schemas as (
  select oid, nspname, nspowner, nspacl, nullif(nspname, current_schema())::text as schema
    from pg_namespace
   where nspname::text = any($1)
), relations as (
  select class.*, schemas.schema
    from pg_class as class
    join schemas on schemas.oid = class.relnamespace
   where class.relname not in ('refinery_schema_history', 'migrator_incomplete', 'alembic_version')
     and not exists (select from pg_depend
                      where deptype = 'e'
                        and (classid, objid) in (('pg_class'::regclass, class.oid),
                                                 ('pg_type'::regclass, class.reltype)))
)
",
            $($text),+
        )
    };
}

/// Privileges of PUBLIC, if they are not the usual ones of the kind of object, and, if requested, those
/// of other roles than the owner: two members of a JSON object.
macro_rules! grants {
    ($kind:literal, $acl:literal, $owner:literal) => {
        concat!(
            "\
'public_grants', (
  select coalesce(own, 'none')
    from (select (select string_agg(lower(privilege_type), ', ' order by lower(privilege_type))
                    from aclexplode(coalesce(",
            $acl,
            ", acldefault('",
            $kind,
            "', ",
            $owner,
            "))) where grantee = 0) as own,
                 (select string_agg(lower(privilege_type), ', ' order by lower(privilege_type))
                    from aclexplode(acldefault('",
            $kind,
            "', ",
            $owner,
            ")) where grantee = 0) as usual) as of_public
   where own is distinct from usual),
'grants', case when $2 then (
  select string_agg(privileges || ' to ' || grantee || option, '; ' order by grantee collate \"C\", option)
    from (select (select quote_ident(rolname) from pg_roles where oid = grantee) as grantee,
                 case when is_grantable then ' with grant option' else '' end as option,
                 string_agg(distinct lower(privilege_type), ', ' order by lower(privilege_type))
                   as privileges
            from aclexplode(",
            $acl,
            ")
           where grantee not in (0, ",
            $owner,
            ")
           group by grantee, is_grantable) as granted) end"
        )
    };
}

/// Name of an object in a statement, with its schema if that is not the main one. Needs `schema`.
macro_rules! own_name {
    ($name:literal) => {
        concat!("coalesce(quote_ident(schema) || '.', '') || quote_ident(", $name, ")")
    };
}

/// Name of any object of a catalog, with its schema if PostgreSQL would not find it without.
macro_rules! found_name {
    ($catalog:literal, $prefix:literal, $oid:literal) => {
        concat!(
            "(select coalesce(quote_ident(nullif(nullif(nspname, 'pg_catalog'), current_schema())) || '.', '')
                     || quote_ident(", $prefix, "name)
                from ", $catalog, " as found join pg_namespace on pg_namespace.oid = ", $prefix, "namespace
               where found.oid = ", $oid, ")"
        )
    };
}

/// Options of a foreign object as a clause. Values that look like secrets are hidden.
macro_rules! foreign_options {
    ($options:literal) => {
        concat!(
            "(select ' options (' || string_agg(
                       format('%I %L', option_name,
                              case when option_name ~* '(pass|secret|token|key|credential)'
                                   then '(hidden)' else option_value end), ', ') || ')'
                from pg_options_to_table(",
            $options,
            "))"
        )
    };
}

/// Options of a sequence that differ from the defaults of its type. Needs `pg_sequence as sequence`.
macro_rules! counting {
    () => {
        "\
(select nullif(concat_ws(' ',
          case when start <> case when step > 0 then low else high end
               then 'start with ' || start end,
          case when step <> 1 then 'increment by ' || step end,
          case when low <> case when step > 0 then 1 else lowest end then 'minvalue ' || low end,
          case when high <> case when step > 0 then highest else -1 end
               then 'maxvalue ' || high end,
          case when seqcache <> 1 then 'cache ' || seqcache end,
          case when seqcycle then 'cycle' end), '')
   from (select seqstart as start, seqincrement as step, seqmin as low, seqmax as high,
                case seqtypid when 'int2'::regtype then -32768
                              when 'int4'::regtype then -2147483648
                              else -9223372036854775808 end as lowest,
                case seqtypid when 'int2'::regtype then 32767
                              when 'int4'::regtype then 2147483647
                              else 9223372036854775807 end as highest) as counting)"
    };
}
