//! What a person can want of the page. Components say what is wanted; the page does it.

use crate::run::Pace;
use quorumscope::core::{Micros, NodeId};
use quorumscope::lab::Scenario;
use quorumscope::sim::Action;

/// One wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Let time go by, or stop it.
    Play(bool),
    /// Stop, and let the next thing happen.
    Step,
    /// Stop, and take back the last thing that happened.
    Back,
    /// Start the scenario again.
    Restart,
    /// Play at this speed.
    Pace(Pace),
    /// Go to this time, µs since the start.
    Seek(Micros),
    /// Do this to the world, now; all or as much as is possible.
    Act(Vec<Action>),
    /// Show what can be done to something, or nothing.
    Menu(Option<Target>),
    /// Run this scenario from its start. The text says what was changed.
    Run(Box<Scenario>, String),
    /// Tell something.
    Say(String),
}

/// Something on the stage that has a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A replica.
    Node(NodeId),
    /// A site, by index.
    Site(usize),
    /// The links between two sites.
    Lane(usize, usize),
}
