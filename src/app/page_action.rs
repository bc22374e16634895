//! Page actions: everything a person can ask of the page. Components emit them, the page performs them.

use crate::run::pace::Pace;
use quorumscope::core::{Micros, NodeId};
use quorumscope::lab::Scenario;
use quorumscope::sim::Action;
use quorumscope::sim::action::FlightId;
use quorumscope::universe::End;
use std::fmt;
use std::rc::Rc;

/// An action that a component asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum PageAction {
    /// Play or pause.
    Play(bool),
    /// Pause, and execute the next event.
    Step,
    /// Pause, and go back one event.
    Back,
    /// Go back to the start of the run.
    Restart,
    /// Set the speed.
    Pace(Pace),
    /// Switch to a branch of the run, by number.
    Branch(usize),
    /// Go to a time, µs since the start.
    Seek(Micros),
    /// Pause, and go to the moment after an event, by number.
    GoTo(u64),
    /// Stop what is under way: the run is where it was before.
    Stop,
    /// Go to the next moment that matters, or to the one before.
    Chapter(bool),
    /// Slow down around moments that matter, or do not.
    SlowDown(bool),
    /// One of the faults beside the transport.
    Strike(Strike),
    /// Act on the run now; actions that are refused are reported, the others done.
    Act(Vec<Action>),
    /// Take back what was done by hand last; or do it again.
    Undo(bool),
    /// Add a replica at this site, by index.
    Add(usize),
    /// Remove a replica.
    Remove(NodeId),
    /// Crash and restart the leader.
    RestartLeader,
    /// Show a tab of the side panel.
    Tab(Tab),
    /// Show a tab of the side panel, and move the focus into it.
    GoInto(Tab),
    /// Select a node or message, and inspect it; or select nothing.
    Select(Option<Selected>),
    /// Open the menu of a target, or close it.
    Menu(Option<Target>),
    /// Run the scenario with another protocol, by key.
    Variant(String),
    /// Run a built-in scenario, by index.
    Preset(usize),
    /// Run this scenario from its start.
    Run(Rc<Scenario>),
    /// Open a dialog, or close it.
    Open(Option<Dialog>),
    /// Set the theme: dark or light.
    Dark(bool),
    /// Pull the time line up into the space-time diagram, or let it down.
    Diagram(bool),
    /// Show stage, sentence and controls alone, or everything again.
    Present(bool),
    /// Switch single-key shortcuts on or off.
    Keys(bool),
    /// Close the notice.
    CloseNotice,
}

/// Faults that take one press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    /// The leader crashes.
    Leader,
    /// This part of the cluster is cut from the rest, with the leader in it: a half, rounded down, or a third.
    Cut(u8),
    /// All cuts heal, and all nodes that are down or paused go on.
    Mend,
}

/// An element of the stage that has a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A replica.
    Node(NodeId),
    /// A site, by index.
    Site(usize),
    /// The links between two sites, by index.
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

/// A tab of the side panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The scenario, latencies, messages per command.
    Numbers,
    /// What is selected, what it did and why.
    Inspect,
    /// Slot by slot what each replica holds.
    Log,
    /// Rules to take away, and searches for what breaks then.
    BreakIt,
    /// All of it in words.
    Text,
}

impl Tab {
    /// Its name in ids.
    pub const fn name(self) -> &'static str {
        match self {
            Tab::Numbers => "numbers",
            Tab::Inspect => "inspect",
            Tab::Log => "log",
            Tab::BreakIt => "break-it",
            Tab::Text => "text",
        }
    }

    /// Its label.
    pub const fn title(self) -> &'static str {
        match self {
            Tab::Numbers => "Numbers",
            Tab::Inspect => "Inspect",
            Tab::Log => "Log",
            Tab::BreakIt => "Break it",
            Tab::Text => "Text",
        }
    }
}

/// What is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// A replica.
    Node(NodeId),
    /// A message in flight; once it has arrived, its receiver.
    Message {
        /// Its id, which is used again.
        id: FlightId,
        /// Its sender.
        from: End,
    },
}

impl Selected {
    /// The node that is outlined.
    pub fn node(self) -> Option<NodeId> {
        match self {
            Selected::Node(node) => Some(node),
            Selected::Message { .. } => None,
        }
    }
}

/// A dialog above the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Protocol, regions, workload, settings, rules.
    Setup,
    /// Link, frame, files.
    Share,
    /// Keys, gestures, parameters.
    Help,
}
