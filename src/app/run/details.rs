//! What the first picture does without of a run: its last event, its branches and its script, in words. As functions, because they come
//! in the chunk for actions.

use super::last_event::{self, LastEvent};
use super::view_model::{self, BranchView};
use quorumscope::lab::Session;

/// The functions.
#[derive(Clone, Copy, Debug)]
pub struct Details {
    /// See [`last_event::last`].
    pub last_event: fn(&Session) -> Option<LastEvent>,
    /// See [`view_model::branches`].
    pub branches: fn(&Session) -> Vec<BranchView>,
}

impl Details {
    /// All of them. Whoever names this loads them.
    pub const ALL: Details = Details { last_event: last_event::last, branches: view_model::branches };
}
