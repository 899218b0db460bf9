//! Tables and views with their parts.

pub(super) const RELATIONS: &str = query!(
    "\
select case relkind when 'v' then 'view' when 'm' then 'materialized_view' else 'table' end,
       schema, null, relname::text, 0, 'pg_class'::regclass::oid, oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', case when relkind in ('v', 'm') then rtrim(pg_get_viewdef(oid, true), ';') end,
         'persistence', case relpersistence when 'u' then 'unlogged' end,
         'partition_key', pg_get_partkeydef(oid),
         'partition_of', (select inhparent::regclass || ' ' || pg_get_expr(relpartbound, oid)
                            from pg_inherits where inhrelid = oid and relispartition),
         'inherits', (select string_agg(inhparent::regclass::text, ', ' order by inhseqno)
                        from pg_inherits where inhrelid = oid and not relispartition),
         'options', array_to_string(reloptions, ', '),
         'row_security', case when relrowsecurity and relforcerowsecurity then 'forced'
                              when relrowsecurity then 'enabled' end,
         'comment', obj_description(oid, 'pg_class'),
         'grants', ",
    grants!("r", "relacl", "relowner"),
    "))::text
  from relations
 where relkind in ('r', 'p', 'v', 'm')",
);

/// Columns of a partition and inherited columns are not repeated. Columns of a view are listed if they
/// have a property of their own.
pub(super) const COLUMNS: &str = query!(
    "\
select 'column', schema, relname::text, attname::text, attnum::int4,
       'pg_class'::regclass::oid, attrelid,
       properties::text
  from relations
  join pg_attribute as attribute on attrelid = relations.oid
  join pg_type as type on type.oid = atttypid
  left join pg_attrdef as preset on adrelid = attrelid and adnum = attnum
 cross join lateral (select relkind in ('r', 'p')) as own (columns)
 cross join lateral (
       select jsonb_strip_nulls(jsonb_build_object(
         'type', case when columns then format_type(atttypid, atttypmod) end,
         'collation', case when columns and attcollation <> typcollation
                           then attcollation::regcollation::text end,
         'not_null', case when columns and attnotnull then 'yes' end,
         'default', case when attgenerated = '' then pg_get_expr(adbin, adrelid) end,
         'identity', case attidentity when 'a' then 'always' when 'd' then 'by default' end,
         'options', case when attidentity <> '' then (
           select ",
    counting!(),
    "
             from pg_depend join pg_sequence as sequence on seqrelid = objid
            where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass
              and refobjid = attrelid and refobjsubid = attnum and deptype = 'i') end,
         'generated', case when attgenerated <> '' then pg_get_expr(adbin, adrelid, true)
                           || case attgenerated when 's' then ' stored' else ' virtual' end end,
         'comment', col_description(attrelid, attnum),
         'grants', ",
    grants!("c", "attacl", "relowner"),
    "))) as said (properties)
 where relkind in ('r', 'p', 'v', 'm') and attnum > 0 and not attisdropped
   and attislocal and not relispartition
   and (columns or properties <> '{}')",
);

/// Not the not-null constraints of PostgreSQL 18, which are said of the column, nor constraint
/// triggers, which are triggers.
pub(super) const CONSTRAINTS: &str = query!(
    "\
select 'constraint', schema, relname::text, conname::text, 0, 'pg_constraint'::regclass::oid,
       pg_constraint.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', pg_get_constraintdef(pg_constraint.oid, true),
         'comment', obj_description(pg_constraint.oid, 'pg_constraint'),
         'index_comment', case when contype in ('p', 'u', 'x')
                               then obj_description(conindid, 'pg_class') end))::text
  from relations
  join pg_constraint on conrelid = relations.oid
 where contype in ('p', 'u', 'c', 'f', 'x') and conparentid = 0
   and (conislocal or coninhcount = 0)",
);

/// With `on only`, PostgreSQL prints the index of the partitioned table itself.
pub(super) const INDEXES: &str = query!(
    "\
select 'index', relations.schema, relations.relname::text, own.relname::text, 0,
       'pg_class'::regclass::oid, own.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', case own.relkind
           when 'I' then regexp_replace(pg_get_indexdef(own.oid, 0, true), ' ON ONLY ', ' ON ')
           else pg_get_indexdef(own.oid, 0, true) end,
         'disabled', case when not indisvalid then 'yes' end,
         'comment', obj_description(own.oid, 'pg_class')))::text
  from relations
  join pg_index on indrelid = relations.oid
  join pg_class as own on own.oid = indexrelid
 where relations.relkind in ('r', 'p', 'm') and not own.relispartition
   and not exists (select from pg_constraint
                    where conindid = indexrelid and contype in ('p', 'u', 'x'))",
);

pub(super) const TRIGGERS: &str = query!(
    "\
select 'trigger', schema, relname::text, tgname::text, 0, 'pg_trigger'::regclass::oid,
       pg_trigger.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', pg_get_triggerdef(pg_trigger.oid, true),
         'disabled', case tgenabled when 'D' then 'yes' when 'R' then 'replica'
                                    when 'A' then 'always' end,
         'comment', obj_description(pg_trigger.oid, 'pg_trigger')))::text
  from relations
  join pg_trigger on tgrelid = relations.oid
 where not tgisinternal and tgparentid = 0",
);

pub(super) const POLICIES: &str = query!(
    "\
select 'policy', schema, relname::text, polname::text, 0, 'pg_policy'::regclass::oid, pg_policy.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', concat_ws(' ',
           case when not polpermissive then 'as restrictive' end,
           'for ' || case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                                 when 'd' then 'delete' else 'all' end,
           'to ' || (select string_agg(
                              coalesce((select quote_ident(rolname) from pg_roles
                                         where oid = role), 'public'), ', ')
                       from unnest(polroles) as role),
           'using (' || pg_get_expr(polqual, polrelid, true) || ')',
           'with check (' || pg_get_expr(polwithcheck, polrelid, true) || ')'),
         'comment', obj_description(pg_policy.oid, 'pg_policy')))::text
  from relations
  join pg_policy on polrelid = relations.oid",
);
