//! Text forms (`Debug`, `Display`) of ids, sets, ballots, epochs and commands, for transcripts and failing tests. The only string formatting in `core`
//! and `protocols`.

use super::{Ballot, ClientId, Command, Epoch, Fact, Instance, NodeId, NodeSet, Op};
use std::fmt::{Debug, Display, Formatter, Result};

impl Debug for NodeId {
    /// Counted from 1.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.0 + 1)
    }
}

impl Debug for ClientId {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match *self {
            ClientId::NOBODY => f.write_str("nobody"),
            ClientId(id) => write!(f, "c{}", id + 1),
        }
    }
}

impl Debug for NodeSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Debug for Instance {
    /// `7` in the one log, `2/7` in lane 2.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.lane {
            0 => write!(f, "{}", self.slot),
            lane => write!(f, "{lane}/{}", self.slot),
        }
    }
}

impl Debug for Ballot {
    /// Round, dot, owner; counted from 1.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.is_real() {
            true => write!(f, "{}.{:?}", self.round, self.node),
            false => f.write_str("none"),
        }
    }
}

impl Display for Epoch {
    /// Its number and, where an epoch belongs to one node, a dot and that node.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.owner {
            Some(owner) if self.number > 0 => write!(f, "{}.{owner:?}", self.number),
            _ => write!(f, "{}", self.number),
        }
    }
}

impl Debug for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.client {
            ClientId::NOBODY => write!(f, "{:?}", self.op),
            client => write!(f, "{client:?}#{} {:?}", self.seq, self.op),
        }
    }
}

impl Debug for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Op::Noop => f.write_str("no-op"),
            Op::Elect(node) => write!(f, "elect {node:?}"),
            Op::Read { key } => write!(f, "read k{key}"),
            Op::Write { key, value } => write!(f, "k{key}={value}"),
            Op::CompareAndSet { key, expect: Some(expect), value } => write!(f, "k{key}: {expect}→{value}"),
            Op::CompareAndSet { key, expect: None, value } => write!(f, "k{key}: unset→{value}"),
            Op::WriteOwn { key } => write!(f, "k{key}=whatever"),
            Op::Acquire { lock, lease, at } => write!(f, "acquire l{lock} at {at} ms for {lease} ms"),
            Op::Renew { lock, token, lease, at } => write!(f, "renew l{lock} token {token} at {at} ms for {lease} ms"),
            Op::Release { lock, token } => write!(f, "release l{lock} token {token}"),
            Op::Guarded { lock, value, token, fenced: true } => write!(f, "store l{lock}={value} token {token}"),
            Op::Guarded { lock, value, token, fenced: false } => {
                write!(f, "store l{lock}={value} token {token} unfenced")
            }
            Op::Enqueue { queue, item } => write!(f, "enqueue q{queue} {item}"),
            Op::Take { queue, lease, at } => write!(f, "take q{queue} at {at} ms for {lease} ms"),
            Op::Ack { queue, ticket } => write!(f, "ack q{queue} ticket {ticket}"),
            Op::Arrive { barrier, parties } => write!(f, "arrive b{barrier} of {parties}"),
            Op::Passed { barrier, generation } => write!(f, "passed b{barrier} {generation}?"),
            Op::Watch { key, after } => write!(f, "watch k{key} after v{after}"),
            Op::Update { key, version, value } => write!(f, "k{key}: v{version}→{value}"),
            Op::Publish { topic, message } => write!(f, "publish t{topic} {message}"),
            Op::Deliver { topic, after } => write!(f, "deliver t{topic} after {after}"),
        }
    }
}

impl Display for Fact {
    /// As it reads in a sentence: `node 1`, `nodes 1, 2 and 3`, `12.5 ms`.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match *self {
            Fact::Number(number) => write!(f, "{number}"),
            Fact::Node(Some(node)) => write!(f, "node {node:?}"),
            Fact::Node(None) => f.write_str("nobody"),
            Fact::Nodes(nodes) => {
                f.write_str(match nodes.len() {
                    0 => "no node",
                    1 => "node ",
                    _ => "nodes ",
                })?;
                for (place, node) in (1..).zip(nodes.iter()) {
                    let before = match place {
                        1 => "",
                        _ if place == nodes.len() => " and ",
                        _ => ", ",
                    };
                    write!(f, "{before}{node:?}")?;
                }
                Ok(())
            }
            Fact::Ballot(ballot) => write!(f, "{ballot:?}"),
            Fact::Command(ClientId::NOBODY, _) => f.write_str("the no-op"),
            Fact::Command(client, seq) => write!(f, "command {seq} of client {}", u32::from(client.0) + 1),
            Fact::Time(micros) if micros % 1000 == 0 => write!(f, "{} ms", micros / 1000),
            Fact::Time(micros) => write!(f, "{}.{:03} ms", micros / 1000, micros % 1000),
            Fact::Word(word) => f.write_str(word),
        }
    }
}
