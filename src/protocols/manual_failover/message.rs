//! What the servers send each other, and their timers.

use super::Appointment;
use crate::core::{Command, NodeSet, Slot};

/// A write, and the appointment under which it was taken.
pub(super) type Entry = (u32, Command);

crate::messages! {
    /// What the servers send each other.
    pub enum Msg {
        /// "I am alive."
        Heartbeat {
            /// The last appointment that the sender knows.
            appointment: Appointment,
            /// Whether it serves under it.
            serving: bool,
            /// The copies that have all that the sender, a primary, had when it was appointed.
            in_sync: NodeSet,
            /// Up to which write its copy is equal to the primary's.
            matched: Slot,
            /// Up to which write it may be.
            probe: Slot,
            /// Up to which write all is settled.
            settled: Slot,
        } = { letter: 'H', phase: Heartbeat, says: "is alive", bytes: 36 };
        /// The operator's decision.
        Appoint {
            /// What he wrote into his book.
            appointment: Appointment,
        } = { letter: 'O', phase: Elect, says: "tells whom the operator has appointed", bytes: 18 };
        /// The order to turn the old primary off has left: the console tells itself.
        Ordered = { letter: 'F', phase: Elect, says: "has ordered the old primary to be turned off", bytes: 0 };
        /// A write, to be kept by a copy.
        Mirror {
            /// The primary's appointment.
            number: u32,
            /// Its place among all writes.
            slot: Slot,
            /// The appointment of the write before.
            before: u32,
            /// The write.
            command: Command,
            /// Up to which write all is settled.
            settled: Slot,
        } = { letter: 'M', phase: Propose, says: "sends a write to be copied", bytes: 16, command: command, slot: *slot };
        /// "I have all writes up to this one."
        Ack {
            /// The appointment.
            number: u32,
            /// How many.
            matched: Slot,
        } = { letter: 'A', phase: Accept, says: "has the write, too", bytes: 8, slot: *matched };
        /// Writes that a copy lacks.
        Copy {
            /// The primary's appointment.
            number: u32,
            /// The place of the first.
            first: Slot,
            /// The appointment of the write before.
            before: u32,
            /// The writes.
            entries: Vec<Entry>,
            /// Up to which write all is settled.
            settled: Slot,
        } = {
            letter: 'C', phase: Transfer, says: "brings a copy up to date", bytes: 16 + 4 * entries.len() as u32,
            commands: entries.len() as u32, values: |see| entries.iter().for_each(|(_, command)| see(command.value())),
            slot: *first
        };
    }
}

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// The time until the next heartbeat.
        Heartbeat = { name: "heartbeat", says: "sends a heartbeat", acts: true };
        /// The time in which every other server should have been heard.
        Alarm = { name: "alarm", says: "looks whom it has heard, and pages the operator", acts: false };
        /// The operator is on the way.
        Operator = { name: "operator", says: "has the operator at its console", acts: true };
        /// The old primary is being turned off.
        Off = { name: "power off", says: "appoints the successor of a primary that is off now", acts: true };
    }
}
