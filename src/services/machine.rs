//! The replicated state machine, with client sessions that execute each command at most once. Deterministic: its state depends on the executed
//! commands only, not on clocks, random numbers or addresses.

use super::at;
use super::barrier::Barrier;
use super::broadcast::Topic;
use super::config::Entry;
use super::lock::{Guarded, Lock};
use super::queue::Queue;
use crate::core::hash::Digest;
use crate::core::{ClientId, Command, NodeId, Op, Outcome};
use serde::Serialize;
use std::hash::{Hash, Hasher};

/// The state of a replica after executing a prefix of the log. A copy of it is a snapshot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Machine {
    /// The key-value store, by key.
    values: Vec<Option<u32>>,
    /// For each client session the sequence number and outcome of its last command executed, so that a command that is in the log twice (the
    /// client retried, or two leaders proposed it) takes effect once.
    sessions: Vec<Option<(u32, Outcome)>>,
    /// Allocated when first needed: most runs read and write only.
    others: Option<Box<Others>>,
    /// Digest of all executed commands and their outcomes, in order.
    #[serde(skip)]
    digest: Digest,
}

/// The services besides the key-value store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
struct Others {
    /// The machine's time: the latest in any command executed, ms.
    time: u32,
    locks: Vec<Lock>,
    guarded: Vec<Guarded>,
    queues: Vec<Queue>,
    barriers: Vec<Barrier>,
    entries: Vec<Entry>,
    topics: Vec<Topic>,
}

// Machines are equal if their states are, whatever commands led to them: the digest is not compared.

impl PartialEq for Machine {
    fn eq(&self, other: &Machine) -> bool {
        self.values == other.values && self.sessions == other.sessions && self.others == other.others
    }
}

impl Eq for Machine {}

impl Hash for Machine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.hash(state);
        self.sessions.hash(state);
        if let Some(others) = &self.others {
            others.hash(state);
        }
    }
}

impl Machine {
    /// Executes `command`, unless its session has executed it: then returns that outcome again. `me`, the replica, matters only to
    /// [`Op::WriteOwn`], which is wrong on purpose.
    #[inline(always)]
    pub fn apply(&mut self, command: Command, me: NodeId) -> Outcome {
        self.apply_once(command, me, || true)
    }

    /// The same, but what the session has executed is executed again if `once` says no.
    #[inline(always)]
    pub fn apply_once(&mut self, command: Command, me: NodeId, once: impl FnOnce() -> bool) -> Outcome {
        if command.client == ClientId::NOBODY {
            return match command.op {
                Op::Elect(_) => Outcome::Chosen(command.op),
                _ => Outcome::Done,
            };
        }
        if let Some(outcome) = self.recall(command)
            && once()
        {
            return outcome;
        }
        self.perform(command, me)
    }

    /// Executes `command`, which the caller knows to be new to this machine, though a later one of its session may not be: for protocols in
    /// which the commands of one session can come in another order.
    pub fn apply_new(&mut self, command: Command, me: NodeId) -> Outcome {
        let session = self.sessions.get(usize::from(command.client.0)).copied().flatten();
        let outcome = self.perform(command, me);
        if let Some(later) = session.filter(|(seq, _)| *seq > command.seq) {
            self.sessions[usize::from(command.client.0)] = Some(later);
        }
        outcome
    }

    /// Executes a client's command that is new.
    #[inline(always)]
    fn perform(&mut self, command: Command, me: NodeId) -> Outcome {
        self.digest.roll(u64::from(command.client.0) << 32 | u64::from(command.seq));
        // The commonest operation is inlined: see ARCHITECTURE.md, on speed.
        if let Op::Write { key, value } = command.op {
            *at(&mut self.values, key) = Some(value);
            self.digest.roll(u64::from(key) << 32 | u64::from(value));
            return self.remember(command, Outcome::Done);
        }
        let outcome = self.execute(command, me);
        self.remember(command, outcome)
    }

    /// Records the outcome of a client's command in its session, and returns it.
    #[inline(always)]
    fn remember(&mut self, command: Command, outcome: Outcome) -> Outcome {
        let client = usize::from(command.client.0);
        if self.sessions.len() <= client {
            self.sessions.resize(client + 1, None);
        }
        self.sessions[client] = Some((command.seq, outcome));
        outcome
    }

    /// Executes any operation but a plain write.
    #[inline(never)]
    fn execute(&mut self, command: Command, me: NodeId) -> Outcome {
        match command.op {
            Op::Noop => Outcome::Done,
            Op::Elect(_) => Outcome::Chosen(command.op),
            Op::CompareAndSet { key, expect, value } => {
                let held = at(&mut self.values, key);
                let found = *held;
                if found == expect {
                    *held = Some(value);
                }
                self.digest.roll(u64::from(found == expect) << 48 | u64::from(key) << 32 | u64::from(value));
                if found == expect { Outcome::Done } else { Outcome::Differs(found) }
            }
            Op::WriteOwn { key } => {
                let value = Digest::of(&(me, command.client, command.seq)) as u32;
                *at(&mut self.values, key) = Some(value);
                self.digest.roll(u64::from(key) << 32 | u64::from(value));
                Outcome::Value(Some(value))
            }
            read if read.is_read() => {
                let outcome = self.look(read);
                outcome.hash(&mut self.digest);
                outcome
            }
            other => {
                let outcome = self.others.get_or_insert_default().execute(command.client, other);
                outcome.hash(&mut self.digest);
                outcome
            }
        }
    }

    /// The outcome of `command`, if its session has executed it; or of a later command of the session, after which nobody waits for this one.
    pub fn recall(&self, command: Command) -> Option<Outcome> {
        match self.sessions.get(usize::from(command.client.0)) {
            Some(&Some((seq, outcome))) if seq >= command.seq => Some(outcome),
            _ => None,
        }
    }

    /// Forgets the session of `client`: its next command is executed even if it comes again.
    pub fn forget(&mut self, client: ClientId) {
        if let Some(session) = self.sessions.get_mut(usize::from(client.0)) {
            *session = None;
        }
    }

    /// The outcome of a read-only operation in this state.
    pub fn look(&self, read: Op) -> Outcome {
        if let Op::Read { key } = read {
            return Outcome::Value(self.values.get(usize::from(key)).copied().flatten());
        }
        self.others.as_ref().map_or(Outcome::NotYet, |others| others.look(read))
    }

    /// Digest of the execution history: equal at replicas that have executed the same commands, unless one of them was not deterministic.
    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }

    /// How many values it holds.
    pub fn values(&self) -> u32 {
        let others = self.others.as_ref().map_or(0, |others| others.values());
        self.values.iter().flatten().count() as u32 + others
    }

    /// Calls `see` with each of these values.
    pub fn each_value(&self, see: &mut dyn FnMut(u32)) {
        self.values.iter().flatten().for_each(|value| see(*value));
        if let Some(others) = &self.others {
            others.each_value(see);
        }
    }

    /// Bytes on the wire, besides its values.
    pub fn bytes(&self) -> u32 {
        let sessions = self.sessions.len() as u32 * 12;
        sessions + self.others.as_ref().map_or(0, |others| others.bytes())
    }
}

impl Others {
    fn execute(&mut self, who: ClientId, op: Op) -> Outcome {
        match op {
            Op::Acquire { lock, lease, at: now } => {
                let now = self.now(now);
                at(&mut self.locks, lock).acquire(now, lease)
            }
            Op::Renew { lock, token, lease, at: now } => {
                let now = self.now(now);
                at(&mut self.locks, lock).renew(now, token, lease)
            }
            Op::Release { lock, token } => at(&mut self.locks, lock).release(token),
            Op::Guarded { lock, value, token, fenced } => at(&mut self.guarded, lock).write(value, token, fenced),
            Op::Enqueue { queue, item } => at(&mut self.queues, queue).enqueue(item),
            Op::Take { queue, lease, at: now } => {
                let now = self.now(now);
                at(&mut self.queues, queue).take(now, lease)
            }
            Op::Ack { queue, ticket } => at(&mut self.queues, queue).ack(ticket),
            Op::Arrive { barrier, parties } => at(&mut self.barriers, barrier).arrive(who, parties),
            Op::Update { key, version, value } => at(&mut self.entries, key).update(version, value),
            Op::Publish { topic, message } => at(&mut self.topics, topic).publish(message),
            _ => Outcome::Done,
        }
    }

    /// Raises the machine's time to a command's, in ms, and returns it. It never falls.
    fn now(&mut self, now: u32) -> u32 {
        self.time = self.time.max(now);
        self.time
    }

    fn look(&self, read: Op) -> Outcome {
        let found = match read {
            Op::Passed { barrier, generation } => {
                self.barriers.get(usize::from(barrier)).map(|barrier| barrier.passed(generation))
            }
            Op::Watch { key, after } => self.entries.get(usize::from(key)).map(|entry| entry.watch(after)),
            Op::Deliver { topic, after } => self.topics.get(usize::from(topic)).map(|topic| topic.deliver(after)),
            _ => None,
        };
        found.unwrap_or(Outcome::NotYet)
    }

    fn values(&self) -> u32 {
        let guarded = self.guarded.iter().filter_map(Guarded::held).count();
        let entries = self.entries.iter().filter_map(Entry::held).count();
        let items: u32 = self.queues.iter().map(Queue::len).sum();
        let messages: u32 = self.topics.iter().map(Topic::len).sum();
        (guarded + entries) as u32 + items + messages
    }

    fn each_value(&self, see: &mut dyn FnMut(u32)) {
        self.guarded.iter().filter_map(Guarded::held).for_each(&mut *see);
        self.entries.iter().filter_map(Entry::held).for_each(&mut *see);
        self.queues.iter().flat_map(Queue::values).for_each(&mut *see);
        self.topics.iter().flat_map(Topic::values).for_each(see);
    }

    /// Bytes on the wire besides values: a token and a time for each lock, a token for each guarded resource, two counts for a queue and two
    /// numbers for each of its items, a count and the arrived clients for a barrier, a version for each entry, a count for each topic.
    fn bytes(&self) -> u32 {
        let each = |count: usize, bytes: u32| count as u32 * bytes;
        let items: u32 = self.queues.iter().map(Queue::len).sum();
        let arrived: u32 = self.barriers.iter().map(Barrier::len).sum();
        each(self.locks.len(), 8)
            + each(self.guarded.len(), 4)
            + each(self.queues.len(), 8)
            + 8 * items
            + each(self.barriers.len(), 4)
            + 2 * arrived
            + each(self.entries.len(), 4)
            + each(self.topics.len(), 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(0);

    fn command(seq: u32, op: Op) -> Command {
        Command { client: ClientId(3), seq, op }
    }

    #[test]
    fn repeated_command_takes_effect_once() {
        let mut machine = Machine::default();
        let first = command(1, Op::CompareAndSet { key: 1, expect: None, value: 5 });
        assert_eq!(machine.apply(first, ME), Outcome::Done);
        assert_eq!(machine.apply(first, ME), Outcome::Done);
        let second = command(2, Op::CompareAndSet { key: 1, expect: None, value: 6 });
        assert_eq!(machine.apply(second, ME), Outcome::Differs(Some(5)));
        assert_eq!(machine.apply(command(3, Op::Read { key: 1 }), ME), Outcome::Value(Some(5)));
        let take = |seq| command(seq, Op::Take { queue: 0, lease: 1_000, at: 0 });
        machine.apply(command(4, Op::Enqueue { queue: 0, item: 1 }), ME);
        machine.apply(command(5, Op::Enqueue { queue: 0, item: 2 }), ME);
        assert_eq!(machine.apply(take(6), ME), machine.apply(take(6), ME));
        assert_eq!(machine.apply(take(7), ME), Outcome::Took { ticket: 2, item: 2 });
    }

    #[test]
    fn a_new_command_is_executed_after_a_later_one_of_its_session_which_is_still_remembered() {
        let mut machine = Machine::default();
        let second = command(2, Op::CompareAndSet { key: 2, expect: Some(9), value: 5 });
        assert_eq!(machine.apply_new(second, ME), Outcome::Differs(None));
        assert_eq!(machine.apply_new(command(1, Op::Write { key: 1, value: 7 }), ME), Outcome::Done);
        assert_eq!(machine.look(Op::Read { key: 1 }), Outcome::Value(Some(7)));
        assert_eq!(machine.recall(second), Some(Outcome::Differs(None)));
    }

    /// One of everything.
    fn some_of_all() -> Vec<Op> {
        vec![
            Op::Write { key: 9, value: 1 },
            Op::CompareAndSet { key: 9, expect: Some(1), value: 2 },
            Op::Acquire { lock: 2, lease: 10, at: 100 },
            Op::Guarded { lock: 2, value: 7, token: 1, fenced: true },
            Op::Enqueue { queue: 1, item: 4 },
            Op::Enqueue { queue: 1, item: 5 },
            Op::Take { queue: 1, lease: 10, at: 101 },
            Op::Arrive { barrier: 0, parties: 2 },
            Op::Update { key: 3, version: 0, value: 6 },
            Op::Publish { topic: 1, message: 8 },
        ]
    }

    #[test]
    fn size_of_all_services_is_that_of_their_parts() {
        let mut machine = Machine::default();
        for (seq, op) in (1..).zip(some_of_all()) {
            machine.apply(command(seq, op), ME);
        }
        let others = machine.others.as_ref().expect("all are used");
        // Three locks, three resources, two queues with two items, a barrier at which one has arrived, four entries, two topics.
        assert_eq!(others.bytes(), 3 * 8 + 3 * 4 + 2 * 8 + 2 * 8 + 4 + 2 + 4 * 4 + 2 * 4);
        let mut values = Vec::new();
        others.each_value(&mut |value| values.push(value));
        values.sort_unstable();
        // Of the resource, the queue's items, the entry that was written, and the message.
        assert_eq!(values, [4, 5, 6, 7, 8]);
        assert_eq!(others.values(), 5);
    }

    #[test]
    fn copy_is_a_snapshot_of_every_service() {
        let mut machine = Machine::default();
        for (seq, op) in (1..).zip(some_of_all()) {
            machine.apply(command(seq, op), ME);
        }
        let mut snapshot = machine.clone();
        assert_eq!((&snapshot, snapshot.digest()), (&machine, machine.digest()));
        // Further commands have the same outcomes at the copy and at the original.
        let further = [
            Op::Read { key: 9 },
            Op::Acquire { lock: 2, lease: 10, at: 105 },
            Op::Renew { lock: 2, token: 1, lease: 10, at: 105 },
            Op::Guarded { lock: 2, value: 1, token: 0, fenced: true },
            Op::Ack { queue: 1, ticket: 1 },
            Op::Take { queue: 1, lease: 10, at: 0 },
            Op::Arrive { barrier: 0, parties: 1 },
            Op::Passed { barrier: 0, generation: 0 },
            Op::Watch { key: 3, after: 0 },
            Op::Deliver { topic: 1, after: 0 },
        ];
        let expected = [
            Outcome::Value(Some(2)),
            Outcome::Refused,
            Outcome::Done,
            Outcome::Refused,
            Outcome::Done,
            Outcome::Took { ticket: 2, item: 5 },
            Outcome::Arrived { generation: 0 },
            Outcome::Done,
            Outcome::Version { version: 1, value: 6 },
            Outcome::Value(Some(8)),
        ];
        for ((seq, op), expected) in (100..).zip(further).zip(expected) {
            assert_eq!(snapshot.apply(command(seq, op), ME), expected, "{op:?}");
            assert_ne!(snapshot, machine);
            assert_eq!(machine.apply(command(seq, op), ME), expected, "{op:?}");
            assert_eq!((&snapshot, snapshot.digest()), (&machine, machine.digest()));
        }
    }

    #[test]
    fn machine_time_is_the_latest_in_any_command_and_never_falls() {
        let mut machine = Machine::default();
        let acquire = |seq, at| command(seq, Op::Acquire { lock: 0, lease: 100, at });
        assert_eq!(machine.apply(acquire(1, 1_000), ME), Outcome::Granted { token: 1 });
        assert_eq!(machine.apply(acquire(2, 900), ME), Outcome::Refused);
        // A command for another lock raises the time.
        machine.apply(command(3, Op::Acquire { lock: 1, lease: 1, at: 1_100 }), ME);
        assert_eq!(machine.apply(acquire(4, 900), ME), Outcome::Granted { token: 2 });
    }

    #[test]
    fn replicas_diverge_by_nondeterministic_writes_only() {
        let (mut one, mut other) = (Machine::default(), Machine::default());
        for (seq, op) in (1..).zip(some_of_all()) {
            assert_eq!(one.apply(command(seq, op), NodeId(0)), other.apply(command(seq, op), NodeId(1)));
            assert_eq!((&one, one.digest()), (&other, other.digest()));
        }
        let own = command(100, Op::WriteOwn { key: 0 });
        assert_ne!(one.apply(own, NodeId(0)), other.apply(own, NodeId(1)));
        assert_ne!(one.digest(), other.digest());
        // Even when the state is the same again, the digest tells that it was not.
        let again = command(101, Op::Write { key: 0, value: 1 });
        one.apply(again, NodeId(0));
        other.apply(again, NodeId(1));
        assert_ne!(one.digest(), other.digest());
    }
}
