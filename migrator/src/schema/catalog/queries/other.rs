//! Everything that no other query reads. It is compared by a description, so that nothing is missed
//! in silence, but not written into scripts.

/// The rows of PostgreSQL's catalogs that belong to the schemas which are read or to no schema, with a
/// description, the catalog and the oid. Those without a description are read by other queries, unless
/// these leave them out. `$1` and `$2` as everywhere.
pub(in crate::schema::catalog) const OTHER: &str = query!(
    "\
, things (classid, objid, about, column_number, description) as (
  select 'pg_class'::regclass, oid, '', 0, null
    from relations where relkind not in ('i', 'I') and not relispartition
   union all
  select 'pg_class'::regclass, class.oid, '', 0, null
    from relations join pg_index on indrelid = relations.oid
    join pg_class as class on class.oid = indexrelid
   where not class.relispartition
   union all
  select 'pg_type'::regclass, pg_type.oid, '', 0,
         case when typtype in ('b', 'p') and typelem = 0 or not typisdefined
              then concat_ws(' ', typlen, typbyval, typcategory, typdelim, typinput, typoutput, typreceive,
                             typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typdefault)
              end
    from pg_type join schemas on schemas.oid = typnamespace
   union all
  select 'pg_proc'::regclass, pg_proc.oid, '', 0, null
    from pg_proc join schemas on schemas.oid = pronamespace
   union all
  select 'pg_operator'::regclass, pg_operator.oid, '', 0, null
    from pg_operator join schemas on schemas.oid = oprnamespace
   union all
  select 'pg_opclass'::regclass, own.oid, '', 0,
         concat_ws(' ', case when opcdefault then 'default' end, 'for', format_type(opcintype, null),
                   'storage ' || format_type(nullif(opckeytype, 0), null), 'family', opfname,
                   obj_description(own.oid, 'pg_opclass'))
    from pg_opclass as own join schemas on schemas.oid = opcnamespace
    join pg_opfamily on pg_opfamily.oid = opcfamily
   union all
  select 'pg_opfamily'::regclass, own.oid, '', 0, concat_ws(', ', (
           select string_agg(concat_ws(' ', 'operator', amopstrategy, amopopr::regoperator,
                                       'for order by ' || nullif(amopsortfamily, 0)), ', '
                             order by amopstrategy, amopopr::regoperator::text)
             from pg_amop where amopfamily = own.oid), (
           select string_agg(concat_ws(' ', 'function', amprocnum, format_type(amproclefttype, null),
                                       format_type(amprocrighttype, null), amproc::regprocedure), ', '
                             order by amprocnum, amproc::regprocedure::text)
             from pg_amproc where amprocfamily = own.oid), obj_description(own.oid, 'pg_opfamily'))
    from pg_opfamily as own join schemas on schemas.oid = opfnamespace
   union all
  select 'pg_collation'::regclass, pg_collation.oid, '', 0, null
    from pg_collation join schemas on schemas.oid = collnamespace
   union all
  select 'pg_conversion'::regclass, pg_conversion.oid, '', 0, null
    from pg_conversion join schemas on schemas.oid = connamespace
   union all
  select 'pg_ts_config'::regclass, pg_ts_config.oid, '', 0, null
    from pg_ts_config join schemas on schemas.oid = cfgnamespace
   union all
  select 'pg_ts_dict'::regclass, pg_ts_dict.oid, '', 0, null
    from pg_ts_dict join schemas on schemas.oid = dictnamespace
   union all
  select 'pg_ts_parser'::regclass, own.oid, '', 0,
         concat_ws(' ', prsstart, prstoken, prsend, prsheadline, prslextype,
                   obj_description(own.oid, 'pg_ts_parser'))
    from pg_ts_parser as own join schemas on schemas.oid = prsnamespace
   union all
  select 'pg_ts_template'::regclass, own.oid, '', 0,
         concat_ws(' ', tmplinit, tmpllexize, obj_description(own.oid, 'pg_ts_template'))
    from pg_ts_template as own join schemas on schemas.oid = tmplnamespace
   union all
  select 'pg_statistic_ext'::regclass, own.oid, '', 0,
         case when stxrelid not in (select oid from relations where relnamespace = stxnamespace)
              then pg_get_statisticsobjdef(own.oid) end
    from pg_statistic_ext as own
   where stxnamespace in (select oid from schemas) or stxrelid in (select oid from relations)
   union all
  select 'pg_rewrite'::regclass, pg_rewrite.oid, '', 0, null
    from pg_rewrite join relations on relations.oid = ev_class where rulename <> '_RETURN'
   union all
  select 'pg_trigger'::regclass, pg_trigger.oid, '', 0, null
    from pg_trigger join relations on relations.oid = tgrelid
   where not tgisinternal and tgparentid = 0
   union all
  select 'pg_policy'::regclass, pg_policy.oid, '', 0, null
    from pg_policy join relations on relations.oid = polrelid
   union all
  select 'pg_constraint'::regclass, pg_constraint.oid, '', 0, null
    from pg_constraint join relations on relations.oid = conrelid
   where contype not in ('n', 't') and conparentid = 0 and (conislocal or coninhcount = 0)
   union all
  select 'pg_cast'::regclass, oid, '', 0, null from pg_cast where oid >= 16384
   union all
  select 'pg_transform'::regclass, oid, '', 0, null from pg_transform
   union all
  select 'pg_am'::regclass, oid, '', 0, null from pg_am where oid >= 16384
   union all
  select 'pg_event_trigger'::regclass, oid, '', 0, null from pg_event_trigger
   union all
  select 'pg_foreign_data_wrapper'::regclass, oid, '', 0, null from pg_foreign_data_wrapper
   union all
  select 'pg_foreign_server'::regclass, oid, '', 0, null from pg_foreign_server
   union all
  select 'pg_publication'::regclass, oid, '', 0, null from pg_publication
   union all
  select 'pg_user_mapping'::regclass, umid, '', 0, concat('options ', (
           select string_agg(split_part(option, '=', 1), ', ' order by option)
             from unnest(umoptions) as option))
    from pg_user_mappings
   union all
  select 'pg_subscription'::regclass, own.oid, '', 0,
         concat_ws(' ', case when subenabled then 'enabled' else 'disabled' end, 'slot', subslotname,
                   'publications', array_to_string(subpublications, ', '))
    from pg_subscription as own
    join pg_database on pg_database.oid = subdbid and datname = current_database()
   union all
  select 'pg_language'::regclass, own.oid, '', 0,
         concat_ws(' ', case when lanpltrusted then 'trusted' end, lanplcallfoid::regproc,
                   laninline::regproc, lanvalidator::regproc, obj_description(own.oid, 'pg_language'))
    from pg_language as own where oid >= 16384
   union all
  select 'pg_default_acl'::regclass, oid, '', 0, array_to_string(defaclacl, ', ')
    from pg_default_acl
   where $2 and (defaclnamespace = 0 or defaclnamespace in (select oid from schemas))
   union all
  select 'pg_class'::regclass, relations.oid, 'what is inherited otherwise: ', own.attnum, otherwise
    from relations
    join pg_attribute as own on own.attrelid = relations.oid
    join pg_type on pg_type.oid = own.atttypid
    join pg_inherits on inhrelid = relations.oid
    join pg_attribute as above on above.attrelid = inhparent and above.attname = own.attname
    left join pg_attrdef as own_preset
      on own_preset.adrelid = own.attrelid and own_preset.adnum = own.attnum
    left join pg_attrdef as preset on preset.adrelid = above.attrelid and preset.adnum = above.attnum
   cross join lateral (
         select pg_get_expr(own_preset.adbin, own_preset.adrelid),
                pg_get_expr(preset.adbin, preset.adrelid)) as defaults (own_default, default_above)
   cross join lateral (
         select nullif(concat_ws(', ',
                  case when own.attnotnull and not above.attnotnull then 'not null'
                       when above.attnotnull and not own.attnotnull then 'null' end,
                  case when own_default is distinct from default_above
                       then 'default ' || coalesce(own_default, 'null') end,
                  case when own.attstorage <> typstorage then 'storage ' || own.attstorage::text end,
                  case when own.attcompression <> '' then 'compression ' || own.attcompression::text end,
                  'statistics ' || nullif(coalesce(own.attstattarget, -1), -1),
                  array_to_string(own.attoptions, ', ')), '')) as otherwise (otherwise)
   where own.attnum > 0 and not own.attisdropped and (not own.attislocal or relispartition)
     and otherwise is not null
   union all
  select 'pg_class'::regclass, own.oid, 'what is inherited otherwise: ', 0, otherwise
    from relations
    join pg_index on indrelid = relations.oid
    join pg_class as own on own.oid = indexrelid
    join pg_inherits on inhrelid = own.oid
    join pg_class as above on above.oid = inhparent
    left join pg_constraint on conindid = own.oid and contype in ('p', 'u', 'x')
   cross join lateral (
         select concat_ws('_', relations.relname,
                  case when contype is distinct from 'p' then (
                    select string_agg(attname, '_' order by attnum)
                      from pg_attribute where attrelid = own.oid) end,
                  case contype when 'p' then 'pkey' when 'u' then 'key' when 'x' then 'excl'
                               else 'idx' end)) as usual (name)
   cross join lateral (
         select nullif(concat_ws(', ',
                  case when length(name) < 64 and rtrim(own.relname, '0123456789') <> rtrim(name, '0123456789')
                       then 'its name' end,
                  case when own.reloptions is distinct from above.reloptions
                       then 'with (' || array_to_string(own.reloptions, ', ') || ')' end,
                  'tablespace ' || (select spcname from pg_tablespace
                                     where pg_tablespace.oid = own.reltablespace
                                       and own.reltablespace <> above.reltablespace)), ''))
                as otherwise (otherwise)
   where otherwise is not null
   union all
  select 'pg_trigger'::regclass, own.oid, 'whether it is on: ', 0,
         case own.tgenabled when 'O' then 'on' when 'D' then 'off' when 'R' then 'replica'
                            else 'always' end
    from relations
    join pg_trigger as own on own.tgrelid = relations.oid
    join pg_trigger as above on above.oid = own.tgparentid
   where not own.tgisinternal and own.tgenabled <> above.tgenabled
   union all
  select classoid::regclass, objoid, 'comment on ', 0, description
    from pg_description
   where objsubid = 0
     and case classoid
           when 'pg_class'::regclass then objoid in (
             select oid from relations where relkind not in ('i', 'I')
              union all
             select indexrelid from pg_index join relations on relations.oid = indrelid)
           when 'pg_constraint'::regclass then objoid in (
             select pg_constraint.oid from pg_constraint join schemas on schemas.oid = connamespace)
           when 'pg_trigger'::regclass then objoid in (
             select pg_trigger.oid from pg_trigger join relations on relations.oid = tgrelid)
         end
   union all
  select 'pg_class'::regclass, relations.oid, 'comment on ', attnum, description
    from relations
    join pg_attribute on attrelid = relations.oid
    join pg_description on classoid = 'pg_class'::regclass and objoid = attrelid and objsubid = attnum
   where not attislocal or relispartition
   union all
  select classoid::regclass, objoid, 'security label of ', objsubid, provider || ': ' || label
    from pg_seclabel
   cross join lateral pg_identify_object(classoid, objoid, objsubid) as thing
   where thing.schema is null or thing.schema in (select nspname from schemas)
)
select about || thing.type || ' ' || thing.identity, description, about = 'comment on ' and
       column_number = 0, classid::oid, objid
  from things
 cross join lateral pg_identify_object(classid, objid, column_number) as thing
 where not exists (select from pg_depend
                    where pg_depend.classid = things.classid::oid and pg_depend.objid = things.objid
                      and (deptype = 'e' or deptype = 'i' and about = ''))
   and thing.identity is not null",
);

/// Large objects, which are data as rows are, but in no table.
pub(in crate::schema::catalog) const LARGE_OBJECTS: &str = "\
select count(*)::text || ' large objects' from pg_largeobject_metadata having count(*) > 0";
