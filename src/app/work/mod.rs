//! Long work that needs nothing of the page: it is done in a worker, a thread of its own that runs the same program and can be ended at any
//! time; where the browser lets none be started (a sandboxed frame without an origin), in slices in the page.
//!
//! * [`job`]: what can be asked, what is told, and how it is done. It comes in a chunk of its own, which the worker loads first.
//! * [`under_way`]: the page's side: starts a job, ends it, passes on what is told.
//!
//! What is asked and told goes as JSON, because a worker shares no memory with the page. To add a kind of work: an arm of [`job::Job`] that
//! says all there is to know, an arm of [`job::News`] for a result, and a [`job::Work`] that [`job::begin`] makes of it.

pub mod job;
mod measure;
pub mod under_way;

pub use measure::{Counts, Measurement};
