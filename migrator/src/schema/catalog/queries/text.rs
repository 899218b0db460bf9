//! Collations, conversions and text search. The definition of each is what creates it.

/// As JSON, the row has the columns that some versions lack: `colliculocale` is there from 15 to 16,
/// `colllocale` from 17, `collicurules` from 16. Without the version of the library.
pub(super) const COLLATIONS: &str = query!(
    "\
select 'collation', schema, null, collname::text, 0, 'pg_collation'::regclass::oid, pg_collation.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create collation ' || ",
    own_name!("collname"),
    " || ' (' || concat_ws(', ',
           'provider = ' || case collprovider when 'i' then 'icu' when 'b' then 'builtin'
                                              else 'libc' end,
           case when collprovider = 'c' then 'lc_collate = ' || quote_literal(collcollate) end,
           case when collprovider = 'c' then 'lc_ctype = ' || quote_literal(collctype) end,
           case when collprovider <> 'c'
                then 'locale = ' || quote_literal(coalesce(content ->> 'colllocale',
                                                           content ->> 'colliculocale',
                                                           content ->> 'collcollate')) end,
           'rules = ' || quote_literal(content ->> 'collicurules'),
           case when not collisdeterministic then 'deterministic = false' end) || ')',
         'comment', obj_description(pg_collation.oid, 'pg_collation')))::text
  from pg_collation
  join schemas on schemas.oid = collnamespace
 cross join lateral to_jsonb(pg_collation) as content
 where not exists (select from pg_depend
                    where classid = 'pg_collation'::regclass and objid = pg_collation.oid
                      and deptype = 'e')",
);

pub(super) const CONVERSIONS: &str = query!(
    "\
select 'conversion', schema, null, conname::text, 0, 'pg_conversion'::regclass::oid, pg_conversion.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', format('create %sconversion %s for %L to %L from %s',
                              case when condefault then 'default ' end, ",
    own_name!("conname"),
    ", pg_encoding_to_char(conforencoding), pg_encoding_to_char(contoencoding), conproc),
         'comment', obj_description(pg_conversion.oid, 'pg_conversion')))::text
  from pg_conversion
  join schemas on schemas.oid = connamespace
 where not exists (select from pg_depend
                    where classid = 'pg_conversion'::regclass and objid = pg_conversion.oid
                      and deptype = 'e')",
);

pub(super) const DICTIONARIES: &str = query!(
    "\
select 'text_search_dictionary', schema, null, dictname::text, 0, 'pg_ts_dict'::regclass::oid,
       pg_ts_dict.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create text search dictionary ' || ",
    own_name!("dictname"),
    " || ' (' || concat_ws(', ', 'template = ' || ",
    found_name!("pg_ts_template", "tmpl", "dicttemplate"),
    ", dictinitoption) || ')',
         'comment', obj_description(pg_ts_dict.oid, 'pg_ts_dict')))::text
  from pg_ts_dict
  join schemas on schemas.oid = dictnamespace
 where not exists (select from pg_depend
                    where classid = 'pg_ts_dict'::regclass and objid = pg_ts_dict.oid
                      and deptype = 'e')",
);

/// With its mappings, which are statements of their own.
pub(super) const CONFIGURATIONS: &str = query!(
    "\
select 'text_search_configuration', schema, null, cfgname::text, 0, 'pg_ts_config'::regclass::oid,
       pg_ts_config.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', concat_ws(E';\\n', 'create text search configuration ' || own
           || ' (parser = ' || ",
    found_name!("pg_ts_parser", "prs", "cfgparser"),
    " || ')', (
           select string_agg(format('alter text search configuration %s add mapping for %I with %s',
                                    own, alias, dictionaries), E';\\n' order by alias)
             from (select alias, string_agg(mapdict::regdictionary::text, ', ' order by mapseqno)
                     from pg_ts_config_map
                     join ts_token_type(cfgparser) on tokid = maptokentype
                    where mapcfg = pg_ts_config.oid
                    group by alias) as mappings (alias, dictionaries))),
         'comment', obj_description(pg_ts_config.oid, 'pg_ts_config')))::text
  from pg_ts_config
  join schemas on schemas.oid = cfgnamespace
 cross join lateral (select ",
    own_name!("cfgname"),
    ") as named (own)
 where not exists (select from pg_depend
                    where classid = 'pg_ts_config'::regclass and objid = pg_ts_config.oid
                      and deptype = 'e')",
);
