//! A leader's log and its copies: what variants share.
//!
//! Where a leader answers once all copies have a command, it knows by node up to where that node's log is the same as its own (`matched`); a follower knows that of itself, and up to where it
//! may be the same (`probe`).

use crate::core::node::Node;
use crate::core::{ClientId, Command, Log, NodeId, NodeSet, Out, Slot};
use crate::services::Machine;

/// Most entries in one message that brings a copy up to date.
const MOST: usize = 256;

/// What to send to a copy that is the same up to `matched` and may be up to `probe`: the first slot, and the entries from there on.
pub(super) fn entries_for<E: Copy>(log: &Log<E>, matched: Slot, probe: Slot) -> (Slot, Vec<E>) {
    let first = matched.max(probe.min(log.last())) + 1;
    (first, log.iter_from(first).map(|(_, entry)| *entry).take(MOST).collect())
}

/// What of `entries`, which begin at `first`, the log does not have yet: the first slot, and the entries from there on. Something else may be in
/// their places.
pub(super) fn missing_from<'a, E: Copy + PartialEq>(
    log: &Log<E>,
    first: Slot,
    entries: &'a [E],
) -> Option<(Slot, &'a [E])> {
    let same = (first..).zip(entries).take_while(|(slot, entry)| log.get(*slot) == Some(entry)).count();
    (same < entries.len()).then(|| (first + same as Slot, &entries[same..]))
}

/// Notes that a node's log is the same up to `slot`. What comes late changes nothing.
pub(super) fn raise(matched: &mut [Slot], node: NodeId, slot: Slot) {
    let known = &mut matched[usize::from(node.0)];
    *known = (*known).max(slot);
}

/// Up to where all of these nodes have the same.
pub(super) fn on_all(matched: &[Slot], nodes: NodeSet) -> Slot {
    nodes.iter().map(|node| matched[usize::from(node.0)]).min().unwrap_or(0)
}

/// Executes what is settled and not executed yet, as far as the log goes.
pub(super) fn execute<N: Node, E: Copy>(
    log: &Log<(E, Command)>,
    (machine, executed): (&mut Machine, &mut Slot),
    settled: Slot,
    me: NodeId,
    out: &mut Out<N>,
) {
    while *executed < settled {
        let Some(&(_, command)) = log.get(*executed + 1) else { break };
        machine.apply(command, me);
        *executed += 1;
        out.applied(*executed, command);
    }
}

/// Takes out the commands that waited for slots up to `executed`; they wait in the order of their slots.
pub(super) fn no_longer_waiting(waiting: &mut Vec<(Slot, Command)>, executed: Slot) -> impl Iterator<Item = Command> {
    let done = waiting.iter().take_while(|(slot, _)| *slot <= executed).count();
    waiting.drain(..done).map(|(_, command)| command)
}

/// Enters a command into a client table (by client, the number of its latest command); tells whether it is later than what was there.
#[inline]
pub(super) fn is_new(latest: &mut Vec<u32>, command: Command) -> bool {
    if command.client == ClientId::NOBODY {
        return true;
    }
    let client = usize::from(command.client.0);
    if latest.len() <= client {
        latest.resize(client + 1, 0);
    }
    let new = latest[client] < command.seq;
    latest[client] = latest[client].max(command.seq);
    new
}

/// The log after `slot` or, where some of that is trimmed, after the snapshot of the state at slot `snapshot`: whether that is needed, the first
/// slot, and the entries from there on.
pub(super) fn end_after<E: Copy>(log: &Log<E>, snapshot: Slot, slot: Slot) -> (bool, Slot, Vec<E>) {
    let trimmed = slot + 1 < log.first();
    let first = if trimmed { snapshot } else { slot } + 1;
    (trimmed, first, log.iter_from(first).map(|(_, entry)| *entry).collect())
}

/// Replaces the end of the log by `entries`, which begin at `first`; up to `settled` it is the same in every log.
pub(super) fn replace_end<E: Copy>(log: &mut Log<E>, settled: Slot, first: Slot, entries: &[E]) {
    let from = first.max(settled + 1);
    log.truncate_from(from);
    for entry in entries.iter().skip((from - first) as usize) {
        log.push_copy(entry);
    }
}
