//! Objects of a database that are in no schema: event triggers and publications. The definition of
//! each is the whole statement that creates it.

pub(super) const EVENT_TRIGGERS: &str = "\
select 'event_trigger', null, null, evtname::text, 0, 'pg_event_trigger'::regclass::oid, own.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', format('create event trigger %I on %s%s execute function %s()', evtname, evtevent,
           (select ' when tag in (' || string_agg(quote_literal(tag), ', ' order by place) || ')'
              from unnest(evttags) with ordinality as tags (tag, place)), evtfoid::regproc),
         'disabled', case evtenabled when 'D' then 'yes' when 'R' then 'replica'
                                     when 'A' then 'always' end,
         'comment', obj_description(own.oid, 'pg_event_trigger')))::text
  from pg_event_trigger as own
 where not exists (select from pg_depend
                    where classid = 'pg_event_trigger'::regclass and objid = own.oid
                      and deptype = 'e')";

/// As JSON, the row has the columns that some versions lack: `pubgencols` is there from 18.
macro_rules! publications {
    ($members:literal) => {
        concat!(
            "\
select 'publication', null, null, pubname::text, 0, 'pg_publication'::regclass::oid, publication.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', concat_ws(' ', 'create publication', quote_ident(pubname),
           'for ' || case when puballtables then 'all tables' else (",
            $members,
            ") end,
           'with (' || nullif(concat_ws(', ',
             case when not (pubinsert and pubupdate and pubdelete and pubtruncate)
                  then 'publish = ' || quote_literal(concat_ws(', ',
                         case when pubinsert then 'insert' end, case when pubupdate then 'update' end,
                         case when pubdelete then 'delete' end,
                         case when pubtruncate then 'truncate' end)) end,
             case when pubviaroot then 'publish_via_partition_root = true' end,
             case to_jsonb(publication) ->> 'pubgencols'
               when 's' then 'publish_generated_columns = stored' end), '') || ')'),
         'comment', obj_description(publication.oid, 'pg_publication')))::text
  from pg_publication as publication
 where not exists (select from pg_depend
                    where classid = 'pg_publication'::regclass and objid = publication.oid
                      and deptype = 'e')"
        )
    };
}

/// PostgreSQL 14 has no lists of columns, no conditions and no schemas.
pub(super) const PUBLICATIONS_OF_14: &str = publications!(
    "\
select string_agg('table ' || prrelid::regclass, ', ' order by prrelid::regclass::text)
  from pg_publication_rel where prpubid = publication.oid"
);

pub(super) const PUBLICATIONS: &str = publications!(
    "\
select string_agg(member, ', ' order by member)
  from (select 'table ' || prrelid::regclass || coalesce((
                 select ' (' || string_agg(quote_ident(attname), ', ' order by attname) || ')'
                   from pg_attribute where attrelid = prrelid and attnum = any(prattrs)), '')
               || coalesce(' where (' || pg_get_expr(prqual, prrelid) || ')', '')
          from pg_publication_rel where prpubid = publication.oid
         union all
        select 'tables in schema ' || quote_ident(nspname)
          from pg_publication_namespace join pg_namespace on pg_namespace.oid = pnnspid
         where pnpubid = publication.oid) as members (member)"
);
