//! Behaviour that all commands share: help, completions, JSON output, the terminal, the environment.

mod completions;
mod environment;
mod help;
mod json;
mod terminal;
