//! Whole federations: real nodes and a real command, tested as their users use them.

pub mod checks;
pub mod command;
pub mod database;
pub mod faketime;
pub mod federation;
pub mod history;
pub mod nation;
pub mod node;
pub mod publisher;
pub mod row;
pub mod samples;
