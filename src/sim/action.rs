//! What a person or a script may do to a running world.

use super::domains::DomainId;
use super::roles::Roles;
use crate::core::{KindId, Micros, NodeId, NodeSet};
use std::fmt;

/// Most replicas a world holds, those that joined later included.
pub const MAX_NODES: usize = 32;

/// All nodes, those that join later included.
pub const ALL: NodeSet = NodeSet::first(MAX_NODES as u8);

/// One intervention. A run is its blueprint and the actions taken, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The node stops at once. Its disk keeps what was saved.
    Crash(NodeId),
    /// The node crashes in the middle of what it sends: once it has sent so many more messages to other replicas, in place of the next one.
    CrashAfter {
        /// Which node.
        node: NodeId,
        /// How many messages still leave it.
        sends: u16,
    },
    /// A crashed node starts from its disk.
    Restart(NodeId),
    /// The node does nothing for a while, as in a long garbage collection. What arrives and what falls due waits for it.
    Pause {
        /// Which node.
        node: NodeId,
        /// Its clock stands still as well, as in a virtual machine that is suspended: timers have as long to go afterwards as before.
        clock_stops: bool,
    },
    /// A paused node goes on: first what its timers missed, then what has arrived, in order, all at once.
    Continue(NodeId),
    /// The same to all nodes in a failure domain.
    Domain {
        /// Which region, site, rack or machine.
        domain: DomainId,
        /// What happens to it.
        fault: DomainFault,
    },
    /// Messages from `from` to `to` get lost, those under way included; and back, if `both`.
    Cut {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// Both ways.
        both: bool,
    },
    /// Undoes cuts between two nodes, both ways.
    Heal(NodeId, NodeId),
    /// Cuts every link between two groups of nodes. A node in neither group still hears both: a bridge.
    Split {
        /// Senders.
        from: NodeSet,
        /// Receivers.
        to: NodeSet,
        /// Both ways.
        both: bool,
    },
    /// Undoes cuts between two groups, both ways.
    Join(NodeSet, NodeSet),
    /// Undoes all cuts.
    HealAll,
    /// From now on messages from one group of nodes to another fare badly; and back, if `both`.
    Disturb {
        /// Senders; may be [`ALL`].
        from: NodeSet,
        /// Receivers; may be [`ALL`].
        to: NodeSet,
        /// Both ways.
        both: bool,
        /// How.
        how: LinkFault,
    },
    /// From now on all that a node sends shares one way out of so many bytes a second, and queues for it; 0 for no limit.
    Uplink {
        /// Which node.
        node: NodeId,
        /// Bytes a second.
        bytes_per_s: u32,
    },
    /// Undoes all that [`Action::Disturb`] and [`Action::Uplink`] did.
    ClearLinkFaults,
    /// Does something to one message that is under way, or held.
    Message {
        /// Which.
        flight: FlightId,
        /// What.
        intercept: Intercept,
    },
    /// Does something to one message as soon as it is sent.
    Catch {
        /// Which.
        which: Which,
        /// The how many-th such message from now on, from 1.
        nth: u16,
        /// What.
        intercept: Intercept,
    },
    /// All messages held that fit arrive now, in the order in which they were held.
    Release(Option<Which>),
    /// The node now lives at another site: messages sent from now on take the new delays.
    Move {
        /// Which node.
        node: NodeId,
        /// Index of the site.
        site: u8,
    },
    /// The leader is asked to hand its leadership to this node, by the protocol's own transfer.
    HandOver(NodeId),
    /// A new replica boots at this site and joins by the protocol's own membership change.
    Add {
        /// Index of the site.
        site: u8,
    },
    /// The node leaves by the protocol's own membership change.
    Remove(NodeId),
    /// One client at this site sends one more command.
    Request {
        /// Index of the site.
        site: u8,
    },
    /// From now on so many messages in a thousand get lost.
    Loss {
        /// Out of a thousand.
        permille: u16,
    },
    /// Clients start no more commands.
    Quiesce,
    /// Clients go on.
    Resume,
    /// Something happens to a node's disk.
    Disk {
        /// Whose.
        node: NodeId,
        /// What.
        fault: DiskFault,
    },
    /// A node's clock runs too fast or too slow from now on; its timers with it.
    Drift {
        /// Whose.
        node: NodeId,
        /// Too fast by so many millionths; too slow below 0; at most [`MOST_DRIFT`].
        ppm: i32,
    },
    /// A node's clock jumps, so that its timers have less to go; backwards below 0.
    Jump {
        /// Whose.
        node: NodeId,
        /// How far, µs.
        by: i32,
    },
    /// A node's processor takes so many hundredths of the usual time for each message.
    Throttle {
        /// Whose.
        node: NodeId,
        /// Out of a hundred; 100 undoes it.
        percent: u16,
    },
    /// The node lies from now on.
    Behaviour {
        /// Who.
        node: NodeId,
        /// How.
        how: Behaviour,
    },
    /// All that keeps messages from arriving in time ends: cuts, loss, disturbed links, held messages, pauses.
    Stabilise,
}

/// How a node can lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// It hears all and says nothing to these; nor to clients, if these are [`ALL`].
    Silent(NodeSet),
    /// It becomes two honest nodes under one name; these talk with the second, the others with the first.
    Twin(NodeSet),
    /// The same, but the second knows nothing of what it ever promised or accepted.
    Deny(NodeSet),
    /// What it says to one it says to all.
    ToAll,
    /// What it sends to these has another command in it.
    Tamper(NodeSet),
    /// It is honest again.
    Honest,
}

/// The most that a clock may be wrong, in millionths.
pub const MOST_DRIFT: u32 = 500_000;
/// The farthest that a clock may jump, µs.
pub const MOST_JUMP: u32 = 30 * MOST_DELAY;
/// The longest delay of a message or a write that a fault may cause, µs.
pub const MOST_DELAY: u32 = 60_000_000;
/// The narrowest and the widest way that messages can be limited to, bytes a second; 0 is no limit.
pub const BANDWIDTHS: std::ops::RangeInclusive<u32> = 100..=4_000_000_000;

/// What can happen to all of a failure domain at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DomainFault {
    /// The power fails: all nodes in it that run crash.
    Crash,
    /// The power is back: all nodes in it that are down start from their disks.
    Restart,
    /// All nodes in it that run are paused; their clocks go on.
    Pause,
    /// All paused nodes in it go on.
    Continue,
    /// Nothing gets in or out any more, clients included; what is within goes on talking.
    Partition,
    /// Undoes [`DomainFault::Partition`].
    Reconnect,
}

/// How messages on a link can fare. What it says holds from now on, in place of what was said of the same before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkFault {
    /// They take longer.
    Slow {
        /// By so much, µs.
        extra: u32,
        /// And by a random time with this mean (exponential), µs.
        jitter: u32,
    },
    /// So many in a thousand get lost, besides those lost everywhere.
    Lose(u16),
    /// So many in a thousand arrive twice, the second time after a delay of its own.
    Duplicate(u16),
    /// Some are held up, so that later ones overtake them.
    Reorder {
        /// So many in a thousand.
        permille: u16,
        /// For up to so long, µs.
        by: u32,
    },
    /// So many bytes a second fit through; messages queue for it. 0 for no limit.
    Narrow(u32),
}

/// A message under way, by what holds it: good as long as it is under way or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlightId {
    /// A message between replicas.
    Message {
        /// Number of what it says.
        message_id: u32,
        /// Its receiver.
        to: NodeId,
    },
    /// A request or an answer of a client, by its number.
    ClientMessage(u32),
}

/// What one can do to a single message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intercept {
    /// It stays where it is until something else is done to it.
    Hold,
    /// It arrives now.
    Deliver,
    /// It gets lost now.
    Drop,
    /// It arrives twice. A copy of one that is held arrives now.
    Duplicate,
}

/// Messages of one kind on one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Which {
    /// Sender.
    pub from: NodeId,
    /// Receiver.
    pub to: NodeId,
    /// Kind.
    pub kind: KindId,
}

/// What can happen to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskFault {
    /// The disk of a node that is down is replaced by an empty one.
    Wipe,
    /// A write takes so long from now on, µs.
    Slow(u32),
    /// Nothing more fits: the next save fails, and the node stops.
    Fill,
    /// From now on it only says that it has written: a crash loses all since.
    Forget,
    /// From now on a crash loses the last record, too, though it was written: it is found torn.
    Tear,
    /// A record is corrupted: found when the node starts the next time, and then it does not.
    Rot,
    /// It is fast, has room and keeps its word again. A corrupted record stays corrupted.
    Repair,
}

/// What protocols count on, and a fault may take away: then none of their promises holds any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assumption {
    /// What a node has saved it finds again.
    StableStorage,
    /// Nodes do as the protocol says.
    Honesty,
}

impl Assumption {
    /// What it says.
    pub fn says(self) -> &'static str {
        match self {
            Assumption::StableStorage => "a node finds again what it has saved",
            Assumption::Honesty => "no node lies",
        }
    }
}

impl Action {
    /// What it takes away that protocols count on, if it does.
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

    /// Whether it keeps messages from arriving, or from arriving in time, so that no bound on delays could hold.
    pub fn delays_or_loses(self) -> bool {
        match self {
            Action::Pause { .. }
            | Action::Cut { .. }
            | Action::Split { .. }
            | Action::Domain { fault: DomainFault::Partition | DomainFault::Pause, .. }
            | Action::Message { intercept: Intercept::Hold | Intercept::Drop, .. }
            | Action::Catch { intercept: Intercept::Hold | Intercept::Drop, .. } => true,
            Action::Loss { permille } => permille > 0,
            Action::Disturb { how, .. } => !matches!(how, LinkFault::Duplicate(_)),
            Action::Uplink { bytes_per_s, .. } => bytes_per_s > 0,
            _ => false,
        }
    }

    /// What is wrong with the amounts it names, if anything is. They are the same that a document can name.
    pub fn immoderate(self) -> Option<String> {
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
            Action::Catch { nth, .. } => (nth == 0, 0, "messages", "1 to 65535".to_owned()),
            _ => return None,
        };
        odd.then(|| format!("{amount} {unit} is out of bounds; {would} would do"))
    }

    /// The nodes it names.
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
            _ => NodeSet::EMPTY,
        }
    }
}

/// In words, for transcripts and reports. Nodes count from 1, as people see them; sites and domains are told by number.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Action::Crash(node) => write!(f, "crash node {node:?}"),
            Action::CrashAfter { node, sends: 0 } => write!(f, "crash node {node:?} before it sends anything more"),
            Action::CrashAfter { node, sends: 1 } => write!(f, "crash node {node:?} once it has sent one more message"),
            Action::CrashAfter { node, sends } => {
                write!(f, "crash node {node:?} once it has sent {sends} more messages")
            }
            Action::Restart(node) => write!(f, "restart node {node:?}"),
            Action::Pause { node, clock_stops: false } => write!(f, "pause node {node:?}"),
            Action::Pause { node, clock_stops: true } => write!(f, "suspend node {node:?} and its clock"),
            Action::Continue(node) => write!(f, "let node {node:?} continue"),
            Action::Domain { domain, fault } => write!(f, "{fault} place {}", domain.0 + 1),
            Action::Cut { from, to, both: true } => write!(f, "cut the link between nodes {from:?} and {to:?}"),
            Action::Cut { from, to, both: false } => write!(f, "cut the way from node {from:?} to node {to:?}"),
            Action::Heal(a, b) => write!(f, "heal the link between nodes {a:?} and {b:?}"),
            Action::Split { from, to, both: true } => write!(f, "cut all links between nodes {from:?} and {to:?}"),
            Action::Split { from, to, both: false } => write!(f, "cut all ways from nodes {from:?} to {to:?}"),
            Action::Join(a, b) => write!(f, "heal all links between nodes {a:?} and {b:?}"),
            Action::HealAll => f.write_str("heal all links"),
            Action::Disturb { from: ALL, to: ALL, how, .. } => write!(f, "{how} on all links"),
            Action::Disturb { from, to, both, how } => {
                write!(f, "{how} from nodes {from:?} to {to:?}{}", if both { " and back" } else { "" })
            }
            Action::Uplink { node, bytes_per_s: 0 } => write!(f, "let node {node:?} send as fast as it can"),
            Action::Uplink { node, bytes_per_s } => write!(f, "let node {node:?} send {bytes_per_s} bytes a second"),
            Action::ClearLinkFaults => f.write_str("clear all link faults"),
            Action::Message { intercept, .. } => write!(f, "{intercept} one message under way"),
            Action::Catch { which, nth: 1, intercept } => write!(f, "{intercept} the next message {which}"),
            Action::Catch { which, nth, intercept } => {
                write!(f, "{intercept} message number {nth} from now on {which}")
            }
            Action::Release(Some(which)) => write!(f, "release what is held {which}"),
            Action::Release(None) => f.write_str("release all that is held"),
            Action::Move { node, site } => write!(f, "move node {node:?} to site {}", site + 1),
            Action::HandOver(node) => write!(f, "hand leadership over to node {node:?}"),
            Action::Add { site } => write!(f, "add a replica at site {}", site + 1),
            Action::Remove(node) => write!(f, "remove node {node:?}"),
            Action::Request { site } => write!(f, "a client's request from site {}", site + 1),
            Action::Loss { permille } => write!(f, "lose {permille} of 1000 messages"),
            Action::Quiesce => f.write_str("clients begin nothing more"),
            Action::Resume => f.write_str("clients go on"),
            Action::Disk { node, fault } => match fault {
                DiskFault::Wipe => write!(f, "empty the disk of node {node:?}"),
                DiskFault::Slow(micros) => write!(f, "let writes of node {node:?} take {micros} µs"),
                DiskFault::Fill => write!(f, "fill the disk of node {node:?}"),
                DiskFault::Forget => write!(f, "let the disk of node {node:?} only say that it writes"),
                DiskFault::Tear => write!(f, "let a crash of node {node:?} tear its last record"),
                DiskFault::Rot => write!(f, "corrupt a record on the disk of node {node:?}"),
                DiskFault::Repair => write!(f, "repair the disk of node {node:?}"),
            },
            Action::Drift { node, ppm } => write!(f, "let the clock of node {node:?} run {ppm} millionths too fast"),
            Action::Jump { node, by } => write!(f, "let the clock of node {node:?} jump by {by} µs"),
            Action::Throttle { node, percent } => {
                write!(f, "let the processor of node {node:?} take {percent}% of its time")
            }
            Action::Behaviour { node, how } => match how {
                Behaviour::Silent(ALL) => write!(f, "let node {node:?} say nothing any more"),
                Behaviour::Silent(to) => write!(f, "let node {node:?} say nothing to {to:?} any more"),
                Behaviour::Twin(to) => write!(f, "make two of node {node:?}, one of them for {to:?}"),
                Behaviour::Deny(to) => write!(f, "let node {node:?} forget its promises to {to:?}"),
                Behaviour::ToAll => write!(f, "let node {node:?} say to all what is meant for one"),
                Behaviour::Tamper(ALL) => write!(f, "let node {node:?} tamper with commands"),
                Behaviour::Tamper(to) => write!(f, "let node {node:?} tamper with commands to {to:?}"),
                Behaviour::Honest => write!(f, "let node {node:?} be honest again"),
            },
            Action::Stabilise => f.write_str("let all messages arrive in time"),
        }
    }
}

impl fmt::Display for DomainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DomainFault::Crash => "crash",
            DomainFault::Restart => "restart",
            DomainFault::Pause => "pause",
            DomainFault::Continue => "continue",
            DomainFault::Partition => "cut off",
            DomainFault::Reconnect => "reconnect",
        })
    }
}

impl fmt::Display for LinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            LinkFault::Slow { extra, jitter } => {
                write!(f, "delay messages by {extra} µs and a random time around {jitter} µs")
            }
            LinkFault::Lose(permille) => write!(f, "lose {permille} of 1000 messages"),
            LinkFault::Duplicate(permille) => write!(f, "send {permille} of 1000 messages twice"),
            LinkFault::Reorder { permille, by } => write!(f, "hold up {permille} of 1000 messages for up to {by} µs"),
            LinkFault::Narrow(0) => f.write_str("let any number of bytes a second through"),
            LinkFault::Narrow(bytes) => write!(f, "let {bytes} bytes a second through"),
        }
    }
}

impl fmt::Display for Intercept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Intercept::Hold => "hold",
            Intercept::Deliver => "deliver at once",
            Intercept::Drop => "drop",
            Intercept::Duplicate => "duplicate",
        })
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "of its kind from node {:?} to node {:?}", self.from, self.to)
    }
}

/// An action with its moment, for scripts and replays.
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

/// An action of a script that made no sense when its time came, so that nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the script, from 0.
    pub index: u32,
    /// When, and what.
    pub timed: Timed,
    /// Why not.
    pub why: Refusal,
}

/// Why an action was not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}
