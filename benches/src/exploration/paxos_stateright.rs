//! Single-decree Paxos against Stateright's interface: an actor, register clients and linearizability tester, with the semantics of its
//! example `paxos`.

use stateright::actor::register::{RegisterActor, RegisterMsg};
use stateright::actor::{Actor, ActorModel, Id, Network, Out, majority, model_peers};
use stateright::semantics::LinearizabilityTester;
use stateright::semantics::register::Register;
use stateright::util::{HashableHashMap, HashableHashSet};
use stateright::{Checker, Expectation, Model};
use std::borrow::Cow;

const SERVERS: usize = 3;

/// Explores the model with this number of clients and threads; returns the number of states.
pub fn explore(clients: usize, threads: usize) -> u64 {
    let server = |index| RegisterActor::Server(Server { others: model_peers(index, SERVERS) });
    let client = |_| RegisterActor::Client { put_count: 1, server_count: SERVERS };
    let model: ActorModel<RegisterActor<Server>, (), LinearizabilityTester<Id, Register<char>>> =
        ActorModel::new((), LinearizabilityTester::new(Register(char::default())))
            .actors((0..SERVERS).map(server))
            .actors((0..clients).map(client))
            .init_network(Network::new_unordered_nonduplicating([]))
            .property(Expectation::Always, "linearizable", |_, state| state.history.serialized_history().is_some())
            .record_msg_in(RegisterMsg::record_returns)
            .record_msg_out(RegisterMsg::record_invocations);
    let checker = model.checker().threads(threads).spawn_bfs().join();
    checker.assert_properties();
    checker.unique_state_count() as u64
}

type Ballot = (u32, Id);
/// Request, client, value.
type Proposal = (u64, Id, char);
type Last = Option<(Ballot, Proposal)>;
type Message = RegisterMsg<u64, char, Msg>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Msg {
    Prepare(Ballot),
    Prepared(Ballot, Last),
    Accept(Ballot, Proposal),
    Accepted(Ballot),
    Decided(Ballot, Proposal),
}

#[derive(Clone)]
struct Server {
    others: Vec<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    ballot: Ballot,
    proposal: Option<Proposal>,
    prepares: HashableHashMap<Id, Last>,
    accepts: HashableHashSet<Id>,
    accepted: Last,
    decided: bool,
}

impl Actor for Server {
    type Msg = Message;
    type State = State;
    type Timer = ();
    type Random = ();
    type Storage = ();

    fn on_start(&self, _: Id, _: &Option<()>, _: &mut Out<Server>) -> State {
        State {
            ballot: (0, Id::from(0)),
            proposal: None,
            prepares: HashableHashMap::default(),
            accepts: HashableHashSet::default(),
            accepted: None,
            decided: false,
        }
    }

    fn on_msg(&self, me: Id, state: &mut Cow<'_, State>, from: Id, message: Message, out: &mut Out<Server>) {
        let enough = majority(self.others.len() + 1);
        if state.decided {
            if let (RegisterMsg::Get(request), Some((_, (_, _, value)))) = (message, state.accepted) {
                out.send(from, RegisterMsg::GetOk(request, value));
            }
            return;
        }
        let message = match message {
            RegisterMsg::Put(request, value) if state.proposal.is_none() => {
                let state = state.to_mut();
                state.proposal = Some((request, from, value));
                state.ballot = (state.ballot.0 + 1, me);
                state.prepares = HashableHashMap::default();
                state.accepts = HashableHashSet::default();
                state.prepares.insert(me, state.accepted);
                out.broadcast(&self.others, &RegisterMsg::Internal(Msg::Prepare(state.ballot)));
                return;
            }
            RegisterMsg::Internal(message) => message,
            _ => return,
        };
        match message {
            Msg::Prepare(ballot) if state.ballot < ballot => {
                state.to_mut().ballot = ballot;
                out.send(from, RegisterMsg::Internal(Msg::Prepared(ballot, state.accepted)));
            }
            Msg::Prepared(ballot, last) if ballot == state.ballot => {
                let state = state.to_mut();
                state.prepares.insert(from, last);
                if state.prepares.len() == enough {
                    let highest = state.prepares.values().max().copied().flatten();
                    let proposal = highest.map(|(_, proposal)| proposal).or(state.proposal).expect("it has prepared");
                    state.proposal = Some(proposal);
                    state.accepted = Some((ballot, proposal));
                    state.accepts.insert(me);
                    out.broadcast(&self.others, &RegisterMsg::Internal(Msg::Accept(ballot, proposal)));
                }
            }
            Msg::Accept(ballot, proposal) if state.ballot <= ballot => {
                let state = state.to_mut();
                state.ballot = ballot;
                state.accepted = Some((ballot, proposal));
                out.send(from, RegisterMsg::Internal(Msg::Accepted(ballot)));
            }
            Msg::Accepted(ballot) if ballot == state.ballot => {
                let state = state.to_mut();
                state.accepts.insert(from);
                if state.accepts.len() == enough {
                    state.decided = true;
                    let proposal = state.proposal.expect("it has prepared");
                    out.broadcast(&self.others, &RegisterMsg::Internal(Msg::Decided(ballot, proposal)));
                    out.send(proposal.1, RegisterMsg::PutOk(proposal.0));
                }
            }
            Msg::Decided(ballot, proposal) => {
                let state = state.to_mut();
                state.ballot = ballot;
                state.accepted = Some((ballot, proposal));
                state.decided = true;
            }
            _ => {}
        }
    }
}
