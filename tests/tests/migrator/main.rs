//! The program `migrator`, checked from outside: as a process, on real databases. One module or folder
//! for each command or theme.

mod baseline;
mod check;
mod cli;
mod connection;
mod diverged_history;
mod down;
mod drift;
mod dump;
mod grant;
mod health;
mod lint;
mod live_server;
mod locking;
mod main_schema;
mod migrations;
mod new;
mod random_kills;
mod repair;
mod required_columns;
mod sql;
mod status;
mod support;
mod timestamps;
mod up;
