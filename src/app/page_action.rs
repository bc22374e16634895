//! What a person can want of the page. Components say what is wanted; the page does it.

use crate::run::Pace;
use quorumscope::core::{Micros, NodeId};
use quorumscope::lab::Scenario;
use quorumscope::sim::Action;
use std::fmt;

/// One wish.
#[derive(Clone, Debug, PartialEq)]
pub enum PageAction {
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
    /// Go over to this branch of the run, by number.
    Branch(usize),
    /// Go to this time, µs since the start.
    Seek(Micros),
    /// Do this to the world, now; as much of it as is possible.
    Act(Vec<Action>),
    /// Add a replica at this site, by index.
    Add(usize),
    /// Take this replica out.
    Remove(NodeId),
    /// Crash the leader and start it again.
    RestartLeader,
    /// Show what can be done to something, or nothing.
    Menu(Option<Target>),
    /// Run the same with another protocol, by key.
    Variant(String),
    /// Run a built-in scenario, by its place among them.
    Preset(usize),
    /// Run this scenario from its start.
    Run(Box<Scenario>),
    /// Open a dialog, or close it.
    Open(Option<Dialog>),
    /// Copy the address of what is on screen.
    Share,
    /// Light or dark.
    Dark(bool),
    /// Whether single keys do something wherever the focus is.
    Keys(bool),
    /// What was said has been read.
    DismissNotice,
}

/// Something on the stage that has a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A replica.
    Node(NodeId),
    /// A site, by index.
    Site(usize),
    /// The links between two sites.
    SiteLink(usize, usize),
}

/// The target's name in the page, as in `data-target="node-3"`; replicas count from 1.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Node(id) => write!(f, "node-{}", id.0 + 1),
            Target::Site(site) => write!(f, "site-{site}"),
            Target::SiteLink(a, b) => write!(f, "lane-{a}-{b}"),
        }
    }
}

/// Something that opens above the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Protocol, regions, workload, settings, rules.
    Setup,
    /// Keys, gestures, parameters.
    Help,
}
