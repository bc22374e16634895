//! History checker for one register: no read may return a value that was overwritten before the read began.
//!
//! Every write has a value of its own and there is one key, so a read tells which write it saw. A read is stale if some write began after the
//! write it saw had ended, and ended itself before the read began; or if it saw a write that had not begun.

use quorumscope::core::{Answer, Effect, Micros, NodeId, Op, Outcome};
use quorumscope::protocols::raft::Raft;
use quorumscope::sim::{StepOutcome, What, World, world::Mark};
use std::collections::BTreeMap;

/// One write: when its client first asked for it, and when it got its answer.
#[derive(Clone, Copy, Debug)]
struct Write {
    began: Micros,
    ended: Option<Micros>,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    /// For each client: the commands it has begun, and when it began the one it waits for.
    clients: BTreeMap<u16, (u32, Option<Micros>)>,
    /// What nodes answered and clients may not have heard yet: (client, number, node).
    answers: BTreeMap<(u16, u32, NodeId), Outcome>,
    writes: BTreeMap<u32, Write>,
    /// Final answers so far.
    answered: u64,
    /// Reads checked.
    pub reads: u32,
}

/// The value that the world's clients write with their command of this number.
fn value(client: u16, seq: u32) -> u32 {
    u32::from(client) << 20 | seq & 0xf_ffff
}

impl History {
    /// Records what nodes answered in the last step or action.
    pub fn listen(&mut self, world: &World) {
        for (node, effect) in world.effects_of::<Raft>() {
            if let Effect::Reply(reply) = effect
                && let Answer::Done(outcome) = reply.answer
            {
                self.answers.entry((reply.client.0, reply.seq, *node)).or_insert(outcome);
            }
        }
        for mark in world.marks() {
            if let Mark::Applied(_, _, command) = mark
                && let Op::Write { value: written, .. } = command.op
            {
                assert_eq!(written, value(command.client.0, command.seq), "the world's clients write other values now");
            }
        }
    }

    /// Records one step. Panics on a stale read.
    pub fn observe(&mut self, world: &World, outcome: StepOutcome) {
        self.listen(world);
        let record = match world.trace().records().next_back() {
            Some((_, record)) if matches!(outcome.what(), What::Client | What::Answered) => record,
            _ => return,
        };
        let client = record.detail as u16;
        let final_answer = world.counts().answered != self.answered;
        self.answered = world.counts().answered;
        let (seq, began) = self.clients.entry(client).or_default();
        match (outcome.what(), *began) {
            (What::Client, None) => {
                *seq += 1;
                *began = Some(record.at);
                // Unless its answer tells that it was a read.
                self.writes.insert(value(client, *seq), Write { began: record.at, ended: None });
            }
            (What::Answered, Some(since)) if final_answer => {
                *began = None;
                let seq = *seq;
                match self.answers[&(client, seq, record.node)] {
                    Outcome::Value(seen) => {
                        self.writes.remove(&value(client, seq));
                        self.check(since, record.at, seen);
                    }
                    _ => self.writes.get_mut(&value(client, seq)).expect("it began").ended = Some(record.at),
                }
            }
            _ => {}
        }
    }

    /// The world has begun to count from zero.
    pub fn clear_counts(&mut self) {
        self.answered = 0;
    }

    fn check(&mut self, began: Micros, ended: Micros, seen: Option<u32>) {
        self.reads += 1;
        let seen_ended = match seen {
            None => Some(0),
            Some(value) => {
                let write = self.writes.get(&value).unwrap_or_else(|| panic!("broken: nobody wrote what was read"));
                assert!(write.began < ended, "broken: read of a value from the future");
                write.ended
            }
        };
        let Some(seen_ended) = seen_ended else { return };
        let newer = |write: &&Write| write.began > seen_ended && write.ended.is_some_and(|end| end < began);
        if let Some(newer) = self.writes.values().find(newer) {
            panic!("broken: stale read, it began at {began} and returned {seen:?}, overwritten by {newer:?}");
        }
    }
}
