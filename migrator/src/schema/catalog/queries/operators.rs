//! What extends PostgreSQL's types: range types, aggregates, operators, casts, transforms and access
//! methods. The definition of each is the whole statement that creates it.

/// The functions and the multirange type that PostgreSQL makes with a range type are part of it.
pub(super) const RANGE_TYPES: &str = query!(
    "\
select 'range_type', schema, null, typname::text, 0, 'pg_type'::regclass::oid, type.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create type ' || ",
    own_name!("typname"),
    " || ' as range (' || concat_ws(', ',
           'subtype = ' || format_type(rngsubtype, null),
           'subtype_opclass = ' || (
             select coalesce(quote_ident(nullif(nullif(nspname, 'pg_catalog'), current_schema())) || '.', '')
                    || quote_ident(opcname)
               from pg_opclass join pg_namespace on pg_namespace.oid = opcnamespace
              where pg_opclass.oid = rngsubopc and not opcdefault),
           'collation = ' || (
             select rngcollation::regcollation::text from pg_type as base
              where base.oid = rngsubtype and rngcollation <> base.typcollation),
           'canonical = ' || nullif(rngcanonical::oid, 0)::regproc,
           'subtype_diff = ' || nullif(rngsubdiff::oid, 0)::regproc,
           'multirange_type_name = ' || format_type(rngmultitypid, null)) || ')',
         'comment', obj_description(type.oid, 'pg_type'),
         ",
    grants!("T", "typacl", "typowner"),
    "))::text
  from pg_type as type
  join schemas on schemas.oid = typnamespace
  join pg_range on rngtypid = type.oid
 where not exists (select from pg_depend
                    where classid = 'pg_type'::regclass and objid = type.oid and deptype = 'e')",
);

pub(super) const AGGREGATES: &str = query!(
    "\
select 'aggregate', schema, null, proname || '(' || arguments || ')', 0, 'pg_proc'::regclass::oid,
       function.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create aggregate ' || ",
    own_name!("proname"),
    " || '(' || coalesce(nullif(pg_get_function_arguments(function.oid), ''), '*') || E') (\\n  '
           || concat_ws(E',\\n  ',
           'sfunc = ' || aggtransfn,
           'stype = ' || format_type(aggtranstype, null),
           'sspace = ' || nullif(aggtransspace, 0),
           'finalfunc = ' || nullif(aggfinalfn::oid, 0)::regproc,
           case when aggfinalextra then 'finalfunc_extra' end,
           'finalfunc_modify = ' || (modes ->> nullif(aggfinalmodify, usual_mode)::text),
           'combinefunc = ' || nullif(aggcombinefn::oid, 0)::regproc,
           'serialfunc = ' || nullif(aggserialfn::oid, 0)::regproc,
           'deserialfunc = ' || nullif(aggdeserialfn::oid, 0)::regproc,
           'initcond = ' || quote_literal(agginitval),
           'msfunc = ' || nullif(aggmtransfn::oid, 0)::regproc,
           'minvfunc = ' || nullif(aggminvtransfn::oid, 0)::regproc,
           'mstype = ' || format_type(nullif(aggmtranstype, 0), null),
           'msspace = ' || nullif(aggmtransspace, 0),
           'mfinalfunc = ' || nullif(aggmfinalfn::oid, 0)::regproc,
           case when aggmfinalextra then 'mfinalfunc_extra' end,
           'mfinalfunc_modify = ' || (modes ->> nullif(aggmfinalmodify, usual_mode)::text),
           'minitcond = ' || quote_literal(aggminitval),
           'sortop = operator(' || (
             select quote_ident(nspname) || '.' || oprname
               from pg_operator join pg_namespace on pg_namespace.oid = oprnamespace
              where pg_operator.oid = aggsortop) || ')',
           'parallel = ' || case proparallel when 's' then 'safe' when 'r' then 'restricted' end,
           case when aggkind = 'h' then 'hypothetical' end) || E'\\n)',
         'comment', obj_description(function.oid, 'pg_proc'),
         ",
    grants!("f", "proacl", "proowner"),
    "))::text
  from pg_proc as function
  join schemas on schemas.oid = pronamespace
  join pg_aggregate on aggfnoid = function.oid
 cross join lateral (
       select coalesce(nullif(pg_get_function_identity_arguments(function.oid), ''), '*'),
              case aggkind when 'n' then 'r' else 'w' end::\"char\",
              '{\"r\": \"read_only\", \"s\": \"shareable\", \"w\": \"read_write\"}'::jsonb)
       as words (arguments, usual_mode, modes)
 where not exists (select from pg_depend
                    where classid = 'pg_proc'::regclass and objid = function.oid and deptype = 'e')",
);

/// Not those of which only the name exists, because another operator refers to them.
pub(super) const OPERATORS: &str = query!(
    "\
select 'operator', schema, null,
       format('%s (%s, %s)', oprname, coalesce(format_type(nullif(oprleft, 0), null), 'none'),
              format_type(oprright, null)),
       0, 'pg_operator'::regclass::oid, operator.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create operator ' || coalesce(quote_ident(schema) || '.', '') || oprname || ' ('
           || concat_ws(', ',
           'function = ' || oprcode,
           'leftarg = ' || format_type(nullif(oprleft, 0), null),
           'rightarg = ' || format_type(oprright, null),
           'commutator = ' || (
             select format('operator(%I.%s)', nspname, other.oprname)
               from pg_operator as other join pg_namespace on pg_namespace.oid = other.oprnamespace
              where other.oid = operator.oprcom),
           'negator = ' || (
             select format('operator(%I.%s)', nspname, other.oprname)
               from pg_operator as other join pg_namespace on pg_namespace.oid = other.oprnamespace
              where other.oid = operator.oprnegate),
           'restrict = ' || nullif(oprrest::oid, 0)::regproc,
           'join = ' || nullif(oprjoin::oid, 0)::regproc,
           case when oprcanhash then 'hashes' end,
           case when oprcanmerge then 'merges' end) || ')',
         'comment', obj_description(operator.oid, 'pg_operator')))::text
  from pg_operator as operator
  join schemas on schemas.oid = oprnamespace
 where oprcode::oid <> 0
   and not exists (select from pg_depend
                    where classid = 'pg_operator'::regclass and objid = operator.oid and deptype = 'e')",
);

pub(super) const CASTS: &str = "\
select 'cast', null, null, types, 0, 'pg_cast'::regclass::oid, pg_cast.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create cast ' || types
           || case castmethod when 'f' then ' with function ' || castfunc::regprocedure
                              when 'i' then ' with inout' else ' without function' end
           || case castcontext when 'a' then ' as assignment' when 'i' then ' as implicit' else '' end,
         'comment', obj_description(pg_cast.oid, 'pg_cast')))::text
  from pg_cast
 cross join lateral (
       select format('(%s as %s)', format_type(castsource, null), format_type(casttarget, null)))
       as words (types)
 where oid >= 16384
   and not exists (select from pg_depend
                    where classid = 'pg_cast'::regclass and objid = pg_cast.oid
                      and deptype in ('e', 'i'))";

pub(super) const TRANSFORMS: &str = "\
select 'transform', null, null, clause, 0, 'pg_transform'::regclass::oid, pg_transform.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', 'create transform ' || clause || ' (' || concat_ws(', ',
           'from sql with function ' || nullif(trffromsql::oid, 0)::regprocedure,
           'to sql with function ' || nullif(trftosql::oid, 0)::regprocedure) || ')',
         'comment', obj_description(pg_transform.oid, 'pg_transform')))::text
  from pg_transform
  join pg_language on pg_language.oid = trflang
 cross join lateral (
       select format('for %s language %I', format_type(trftype, null), lanname)) as words (clause)
 where not exists (select from pg_depend
                    where classid = 'pg_transform'::regclass and objid = pg_transform.oid
                      and deptype = 'e')";

pub(super) const ACCESS_METHODS: &str = "\
select 'access_method', null, null, amname::text, 0, 'pg_am'::regclass::oid, pg_am.oid,
       jsonb_strip_nulls(jsonb_build_object(
         'definition', format('create access method %I type %s handler %s', amname,
                              case amtype when 't' then 'table' else 'index' end, amhandler),
         'comment', obj_description(pg_am.oid, 'pg_am')))::text
  from pg_am
 where oid >= 16384
   and not exists (select from pg_depend
                    where classid = 'pg_am'::regclass and objid = pg_am.oid and deptype = 'e')";
