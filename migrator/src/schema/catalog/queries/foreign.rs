//! Foreign-data wrappers, servers and tables. The definition of each is the whole statement that
//! creates it.

pub(super) const FOREIGN_DATA_WRAPPERS: &str = concat!(
    "\
select 'foreign_data_wrapper', null, null, fdwname::text, 0, 'pg_foreign_data_wrapper'::regclass::oid,
       wrapper.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create foreign data wrapper ' || quote_ident(fdwname)
           || coalesce(' handler ' || nullif(fdwhandler, 0)::regproc, '')
           || coalesce(' validator ' || nullif(fdwvalidator, 0)::regproc, '')
           || coalesce(",
    foreign_options!("fdwoptions"),
    ", ''),
         'comment', obj_description(wrapper.oid, 'pg_foreign_data_wrapper'),
         ",
    grants!("F", "fdwacl", "fdwowner"),
    "))::text
  from pg_foreign_data_wrapper as wrapper
 where not exists (select from pg_depend
                    where classid = 'pg_foreign_data_wrapper'::regclass and objid = wrapper.oid
                      and deptype = 'e')",
);

pub(super) const SERVERS: &str = concat!(
    "\
select 'server', null, null, srvname::text, 0, 'pg_foreign_server'::regclass::oid, server.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create server ' || quote_ident(srvname)
           || coalesce(' type ' || quote_literal(srvtype), '')
           || coalesce(' version ' || quote_literal(srvversion), '')
           || ' foreign data wrapper ' || quote_ident(fdwname)
           || coalesce(",
    foreign_options!("srvoptions"),
    ", ''),
         'comment', obj_description(server.oid, 'pg_foreign_server'),
         ",
    grants!("S", "srvacl", "srvowner"),
    "))::text
  from pg_foreign_server as server
  join pg_foreign_data_wrapper as wrapper on wrapper.oid = srvfdw
 where not exists (select from pg_depend
                    where classid = 'pg_foreign_server'::regclass and objid = server.oid
                      and deptype = 'e')",
);

/// Its checks and triggers are objects of their own.
pub(super) const FOREIGN_TABLES: &str = query!(
    "\
select 'foreign_table', schema, null, relname::text, 0, 'pg_class'::regclass::oid, relations.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create foreign table ' || ",
    own_name!("relname"),
    " || case
           when relispartition then (
             select ' partition of ' || inhparent::regclass || ' '
                    || pg_get_expr(relpartbound, relations.oid)
               from pg_inherits where inhrelid = relations.oid)
           else E' (\\n  ' || coalesce((
             select string_agg(
                      quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)
                      || coalesce(",
    foreign_options!("attfdwoptions"),
    ", '')
                      || case when attcollation <> typcollation
                              then ' collate ' || attcollation::regcollation else '' end
                      || case when attnotnull then ' not null' else '' end
                      || coalesce(case attgenerated
                           when '' then ' default ' || pg_get_expr(adbin, adrelid)
                           else format(' generated always as (%s) stored',
                                       pg_get_expr(adbin, adrelid)) end, ''),
                      E',\\n  ' order by attnum)
               from pg_attribute
               join pg_type on pg_type.oid = atttypid
               left join pg_attrdef on adrelid = attrelid and adnum = attnum
              where attrelid = relations.oid and attnum > 0 and not attisdropped and attislocal), '')
             || E'\\n)' || coalesce((
             select ' inherits (' || string_agg(inhparent::regclass::text, ', ' order by inhseqno) || ')'
               from pg_inherits where inhrelid = relations.oid), '') end
           || ' server ' || quote_ident(srvname)
           || coalesce(",
    foreign_options!("ftoptions"),
    ", ''),
         'comment', obj_description(relations.oid, 'pg_class'),
         ",
    grants!("r", "relacl", "relowner"),
    "))::text
  from relations
  join pg_foreign_table on ftrelid = relations.oid
  join pg_foreign_server as server on server.oid = ftserver",
);
