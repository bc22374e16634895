//! Two-phase commit with the semantics of Stateright's example `2pc`, after Gray and Lamport, *Consensus on Transaction Commit* (2003), §3:
//! node 0 is the transaction manager, the others are resource managers. Spontaneous actions are modelled as timers, and messages can be
//! delivered repeatedly.

use quorumscope::core::node::{Kind, Phase};
use quorumscope::core::{
    Breach, Card, Command, Contact, EntryStatus, Family, Faults, Invariant, KindId, LeaderModel, Message, Node, NodeId,
    NodeSet, NodeStatus, Out, Promises, Protocol, Rule, Sentence, RuleSet, Setting, SettingError, Settings, Setup, Shots, Slot,
    Step, TimingModel,
};
use quorumscope::judge::explore::{Bounds, Explorer, Query, Times, Verdict};

/// Explores the model with this number of resource managers; returns the number of states.
pub fn explore(resource_managers: u8) -> u64 {
    let setup =
        Setup { replicas: resource_managers + 1, rtt_max: 1, settings: Settings::default(), ablated: RuleSet::EMPTY };
    let bounds = Bounds {
        states: u32::MAX,
        messages: u16::MAX,
        timers: Times::Any,
        duplicates: Times::Any,
        ..Bounds::default()
    };
    let query = Query { setup, bounds, property: None, via: Vec::new() };
    let mut explorer = Explorer::new::<TwoPhaseCommit, ()>(&query).expect("it has no settings");
    explorer.advance(u32::MAX);
    assert_eq!(explorer.verdict(), Some(&Verdict::Safe));
    u64::from(explorer.states())
}

#[derive(Clone, Copy, Debug, Default)]
struct TwoPhaseCommit;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Msg {
    Prepared,
    Commit,
    Abort,
}

quorumscope::timers! {
    /// Spontaneous actions of a node.
    enum May {
        /// A resource manager prepares.
        Prepare = { name: "may prepare", says: "prepares", acts: true };
        /// The transaction manager commits, once all are prepared.
        Commit = { name: "may commit", says: "commits", acts: true };
        /// A node that may still abort does.
        Abort = { name: "may abort", says: "aborts", acts: true };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Server {
    TransactionManager { resource_managers: NodeSet, prepared: NodeSet, ended: Option<Msg> },
    ResourceManager(State),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Working,
    Prepared,
    Committed,
    Aborted,
}

const MANAGER: NodeId = NodeId(0);

impl Server {
    fn end(&mut self, how: Msg, out: &mut Out<Server>) {
        out.cancel(May::Commit);
        out.cancel(May::Abort);
        if let Server::TransactionManager { resource_managers, ended, .. } = self {
            *ended = Some(how);
            out.broadcast(*resource_managers, how);
        }
    }

    fn become_(&mut self, state: State, out: &mut Out<Server>) {
        out.cancel(May::Prepare);
        out.cancel(May::Abort);
        *self = Server::ResourceManager(state);
    }
}

impl Node for Server {
    type Config = u8;
    type Msg = Msg;
    type Timer = May;
    type Disk = ();

    fn boot(me: NodeId, &replicas: &u8, _: (), out: &mut Out<Server>) -> Server {
        out.set_timer(May::Abort, 1, 1);
        if me == MANAGER {
            let resource_managers = NodeSet::first(replicas).without(MANAGER);
            return Server::TransactionManager { resource_managers, prepared: NodeSet::EMPTY, ended: None };
        }
        out.set_timer(May::Prepare, 1, 1);
        Server::ResourceManager(State::Working)
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match (self, *message) {
            (Server::TransactionManager { resource_managers, prepared, ended: None }, Msg::Prepared) => {
                if prepared.add(from) && prepared == resource_managers {
                    out.set_timer(May::Commit, 1, 1);
                }
            }
            (server @ Server::ResourceManager(_), Msg::Commit) => server.become_(State::Committed, out),
            (server @ Server::ResourceManager(_), Msg::Abort) => server.become_(State::Aborted, out),
            _ => {}
        }
    }

    fn on_timer(&mut self, may: May, out: &mut Out<Server>) {
        match (&self, may) {
            (Server::TransactionManager { .. }, May::Commit) => self.end(Msg::Commit, out),
            (Server::TransactionManager { .. }, _) => self.end(Msg::Abort, out),
            (Server::ResourceManager(_), May::Prepare) => {
                self.become_(State::Prepared, out);
                out.send(MANAGER, Msg::Prepared);
            }
            (Server::ResourceManager(_), _) => self.become_(State::Aborted, out),
        }
    }

    fn on_request(&mut self, _: Command, _: &mut Out<Server>) {}

    fn disk(&self) -> &() {
        &()
    }

    fn status(&self) -> NodeStatus {
        NodeStatus::default()
    }

    fn entry(&self, _: Slot) -> Option<EntryStatus> {
        None
    }
}

const fn kind(name: &'static str, letter: char, phase: Phase) -> Kind {
    Kind { name, alias: "", letter, phase, says: "" }
}

impl Message for Msg {
    const KINDS: &'static [Kind] =
        &[kind("Prepared", 'p', Phase::Vote), kind("Commit", 'C', Phase::Commit), kind("Abort", 'A', Phase::Refuse)];

    fn kind(&self) -> KindId {
        KindId(*self as u8)
    }

    fn bytes(&self) -> u32 {
        0
    }
}

impl Protocol for TwoPhaseCommit {
    const CARD: Card = Card {
        key: "two-phase-commit",
        title: "Two-phase commit",
        says: "All commit, or all abort.",
        paper: "Gray and Lamport, Consensus on Transaction Commit, 2003, §3",
        family: Family::OtherModels,
        epoch: "none",
        optimises: "nothing",
        min_replicas: 2,
        faults: Faults::CrashStop,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: Promises::NOTHING,
        transfer: false,
        membership: false,
        formulas: &[],
    };
    const RULES: &'static [Rule] = &[];
    const SENTENCES: &'static [Sentence] = &[];
    const SETTINGS: &'static [Setting] = &[];
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<u8>, SettingError> {
        Ok(vec![setup.replicas; usize::from(setup.replicas)])
    }

    fn invariants() -> &'static [Invariant<Server>] {
        &[Invariant {
            name: "Consistent",
            says: "No resource manager has committed while another has aborted.",
            holds: |nodes, _: Step| {
                let is =
                    |node: &Option<Server>, state| matches!(node, Some(Server::ResourceManager(is)) if *is == state);
                let any = |state| nodes.iter().any(|node| is(node, state));
                if any(State::Aborted) && any(State::Committed) { Err(Breach::default()) } else { Ok(()) }
            },
        }]
    }
}
