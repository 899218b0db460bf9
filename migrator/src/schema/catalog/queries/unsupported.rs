//! Unsupported objects: they are listed, so that "no drift" is not misread.

/// Only `$1` is used, the schemas that are read. What is in no schema counts wherever it is.
pub(in crate::schema::catalog) const UNSUPPORTED: &str = query!(
    "\
, things (classid, objid, about, column_number) as (
  select 'pg_proc'::regclass, pg_proc.oid, '', 0
    from pg_proc join schemas on schemas.oid = pronamespace where prokind = 'a'
   union all
  select 'pg_type'::regclass, pg_type.oid, '', 0
    from pg_type join schemas on schemas.oid = typnamespace
   where typtype = 'r' or typtype = 'b' and typcategory <> 'A'
   union all
  select 'pg_collation'::regclass, pg_collation.oid, '', 0
    from pg_collation join schemas on schemas.oid = collnamespace
   union all
  select 'pg_operator'::regclass, pg_operator.oid, '', 0
    from pg_operator join schemas on schemas.oid = oprnamespace
   union all
  select 'pg_opclass'::regclass, pg_opclass.oid, '', 0
    from pg_opclass join schemas on schemas.oid = opcnamespace
   union all
  select 'pg_ts_config'::regclass, pg_ts_config.oid, '', 0
    from pg_ts_config join schemas on schemas.oid = cfgnamespace
   union all
  select 'pg_ts_dict'::regclass, pg_ts_dict.oid, '', 0
    from pg_ts_dict join schemas on schemas.oid = dictnamespace
   union all
  select 'pg_statistic_ext'::regclass, pg_statistic_ext.oid, '', 0
    from pg_statistic_ext join schemas on schemas.oid = stxnamespace
   union all
  select 'pg_class'::regclass, oid, '', 0 from relations where relkind = 'f'
   union all
  select 'pg_rewrite'::regclass, pg_rewrite.oid, '', 0
    from pg_rewrite join relations on relations.oid = ev_class where rulename <> '_RETURN'
   union all
  select 'pg_cast'::regclass, oid, '', 0 from pg_cast where oid >= 16384
   union all
  select 'pg_event_trigger'::regclass, oid, '', 0 from pg_event_trigger
   union all
  select 'pg_foreign_server'::regclass, oid, '', 0 from pg_foreign_server
   union all
  select 'pg_publication'::regclass, oid, '', 0 from pg_publication
   union all
  select 'pg_class'::regclass, oid, 'replica identity of ', 0
    from relations where relkind in ('r', 'p') and relreplident <> 'd'
   union all
  select 'pg_class'::regclass, oid, 'type of ', 0 from relations where reloftype <> 0
   union all
  select 'pg_class'::regclass, relations.oid, 'storage of ', 0
    from relations join pg_class as toast on toast.oid = relations.reltoastrelid
   where toast.reloptions is not null
   union all
  select 'pg_class'::regclass, relations.oid, 'storage or statistics of ', attnum
    from relations
    join pg_attribute on attrelid = relations.oid
    join pg_type on pg_type.oid = atttypid
   where relkind in ('r', 'p') and attnum > 0 and not attisdropped
     and (attoptions is not null or attcompression <> '' or attstorage <> typstorage
          or coalesce(attstattarget, -1) <> -1)
   union all
  select 'pg_class'::regclass, relations.oid, 'what is inherited otherwise: ', own.attnum
    from relations
    join pg_attribute as own on own.attrelid = relations.oid
    join pg_inherits on inhrelid = relations.oid
    join pg_attribute as above on above.attrelid = inhparent and above.attname = own.attname
    left join pg_attrdef as own_preset
      on own_preset.adrelid = own.attrelid and own_preset.adnum = own.attnum
    left join pg_attrdef as preset on preset.adrelid = above.attrelid and preset.adnum = above.attnum
   where own.attnum > 0 and not own.attisdropped and (not own.attislocal or relispartition)
     and (own.attnotnull <> above.attnotnull
          or pg_get_expr(own_preset.adbin, own_preset.adrelid)
             is distinct from pg_get_expr(preset.adbin, preset.adrelid))
   union all
  select 'pg_trigger'::regclass, own.oid, 'whether it is on: ', 0
    from relations
    join pg_trigger as own on own.tgrelid = relations.oid
    join pg_trigger as above on above.oid = own.tgparentid
   where not own.tgisinternal and own.tgenabled <> above.tgenabled
)
select about || thing.type || ' ' || thing.identity
  from things
 cross join lateral pg_identify_object(classid, objid, column_number) as thing
 where not exists (select from pg_depend
                    where pg_depend.classid = things.classid::oid and pg_depend.objid = things.objid
                      and deptype in ('e', 'i'))
 order by 1",
);
