//! `migrator drift`: what is in the database and not in the migrations, and the other way round.

mod run;
pub(crate) mod text;

pub(crate) use run::run;
