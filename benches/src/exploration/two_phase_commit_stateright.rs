//! Two-phase commit against Stateright's interface: a model of the whole system, with the semantics of its example `2pc`, depth-first search.

use stateright::{Checker, Model, Property};
use std::collections::BTreeSet;

/// Explores the model with this number of resource managers and threads; returns the number of states.
pub fn explore(resource_managers: usize, threads: usize) -> u64 {
    let model = TwoPhaseCommit { resource_managers };
    let checker = model.checker().threads(threads).spawn_dfs().join();
    checker.assert_properties();
    checker.unique_state_count() as u64
}

struct TwoPhaseCommit {
    resource_managers: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct System {
    resource_managers: Vec<State>,
    /// `None`: not ended.
    transaction_manager: Option<Ended>,
    prepared: Vec<bool>,
    messages: BTreeSet<Msg>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Ended {
    Committed,
    Aborted,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Msg {
    Prepared(usize),
    Commit,
    Abort,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Commit,
    Abort,
    HearPrepared(usize),
    Prepare(usize),
    GiveUp(usize),
    HearCommit(usize),
    HearAbort(usize),
}

impl Model for TwoPhaseCommit {
    type State = System;
    type Action = Action;

    fn init_states(&self) -> Vec<System> {
        vec![System {
            resource_managers: vec![State::Working; self.resource_managers],
            transaction_manager: None,
            prepared: vec![false; self.resource_managers],
            messages: BTreeSet::new(),
        }]
    }

    fn actions(&self, system: &System, actions: &mut Vec<Action>) {
        let open = system.transaction_manager.is_none();
        if open && system.prepared.iter().all(|prepared| *prepared) {
            actions.push(Action::Commit);
        }
        if open {
            actions.push(Action::Abort);
        }
        for manager in 0..self.resource_managers {
            if open && system.messages.contains(&Msg::Prepared(manager)) {
                actions.push(Action::HearPrepared(manager));
            }
            if system.resource_managers[manager] == State::Working {
                actions.extend([Action::Prepare(manager), Action::GiveUp(manager)]);
            }
            if system.messages.contains(&Msg::Commit) {
                actions.push(Action::HearCommit(manager));
            }
            if system.messages.contains(&Msg::Abort) {
                actions.push(Action::HearAbort(manager));
            }
        }
    }

    fn next_state(&self, system: &System, action: Action) -> Option<System> {
        let mut system = system.clone();
        match action {
            Action::Commit => {
                system.transaction_manager = Some(Ended::Committed);
                system.messages.insert(Msg::Commit);
            }
            Action::Abort => {
                system.transaction_manager = Some(Ended::Aborted);
                system.messages.insert(Msg::Abort);
            }
            Action::HearPrepared(manager) => system.prepared[manager] = true,
            Action::Prepare(manager) => {
                system.resource_managers[manager] = State::Prepared;
                system.messages.insert(Msg::Prepared(manager));
            }
            Action::GiveUp(manager) | Action::HearAbort(manager) => {
                system.resource_managers[manager] = State::Aborted;
            }
            Action::HearCommit(manager) => system.resource_managers[manager] = State::Committed,
        }
        Some(system)
    }

    fn properties(&self) -> Vec<Property<TwoPhaseCommit>> {
        vec![Property::always("consistent", |_, system: &System| {
            let any = |state| system.resource_managers.contains(&state);
            !(any(State::Aborted) && any(State::Committed))
        })]
    }
}
