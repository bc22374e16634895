//! Reasons: why a handler did what it did, as a sentence of the rule it applied and the facts that decided.
//!
//! A rule declares its sentences beside itself (`rules!`); a handler names one where it applies the rule, with the facts in the order
//! declared. Facts are only computed when somebody records them: a step is deterministic, so the one event in question is replayed with a
//! recording outbox, and a run at full speed pays one branch.

use super::{Ballot, ClientId, Command, Micros, NodeId, NodeSet, RuleId};

/// A sentence of a rule, without its subject, the node: `votes for {candidate}`. Begins with a verb in the third person; "it" is the node.
#[derive(Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The rule it belongs to.
    pub rule: RuleId,
    /// Names of the facts, in the order in which they are given.
    pub facts: &'static [&'static str],
    /// The text, with each fact as `{name}`.
    pub text: &'static str,
}

/// A sentence of the protocol at hand that takes `FACTS` facts: its rule, and its place in that protocol's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<const FACTS: usize>(pub RuleId, pub u8);

impl<const FACTS: usize> Reason<FACTS> {
    /// The rule.
    pub const fn rule(self) -> RuleId {
        self.0
    }

    /// The index of the sentence.
    pub const fn sentence(self) -> u8 {
        self.1
    }
}

/// One fact of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A term, slot or count.
    Number(u64),
    /// A node; `None` reads "nobody".
    Node(Option<NodeId>),
    /// A set of nodes.
    Nodes(NodeSet),
    /// A ballot.
    Ballot(Ballot),
    /// A client's command, by client and number.
    Command(ClientId, u32),
    /// A duration, µs.
    Time(Micros),
    /// A word of the protocol, such as `commit`.
    Word(&'static str),
}

macro_rules! facts_from {
    ($($type:ty: $value:ident => $fact:expr;)*) => {
        $(impl From<$type> for Fact {
            #[inline]
            fn from($value: $type) -> Fact {
                $fact
            }
        })*
    };
}

facts_from! {
    u8: number => Fact::Number(u64::from(number));
    u16: number => Fact::Number(u64::from(number));
    u32: number => Fact::Number(u64::from(number));
    NodeId: node => Fact::Node(Some(node));
    Option<NodeId>: node => Fact::Node(node);
    NodeSet: nodes => Fact::Nodes(nodes);
    Ballot: ballot => Fact::Ballot(ballot);
    &Command: command => Fact::Command(command.client, command.seq);
    Command: command => Fact::Command(command.client, command.seq);
    Micros: micros => Fact::Time(micros);
    &'static str: word => Fact::Word(word);
}

/// The facts of a reason, as a closure that is called only if reasons are recorded: `facts![candidate, term]`.
#[macro_export]
macro_rules! facts {
    ($($fact:expr),* $(,)?) => {
        || [$($crate::core::Fact::from($fact)),*]
    };
}

/// A recorded reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The rule.
    pub rule: RuleId,
    /// The index of the sentence in the protocol's list.
    pub sentence: u8,
    /// Its facts.
    pub facts: Vec<Fact>,
    /// Whether the rule is in force. Of one that is not, the sentence says what would have been done.
    pub in_force: bool,
}
