//! Replays of single steps: what the present moment has just come from, or what a node did last, with the reasons recorded. They happen in
//! copies; the session stays where it is.

use super::Session;
use super::branch::Checkpoint;
use crate::core::{Micros, NodeId};
use crate::judge::LeadershipInterval;
use crate::sim::trace::Record;
use crate::sim::world::{End, Flight};
use crate::universe::Universe;
use crate::universe::inspect::{Inspector, Replayed, replay};
use std::rc::Rc;

/// Events back in which a node's last one is looked for.
const BACK: u64 = 2_048;

/// A copy of the simulation at some moment of the present branch, which can go on as the branch did.
struct Copy<'a> {
    session: &'a Session,
    universe: Box<dyn Universe>,
    /// Interventions done.
    done: usize,
}

impl<'a> Copy<'a> {
    /// The moment of a checkpoint, or the start.
    fn of(session: &'a Session, checkpoint: Option<&Rc<Checkpoint>>) -> Copy<'a> {
        let (universe, done) = match checkpoint {
            Some(checkpoint) => (checkpoint.universe.fork(), checkpoint.moment.interventions),
            None => (session.checked.boot().expect("it has started before"), 0),
        };
        Copy { session, universe, done }
    }

    /// The moment after `events` events and `interventions` interventions.
    fn at(session: &'a Session, events: u64, interventions: usize) -> Copy<'a> {
        let earlier = |at: &crate::lab::Moment| at.event <= events && at.interventions <= interventions;
        let latest = session.branch.checkpoints.iter().rev().find(|checkpoint| earlier(&checkpoint.moment));
        let mut copy = Copy::of(session, latest);
        while (copy.universe.events() < events || copy.done < interventions) && copy.step() {}
        copy
    }

    /// Repeats the next event or intervention of the branch. False: nothing is left.
    fn step(&mut self) -> bool {
        let events = self.universe.events();
        match self.session.branch.interventions.get(self.done).filter(|next| next.event <= events) {
            Some(next) => {
                // What is due at the same time comes after an intervention.
                if next.at > self.universe.time() && self.universe.step_until(next.at) {
                    return false;
                }
                self.done += 1;
                self.session.act.is_some_and(|act| act(&mut *self.universe, next.action).is_ok())
            }
            None => self.universe.step_until(Micros::MAX),
        }
    }

    fn replay(mut self, inspector: &Inspector) -> Option<(Replayed, Box<dyn Universe>)> {
        let next = self.session.branch.interventions.get(self.done);
        let next = next.filter(|next| next.event <= self.universe.events()).copied();
        let act = self.session.act;
        let replayed = replay(&mut *self.universe, inspector, |universe| match (next, act) {
            (Some(next), Some(act)) => {
                let early = next.at > universe.time() && universe.step_until(next.at);
                !early && act(universe, next.action).is_ok()
            }
            _ => universe.step_until(Micros::MAX),
        })?;
        Some((replayed, self.universe))
    }
}

/// Methods for the page's deferred chunk.
impl Session {
    /// Replays the last event or intervention before the present moment, and returns it with the simulation after it. `None` at the start.
    pub fn last_step(&self, inspector: &Inspector) -> Option<(Replayed, Box<dyn Universe>)> {
        let now = self.moment();
        let last = self.done.checked_sub(1).map(|last| self.branch.interventions[last]);
        match last.filter(|last| last.event == now.event) {
            Some(_) => Copy::at(self, now.event, self.done - 1).replay(inspector),
            None => Copy::at(self, now.event.checked_sub(1)?, self.done).replay(inspector),
        }
    }

    /// Replays the last event in which a node handled something, if that is not long ago.
    pub fn last_step_of(&self, node: NodeId, inspector: &Inspector) -> Option<(Replayed, Box<dyn Universe>)> {
        self.last_event(inspector, Micros::MAX, |record, _| record.node == node && record.what.is_handled())
    }

    /// Replays the event in which a node began to lead. `None`: it did so when it started.
    pub fn step_of_leading(
        &self,
        interval: &LeadershipInterval,
        inspector: &Inspector,
    ) -> Option<(Replayed, Box<dyn Universe>)> {
        let LeadershipInterval { since, node, epoch, .. } = *interval;
        let earlier = self.branch.checkpoints.iter().rev().find(|checkpoint| checkpoint.moment.at < since);
        let mut copy = Copy::of(self, earlier);
        let leads = |universe: &dyn Universe| {
            universe.node(node).status.is_some_and(|status| status.leads && status.epoch == epoch)
        };
        while copy.universe.time() <= since && !leads(&*copy.universe) {
            let (events, done) = (copy.universe.events(), copy.done);
            if !copy.step() {
                return None;
            }
            if copy.universe.time() == since && leads(&*copy.universe) {
                return Copy::at(self, events, done).replay(inspector);
            }
        }
        None
    }

    /// Replays the event in which a node sent a message that is in flight, if it left at once.
    pub fn step_of_sending(&self, flight: &Flight, inspector: &Inspector) -> Option<(Replayed, Box<dyn Universe>)> {
        let End::Node(from) = flight.from else { return None };
        let (mut flights, mut found) = (Vec::new(), false);
        // Of several events at that time the first after which the message is there.
        self.last_event(inspector, flight.sent, |record, after| {
            if found || record.node != from || record.at != flight.sent || !record.what.is_handled() {
                return false;
            }
            after.flights(&mut flights);
            found =
                flights.iter().any(|other| (other.id, other.from, other.kind) == (flight.id, flight.from, flight.kind));
            found
        })
    }

    /// Replays the last event of the latest [`BACK`] ones up to a time of which a trace record is wanted.
    fn last_event(
        &self,
        inspector: &Inspector,
        until: Micros,
        mut wanted: impl FnMut(&Record, &dyn Universe) -> bool,
    ) -> Option<(Replayed, Box<dyn Universe>)> {
        let now = self.moment();
        let first = now.event.saturating_sub(BACK);
        let before = |event: u64| {
            let done = self.branch.interventions[..self.done].iter();
            done.take_while(|intervention| intervention.event < event).count()
        };
        let mut copy = Copy::at(self, first, before(first));
        let mut found = None;
        while copy.universe.events() < now.event && copy.universe.time() <= until {
            let (events, done, total) = (copy.universe.events(), copy.done, copy.universe.trace().total());
            if !copy.step() {
                break;
            }
            let mut new = copy.universe.trace().records().rev().take_while(|(number, _)| *number >= total);
            if copy.done == done && new.any(|(_, record)| wanted(&record, &*copy.universe)) {
                found = Some((events, done));
            }
        }
        let (events, done) = found?;
        Copy::at(self, events, done).replay(inspector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::presets;
    use crate::sim::Action;

    #[test]
    fn last_step_is_the_one_that_led_to_the_present_moment_and_changes_nothing() {
        let mut session = Session::new(presets::first()).expect("it is valid");
        session.seek_time(1_500_000);
        let inspector = session.checked().variant.inspector;
        for _ in 0..300 {
            session.step();
            let (fingerprint, moment) = (session.universe().fingerprint(), session.moment());
            let (replayed, after) = session.last_step(&inspector).expect("something happened");
            assert_eq!((replayed.event, replayed.at), (moment.event, moment.at));
            assert_eq!(after.fingerprint(), fingerprint, "the copy is where the session is");
            assert_eq!(session.universe().fingerprint(), fingerprint);
        }
    }

    #[test]
    fn intervention_is_replayed_as_the_last_step() {
        let mut session = Session::new(presets::first()).expect("it is valid");
        session.seek_time(2_000_000);
        session.act(Action::Crash(NodeId(1))).expect("it is up");
        let (replayed, after) = session.last_step(&session.checked().variant.inspector).expect("something happened");
        assert_eq!(after.fingerprint(), session.universe().fingerprint());
        let [(NodeId(1), before, now)] = &replayed.states[..] else { panic!("{:?}", replayed.states) };
        assert!(before.whole.is_some() && now.whole.is_none());
    }

    #[test]
    fn message_in_flight_is_traced_to_the_event_that_sent_it() {
        let mut session = Session::new(presets::first()).expect("it is valid");
        let (inspector, mut flights, mut traced) = (session.checked().variant.inspector, Vec::new(), 0);
        while session.universe().time() < 1_000_000 {
            session.step();
            session.universe().flights(&mut flights);
            for flight in flights.iter().filter(|flight| flight.sent <= session.universe().time()) {
                let (Some((replayed, _)), Some(kind)) = (session.step_of_sending(flight, &inspector), flight.kind)
                else {
                    continue;
                };
                let name = session.checked().variant.kinds[usize::from(kind.0)].name;
                assert!(
                    replayed.effects.iter().any(|(_, effect)| effect.contains(name)),
                    "{name}: {:?}",
                    replayed.effects
                );
                traced += 1;
            }
        }
        assert!(traced > 0);
    }

    #[test]
    fn last_step_of_a_node_is_found_across_interventions_and_says_why() {
        let mut session = Session::new(presets::first()).expect("it is valid");
        session.seek_time(2_000_000);
        session.act(Action::Pause { node: NodeId(4), clock_stops: false }).expect("it is up");
        session.seek_time(2_300_000);
        let inspector = session.checked().variant.inspector;
        let mut reasons = 0;
        for node in (0..5).map(NodeId) {
            let (replayed, _) = session.last_step_of(node, &inspector).expect("it has handled something");
            assert!(replayed.records.iter().any(|record| record.node == node));
            assert!(replayed.event <= session.universe().events());
            assert_eq!(node == NodeId(4), replayed.at < 2_000_000, "only the paused node has been idle");
            reasons += replayed.why.len();
        }
        assert!(reasons > 0);
    }
}
