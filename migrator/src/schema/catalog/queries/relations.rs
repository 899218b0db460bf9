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
         'access_method', (select quote_ident(nullif(amname, 'heap')) from pg_am
                            where pg_am.oid = relam and relkind <> 'v'),
         'tablespace', (select quote_ident(spcname) from pg_tablespace
                         where pg_tablespace.oid = reltablespace),
         'of_type', case when reloftype <> 0 then reloftype::regtype::text end,
         'options', array_to_string(reloptions || (
           select array_agg('toast.' || option)
             from pg_class as toast cross join unnest(toast.reloptions) as option
            where toast.oid = relations.reltoastrelid), ', '),
         'replica_identity', case when relkind <> 'v' then case relreplident
           when 'f' then 'full' when 'n' then 'nothing'
           when 'i' then (select 'index ' || quote_ident(own.relname)
                            from pg_index join pg_class as own on own.oid = indexrelid
                           where indrelid = relations.oid and indisreplident) end end,
         'cluster_on', (select quote_ident(own.relname)
                          from pg_index join pg_class as own on own.oid = indexrelid
                         where indrelid = relations.oid and indisclustered),
         'row_security', case when relrowsecurity and relforcerowsecurity then 'forced'
                              when relforcerowsecurity then 'forced, not enabled'
                              when relrowsecurity then 'enabled' end,
         'comment', obj_description(oid, 'pg_class'),
         ",
    grants!("r", "relacl", "relowner"),
    "))::text
  from relations
 where relkind in ('r', 'p', 'v', 'm')",
);

/// Columns of a partition and inherited columns are not repeated. Columns of a view, a composite type
/// and a foreign table are listed if they have a property of their own.
pub(super) const COLUMNS: &str = query!(
    "\
select 'column', schema, relname::text, attname::text, attnum::int4,
       'pg_class'::regclass::oid, attrelid,
       properties::text
  from relations
  join pg_attribute as attribute on attrelid = relations.oid
  join pg_type as type on type.oid = atttypid
  left join pg_attrdef as preset on adrelid = attrelid and adnum = attnum
 cross join lateral (select relkind in ('r', 'p'), relkind in ('r', 'p', 'm')) as own (columns, storage)
  left join lateral (
       select counted.relname as name, counted.relpersistence as persistence, seqstart, seqincrement,
              seqmin, seqmax, seqcache, seqcycle, seqtypid
         from pg_depend
         join pg_sequence as sequence on seqrelid = objid
         join pg_class as counted on counted.oid = objid
        where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass
          and refobjid = attrelid and refobjsubid = attnum and deptype = 'i') as sequence
    on attidentity <> ''
 cross join lateral (
       select jsonb_strip_nulls(jsonb_build_object(
         'type', case when columns then format_type(atttypid, atttypmod) end,
         'collation', case when columns and attcollation <> typcollation
                           then attcollation::regcollation::text end,
         'not_null', case when columns and attnotnull then 'yes' end,
         'not_null_constraint', (
           select 'constraint ' || quote_ident(conname)
                  || case when connoinherit then ' no inherit' else '' end
                  || case when convalidated then '' else ' not valid' end
             from pg_constraint
            where columns and conrelid = attrelid and contype = 'n' and conkey = array[attnum]
              and (conname <> concat(relname, '_', attname, '_not_null') or connoinherit
                   or not convalidated)),
         'default', case when attgenerated = '' and relkind <> 'f' then pg_get_expr(adbin, adrelid) end,
         'identity', case attidentity when 'a' then 'always' when 'd' then 'by default' end,
         'options', case when attidentity <> '' then ",
    counting!(),
    " end,
         'sequence_name', nullif(sequence.name, concat(relname, '_', attname, '_seq')),
         'persistence', case
           when sequence.persistence <> relpersistence
                and current_setting('server_version_num')::int4 >= 150000
           then case sequence.persistence when 'u' then 'unlogged' else 'logged' end end,
         'generated', case when attgenerated <> '' and columns
                           then pg_get_expr(adbin, adrelid, true)
                                || case attgenerated when 's' then ' stored' else ' virtual' end end,
         'storage', case when storage and attstorage <> typstorage then (
           select format('%s (usually %s)', kind ->> attstorage::text, kind ->> typstorage::text)
             from (select '{\"p\": \"plain\", \"e\": \"external\", \"x\": \"extended\", \"m\": \"main\"}'::jsonb)
               as kinds (kind)) end,
         'compression', case when storage then
           case attcompression when 'p' then 'pglz' when 'l' then 'lz4' end end,
         'statistics_target', case when storage or relkind = 'f'
                                   then nullif(coalesce(attstattarget, -1), -1)::text end,
         'column_options', case when storage or relkind = 'f' then array_to_string(attoptions, ', ') end,
         'comment', col_description(attrelid, attnum),
         ",
    grants!("c", "attacl", "relowner"),
    "))) as said (properties)
 where relkind in ('r', 'p', 'v', 'm', 'c', 'f') and attnum > 0 and not attisdropped
   and attislocal and not relispartition
   and (columns or properties <> '{}')",
);

/// Not the not-null constraints of PostgreSQL 18, which are said of the column, nor constraint
/// triggers, which are triggers.
pub(super) const CONSTRAINTS: &str = query!(
    "\
select 'constraint', schema, relations.relname::text, conname::text, 0, 'pg_constraint'::regclass::oid,
       pg_constraint.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', pg_get_constraintdef(pg_constraint.oid, true),
         'comment', obj_description(pg_constraint.oid, 'pg_constraint'),
         'options', array_to_string(own.reloptions, ', '),
         'tablespace', (select quote_ident(spcname) from pg_tablespace
                         where pg_tablespace.oid = own.reltablespace),
         'index_comment', obj_description(own.oid, 'pg_class')))::text
  from relations
  join pg_constraint on conrelid = relations.oid
  left join pg_class as own on own.oid = conindid and contype in ('p', 'u', 'x')
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
         'tablespace', (select quote_ident(spcname) from pg_tablespace
                         where pg_tablespace.oid = own.reltablespace),
         'statistics_target', (
           select string_agg(attnum || ' ' || attstattarget, ', ' order by attnum)
             from pg_attribute where attrelid = own.oid and attstattarget >= 0),
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

pub(super) const RULES: &str = query!(
    "\
select 'rule', schema, relname::text, rulename::text, 0, 'pg_rewrite'::regclass::oid, pg_rewrite.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', rtrim(pg_get_ruledef(pg_rewrite.oid, true), ';'),
         'disabled', case ev_enabled when 'D' then 'yes' when 'R' then 'replica'
                                     when 'A' then 'always' end,
         'comment', obj_description(pg_rewrite.oid, 'pg_rewrite')))::text
  from relations
  join pg_rewrite on ev_class = relations.oid
 where rulename <> '_RETURN'",
);

/// `pg_get_statisticsobjdef` always writes the schema. Statistics in another schema than their table
/// are listed with the other objects. PostgreSQL lists columns by their place in the table, which
/// changes when one is dropped and added again; here they are in the order of their names.
pub(super) const STATISTICS: &str = query!(
    "\
select 'statistics', schema, relname::text, stxname::text, 0, 'pg_statistic_ext'::regclass::oid,
       statistics.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'CREATE STATISTICS ' || ",
    own_name!("stxname"),
    " || replace(substr(definition, length(format('CREATE STATISTICS %I.%I', nspname, stxname)) + 1),
                    coalesce(' ON ' || by_place, ''), coalesce(' ON ' || by_name, '')),
         'statistics_target', nullif(coalesce(stxstattarget, -1), -1)::text,
         'comment', obj_description(statistics.oid, 'pg_statistic_ext')))::text
  from relations
  join pg_statistic_ext as statistics on stxrelid = relations.oid and stxnamespace = relnamespace
  join pg_namespace on pg_namespace.oid = stxnamespace
 cross join lateral pg_get_statisticsobjdef(statistics.oid) as definition
  left join lateral (
       select string_agg(quote_ident(attname), ', ' order by attnum),
              string_agg(quote_ident(attname), ', ' order by attname)
         from pg_attribute where attrelid = stxrelid and attnum = any(stxkeys)
       having count(*) > 0) as columns (by_place, by_name) on true",
);
