//! Parts and dependencies of objects.

/// The entry that another one is part of: a default of its table, a rule of its view, a row type of
/// its table, an array of its elements, an index of its constraint, an object of its extension.
pub(in crate::schema::catalog) const PARTS: &str = "\
select 'pg_attrdef'::regclass::oid, oid, 'pg_class'::regclass::oid, adrelid from pg_attrdef
union all
select 'pg_rewrite'::regclass::oid, oid, 'pg_class'::regclass::oid, ev_class from pg_rewrite
union all
select 'pg_type'::regclass::oid, oid, 'pg_class'::regclass::oid, typrelid
  from pg_type where typrelid <> 0 and exists (
         select from pg_class where pg_class.oid = typrelid and relkind <> 'c')
union all
select 'pg_class'::regclass::oid, typrelid, 'pg_type'::regclass::oid, oid
  from pg_type where typrelid <> 0 and exists (
         select from pg_class where pg_class.oid = typrelid and relkind = 'c')
union all
select 'pg_type'::regclass::oid, typarray, 'pg_type'::regclass::oid, oid
  from pg_type where typarray <> 0
union all
select 'pg_constraint'::regclass::oid, oid, 'pg_type'::regclass::oid, contypid
  from pg_constraint where contypid <> 0
union all
select 'pg_class'::regclass::oid, conindid, 'pg_constraint'::regclass::oid, oid
  from pg_constraint where contype in ('p', 'u', 'x')
union all
select classid, objid, refclassid, refobjid from pg_depend where deptype = 'e'";

/// Dependencies between entries. Objects below 16384 are PostgreSQL's own.
pub(in crate::schema::catalog) const DEPENDENCIES: &str = "\
select classid, objid, refclassid, refobjid
  from pg_depend
 where deptype in ('n', 'a', 'i') and objid >= 16384 and refobjid >= 16384
   and (classid, objid) <> (refclassid, refobjid)";
