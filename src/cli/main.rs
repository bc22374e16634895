//! The `quorumscope` command.

fn main() {}
