//! Quorumscope: real consensus protocols in a deterministic simulator.
