//! Discrete-event simulator: virtual time, network, disks, clocks, processors, clients, fault injection, and a trace of all events.
//!
//! A run is determined by its blueprint (seed included) and the actions applied to it: the same blueprint and actions give the same
//! events, bit for bit, on every machine.

pub mod action;
mod action_text;
pub mod clients;
mod hosts;
pub mod in_flight;
pub mod measure;
pub mod network;
pub mod queue;
pub mod recording;
pub mod replicas;
pub mod rng;
pub mod roles;
pub mod trace;
pub mod world;

pub use action::{Action, Refusal, Refused};
pub use clients::{ClientGroup, Holding, Pace, Service, Skew};
pub use domains::{DomainId, Domains};
pub use in_flight::InFlight;
pub use measure::{Counts, Sample};
pub use network::{Cost, Topology};
pub use network::{domains, jitter, sizes, timing};
pub use sizes::Sizes;
pub use timing::Timing;
pub use trace::{Record, Trace, What};
pub use world::{Blueprint, StepOutcome, World};
