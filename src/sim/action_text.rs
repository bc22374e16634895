//! Actions as imperative clauses, for transcripts and reports.

use super::action::{ALL, Action, Behaviour, DiskFault, DomainFault, Intercept, LinkFault, Which};
use std::fmt;

fn for_replicas(only: bool) -> &'static str {
    if only { ", but not for clients" } else { "" }
}

/// Imperative clause for transcripts and reports. Nodes count from 1; sites and domains are given by number.
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
            Action::Cut { from, to, both, replicas_only } => {
                let (link, and) = if both { ("link between nodes", "and") } else { ("way from node", "to node") };
                write!(f, "cut the {link} {from:?} {and} {to:?}{}", for_replicas(replicas_only))
            }
            Action::Heal(a, b) => write!(f, "heal the link between nodes {a:?} and {b:?}"),
            Action::Split { from, to, both, replicas_only } => {
                let (links, and) = if both { ("links between nodes", "and") } else { ("ways from nodes", "to") };
                write!(f, "cut all {links} {from:?} {and} {to:?}{}", for_replicas(replicas_only))
            }
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
            Action::Sent { which, nth: 1, intercept } => write!(f, "{intercept} {which}"),
            Action::Sent { which, nth, intercept } => write!(f, "{intercept} number {nth} of {which}"),
            Action::Fire { node, .. } => write!(f, "let a timer of node {node:?} run out now"),
            Action::HoldAll => f.write_str("hold all messages and timers"),
            Action::ReleaseAll => f.write_str("let messages and timers go on"),
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
