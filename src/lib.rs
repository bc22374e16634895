//! Quorumscope: a laboratory for distributed consensus.
//!
//! A protocol is a pure function of events; a world feeds it events and owns everything else; judges watch;
//! the lab turns a scenario document into runs and numbers; the page and the command line are two windows on
//! the lab. `ARCHITECTURE.md` is the map.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod core;
pub mod judge;
pub mod lab;
pub mod protocols;
pub mod services;
pub mod sim;
pub mod universe;
