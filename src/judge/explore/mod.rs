//! Explicit-state model checker: visits every state that a small cluster can reach within given bounds, and finds the shortest run that violates a
//! property.
//!
//! A state is a row of numbers: one for each node's local state (its host and the messages in flight to it: [`local_states`]), one for the history
//! variable ([`history`]), and one for what was spent of the [`Bounds`]. What a number stands for is kept once ([`intern`]), and what an event
//! does to a host or to a history is computed once, however many states it is part of ([`outcomes`]). So most of the work is to tell whether a row
//! is known already ([`states`]).
//!
//! The search is breadth first ([`explorer`]), so the first violation found is one with the fewest events; it can go by way of goals, in stages
//! ([`query`]). Events are deliveries, timers, requests, orders, losses, crashes and restarts; what a node sends while it handles one belongs to that
//! event. Coins that a node draws branch: every way they can fall is looked at. So do crashes in the middle of sending, where the bounds allow
//! for them. States are fewer by symmetry reduction ([`symmetry`]), transitions by sleep sets.
//!
//! Two things are left out because they add nothing. An event that changes no node and sends nothing new is not taken: without it
//! the same message, timer or request is still there, and everything that could happen after it can happen anyway. A message need
//! not get lost: it can stay in flight for ever. Nodes' clocks show 0: there is no time.
//!
//! Nothing of this knows a protocol but through the object-safe trait [`model::Model`], whose one implementation is generic ([`protocol_model`]). So
//! the machine code of the search exists once, whatever the number of protocols.

mod bounds;
mod checkpoint;
mod client_history;
mod explorer;
mod history;
mod intern;
mod local_states;
mod lock_step;
mod memory;
mod model;
mod outcomes;
mod protocol_model;
mod query;
mod states;
mod symmetry;
mod trace;

pub use bounds::{Bounds, Cut, Cuts, Request, Times};
pub use checkpoint::{Checkpoint, Unfit};
pub use explorer::Explorer;
pub use history::{EventFacts, HistoryVariable, Observation, SafetyHistory, Violation};
pub use model::{Exercised, MessageText, TextEffect, TimerText};
pub use query::{Goal, Query, Verdict};
pub use trace::{TraceEvent, TraceStep};
