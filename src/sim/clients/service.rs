//! Workload generators of the services: the next command of a client, and the transition of its plan on each outcome.
//!
//! A client of the key-value store issues independent commands. Others follow a plan: a lock client acquires the lock, works, writes to the
//! guarded store, and releases. The state of such a plan is a [`Task`]; each outcome advances it.

use super::{ClientGroup, Keys};
use crate::core::{Micros, Op, Outcome};
use crate::sim::jitter;
use crate::sim::rng::Rng;

/// Service that a client group uses, with the parameters of its workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Key-value store: reads, writes, compare-and-set.
    KeyValue {
        /// Share of writes that are compare-and-set on the value last seen, thousandths.
        swap_permille: u16,
        /// Share of writes whose value each replica chooses itself (non-deterministic execution), thousandths. A deliberate error.
        own_permille: u16,
    },
    /// Lock: acquire, work, write to the guarded store, release.
    Lock {
        /// Lease, work and interruptions.
        holding: Holding,
        /// Whether the guarded store checks fencing tokens.
        fenced: bool,
    },
    /// Queue: writers enqueue; readers take an item on a lease, work, and acknowledge it.
    Queue(Holding),
    /// Barrier: work, arrive, and poll until all parties have arrived.
    Barrier {
        /// Number of parties.
        parties: u16,
        /// Mean work time (exponential), µs.
        work: Micros,
    },
    /// Configuration: writers read an entry and update that version; readers watch for later versions.
    Config,
    /// Broadcast: writers publish messages; readers consume a topic in order.
    Broadcast,
}

impl Default for Service {
    fn default() -> Service {
        Service::KeyValue { swap_permille: 0, own_permille: 0 }
    }
}

/// Leases of clients, and interruptions while they hold one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Requested lease, ms.
    pub lease: u32,
    /// Work time, µs.
    pub work: Micros,
    /// Probability of a stall while holding, thousandths: the client then continues unaware that time has passed.
    pub stall_permille: u16,
    /// Duration of a stall, µs.
    pub stall: Micros,
    /// Probability of a crash while holding, thousandths: the client restarts later without memory of it.
    pub die_permille: u16,
}

/// Interruption of a client that holds a lease.
enum Interruption {
    /// None: it completes its work.
    None,
    /// It stalls.
    Stall,
    /// It crashes.
    Crash,
}

impl Holding {
    fn draw_interruption(&self, rng: &mut Rng) -> Interruption {
        match (rng.chance(self.die_permille), rng.chance(self.stall_permille)) {
            (true, _) => Interruption::Crash,
            (_, true) => Interruption::Stall,
            _ => Interruption::None,
        }
    }

    /// Time until a crashed client restarts, µs: twice the lease, so that the lease has expired.
    fn downtime(&self) -> Micros {
        2 * 1_000 * Micros::from(self.lease)
    }

    /// Time until the next renewal (half the lease), or until the work is done if that is sooner, µs.
    fn work_slice(&self, left: Micros) -> Micros {
        left.min(1_000 * Micros::from(self.lease) / 2)
    }
}

/// State of a session's plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Task {
    /// No plan in progress.
    #[default]
    Idle,
    /// Crashed while holding something; restarts later without memory of it.
    Crashed,
    /// Holds a lock, with `left` µs of work remaining.
    Holding { lock: u16, token: u32, left: Micros },
    /// Has written to the guarded store; releases the lock.
    Releasing { lock: u16, token: u32 },
    /// Processes a leased queue item.
    Processing { queue: u16, ticket: u32 },
    /// Polls a barrier.
    Waiting { barrier: u16, generation: u32 },
    /// Reads an entry in order to update it.
    Reading { key: u16 },
    /// Updates the version it has read.
    Updating { key: u16, version: u32 },
}

/// A session's last observation: a key with its value or version, or a topic with the number of messages consumed.
pub(super) type Seen = (u16, Option<u32>);

/// Generator of one session's commands.
pub(super) struct CommandGenerator<'a> {
    pub group: &'a ClientGroup,
    pub keys: &'a Keys,
    pub task: &'a mut Task,
    pub seen: &'a mut Option<Seen>,
    pub rng: &'a mut Rng,
}

impl CommandGenerator<'_> {
    /// The next operation. `value` is unique in the run, so that a read identifies the write that it saw.
    pub fn next(&mut self, now: Micros, value: u32) -> Op {
        let at = (now / 1_000) as u32;
        match *self.task {
            Task::Idle | Task::Crashed => {
                *self.task = Task::Idle;
                self.begin(at, value)
            }
            Task::Holding { lock, token, left: 0 } => {
                let fenced = matches!(self.group.service, Service::Lock { fenced: true, .. });
                Op::Guarded { lock, value, token, fenced }
            }
            Task::Holding { lock, token, .. } => Op::Renew { lock, token, lease: self.holding().lease, at },
            Task::Releasing { lock, token } => Op::Release { lock, token },
            Task::Processing { queue, ticket } => Op::Ack { queue, ticket },
            Task::Waiting { barrier, generation } => Op::Passed { barrier, generation },
            Task::Reading { key } => Op::Watch { key, after: 0 },
            Task::Updating { key, version } => Op::Update { key, version, value },
        }
    }

    /// The first operation of a new plan.
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
                // A reader stays with its first topic.
                let topic = self.seen.map_or(key, |(topic, _)| topic);
                *self.seen = Some((topic, Some(self.known(topic))));
                Op::Deliver { topic, after: self.known(topic) }
            }
            Service::Broadcast => Op::Publish { topic: key, message: value },
        }
    }

    /// The version or position last seen of `key`; 0 for none.
    fn known(&self, key: u16) -> u32 {
        self.seen.filter(|(seen, _)| *seen == key).and_then(|(_, number)| number).unwrap_or(0)
    }

    fn holding(&self) -> Holding {
        match self.group.service {
            Service::Lock { holding, .. } | Service::Queue(holding) => holding,
            _ => Holding::default(),
        }
    }

    /// Advances the plan by the outcome of `op`. Returns the pause until the plan's next operation, µs; `None`: the plan is complete, and the
    /// group's arrival process decides.
    pub fn complete(&mut self, op: Op, outcome: Outcome) -> Option<Micros> {
        let (task, pause) = self.next_task(op, outcome);
        *self.task = task;
        pause
    }

    fn next_task(&mut self, op: Op, outcome: Outcome) -> (Task, Option<Micros>) {
        let over = (Task::Idle, None);
        match (op, outcome) {
            (Op::Read { key }, Outcome::Value(value)) | (Op::CompareAndSet { key, .. }, Outcome::Differs(value)) => {
                *self.seen = Some((key, value));
                over
            }
            (Op::Write { key, value } | Op::CompareAndSet { key, value, .. }, Outcome::Done) => {
                *self.seen = Some((key, Some(value)));
                over
            }
            (Op::Acquire { lock, .. }, Outcome::Granted { token }) => self.lock_acquired(lock, token),
            (Op::Acquire { .. }, _) => (Task::Idle, Some(self.poll_interval())),
            (Op::Renew { lock, token, .. }, Outcome::Done) => {
                let Task::Holding { left, .. } = *self.task else { return over };
                self.work_until_renewal(lock, token, left)
            }
            (Op::Guarded { lock, token, .. }, Outcome::Done) => (Task::Releasing { lock, token }, Some(0)),
            (Op::Take { queue, .. }, Outcome::Took { ticket, .. }) => {
                let holding = self.holding();
                let pause = match holding.draw_interruption(self.rng) {
                    Interruption::Crash => return (Task::Crashed, Some(holding.downtime())),
                    Interruption::Stall => holding.work + holding.stall,
                    Interruption::None => holding.work,
                };
                (Task::Processing { queue, ticket }, Some(pause))
            }
            (Op::Take { .. }, _) => (Task::Idle, Some(self.poll_interval())),
            (Op::Arrive { barrier, .. }, Outcome::Arrived { generation }) => {
                (Task::Waiting { barrier, generation }, Some(self.poll_interval()))
            }
            (Op::Passed { .. }, Outcome::NotYet) => (*self.task, Some(self.poll_interval())),
            (Op::Passed { .. }, _) => match self.group.service {
                Service::Barrier { work, .. } => (Task::Idle, Some(jitter::exponential(work, self.rng))),
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

    /// The lock was granted.
    fn lock_acquired(&mut self, lock: u16, token: u32) -> (Task, Option<Micros>) {
        let holding = self.holding();
        match holding.draw_interruption(self.rng) {
            Interruption::Crash => (Task::Crashed, Some(holding.downtime())),
            // A stalled holder does not renew its lease, and writes as if no time had passed.
            Interruption::Stall => (Task::Holding { lock, token, left: 0 }, Some(holding.work + holding.stall)),
            Interruption::None => self.work_until_renewal(lock, token, holding.work),
        }
    }

    /// Works until the next renewal or the end of its work.
    fn work_until_renewal(&self, lock: u16, token: u32, left: Micros) -> (Task, Option<Micros>) {
        let slice = self.holding().work_slice(left);
        (Task::Holding { lock, token, left: left - slice }, Some(slice))
    }

    /// Polling interval, µs: a quarter of the work time.
    fn poll_interval(&self) -> Micros {
        let work = match self.group.service {
            Service::Barrier { work, .. } => work,
            _ => self.holding().work,
        };
        work / 4
    }
}
