//! Standalone objects: schemas, extensions, types, sequences, functions.

/// Every schema but PostgreSQL's own, those of extensions, and the main one.
pub(in crate::schema::catalog) const OTHER_SCHEMAS: &str = "\
select nspname::text
  from pg_catalog.pg_namespace
 where nspname !~ '^pg_' and nspname <> 'information_schema'
   and nspname is distinct from pg_catalog.current_schema()
   and not exists (select from pg_catalog.pg_depend
                    where classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                      and objid = pg_namespace.oid and deptype = 'e')
 order by 1";

/// The main one is there where grants are wanted, and where somebody has commented on it.
pub(super) const SCHEMAS: &str = query!(
    "\
select 'schema', null, null, nspname::text, 0, 'pg_namespace'::regclass::oid, oid,
       jsonb_strip_nulls(jsonb_build_object(
         'comment', nullif(obj_description(oid, 'pg_namespace'), 'standard public schema'),
         ",
    grants!("n", "nspacl", "nspowner"),
    "))::text
  from schemas
 where schema is not null or $2
    or nullif(obj_description(oid, 'pg_namespace'), 'standard public schema') is not null",
);

/// Without the version, which migrations do not set. The comment is PostgreSQL's own unless it was
/// changed.
pub(super) const EXTENSIONS: &str = query!(
    "\
select 'extension', null, null, extname::text, 0, 'pg_extension'::regclass::oid, extension.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'options', 'schema ' || quote_ident(nullif(place.nspname, current_schema())),
         'comment', nullif(obj_description(extension.oid, 'pg_extension'), (
           select comment from pg_available_extensions where name = extname))))::text
  from pg_extension as extension
  join pg_namespace as place on place.oid = extnamespace
 where extname <> 'plpgsql'",
);

pub(super) const TYPES: &str = query!(
    "\
select case typtype when 'e' then 'enum' when 'd' then 'domain' else 'composite_type' end,
       schema, null, typname::text, 0, 'pg_type'::regclass::oid, type.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'type', case typtype when 'd' then format_type(typbasetype, typtypmod) end,
         'collation', case when typtype = 'd' and typcollation <> (
                             select base.typcollation from pg_type as base
                              where base.oid = type.typbasetype)
                           then typcollation::regcollation::text end,
         'not_null', case when typtype = 'd' and typnotnull then 'yes' end,
         'not_null_constraint', (
           select 'constraint ' || quote_ident(conname) from pg_constraint
            where contypid = type.oid and contype = 'n' and conname <> typname || '_not_null'),
         'default', case typtype when 'd' then pg_get_expr(typdefaultbin, 0) end,
         'labels', (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
                      from pg_enum where enumtypid = type.oid),
         'definition', case typtype
           when 'c' then (
             select '(' || string_agg(
                      format('%I %s', attname, format_type(atttypid, atttypmod))
                      || case when attcollation <> (
                                select typcollation from pg_type where oid = atttypid)
                              then ' collate ' || attcollation::regcollation else '' end,
                      ', ' order by attnum) || ')'
               from pg_attribute where attrelid = typrelid and attnum > 0 and not attisdropped)
           end,
         'comment', obj_description(type.oid, 'pg_type'),
         ",
    grants!("T", "typacl", "typowner"),
    "))::text
  from pg_type as type
  join schemas on schemas.oid = typnamespace
 where (typtype in ('e', 'd')
        or typtype = 'c' and exists (select from pg_class where oid = typrelid and relkind = 'c'))
   and not exists (select from pg_depend
                    where classid = 'pg_type'::regclass and objid = type.oid and deptype = 'e')",
);

pub(super) const DOMAIN_CONSTRAINTS: &str = query!(
    "\
select 'domain_constraint', schema, typname::text, conname::text, 0, 'pg_constraint'::regclass::oid,
       pg_constraint.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', pg_get_constraintdef(pg_constraint.oid, true),
         'comment', obj_description(pg_constraint.oid, 'pg_constraint')))::text
  from pg_type as type
  join schemas on schemas.oid = typnamespace
  join pg_constraint on contypid = type.oid and contype = 'c'
 where not exists (select from pg_depend
                    where classid = 'pg_type'::regclass and objid = type.oid and deptype = 'e')",
);

/// One that belongs to a column is usually as persistent as its table, from PostgreSQL 15 on.
pub(super) const SEQUENCES: &str = query!(
    "\
select 'sequence', schema, null, relname::text, 0, 'pg_class'::regclass::oid, relations.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'type', format_type(seqtypid, null),
         'options', ",
    counting!(),
    ",
         'owned_by', owner,
         'persistence', case
           when owner is null then case relpersistence when 'u' then 'unlogged' end
           when relpersistence <> persistence
                and current_setting('server_version_num')::int4 >= 150000
           then case relpersistence when 'u' then 'unlogged' else 'logged' end end,
         'comment', obj_description(relations.oid, 'pg_class'),
         ",
    grants!("s", "relacl", "relowner"),
    "))::text
  from relations
  join pg_sequence as sequence on seqrelid = relations.oid
  left join lateral (
       select concat_ws('.', quote_ident(nullif(nspname, current_schema())),
                        quote_ident(owner.relname), quote_ident(attname)), owner.relpersistence
         from pg_depend
         join pg_class as owner on owner.oid = refobjid
         join pg_namespace on pg_namespace.oid = owner.relnamespace
         join pg_attribute on attrelid = refobjid and attnum = refobjsubid
        where classid = 'pg_class'::regclass and objid = relations.oid
          and refclassid = 'pg_class'::regclass and deptype = 'a') as owned (owner, persistence) on true
 where not exists (select from pg_depend
                    where classid = 'pg_class'::regclass and objid = relations.oid
                      and refclassid = 'pg_class'::regclass and deptype = 'i')",
);

/// `pg_get_functiondef` always writes the schema, which is taken away for the main one.
pub(super) const FUNCTIONS: &str = query!(
    "\
select 'function', schema, null, proname || '(' || oidvectortypes(proargtypes) || ')', 0,
       'pg_proc'::regclass::oid, function.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', rtrim(case
           when schema is null
           then head || substr(pg_get_functiondef(function.oid),
                               length(head || quote_ident(nspname) || '.') + 1)
           else pg_get_functiondef(function.oid) end, E'\\n'),
         'comment', obj_description(function.oid, 'pg_proc'),
         ",
    grants!("f", "proacl", "proowner"),
    "))::text
  from pg_proc as function
  join schemas on schemas.oid = pronamespace
 cross join lateral (select 'CREATE OR REPLACE '
                            || case prokind when 'p' then 'PROCEDURE ' else 'FUNCTION ' end) as text (head)
 where prokind <> 'a'
   and not exists (select from pg_depend
                    where classid = 'pg_proc'::regclass and objid = function.oid
                      and deptype in ('e', 'i'))",
);
