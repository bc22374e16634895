//! Single-decree Paxos with the semantics of Stateright's example `paxos`: three servers that agree on one value, and clients that each write
//! once and, after the reply, read once at the next server. Clients are modelled as nodes; their operations are a history variable, which must
//! be linearizable.

use quorumscope::core::node::{Kind, Phase};
use quorumscope::core::{
    Ballot, Card, Command, Contact, EntryStatus, Family, Faults, Invariant, KindId, LeaderModel, Message, Node, NodeId,
    NodeSet, NodeStatus, Out, Promises, Protocol, Rule, Sentence, RuleSet, Setting, SettingError, Settings, Setup, Shots, Slot,
    TimingModel, majority,
};
use quorumscope::judge::explore::{Bounds, Explorer, HistoryVariable, Observation, Query, Request, Verdict, Violation};

const SERVERS: u8 = 3;

/// Explores the model with this number of clients; returns the number of states.
pub fn explore(clients: u8) -> u64 {
    let setup =
        Setup { replicas: SERVERS + clients, rtt_max: 1, settings: Settings::default(), ablated: RuleSet::EMPTY };
    let bounds = Bounds { states: u32::MAX, messages: u16::MAX, copies: u8::MAX, ..Bounds::default() };
    let query = Query { setup, bounds, property: None, via: Vec::new() };
    let mut explorer = Explorer::new::<Paxos, History>(&query).expect("it has no settings");
    explorer.advance(u32::MAX);
    assert_eq!(explorer.verdict(), Some(&Verdict::Safe));
    u64::from(explorer.states())
}

#[derive(Clone, Copy, Debug, Default)]
struct Paxos;

/// A client's request: client and number. The value that a client writes is its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Proposal {
    client: NodeId,
    number: u8,
}

type Accepted = Option<(Ballot, Proposal)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Msg {
    Put { number: u8 },
    Get { number: u8 },
    PutOk { number: u8 },
    GetOk { number: u8, value: NodeId },
    Prepare { ballot: Ballot },
    Prepared { ballot: Ballot, accepted: Accepted },
    Accept { ballot: Ballot, proposal: Proposal },
    Accepted { ballot: Ballot },
    Decided { ballot: Ballot, proposal: Proposal },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Actor {
    Client { me: NodeId, awaits: Option<u8>, done: u8 },
    Server(Server),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Server {
    me: NodeId,
    ballot: Ballot,
    proposal: Option<Proposal>,
    prepares: [Option<Accepted>; SERVERS as usize],
    accepts: NodeSet,
    accepted: Accepted,
    decided: bool,
}

impl Server {
    fn others(&self) -> NodeSet {
        NodeSet::first(SERVERS).without(self.me)
    }

    fn handle(&mut self, from: NodeId, message: Msg, out: &mut Out<Actor>) {
        if self.decided {
            if let (Msg::Get { number }, Some((_, proposal))) = (message, self.accepted) {
                out.send(from, Msg::GetOk { number, value: proposal.client });
            }
            return;
        }
        match message {
            Msg::Put { number } if self.proposal.is_none() => {
                self.proposal = Some(Proposal { client: from, number });
                self.ballot = self.ballot.next(self.me);
                self.prepares = [None; SERVERS as usize];
                self.accepts = NodeSet::EMPTY;
                self.prepares[usize::from(self.me.0)] = Some(self.accepted);
                out.broadcast(self.others(), Msg::Prepare { ballot: self.ballot });
            }
            Msg::Prepare { ballot } if self.ballot < ballot => {
                self.ballot = ballot;
                out.send(from, Msg::Prepared { ballot, accepted: self.accepted });
            }
            Msg::Prepared { ballot, accepted } if ballot == self.ballot => {
                self.prepares[usize::from(from.0)] = Some(accepted);
                if self.prepares.iter().flatten().count() == usize::from(majority(SERVERS)) {
                    let highest = self.prepares.iter().flatten().max().copied().flatten();
                    let Some(proposal) = highest.map(|(_, proposal)| proposal).or(self.proposal) else { return };
                    self.proposal = Some(proposal);
                    self.accepted = Some((ballot, proposal));
                    self.accepts.add(self.me);
                    out.broadcast(self.others(), Msg::Accept { ballot, proposal });
                }
            }
            Msg::Accept { ballot, proposal } if self.ballot <= ballot => {
                self.ballot = ballot;
                self.accepted = Some((ballot, proposal));
                out.send(from, Msg::Accepted { ballot });
            }
            Msg::Accepted { ballot } if ballot == self.ballot => {
                self.accepts.add(from);
                if let Some(proposal) = self.proposal
                    && self.accepts.len() == majority(SERVERS)
                {
                    self.decided = true;
                    out.broadcast(self.others(), Msg::Decided { ballot, proposal });
                    out.send(proposal.client, Msg::PutOk { number: proposal.number });
                }
            }
            Msg::Decided { ballot, proposal } => {
                self.ballot = ballot;
                self.accepted = Some((ballot, proposal));
                self.decided = true;
            }
            _ => {}
        }
    }
}

impl Node for Actor {
    type Config = ();
    type Msg = Msg;
    type Timer = NoTimer;
    type Disk = ();

    fn boot(me: NodeId, _: &(), _: (), out: &mut Out<Actor>) -> Actor {
        if me.0 >= SERVERS {
            out.send(NodeId(me.0 % SERVERS), Msg::Put { number: 1 });
            return Actor::Client { me, awaits: Some(1), done: 1 };
        }
        Actor::Server(Server {
            me,
            ballot: Ballot::ZERO,
            proposal: None,
            prepares: [None; SERVERS as usize],
            accepts: NodeSet::EMPTY,
            accepted: None,
            decided: false,
        })
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Actor>) {
        match (self, *message) {
            (Actor::Server(server), message) => server.handle(from, message, out),
            (Actor::Client { me, awaits, done }, Msg::PutOk { number }) if *awaits == Some(number) => {
                out.send(NodeId((me.0 + *done) % SERVERS), Msg::Get { number: number + 1 });
                (*awaits, *done) = (Some(number + 1), *done + 1);
            }
            (Actor::Client { awaits, done, .. }, Msg::GetOk { number, .. }) if *awaits == Some(number) => {
                (*awaits, *done) = (None, *done + 1);
            }
            (Actor::Client { .. }, _) => {}
        }
    }

    fn on_timer(&mut self, _: NoTimer, _: &mut Out<Actor>) {}

    fn on_request(&mut self, _: Command, _: &mut Out<Actor>) {}

    fn disk(&self) -> &() {
        &()
    }

    fn status(&self) -> NodeStatus {
        NodeStatus::default()
    }

    fn leads(&self) -> Option<quorumscope::core::Epoch> {
        None
    }

    fn entry(&self, _: Slot) -> Option<EntryStatus> {
        None
    }
}

quorumscope::timers! {
    /// No timers: all events are message deliveries.
    enum NoTimer {
        /// Never set.
        Never = { name: "never", says: "does nothing", acts: false };
    }
}

/// The clients' operations, by client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct History(Vec<Vec<Operation>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Operation {
    does: Does,
    /// By client: number of operations completed at its invocation (real-time order).
    after: Vec<u8>,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Does {
    Write(NodeId),
    Read(Option<NodeId>),
}

impl History {
    fn begin(&mut self, client: NodeId, does: Does) {
        let index = usize::from(client.0 - SERVERS);
        let clients = self.0.len().max(index + 1);
        self.0.resize(clients, Vec::new());
        let ended = |operations: &Vec<Operation>| operations.iter().filter(|operation| operation.ended).count() as u8;
        let mut after: Vec<u8> = self.0.iter().map(ended).collect();
        while after.pop_if(|count| *count == 0).is_some() {}
        self.0[index].push(Operation { does, after, ended: false });
    }

    fn end(&mut self, client: NodeId, value: Option<NodeId>) {
        if let Some(operation) = self.0[usize::from(client.0 - SERVERS)].last_mut() {
            operation.ended = true;
            if let Does::Read(read) = &mut operation.does {
                *read = value;
            }
        }
    }

    /// Whether the remaining operations, after the first `done` of each client, have a linearization from this value.
    fn fits(&self, done: &mut Vec<u8>, value: Option<NodeId>) -> bool {
        let open = |(operations, &done): (&Vec<Operation>, &u8)| operations.get(usize::from(done)).cloned();
        let next: Vec<Option<Operation>> = self.0.iter().zip(done.iter()).map(open).collect();
        if next.iter().flatten().all(|operation| !operation.ended) {
            return true;
        }
        (0..).zip(next).any(|(client, operation): (usize, _)| {
            let Some(operation) = operation else { return false };
            if operation.after.iter().zip(done.iter()).any(|(after, done)| after > done) {
                return false;
            }
            let value = match operation.does {
                Does::Write(written) => Some(written),
                Does::Read(read) if operation.ended && read != value => return false,
                Does::Read(_) => value,
            };
            done[client] += 1;
            let fits = self.fits(done, value);
            done[client] -= 1;
            fits
        })
    }
}

const LINEARIZABLE: (&str, &str) = ("Linearizable", "What clients were told fits one order of their operations.");

impl HistoryVariable<Paxos> for History {
    fn new(_: &[Request]) -> History {
        History(Vec::new())
    }

    fn is_relevant(event: &Observation<'_, Paxos>) -> bool {
        event.node.0 >= SERVERS && event.changed
    }

    fn observe(&mut self, event: &Observation<'_, Paxos>) -> Vec<Violation> {
        let mut fits = true;
        let ended = match event.arrived {
            Some((_, Msg::PutOk { .. })) => Some(None),
            Some((_, &Msg::GetOk { value, .. })) => Some(Some(value)),
            _ => None,
        };
        if let Some(value) = ended {
            self.end(event.node, value);
            fits = self.fits(&mut vec![0; self.0.len()], None);
        }
        for (_, _, message) in &event.sent {
            let does = if matches!(message, Msg::Put { .. }) { Does::Write(event.node) } else { Does::Read(None) };
            self.begin(event.node, does);
        }
        if fits { Vec::new() } else { vec![Violation::new(LINEARIZABLE, NodeSet::just(event.node), None)] }
    }
}

const fn kind(name: &'static str, letter: char, phase: Phase) -> Kind {
    Kind { name, alias: "", letter, phase, says: "" }
}

impl Message for Msg {
    const KINDS: &'static [Kind] = &[kind("Message", 'm', Phase::Propose)];

    fn kind(&self) -> KindId {
        KindId(0)
    }

    fn bytes(&self) -> u32 {
        0
    }
}

impl Protocol for Paxos {
    const CARD: Card = Card {
        key: "paxos",
        title: "Paxos",
        says: "Servers agree on one value.",
        paper: "Leslie Lamport, Paxos Made Simple, 2001",
        family: Family::Leaderless,
        epoch: "ballot",
        optimises: "nothing",
        min_replicas: 1,
        faults: Faults::CrashStop,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[],
    };
    const RULES: &'static [Rule] = &[];
    const SENTENCES: &'static [Sentence] = &[];
    const SETTINGS: &'static [Setting] = &[];
    type Node = Actor;

    fn cluster(setup: &Setup) -> Result<Vec<()>, SettingError> {
        Ok(vec![(); usize::from(setup.replicas)])
    }

    fn invariants() -> &'static [Invariant<Actor>] {
        &[]
    }
}
