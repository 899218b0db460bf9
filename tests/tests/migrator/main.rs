//! The program `migrator`, checked from outside: as a process, on real databases. One module for
//! each command or theme.

mod baseline;
mod catalog;
mod completions;
mod connecting;
mod differences;
mod divergence;
mod down;
mod drift;
mod dry_run;
mod dump;
mod environment;
mod failures;
mod folder;
mod grant;
mod health;
mod help;
mod json;
mod limits;
mod locking;
mod new;
mod program;
mod repair;
mod schema;
mod shadow;
mod sql;
mod statements;
mod status;
mod terminal;
mod timestamps;
mod tls;
mod up;
mod users;
