//! The tables of the ground state as `SeaORM` knows them. `chancery-migrations` says what each column
//! means.

pub mod blob;
pub mod body;
pub mod checkpoint;
pub mod contradiction;
pub mod cosignature;
pub mod entry;
pub mod erased;
pub mod introduction;
pub mod lease;
pub mod log;
pub mod missing;
pub mod submission;
pub mod tile;
