//! What clients do with a service: which command comes next, and what they do when they are told what came of it.
//!
//! A client of a plain store asks for one thing after another. Others have a plan: whoever takes a lock works for a while, writes what the
//! lock guards, and gives it back. Such a plan is a [`Task`]; it goes on with each answer.

use super::{ClientGroup, Keys};
use crate::core::{Micros, Op, Outcome};
use crate::sim::jitter;
use crate::sim::rng::Rng;

/// What a group of clients uses the cluster for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// They read and write keys.
    KeyValue {
        /// Of the writes, so many in a thousand replace what the client last saw, if it is still there (compare-and-set).
        swap_permille: u16,
        /// Of the writes, so many in a thousand leave it to each replica what to write. Wrong on purpose.
        own_permille: u16,
    },
    /// They take a lock, work, write to what it guards, and give it back.
    Lock {
        /// How they hold it.
        holding: Holding,
        /// Whether what is guarded looks at their tokens.
        fenced: bool,
    },
    /// Those that write put items into a queue; those that read take one, work, and say that it is done with.
    Queue(Holding),
    /// They work, and wait for each other.
    Barrier {
        /// How many there are.
        parties: u16,
        /// How long they work, µs; the mean of an exponential distribution.
        work: Micros,
    },
    /// Those that write read an entry of the configuration and change it; those that read wait for changes.
    Config,
    /// Those that write send messages; those that read get all of them, one after another.
    Broadcast,
}

impl Default for Service {
    fn default() -> Service {
        Service::KeyValue { swap_permille: 0, own_permille: 0 }
    }
}

/// How clients hold what is theirs for a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// For how long they ask, ms.
    pub lease: u32,
    /// How long their work takes, µs.
    pub work: Micros,
    /// So many times in a thousand they stop in the middle, and go on without knowing that time has passed.
    pub stall_permille: u16,
    /// For how long they then stop, µs.
    pub stall: Micros,
    /// So many times in a thousand they die in the middle, and come back later knowing nothing of it.
    pub die_permille: u16,
}

/// What comes of getting hold of something.
enum Fate {
    /// All goes well.
    Works,
    /// It stops for a while.
    Stalls,
    /// It dies.
    Dies,
}

impl Holding {
    fn fate(&self, rng: &mut Rng) -> Fate {
        match (rng.chance(self.die_permille), rng.chance(self.stall_permille)) {
            (true, _) => Fate::Dies,
            (_, true) => Fate::Stalls,
            _ => Fate::Works,
        }
    }

    /// How long somebody who died is away: long enough that nobody waits for it any more.
    fn absence(&self) -> Micros {
        2 * 1_000 * Micros::from(self.lease)
    }

    /// How long until the next renewal, or until the work is done if that is sooner.
    fn stretch(&self, left: Micros) -> Micros {
        left.min(1_000 * Micros::from(self.lease) / 2)
    }
}

/// Where a session is in what it is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Task {
    /// Nothing begun.
    #[default]
    Free,
    /// It died.
    Dead,
    /// Holds a lock, with so much work left, µs.
    Holding { lock: u16, token: u32, left: Micros },
    /// Has written, and gives the lock back.
    Leaving { lock: u16, token: u32 },
    /// Works on an item.
    Borrowing { queue: u16, ticket: u32 },
    /// Waits at a barrier.
    Waiting { barrier: u16, generation: u32 },
    /// Reads an entry in order to change it.
    Reading { key: u16 },
    /// Changes an entry.
    Updating { key: u16, version: u32 },
}

/// What a session last learned of a key: the value of a key or the number of its version, or how many messages of a topic it has.
pub(super) type Seen = (u16, Option<u32>);

/// A session about to say something.
pub(super) struct Speaker<'a> {
    pub group: &'a ClientGroup,
    pub keys: &'a Keys,
    pub task: &'a mut Task,
    pub seen: &'a mut Option<Seen>,
    pub rng: &'a mut Rng,
}

impl Speaker<'_> {
    /// What it asks for next. `value` is one that nobody else uses, so that what is read tells which write it saw.
    pub fn next(&mut self, now: Micros, value: u32) -> Op {
        let at = (now / 1_000) as u32;
        match *self.task {
            Task::Free | Task::Dead => {
                *self.task = Task::Free;
                self.begin(at, value)
            }
            Task::Holding { lock, token, left: 0 } => {
                let fenced = matches!(self.group.service, Service::Lock { fenced: true, .. });
                Op::Guarded { lock, value, token, fenced }
            }
            Task::Holding { lock, token, .. } => Op::Renew { lock, token, lease: self.holding().lease, at },
            Task::Leaving { lock, token } => Op::Release { lock, token },
            Task::Borrowing { queue, ticket } => Op::Ack { queue, ticket },
            Task::Waiting { barrier, generation } => Op::Passed { barrier, generation },
            Task::Reading { key } => Op::Watch { key, after: 0 },
            Task::Updating { key, version } => Op::Update { key, version, value },
        }
    }

    /// Begins something new.
    fn begin(&mut self, at: u32, value: u32) -> Op {
        let key = self.group.first_key + self.keys.draw(self.rng);
        let reads = self.rng.chance(u16::from(self.group.read_percent) * 10);
        match self.group.service {
            Service::KeyValue { .. } if reads => Op::Read { key },
            Service::KeyValue { swap_permille, own_permille } => {
                if self.rng.chance(own_permille) {
                    return Op::WriteOwn { key };
                }
                if self.rng.chance(swap_permille) {
                    let (key, expect) = self.seen.unwrap_or((key, None));
                    return Op::CompareAndSet { key, expect, value };
                }
                Op::Write { key, value }
            }
            Service::Lock { holding, .. } => Op::Acquire { lock: key, lease: holding.lease, at },
            Service::Queue(holding) if reads => Op::Take { queue: key, lease: holding.lease, at },
            Service::Queue(_) => Op::Enqueue { queue: key, item: value },
            Service::Barrier { parties, .. } => Op::Arrive { barrier: key, parties },
            Service::Config if reads => Op::Watch { key, after: self.known(key) },
            Service::Config => {
                *self.task = Task::Reading { key };
                Op::Watch { key, after: 0 }
            }
            Service::Broadcast if reads => {
                // It follows the topic that it began with.
                let topic = self.seen.map_or(key, |(topic, _)| topic);
                *self.seen = Some((topic, Some(self.known(topic))));
                Op::Deliver { topic, after: self.known(topic) }
            }
            Service::Broadcast => Op::Publish { topic: key, message: value },
        }
    }

    /// The number it has learned of `key`; 0 for none.
    fn known(&self, key: u16) -> u32 {
        self.seen.filter(|(seen, _)| *seen == key).and_then(|(_, number)| number).unwrap_or(0)
    }

    fn holding(&self) -> Holding {
        match self.group.service {
            Service::Lock { holding, .. } | Service::Queue(holding) => holding,
            _ => Holding::default(),
        }
    }

    /// It is told what came of `op`, and goes on. Tells after how long it will ask for the next thing, µs; `None`: as it pleases, for it has
    /// done what it wanted.
    pub fn told(&mut self, op: Op, outcome: Outcome) -> Option<Micros> {
        let (task, pause) = self.goes_on(op, outcome);
        *self.task = task;
        pause
    }

    fn goes_on(&mut self, op: Op, outcome: Outcome) -> (Task, Option<Micros>) {
        let over = (Task::Free, None);
        match (op, outcome) {
            (Op::Read { key }, Outcome::Value(value)) | (Op::CompareAndSet { key, .. }, Outcome::Differs(value)) => {
                *self.seen = Some((key, value));
                over
            }
            (Op::Write { key, value } | Op::CompareAndSet { key, value, .. }, Outcome::Done) => {
                *self.seen = Some((key, Some(value)));
                over
            }
            (Op::Acquire { lock, .. }, Outcome::Granted { token }) => self.holds(lock, token),
            (Op::Acquire { .. }, _) => (Task::Free, Some(self.patience())),
            (Op::Renew { lock, token, .. }, Outcome::Done) => {
                let Task::Holding { left, .. } = *self.task else { return over };
                self.works(lock, token, left)
            }
            (Op::Guarded { lock, token, .. }, Outcome::Done) => (Task::Leaving { lock, token }, Some(0)),
            (Op::Take { queue, .. }, Outcome::Took { ticket, .. }) => {
                let holding = self.holding();
                let pause = match holding.fate(self.rng) {
                    Fate::Dies => return (Task::Dead, Some(holding.absence())),
                    Fate::Stalls => holding.work + holding.stall,
                    Fate::Works => holding.work,
                };
                (Task::Borrowing { queue, ticket }, Some(pause))
            }
            (Op::Take { .. }, _) => (Task::Free, Some(self.patience())),
            (Op::Arrive { barrier, .. }, Outcome::Arrived { generation }) => {
                (Task::Waiting { barrier, generation }, Some(self.patience()))
            }
            (Op::Passed { .. }, Outcome::NotYet) => (*self.task, Some(self.patience())),
            (Op::Passed { .. }, _) => match self.group.service {
                Service::Barrier { work, .. } => (Task::Free, Some(jitter::exponential(work, self.rng))),
                _ => over,
            },
            (Op::Watch { key, .. }, told) => {
                let version = if let Outcome::Version { version, .. } = told { version } else { 0 };
                match *self.task {
                    Task::Reading { .. } => (Task::Updating { key, version }, Some(0)),
                    _ => {
                        *self.seen = Some((key, Some(version.max(self.known(key)))));
                        over
                    }
                }
            }
            (Op::Deliver { topic, after }, Outcome::Value(_)) => {
                *self.seen = Some((topic, Some(after + 1)));
                over
            }
            _ => over,
        }
    }

    /// It has the lock.
    fn holds(&mut self, lock: u16, token: u32) -> (Task, Option<Micros>) {
        let holding = self.holding();
        match holding.fate(self.rng) {
            Fate::Dies => (Task::Dead, Some(holding.absence())),
            // Whoever stalls renews nothing, and writes as if no time had passed.
            Fate::Stalls => (Task::Holding { lock, token, left: 0 }, Some(holding.work + holding.stall)),
            Fate::Works => self.works(lock, token, holding.work),
        }
    }

    /// It works until the next renewal or the end.
    fn works(&self, lock: u16, token: u32, left: Micros) -> (Task, Option<Micros>) {
        let stretch = self.holding().stretch(left);
        (Task::Holding { lock, token, left: left - stretch }, Some(stretch))
    }

    /// How long it waits before it looks again, µs.
    fn patience(&self) -> Micros {
        let work = match self.group.service {
            Service::Barrier { work, .. } => work,
            _ => self.holding().work,
        };
        work / 4
    }
}
