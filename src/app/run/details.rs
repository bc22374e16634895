//! What the first picture does without of a run: its last event, its branches and its script, in words. As functions, because they come
//! in the chunk for actions.

use super::judged::{self, Judged};
use super::last_event::{self, LastEvent};
use super::view_model::{self, BranchView};
use quorumscope::core::Command;
use quorumscope::lab::Session;

/// The functions.
#[derive(Clone, Copy, Debug)]
pub struct Details {
    /// See [`last_event::last`].
    pub last_event: fn(&Session) -> Option<LastEvent>,
    /// All of a command, as in transcripts.
    pub command: fn(Command) -> String,
    /// See [`view_model::branches`].
    pub branches: fn(&Session) -> Vec<BranchView>,
    /// See [`judged::judged`].
    pub judged: fn(&Session) -> Judged,
}

impl Details {
    /// All of them. Whoever names this loads them.
    pub const ALL: Details = Details {
        last_event: last_event::last,
        command: |command| format!("{command:?}"),
        branches: view_model::branches,
        judged: judged::judged,
    };
}
