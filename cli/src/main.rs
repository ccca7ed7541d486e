//! `chancery`: the one command. It signs offline, starts the node, and is the only room that reads
//! configuration, the environment and the clock.

mod output;

fn main() {}
