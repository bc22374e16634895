//! Follows a session's branch in a copy of the simulation, and writes down messages, decisions, answers and outages.
//!
//! What was sent in an event is found by looking at what is on its way after it: messages that left no earlier than now, or wait to leave, and
//! were not known. How they end is in the trace. Whatever an action moves (held, delivered by hand, taken out of a queue) is compared as a whole.

use super::history::{Answer, Fate, History, Lane, MOST, Mark, Message, MessageKind, State};
use crate::core::{Micros, NodeId, NodeSet, Slot};
use crate::judge::{LeadershipInterval, Violation};
use crate::lab::Session;
use crate::lab::session::Follower;
use crate::sim::action::{Action, FlightId};
use crate::sim::trace::{Record, What};
use crate::universe::{End, Sending, Universe};
use std::collections::BTreeMap;

/// Most decided slots that are remembered, to tell who learned a decision first.
const DECIDED: usize = 1 << 16;

/// A message on its way, or waiting at its receiver.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: FlightId,
    from: Lane,
    kind: MessageKind,
    /// Its number in the history.
    number: usize,
    /// How long it flies, as the trace will say, µs.
    flight: Micros,
    arrives: Micros,
    held: bool,
    /// Whether it had left when it was last looked at.
    left: bool,
}

/// Records a branch of a session.
pub struct Recorder {
    follower: Follower,
    history: History,
    /// The messages on their way to each lane.
    open: Vec<(Lane, Vec<Open>)>,
    /// Who knows what is decided, by instance.
    decided: BTreeMap<(u32, Slot), NodeSet>,
    /// Number of commands answered by then.
    answered: u64,
    /// What was done, by the script or by hand.
    acts: Vec<(Micros, Action)>,
    /// Whether it stops where there is no room, instead of forgetting what is oldest.
    stops_when_full: bool,
    sent: Vec<Sending>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder of {} messages, {:?}", self.history.len(), self.follower)
    }
}

impl Recorder {
    /// Records the latest that there is room for, and goes on with the session.
    pub fn latest(session: &Session) -> Recorder {
        let first = session.reached().event.saturating_sub(MOST as u64);
        Recorder::of(session.follower(|moment| moment.event <= first), MOST, false)
    }

    /// Records from the last checkpoint before a time, µs, for as long as there is room.
    pub fn from(session: &Session, time: Micros) -> Recorder {
        Recorder::of(session.follower(|moment| moment.at < time), MOST, true)
    }

    /// Records from where a follower is, for as long as there is room.
    #[cfg(feature = "link")]
    pub(in crate::lab) fn of_follower(follower: Follower) -> Recorder {
        Recorder::of(follower, MOST, true)
    }

    fn of(follower: Follower, most: usize, stops_when_full: bool) -> Recorder {
        let universe = follower.universe();
        let history = History::new(universe.time(), universe.events(), most);
        let mut recorder = Recorder {
            history,
            open: Vec::new(),
            decided: BTreeMap::new(),
            answered: universe.counts().answered,
            acts: Vec::new(),
            stops_when_full,
            sent: Vec::new(),
            follower,
        };
        recorder.compare();
        recorder.look_at_nodes();
        recorder
    }

    /// The simulation where it is.
    pub fn universe(&self) -> &dyn Universe {
        self.follower.universe()
    }

    /// What was recorded.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What was done while it was recorded, in order.
    pub fn acts(&self) -> &[(Micros, Action)] {
        &self.acts
    }

    /// Who led when, by the end of what is recorded.
    pub fn leadership(&self) -> Vec<LeadershipInterval> {
        self.follower.universe().leadership_intervals()
    }

    /// Violations by then: those of what is promised, then the others.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        let universe = self.follower.universe();
        universe.violations().iter().chain(universe.not_promised())
    }

    /// Number of nodes by then.
    pub fn nodes(&self) -> u8 {
        self.follower.universe().nodes()
    }

    /// Whether what was recorded is what happened in the session's present branch.
    pub fn is_of(&self, session: &Session) -> bool {
        session.is_followed_by(&self.follower)
    }

    /// Whether there is no room for more, and it does not forget.
    pub fn is_full(&self) -> bool {
        self.stops_when_full && self.history.is_full()
    }

    /// Goes on for at most so many events. True: it is as far as the session's branch has come, or there is no room.
    pub fn advance(&mut self, session: &Session, events: u64) -> bool {
        for _ in 0..events {
            if self.is_full() || !self.step(session) {
                return true;
            }
        }
        false
    }

    /// The number of the message that is meant by its id and sender after so many events: the last one sent by then.
    pub fn find(&self, id: FlightId, from: End, events: u64) -> Option<usize> {
        let from = Lane::from(from);
        let mut all = self.history.messages().rev();
        all.find(|(_, it)| it.id == id && it.from == from && it.sent_in <= events).map(|(number, _)| number)
    }

    fn step(&mut self, session: &Session) -> bool {
        self.step_by(|follower| session.lead(follower))
    }

    /// Records what the next step of the follower does. False: nothing is left to happen.
    pub(in crate::lab) fn step_by(&mut self, lead: impl FnOnce(&mut Follower) -> bool) -> bool {
        let total = self.follower.universe().trace().total();
        if !lead(&mut self.follower) {
            let universe = self.follower.universe();
            self.history.progress(universe.time(), universe.events());
            return false;
        }
        let universe = self.follower.universe();
        self.history.progress(universe.time(), universe.events());
        let records: Vec<Record> = universe
            .trace()
            .records()
            .rev()
            .take_while(|(number, _)| *number >= total)
            .map(|(_, record)| record)
            .collect();
        let mut acted = false;
        for record in records.into_iter().rev() {
            acted |= !self.read(&record);
        }
        if acted {
            self.compare();
            self.look_at_nodes();
        } else {
            self.look_at_sent();
        }
        true
    }

    /// Reads a record of the trace. False: more may have changed than what it says.
    fn read(&mut self, record: &Record) -> bool {
        let Record { at, what, node, peer, slot, detail, kind, .. } = *record;
        let to = Lane::Node(node);
        match what {
            What::Delivered if node != peer => {
                let kind = MessageKind::Protocol(crate::core::KindId(kind));
                let is_it = |open: &Open| open.kind == kind && open.flight == Micros::from(detail);
                self.end(to, at, Fate::Delivered, |open| open.from == Lane::Node(peer) && is_it(open));
            }
            What::Lost if node != peer => {
                let kind = MessageKind::Protocol(crate::core::KindId(kind));
                let is_it = |open: &Open| open.kind == kind && open.flight == Micros::from(detail);
                self.end(to, at, Fate::Lost, |open| open.from == Lane::Node(peer) && is_it(open));
            }
            What::Lost => {
                let requests = |open: &Open| open.kind == MessageKind::Request && open.flight == Micros::from(detail);
                if !self.end(to, at, Fate::Lost, requests) {
                    // A reply, dropped by hand: that is compared as a whole.
                    return false;
                }
            }
            What::Request => self.end_of_client(to, at, detail, |kind| kind == MessageKind::Request),
            What::Answered => {
                let lanes: Vec<Lane> = self.open.iter().map(|(lane, _)| *lane).collect();
                let clients = lanes.into_iter().filter(|lane| matches!(lane, Lane::Clients(_)));
                clients.for_each(|lane| {
                    self.end_of_client_from(lane, at, detail, to);
                });
                self.look_at_answers(at);
            }
            // Not every protocol says both of a slot: what is executed is decided.
            What::Chosen | What::Applied => {
                let knows = self.decided.entry((detail, slot)).or_default();
                let (first, knew) = (knows.is_empty(), knows.has(node));
                knows.add(node);
                if self.decided.len() > DECIDED {
                    self.decided.pop_first();
                }
                if !knew {
                    self.history.mark(Mark { at, node, instance: (detail, slot), first });
                }
            }
            What::Acted => {
                if let Some(action) = self.follower.universe().intervention() {
                    self.acts.push((at, action));
                }
                return false;
            }
            What::Refused | What::Stopped | What::Fenced => return false,
            What::Delivered | What::Timer | What::Client => {}
        }
        true
    }

    fn end_of_client(&mut self, to: Lane, at: Micros, client: u32, is_kind: impl Fn(MessageKind) -> bool) {
        let now = self.follower.universe().time();
        let history = &self.history;
        let of_client = |open: &Open| {
            let message = history.message(open.number);
            is_kind(open.kind)
                && open.arrives <= now
                && message.is_some_and(|message| message.client.is_some_and(|one| u32::from(one.0) == client))
        };
        let found =
            self.open.iter().find(|(lane, _)| *lane == to).and_then(|(_, open)| open.iter().find(|one| of_client(one)));
        if let Some(number) = found.map(|open| open.number) {
            self.end(to, at, Fate::Delivered, |open| open.number == number);
        }
    }

    fn end_of_client_from(&mut self, lane: Lane, at: Micros, client: u32, from: Lane) {
        let history = &self.history;
        let is_it = |open: &&Open| {
            let message = history.message(open.number);
            open.from == from
                && open.arrives == at
                && message.is_some_and(|message| message.client.is_some_and(|one| u32::from(one.0) == client))
        };
        let found = self.open.iter().find(|(one, _)| *one == lane).and_then(|(_, open)| open.iter().find(is_it));
        if let Some(number) = found.map(|open| open.number) {
            self.end(lane, at, Fate::Delivered, |open| open.number == number);
        }
    }

    /// Ends the first message to a lane that is meant. False: there is none.
    fn end(&mut self, to: Lane, at: Micros, fate: Fate, is_it: impl Fn(&Open) -> bool) -> bool {
        let events = self.follower.universe().events();
        let Some((_, open)) = self.open.iter_mut().find(|(lane, _)| *lane == to) else { return false };
        let Some(index) = open.iter().position(is_it) else { return false };
        let ended = open.remove(index);
        self.history.change(ended.number, |message| {
            message.fate = fate;
            message.ended_in = events;
            // What is lost by hand is lost on its way. What waited at its receiver has arrived before.
            if fate == Fate::Lost || message.arrives > at || ended.held {
                message.arrives = at.max(message.sent);
            }
        });
        true
    }

    fn look_at_answers(&mut self, at: Micros) {
        let universe = self.follower.universe();
        let answered = universe.counts().answered;
        if std::mem::replace(&mut self.answered, answered) == answered {
            return;
        }
        let latest = (0..).zip(universe.samples()).filter_map(|(site, log)| Some((site, log.get(log.last())?)));
        if let Some((site, sample)) = latest.filter(|(_, sample)| sample.at == at).last() {
            self.history.answered(Answer { at, latency: sample.latency, site });
        }
    }

    /// Adds what was sent in the last event.
    fn look_at_sent(&mut self) {
        let now = self.follower.universe().time();
        let mut sent = std::mem::take(&mut self.sent);
        self.follower.universe().sent_since(now, &mut sent);
        for sending in &sent {
            let known = |open: &Open| {
                open.id == sending.flight.id
                    && open.from == sending.flight.from.into()
                    && (open.held
                        || open.flight == sending.flight.arrives - sending.flight.sent
                            && open.arrives == sending.flight.arrives)
            };
            if !self.to(sending.flight.to.into()).iter().any(known) {
                self.add(sending);
            }
        }
        self.sent = sent;
        self.look_for_vanished(now);
    }

    /// Replies to clients that are cut off vanish without a word.
    fn look_for_vanished(&mut self, now: Micros) {
        let mut vanished = Vec::new();
        for (lane, open) in self.open.iter_mut().filter(|(lane, _)| matches!(lane, Lane::Clients(_))) {
            let _ = lane;
            open.retain(|open| {
                let gone = open.arrives < now && !open.held;
                vanished.extend(gone.then_some(open.number));
                !gone
            });
        }
        let events = self.follower.universe().events();
        for number in vanished {
            self.history.change(number, |message| (message.fate, message.ended_in) = (Fate::Lost, events));
        }
    }

    /// Compares all that is on its way with what is known.
    fn compare(&mut self) {
        let now = self.follower.universe().time();
        let mut sent = std::mem::take(&mut self.sent);
        self.follower.universe().sent_since(0, &mut sent);
        let mut seen = vec![false; sent.len()];
        let paused: Vec<bool> = (0..self.follower.universe().nodes())
            .map(|node| self.follower.universe().node(NodeId(node)).paused.is_some())
            .collect();
        let up: Vec<bool> = (0..self.follower.universe().nodes())
            .map(|node| self.follower.universe().node(NodeId(node)).status.is_some())
            .collect();
        let is = |list: &[bool], lane: Lane| matches!(lane, Lane::Node(node) if list.get(usize::from(node.0)) == Some(&true));
        let mut changes: Vec<(usize, Option<Sending>, bool)> = Vec::new();
        for (lane, open) in &mut self.open {
            open.retain_mut(|open| {
                let is_it = |(index, sending): &(usize, &Sending)| {
                    !seen[*index]
                        && sending.flight.id == open.id
                        && Lane::from(sending.flight.from) == open.from
                        && Lane::from(sending.flight.to) == *lane
                        // What has left cannot leave again: its number is used again.
                        && (!open.left || sending.flight.sent <= now)
                };
                if let Some((index, sending)) = sent.iter().enumerate().find(is_it) {
                    seen[index] = true;
                    open.flight = sending.flight.arrives - sending.flight.sent.min(sending.flight.arrives);
                    open.arrives = sending.flight.arrives;
                    open.held = sending.flight.held;
                    open.left = sending.flight.sent <= now;
                    changes.push((open.number, Some(*sending), open.left));
                    return true;
                }
                let waits_to_leave = !open.left && is(&paused, open.from);
                let waits_here = open.left && open.arrives <= now && is(&up, *lane);
                let stays = waits_to_leave || waits_here;
                if !stays {
                    changes.push((open.number, None, open.left));
                }
                stays
            });
        }
        let events = self.follower.universe().events();
        for (number, sending, left) in changes {
            self.history.change(number, |message| match sending {
                Some(Sending { flight, .. }) => {
                    message.fate = if flight.held { Fate::Held } else { Fate::UnderWay };
                    if message.sent > now || !left {
                        message.sent = flight.sent;
                    }
                    message.arrives = flight.arrives.max(message.sent);
                }
                None if left => {
                    (message.fate, message.ended_in) = (Fate::Lost, events);
                    message.arrives = now.clamp(message.sent, message.arrives.max(message.sent));
                }
                None => (message.fate, message.ended_in) = (Fate::Unsent, events),
            });
        }
        for (sending, _) in sent.iter().zip(seen).filter(|(_, seen)| !seen) {
            self.add(sending);
        }
        self.sent = sent;
    }

    fn to(&mut self, lane: Lane) -> &mut Vec<Open> {
        let index = self.open.iter().position(|(other, _)| *other == lane);
        let index = index.unwrap_or_else(|| {
            self.open.push((lane, Vec::new()));
            self.open.len() - 1
        });
        &mut self.open[index].1
    }

    fn add(&mut self, sending: &Sending) {
        let Sending { flight, bytes, client } = *sending;
        let kind = match (flight.kind, flight.reply) {
            (Some(kind), _) => MessageKind::Protocol(kind),
            (None, Some(reply)) => MessageKind::Reply(reply),
            (None, None) => MessageKind::Request,
        };
        let (now, events) = (self.follower.universe().time(), self.follower.universe().events());
        let (from, to) = (Lane::from(flight.from), Lane::from(flight.to));
        let number = self.history.push(Message {
            id: flight.id,
            from,
            to,
            kind,
            fate: if flight.held { Fate::Held } else { Fate::UnderWay },
            client,
            slot: flight.slot,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            sent: flight.sent,
            arrives: flight.arrives,
            sent_in: events,
            ended_in: u64::MAX,
        });
        let way = flight.arrives.saturating_sub(flight.sent);
        let Sending { flight, .. } = *sending;
        self.to(to).push(Open {
            id: flight.id,
            from,
            kind,
            number,
            flight: way,
            arrives: flight.arrives,
            held: flight.held,
            left: flight.sent <= now,
        });
    }

    /// Notes who is down or paused.
    fn look_at_nodes(&mut self) {
        let universe = self.follower.universe();
        let now = universe.time();
        for node in (0..universe.nodes()).map(NodeId) {
            let view = universe.node(node);
            let state = match (view.status, view.paused) {
                (None, _) => Some(State::Down),
                (_, Some(_)) => Some(State::Paused),
                _ => None,
            };
            self.history.set_state(node, state, now);
        }
    }
}
