//! Parts and dependencies of objects.

/// The entry that another one is part of: a default of its column, a rule of its view, a row type of
/// its table, an array of its elements, an index of its constraint, what PostgreSQL makes with it, a
/// table of its publication, an object of its extension, an inherited column of the column above it. An
/// entry is a catalog, an oid and the number of a column.
pub(in crate::schema::catalog) const PARTS: &str = "\
select classid, objid, objsubid, refclassid, refobjid, refobjsubid
  from pg_depend where deptype = 'i'
union all
select 'pg_publication_rel'::regclass::oid, oid, 0, 'pg_publication'::regclass::oid, prpubid, 0
  from pg_publication_rel
union all
select 'pg_attrdef'::regclass::oid, oid, 0, 'pg_class'::regclass::oid, adrelid, adnum::int4
  from pg_attrdef
union all
select 'pg_rewrite'::regclass::oid, oid, 0, 'pg_class'::regclass::oid, ev_class, 0 from pg_rewrite
union all
select 'pg_type'::regclass::oid, oid, 0, 'pg_class'::regclass::oid, typrelid, 0
  from pg_type where typrelid <> 0 and exists (
         select from pg_class where pg_class.oid = typrelid and relkind <> 'c')
union all
select 'pg_class'::regclass::oid, typrelid, 0, 'pg_type'::regclass::oid, oid, 0
  from pg_type where typrelid <> 0 and exists (
         select from pg_class where pg_class.oid = typrelid and relkind = 'c')
union all
select 'pg_type'::regclass::oid, typarray, 0, 'pg_type'::regclass::oid, oid, 0
  from pg_type where typarray <> 0
union all
select 'pg_constraint'::regclass::oid, oid, 0, 'pg_type'::regclass::oid, contypid, 0
  from pg_constraint where contypid <> 0
union all
select 'pg_class'::regclass::oid, conindid, 0, 'pg_constraint'::regclass::oid, oid, 0
  from pg_constraint where contype in ('p', 'u', 'x')
union all
select 'pg_class'::regclass::oid, inhrelid, own.attnum::int4,
       'pg_class'::regclass::oid, inhparent, above.attnum::int4
  from pg_inherits
  join pg_attribute as own on own.attrelid = inhrelid
  join pg_attribute as above on above.attrelid = inhparent and above.attname = own.attname
 where own.attnum > 0 and not own.attisdropped
union all
select classid, objid, objsubid, refclassid, refobjid, refobjsubid
  from pg_depend where deptype = 'e'";

/// Dependencies between entries. Objects below 16384 are PostgreSQL's own.
pub(in crate::schema::catalog) const DEPENDENCIES: &str = "\
select classid, objid, objsubid, refclassid, refobjid, refobjsubid
  from pg_depend
 where deptype in ('n', 'a', 'i') and objid >= 16384 and refobjid >= 16384
   and (classid, objid, objsubid) <> (refclassid, refobjid, refobjsubid)";
