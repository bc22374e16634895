//! Recovery of a replica that has lost its state (§4.3), and the crash vector.

use super::message::{CrashVector, Msg, State};
use super::rules::*;
use super::{Replica, Status, Timer};
use crate::core::{NodeId, NodeSet, Out, Tally};
use crate::facts;
use std::sync::Arc;

/// How often the wait before asking again is doubled at most.
const DOUBLINGS: u8 = 4;

/// What has been answered so far, in the order of replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Responses {
    received: Vec<(NodeId, Response)>,
    /// How often it has asked again, at most [`DOUBLINGS`].
    again: u8,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Response {
    view: u32,
    crashes: CrashVector,
    state: Option<Arc<State>>,
}

impl Responses {
    fn from(&self) -> NodeSet {
        self.received.iter().map(|(from, _)| *from).collect()
    }

    /// What is being counted.
    pub fn tally(&self, need: u8) -> Tally {
        Tally { of: "responses", slot: 0, from: self.from(), need }
    }
}

impl Replica {
    /// Step 1.
    pub(super) fn begin_recovery(&mut self, out: &mut Out<Replica>) {
        self.status = Status::Recovering(Responses::default());
        out.broadcast(self.peers(), Msg::Recovery { nonce: self.disk.starts });
        out.set_timer(Timer::Recovery, self.config.ask_again, self.config.ask_again);
    }

    /// Asks again, ever more seldom: answers may be large.
    pub(super) fn ask_again(&mut self, out: &mut Out<Replica>) {
        let (nonce, peers) = (self.disk.starts, self.peers());
        let Status::Recovering(responses) = &mut self.status else { return };
        responses.again = (responses.again + 1).min(DOUBLINGS);
        let pause = self.config.ask_again << responses.again;
        out.because(ASKS_AGAIN, facts![nonce]);
        out.broadcast(peers, Msg::Recovery { nonce });
        out.set_timer(Timer::Recovery, pause, pause);
    }

    /// Step 2: a replica whose status is normal answers.
    pub(super) fn on_recovery(&mut self, from: NodeId, nonce: u32, out: &mut Out<Replica>) {
        self.crashes.note(from, nonce);
        if !self.is_normal() {
            return;
        }
        let view = self.view;
        out.because(ANSWERS_RECOVERY, facts![from, view]);
        let with_log = self.is_primary() || !out.rule(LEAVES_OUT_LOG, facts![view]);
        let state = with_log.then(|| Arc::new(self.whole_state()));
        out.send(from, Msg::RecoveryResponse { view, nonce, crashes: self.crashes.clone(), state });
    }

    /// Step 3.
    pub(super) fn on_recovery_response(
        &mut self,
        from: NodeId,
        (view, nonce): (u32, u32),
        crashes: &CrashVector,
        state: Option<&Arc<State>>,
        out: &mut Out<Replica>,
    ) {
        let own = self.disk.starts;
        if nonce != own && out.rule(REFUSES_OLD_NONCE, facts![nonce, own]) {
            return;
        }
        if self.is_from_before_crash(from, crashes, out) {
            return;
        }
        let Status::Recovering(responses) = &mut self.status else { return };
        let mut received = std::mem::take(&mut responses.received);
        let response = Response { view, crashes: crashes.clone(), state: state.cloned() };
        match received.binary_search_by_key(&from, |(who, _)| *who) {
            Ok(at) => received[at].1 = response,
            Err(at) => received.insert(at, (from, response)),
        }
        received.retain(|(who, response)| !self.is_from_before_crash(*who, &response.crashes, out));
        let found = self.recovered_state(&received, out);
        let Status::Recovering(responses) = &mut self.status else { return };
        responses.received = received;
        let from = responses.from();
        let Some((view, state)) = found else { return out.because(COUNTS_RESPONSES, facts![from]) };
        out.because(HAS_RECOVERED, facts![from, view]);
        out.cancel(Timer::Recovery);
        self.take_over(&state, 0, out);
        self.become_normal(view, out);
        self.execute_to(state.commit, out);
        self.acknowledge_log(out);
    }

    /// The latest view that f + 1 answers name, and its primary's log; `None` while answers are missing.
    fn recovered_state(&self, received: &[(NodeId, Response)], out: &mut Out<Replica>) -> Option<(u32, Arc<State>)> {
        let view = received.iter().map(|(_, response)| response.view).max()?;
        if received.len() <= usize::from(self.config.f()) {
            return None;
        }
        let primary = self.config.primary(view);
        let answer = received.iter().find(|(who, response)| *who == primary && response.view == view);
        if let Some((_, Response { state: Some(state), .. })) = answer {
            return Some((view, Arc::clone(state)));
        }
        if out.rule(WAITS_FOR_PRIMARY, facts![view]) {
            return None;
        }
        let of_view = received.iter().filter(|(_, response)| response.view == view);
        let states = of_view.filter_map(|(_, response)| response.state.as_ref());
        states.max_by_key(|state| state.log.last()).map(|state| (view, Arc::clone(state)))
    }

    /// Takes note of the starts that a message knows of, and tells whether its sender has crashed since it was sent.
    pub(super) fn is_from_before_crash(&mut self, from: NodeId, crashes: &CrashVector, out: &mut Out<Replica>) -> bool {
        self.crashes.merge(crashes);
        let (start, known) = (crashes.of(from), self.crashes.of(from));
        start < known && out.rule(REFUSES_BEFORE_CRASH, facts![from, start, known])
    }
}
