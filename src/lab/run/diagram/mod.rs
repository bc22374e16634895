//! The space-time diagram of a run: who sent what to whom, when it arrived or got lost, what was decided, who was down; and what of it can have
//! caused what.
//!
//! * [`Recorder`] follows a session's branch in a copy of the simulation, a slice at a time, and writes down what it sees;
//! * [`History`] is what it wrote: bounded, and asked by windows of time;
//! * [`Cone`] is the past and the future of a message or a moment of a node, by Lamport's happens-before;
//! * [`Totals`] counts a span of time.

mod cone;
mod history;
mod recorder;
mod totals;

pub use cone::{Cone, Subject};
pub use history::{Answer, Fate, History, Lane, Mark, Message, MessageKind, Span, State};
pub use recorder::Recorder;
pub use totals::{OfKind, Totals};
