//! Actions: fault injection, repair, reconfiguration and workload control, by hand or from a script.

use super::domains::DomainId;
use super::in_flight::InFlight;
use super::roles::Roles;
use crate::core::{KindId, Micros, NodeId, NodeSet, TimerId};
use std::fmt;

/// Maximum number of replicas in a world, those that joined later included.
pub const MAX_NODES: usize = 32;

/// Wildcard: all nodes, those that join later included.
pub const ALL: NodeSet = NodeSet::first(MAX_NODES as u8);

/// One intervention in a run. A run is determined by its blueprint and the actions applied to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Crash: the node stops at once. Its disk keeps what was durably written.
    Crash(NodeId),
    /// Crash during a broadcast: after the node has sent `sends` more messages to other replicas, in place of the next one.
    CrashAfter {
        /// Which node.
        node: NodeId,
        /// Messages that it still sends before the crash.
        sends: u16,
    },
    /// Restart: a crashed node boots from its disk.
    Restart(NodeId),
    /// Pause: the node handles nothing, as during a long garbage collection. Arriving messages and due timers are deferred.
    Pause {
        /// Which node.
        node: NodeId,
        /// Its clock stops as well, as in a suspended virtual machine: pending timers keep their remaining time.
        clock_stops: bool,
    },
    /// End of a pause: overdue timers fire first, then deferred messages are handled in order of arrival, all at the same microsecond.
    Continue(NodeId),
    /// Fault or repair of a whole failure domain.
    Domain {
        /// Region, site, rack or machine.
        domain: DomainId,
        /// Fault or repair.
        fault: DomainFault,
    },
    /// Link cut: messages from `from` to `to` are lost, those in flight included; and in the other direction, if `both`. Once every link
    /// between the replicas of two places is cut, so is the way between the clients at one and the replicas at the other.
    Cut {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// Both directions.
        both: bool,
        /// The cut does not count for clients.
        replicas_only: bool,
    },
    /// Undoes cuts between two nodes, in both directions.
    Heal(NodeId, NodeId),
    /// Network partition: cuts every link between two groups of nodes. A node in neither group keeps its links to both (a bridge).
    Split {
        /// Senders.
        from: NodeSet,
        /// Receivers.
        to: NodeSet,
        /// Both directions.
        both: bool,
        /// The cuts do not count for clients; see [`Action::Cut`].
        replicas_only: bool,
    },
    /// Undoes cuts between two groups, in both directions.
    Join(NodeSet, NodeSet),
    /// Undoes all cuts and partitions.
    HealAll,
    /// Sets a link condition (delay, loss, duplication, reordering, bandwidth) on all links from one group of nodes to another; and back, if
    /// `both`.
    Disturb {
        /// Senders; may be [`ALL`].
        from: NodeSet,
        /// Receivers; may be [`ALL`].
        to: NodeSet,
        /// Both directions.
        both: bool,
        /// Condition.
        how: LinkFault,
    },
    /// Limits the total outgoing bandwidth of a node; messages queue for it. 0 removes the limit.
    Uplink {
        /// Which node.
        node: NodeId,
        /// Bytes a second.
        bytes_per_s: u32,
    },
    /// Clears all link conditions set by [`Action::Disturb`] and [`Action::Uplink`].
    ClearLinkFaults,
    /// Intercepts one message that is in flight or held.
    Message {
        /// Which.
        flight: FlightId,
        /// What.
        intercept: Intercept,
    },
    /// Installs an interceptor for one message that is yet to be sent.
    Catch {
        /// Which.
        which: Which,
        /// Ordinal of the message among matching ones sent from now on, from 1.
        nth: u16,
        /// What.
        intercept: Intercept,
    },
    /// Intercepts one message that is in flight or held, named by its ends and kind.
    Sent {
        /// Its ends and kind.
        which: InFlight,
        /// Ordinal among those, from 1: held ones first, in the order in which they were held; the others in the order of their arrival.
        nth: u16,
        /// What.
        intercept: Intercept,
    },
    /// Timer expiry now: the timer, which is set, fires at once.
    Fire {
        /// Whose.
        node: NodeId,
        /// Which.
        timer: TimerId,
    },
    /// Manual scheduling: from now on, messages and clients' requests are held when they arrive at a replica, and timers do not fire when they
    /// are due; only what is delivered or fired one by one is handled. Messages of a node to itself, replies to clients and fencing go on.
    HoldAll,
    /// Undoes [`Action::HoldAll`]: all held messages are delivered now, and timers that are due fire.
    ReleaseAll,
    /// Delivers all held messages that match (all of them for `None`) now, in the order in which they were held.
    Release(Option<Which>),
    /// Moves the node to another site: messages sent from now on take the new delays.
    Move {
        /// Which node.
        node: NodeId,
        /// Index of the site.
        site: u8,
    },
    /// Leadership transfer to this node, by the protocol's own mechanism.
    HandOver(NodeId),
    /// Membership change: a new replica boots at this site and joins by the protocol's own mechanism.
    Add {
        /// Index of the site.
        site: u8,
    },
    /// Membership change: the node leaves by the protocol's own mechanism.
    Remove(NodeId),
    /// One client at this site issues one more command.
    Request {
        /// Index of the site.
        site: u8,
    },
    /// Sets the loss rate of the whole network.
    Loss {
        /// Out of a thousand.
        permille: u16,
    },
    /// Clients issue no new commands; those outstanding go on.
    Quiesce,
    /// Undoes [`Action::Quiesce`].
    Resume,
    /// Disk fault or repair.
    Disk {
        /// Which node.
        node: NodeId,
        /// What.
        fault: DiskFault,
    },
    /// Clock drift: the node's clock, and its timers with it, run too fast or too slow from now on.
    Drift {
        /// Which node.
        node: NodeId,
        /// Rate error in parts per million; positive is fast; at most [`MOST_DRIFT`] either way.
        ppm: i32,
    },
    /// Clock jump: pending timers have `by` less to go; more for a jump backwards (below 0).
    Jump {
        /// Which node.
        node: NodeId,
        /// Distance, µs.
        by: i32,
    },
    /// Processor slowdown: sets the time that the node's processor takes for each message.
    Throttle {
        /// Which node.
        node: NodeId,
        /// Percent of the configured cost; 100 restores it.
        percent: u16,
    },
    /// Byzantine behaviour of a node from now on.
    Behaviour {
        /// Which node.
        node: NodeId,
        /// Behaviour.
        how: Behaviour,
    },
    /// Stabilisation: ends everything that delays or loses messages: cuts, partitions, loss, link conditions, held messages, pauses.
    Stabilise,
}

/// Byzantine behaviours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// It receives everything and sends nothing to these; nor to clients, if these are [`ALL`].
    Silent(NodeSet),
    /// Twin (Bano et al., OPODIS 2021): two honest copies under one id; these nodes exchange messages with the second, the others with the first.
    Twin(NodeSet),
    /// Twin whose second copy starts with an empty disk: it knows nothing of what the node promised or accepted.
    Deny(NodeSet),
    /// Messages for one receiver are sent to all.
    ToAll,
    /// Messages to these carry a different command.
    Tamper(NodeSet),
    /// Follows the protocol again.
    Honest,
}

/// Maximum clock drift, parts per million.
pub const MOST_DRIFT: u32 = 500_000;
/// Maximum clock jump, µs.
pub const MOST_JUMP: u32 = 30 * MOST_DELAY;
/// Maximum delay of a message or a disk write that a fault may cause, µs.
pub const MOST_DELAY: u32 = 60_000_000;
/// Range of bandwidth limits, bytes a second; 0 stands for no limit.
pub const BANDWIDTHS: std::ops::RangeInclusive<u32> = 100..=4_000_000_000;

/// Faults and repairs of a whole failure domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DomainFault {
    /// Power failure: all running nodes in it crash.
    Crash,
    /// Power restored: all nodes in it that are down boot from their disks.
    Restart,
    /// All running nodes in it are paused; their clocks go on.
    Pause,
    /// All paused nodes in it continue.
    Continue,
    /// Network partition at its edge: no message gets in or out, clients' included; messages within it are delivered.
    Partition,
    /// Undoes [`DomainFault::Partition`].
    Reconnect,
}

/// One link condition. Replaces the earlier condition of the same kind on that link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkFault {
    /// Additional delay.
    Slow {
        /// Constant part, µs.
        extra: u32,
        /// Mean of the random part (exponential), µs.
        jitter: u32,
    },
    /// Loss rate in thousandths, in addition to that of the whole network.
    Lose(u16),
    /// Duplication rate in thousandths; the copy arrives after a delay of its own.
    Duplicate(u16),
    /// Reordering: some messages are delayed, so that later ones overtake them.
    Reorder {
        /// Rate in thousandths.
        permille: u16,
        /// Maximum additional delay (uniform), µs.
        by: u32,
    },
    /// Bandwidth limit in bytes a second; messages queue for it. 0 for no limit.
    Narrow(u32),
}

/// Id of a message in flight; valid as long as the message is in flight or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlightId {
    /// A message between replicas.
    Message {
        /// Id of its content in the message store.
        message_id: u32,
        /// Its receiver.
        to: NodeId,
    },
    /// A client's request or the reply to one, by its id in the client message store.
    ClientMessage(u32),
}

impl FlightId {
    /// The replica that receives it, if it is a message between replicas.
    pub fn receiver(self) -> Option<NodeId> {
        match self {
            FlightId::Message { to, .. } => Some(to),
            FlightId::ClientMessage(_) => None,
        }
    }
}

/// Interception of a single message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intercept {
    /// Hold it until another interception or [`Action::Release`].
    Hold,
    /// Deliver it now.
    Deliver,
    /// Drop it now.
    Drop,
    /// Deliver a second copy: at the same time as the message, or now if the message is held.
    Duplicate,
}

/// Match criterion for messages: sender, receiver and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Which {
    /// Sender.
    pub from: NodeId,
    /// Receiver.
    pub to: NodeId,
    /// Kind.
    pub kind: KindId,
}

/// Disk faults and repairs; see [`crate::sim::world::DiskState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskFault {
    /// Data loss: the disk of a node that is down is replaced by an empty one.
    Wipe,
    /// Duration of a write from now on, µs.
    Slow(u32),
    /// Disk full: the next save fails, and the node stops.
    Fill,
    /// Lost fsync: from now on writes are acknowledged, but not durable; a crash loses all of them.
    Forget,
    /// Torn write: from now on a crash also loses the last record, though its write was acknowledged.
    Tear,
    /// Corrupted record: detected by its checksum at the next restart, which is refused.
    Rot,
    /// Ends all disk faults but a corrupted record.
    Repair,
}

/// Model assumptions of protocols that a fault can break; then none of their guarantees holds any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assumption {
    /// Stable storage: what was durably written survives crashes.
    StableStorage,
    /// No Byzantine nodes.
    Honesty,
}

impl Assumption {
    /// The assumption as a clause for error messages.
    pub fn says(self) -> &'static str {
        match self {
            Assumption::StableStorage => "a node finds again what it has saved",
            Assumption::Honesty => "no node lies",
        }
    }
}

impl Action {
    /// The model assumption that it breaks, if any.
    pub fn breaks(self) -> Option<Assumption> {
        match self {
            Action::Disk { fault: DiskFault::Wipe | DiskFault::Forget | DiskFault::Tear, .. } => {
                Some(Assumption::StableStorage)
            }
            Action::Behaviour { how: Behaviour::Honest, .. } => None,
            Action::Behaviour { .. } => Some(Assumption::Honesty),
            _ => None,
        }
    }

    /// Whether it can delay or lose messages, so that no bound on delays holds (refused in a synchronous network).
    pub fn delays_or_loses(self) -> bool {
        match self {
            Action::Pause { .. }
            | Action::Cut { .. }
            | Action::Split { .. }
            | Action::Domain { fault: DomainFault::Partition | DomainFault::Pause, .. }
            | Action::Message { intercept: Intercept::Hold | Intercept::Drop, .. }
            | Action::Catch { intercept: Intercept::Hold | Intercept::Drop, .. }
            | Action::Sent { intercept: Intercept::Hold | Intercept::Drop, .. }
            | Action::HoldAll => true,
            Action::Loss { permille } => permille > 0,
            Action::Disturb { how, .. } => !matches!(how, LinkFault::Duplicate(_)),
            Action::Uplink { bytes_per_s, .. } => bytes_per_s > 0,
            _ => false,
        }
    }

    /// Whether it takes something away: a node, a link, a message, time, or the truth. Orders, repairs and what clients do are no faults.
    pub fn is_fault(self) -> bool {
        match self {
            Action::Crash(_)
            | Action::CrashAfter { .. }
            | Action::Drift { .. }
            | Action::Jump { .. }
            | Action::Fire { .. } => true,
            Action::Domain { fault, .. } => {
                matches!(fault, DomainFault::Crash | DomainFault::Pause | DomainFault::Partition)
            }
            Action::Disk { fault, .. } => fault != DiskFault::Repair,
            Action::Behaviour { how, .. } => how != Behaviour::Honest,
            Action::Throttle { percent, .. } => percent > 100,
            Action::Disturb { .. } => true,
            action => action.delays_or_loses(),
        }
    }

    /// Range check of its amounts: the error message if one is out of bounds. The bounds are those of scenario documents.
    pub fn amount_out_of_range(self) -> Option<String> {
        let share = |permille: u16| (permille > 1000, u64::from(permille), "thousandths", "0 to 1000".to_owned());
        let delay = |micros: u32| (micros > MOST_DELAY, u64::from(micros), "µs", format!("0 to {MOST_DELAY}"));
        let bandwidth = |bytes: u32| {
            let odd = bytes > 0 && !BANDWIDTHS.contains(&bytes);
            let would = format!("{} to {}, or 0 for no limit,", BANDWIDTHS.start(), BANDWIDTHS.end());
            (odd, u64::from(bytes), "bytes a second", would)
        };
        let either_way = |by: i32, most: u32, unit| {
            (by.unsigned_abs() > most, by.unsigned_abs().into(), unit, format!("{most} either way"))
        };
        let (odd, amount, unit, would) = match self {
            Action::Loss { permille }
            | Action::Disturb { how: LinkFault::Lose(permille) | LinkFault::Duplicate(permille), .. } => {
                share(permille)
            }
            Action::Disturb { how: LinkFault::Slow { extra, jitter }, .. } => delay(extra.max(jitter)),
            Action::Disturb { how: LinkFault::Reorder { permille, .. }, .. } if permille > 1000 => share(permille),
            Action::Disturb { how: LinkFault::Reorder { by, .. }, .. } => delay(by),
            Action::Disturb { how: LinkFault::Narrow(bytes), .. } | Action::Uplink { bytes_per_s: bytes, .. } => {
                bandwidth(bytes)
            }
            Action::Disk { fault: DiskFault::Slow(micros), .. } => delay(micros),
            Action::Drift { ppm, .. } => either_way(ppm, MOST_DRIFT, "millionths"),
            Action::Jump { by, .. } => either_way(by, MOST_JUMP, "µs"),
            Action::Throttle { percent, .. } => (percent == 0, 0, "hundredths", "1 to 65535".to_owned()),
            Action::Catch { nth, .. } | Action::Sent { nth, .. } => (nth == 0, 0, "messages", "1 to 65535".to_owned()),
            _ => return None,
        };
        odd.then(|| format!("{amount} {unit} is out of bounds; {would} would do"))
    }

    /// The nodes it names; [`ALL`] names none.
    pub fn nodes(self) -> NodeSet {
        match self {
            Action::Crash(node)
            | Action::CrashAfter { node, .. }
            | Action::Restart(node)
            | Action::Pause { node, .. }
            | Action::Continue(node)
            | Action::Move { node, .. }
            | Action::HandOver(node)
            | Action::Remove(node)
            | Action::Disk { node, .. }
            | Action::Drift { node, .. }
            | Action::Jump { node, .. }
            | Action::Throttle { node, .. }
            | Action::Fire { node, .. }
            | Action::Behaviour {
                node,
                how: Behaviour::ToAll | Behaviour::Honest | Behaviour::Silent(ALL) | Behaviour::Tamper(ALL),
            } => NodeSet::just(node),
            Action::Behaviour {
                node,
                how:
                    Behaviour::Silent(others)
                    | Behaviour::Twin(others)
                    | Behaviour::Deny(others)
                    | Behaviour::Tamper(others),
            } => others.with(node),
            Action::Cut { from, to, .. }
            | Action::Heal(from, to)
            | Action::Catch { which: Which { from, to, .. }, .. }
            | Action::Release(Some(Which { from, to, .. })) => NodeSet::just(from).with(to),
            Action::Split { from, to, .. } | Action::Join(from, to) => from.or(to),
            Action::Disturb { from, to, .. } => {
                let named = |set: NodeSet| if set == ALL { NodeSet::EMPTY } else { set };
                named(from).or(named(to))
            }
            Action::Uplink { node, .. } => NodeSet::just(node),
            Action::Sent { which, .. } => which.nodes(),
            _ => NodeSet::EMPTY,
        }
    }
}

/// An action with its time, for scripts and replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timed {
    /// When, µs since the start.
    pub at: Micros,
    /// What.
    pub action: Action,
    /// The nodes of the action that are known only when its time comes.
    pub roles: Roles,
}

impl Timed {
    /// An action without roles.
    pub fn new(at: Micros, action: Action) -> Timed {
        Timed { at, action, roles: Roles::default() }
    }
}

/// An action of a script that was impossible when it was due, and had no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Index in the script, from 0.
    pub index: u32,
    /// The action and its time.
    pub timed: Timed,
    /// The reason.
    pub why: Refusal,
}

/// Error: why an action was refused. The world is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}
