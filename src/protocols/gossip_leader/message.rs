//! What the nodes send each other, and their timer.

use crate::core::{Command, NodeId, Slot};

/// A write: the view and the leader that took it, which tell it apart from every other one in its place, and the command.
pub(super) type Entry = (View, Command);

/// A leader's time on one list: its number, and the leader. Two sides of a cut may give the same number.
pub(super) type View = (u32, NodeId);

crate::messages! {
    /// What the nodes send each other.
    pub enum Msg {
        /// Counters, and how far the sender is.
        Gossip {
            /// By node: its incarnation, and in it its counter.
            counters: Vec<(u32, u32)>,
            /// The highest view that the sender has heard of.
            highest: u32,
            /// The view that it follows, or leads.
            view: View,
            /// Up to which write it has what that view's leader has.
            matched: Slot,
            /// Up to which write it may.
            probe: Slot,
            /// Up to which write all is settled.
            settled: Slot,
        } = { letter: 'G', phase: Heartbeat, says: "gossips about who is alive", bytes: 21 + 8 * counters.len() as u32 };
        /// A write, to be kept by all of the list.
        Write {
            /// The view.
            view: View,
            /// Its place among all writes.
            slot: Slot,
            /// The view of the write before.
            before: View,
            /// The write.
            command: Command,
            /// Up to which write all is settled.
            settled: Slot,
        } = { letter: 'W', phase: Propose, says: "sends a write to be kept", bytes: 18, command: command, slot: *slot };
        /// "I have what you have, up to this write."
        Ack {
            /// The view.
            view: View,
            /// Up to which write.
            matched: Slot,
            /// Up to which write it may be so.
            probe: Slot,
        } = { letter: 'A', phase: Accept, says: "has the write, too", bytes: 13, slot: *matched };
        /// Writes that the receiver lacks, or has others in place of.
        Copy {
            /// The view.
            view: View,
            /// The place of the first.
            first: Slot,
            /// The view of the write before.
            before: View,
            /// The writes.
            entries: Vec<Entry>,
            /// Up to which write all is settled.
            settled: Slot,
        } = {
            letter: 'C', phase: Transfer, says: "replaces a follower's data by its own", bytes: 18 + 5 * entries.len() as u32,
            commands: entries.len() as u32, values: |see| entries.iter().for_each(|(_, command)| see(command.value())),
            slot: *first
        };
    }
}

crate::timers! {
    /// A node's timer.
    pub enum Timer {
        /// The time until the next round.
        Round = { name: "gossip round", says: "gossips, and looks whose counter stands still", acts: true };
    }
}
