//! A sequence chart as data.

use crate::core::{Micros, Phase};
use crate::universe::End;

/// A sequence chart of a part of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// Its first moment, µs since the start of the run.
    pub from: Micros,
    /// Its last moment.
    pub until: Micros,
    /// The time that is called 0 in it: times are told since then.
    pub origin: Micros,
    /// Lanes from left to right: clients by site, then nodes.
    pub lanes: Vec<Lane>,
    /// Messages, in the order in which they were sent.
    pub messages: Vec<Message>,
    /// What nodes did, in the order in which they did it.
    pub notes: Vec<Note>,
}

/// A lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Whose it is.
    pub end: End,
    /// Its name, such as `Node 1`.
    pub name: String,
    /// The place, and the role of a node at the first moment.
    pub about: String,
    /// Whether the node is down at the first moment.
    pub down: bool,
}

/// A moment in a chart. What happens in one microsecond, one thing because of another, is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimePoint {
    /// µs since the start of the run.
    pub at: Micros,
    /// The place within this microsecond.
    pub order: u32,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Arrived,
    /// It was lost, at the latest when it would have arrived.
    Lost,
    /// It is still on its way at the last moment.
    UnderWay,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Sender.
    pub from: End,
    /// Receiver.
    pub to: End,
    /// What it is called: its kind in the paper's words and the slot or epoch it is about.
    pub label: String,
    /// What is in it; empty for those of clients.
    pub content: String,
    /// Its purpose; `None` for requests and answers of clients.
    pub phase: Option<Phase>,
    /// When it left; before the first moment if it was under way by then.
    pub sent: TimePoint,
    /// When it arrived or was lost; while it is under way, the last moment.
    pub ended: TimePoint,
    /// What became of it.
    pub fate: Fate,
}

/// Types of notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Somebody or the script interfered, or a property was violated: about the whole cluster.
    Global,
    /// A node went down.
    Down,
    /// A node started again.
    Up,
    /// A timer of the node ran out.
    Timeout,
    /// Another role or epoch.
    Role,
    /// Something is known to be chosen, or was executed.
    Learned,
    /// The node writes to its disk.
    Saves,
}

/// What happened at a node, or to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: TimePoint,
    /// The lane; `None` for [`NoteKind::Global`].
    pub lane: Option<End>,
    /// Its type.
    pub kind: NoteKind,
    /// A few words, of which the node is the subject: `becomes leader`.
    pub text: String,
}

impl Chart {
    /// The place of a lane.
    pub fn lane(&self, end: End) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.end == end)
    }

    /// A time in this chart as text, in ms since [`Chart::origin`].
    pub fn time(&self, at: Micros) -> String {
        let micros = at.saturating_sub(self.origin);
        match micros % 1000 {
            0 => format!("{} ms", micros / 1000),
            rest => format!("{}.{rest:03} ms", micros / 1000),
        }
    }

    /// What went on, in figures: so many messages between replicas, without heartbeats.
    pub fn between_replicas(&self) -> usize {
        let node = |end: End| matches!(end, End::Node(_));
        let counts =
            |message: &&Message| node(message.from) && node(message.to) && message.phase != Some(Phase::Heartbeat);
        self.messages.iter().filter(counts).count()
    }
}
