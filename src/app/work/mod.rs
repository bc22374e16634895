//! Long work that needs nothing of the page ([jobs](quorumscope::lab::job)): it is done in a worker, a thread of its own that can be ended at any time.
//!
//! * [`job`]: what the page's own program does, in a worker that runs it as well; where the browser lets none be started (a sandboxed frame
//!   without an origin), in slices in the page. It comes in a chunk of its own, which the worker loads first.
//! * [`under_way`]: the page's side: starts a job, ends it, passes on what is told.
//!
//! Searching is done by a program of its own (`src/search/`), in a worker only.

pub mod export;
pub mod job;
pub mod under_way;
