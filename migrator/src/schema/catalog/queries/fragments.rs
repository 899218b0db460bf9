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
                      where classid = 'pg_class'::regclass and objid = class.oid
                        and deptype = 'e')
)
",
            $($text),+
        )
    };
}

/// Privileges of other roles than the owner, as text; null unless requested. Where nothing was ever
/// granted or revoked, PostgreSQL's defaults for the kind of object apply.
macro_rules! grants {
    ($kind:literal, $acl:literal, $owner:literal) => {
        concat!(
            "\
case when $2 then (
  select string_agg(privileges || ' to ' || grantee || option, '; ' order by grantee collate \"C\", option)
    from (select coalesce((select quote_ident(rolname) from pg_roles where oid = grantee),
                          'public') as grantee,
                 case when is_grantable then ' with grant option' else '' end as option,
                 string_agg(distinct lower(privilege_type), ', ' order by lower(privilege_type))
                   as privileges
            from aclexplode(coalesce(",
            $acl,
            ", acldefault('",
            $kind,
            "', ",
            $owner,
            ")))
           where grantee <> ",
            $owner,
            "
           group by grantee, is_grantable) as granted) end"
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
