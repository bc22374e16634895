//! Clients at work: beginning commands, asking, being redirected, losing patience.

use super::{ClientMessage, ReplyKind, StepOutcome, World};
use crate::core::node::Reply;
use crate::core::{Answer, ClientId, Command, Contact, Micros, NodeId, RuleSet};
use crate::sim::clients::{HistoryEvent, HistoryRecord, OPEN_SESSIONS, Pace};
use crate::sim::jitter;
use crate::sim::measure::Sample;
use crate::sim::queue::event::Event;
use crate::sim::trace::What;

/// After so many redirects in a row a client pauses: the cluster does not know yet who leads.
const REDIRECTS: u16 = 4;

impl World {
    pub(super) fn start_clients(&mut self) {
        for group in 0..self.clients.groups.len() as u16 {
            let g = &self.clients.groups[usize::from(group)];
            let (start, pace, site) = (g.start, g.pace, g.site);
            match pace {
                Pace::Closed { sessions, .. } => {
                    for _ in 0..sessions {
                        let client = self.clients.open(group, self.nearest(site));
                        self.schedule(start, Event::Wake(client));
                    }
                }
                Pace::Open { .. } => self.next_arrival(group, start),
            }
        }
    }

    fn next_arrival(&mut self, group: u16, from: Micros) {
        if let Pace::Open { gap } = self.clients.groups[usize::from(group)].pace {
            let wait = jitter::exponential(gap, &mut self.clients.rng[usize::from(group)]).max(1);
            self.schedule(from + wait, Event::Arrival(group));
        }
    }

    /// The replica nearest to a site; the lowest id among equals.
    pub(super) fn nearest(&self, site: u8) -> NodeId {
        let distance = |node: &NodeId| self.topology.round_trip(site, self.site_of(*node));
        (0..self.hosts.len() as u8).map(NodeId).min_by_key(distance).unwrap_or_default()
    }

    pub(super) fn site_of_client(&self, client: ClientId) -> u8 {
        self.clients.sessions.get(usize::from(client.0)).map_or(0, |session| session.site)
    }

    pub(super) fn arrival(&mut self, group: u16) -> Option<StepOutcome> {
        self.next_arrival(group, self.time);
        if !self.clients.may_begin(group, self.time) {
            return None;
        }
        let client = match self.clients.idle(group) {
            Some(client) => client,
            None if self.clients.opened(group) < OPEN_SESSIONS => {
                let site = self.clients.groups[usize::from(group)].site;
                self.clients.open(group, self.nearest(site))
            }
            None => {
                self.counts.turned_away += 1;
                return None;
            }
        };
        Some(self.begin(client))
    }

    pub(super) fn wake(&mut self, client: ClientId) -> Option<StepOutcome> {
        self.clients.goes_on(client, self.time).then(|| self.begin(client))
    }

    #[inline]
    pub(super) fn begin(&mut self, client: ClientId) -> StepOutcome {
        self.counts.asked += 1;
        let command = self.clients.begin(client, self.time);
        self.record_client_event(client, HistoryEvent::Asked(command.op));
        self.ask(client);
        self.client_acted(client)
    }

    fn record_client_event(&mut self, client: ClientId, event: HistoryEvent) {
        if let Some(recorded) = &mut self.recorded {
            recorded.push(HistoryRecord { at: self.time, client, event });
        }
    }

    #[inline(always)]
    fn client_acted(&mut self, client: ClientId) -> StepOutcome {
        let target = self.clients.sessions[usize::from(client.0)].target;
        self.record(What::Client, target, target, 0, 0, u32::from(client.0), RuleSet::EMPTY);
        StepOutcome::passed(What::Client, target)
    }

    /// Sends the session's waiting command to the replica it takes for the right one, or to all.
    fn ask(&mut self, client: ClientId) {
        let session = &mut self.clients.sessions[usize::from(client.0)];
        let Some(waiting) = &mut session.waiting else { return };
        waiting.attempt += 1;
        waiting.asked = self.time;
        let (command, to, site) = (waiting.command, session.target, session.site);
        let retry = self.clients.groups[usize::from(session.group)].retry;
        if !session.watched {
            session.watched = true;
            self.schedule(self.time + retry, Event::Impatient(client));
        }
        match self.contact {
            Contact::All => (0..self.hosts.len() as u8).for_each(|to| self.send_request(command, site, NodeId(to))),
            Contact::Leader | Contact::Nearest => self.send_request(command, site, to),
        }
    }

    #[inline]
    fn send_request(&mut self, command: Command, site: u8, to: NodeId) {
        self.counts.client_messages += 1;
        let flight = self.topology.delay(site, self.site_of(to), false, &mut self.net_rng);
        let will_drop = self.net_rng.chance(self.topology.loss_permille);
        let (flight, will_drop) = match self.faults {
            Some(_) => {
                let (_, flight, will_drop) = (self.fault_code().in_time)(self, self.time, self.time, flight, will_drop);
                (flight, will_drop)
            }
            None => (flight, will_drop),
        };
        let client_message = self.client_messages.put(ClientMessage::Request(command));
        self.schedule(self.time + flight, Event::Request { to, will_drop, flight: flight as u32, client_message });
    }

    pub(super) fn requested(
        &mut self,
        to: NodeId,
        will_drop: bool,
        flight: u32,
        client_message: u32,
    ) -> Option<StepOutcome> {
        let Some(ClientMessage::Request(command)) = self.client_messages.take(client_message) else { return None };
        let client = u32::from(command.client.0);
        let will_drop = will_drop || self.is_out_of_reach(command.client, to);
        if will_drop || !self.is_up(to) {
            self.record(What::Lost, to, to, 0, 0, flight, RuleSet::EMPTY);
            return Some(StepOutcome::passed(What::Lost, to));
        }
        self.replicas.request(to, command, &mut self.outbox);
        let (rules, log_from) = self.outbox.settle();
        self.record(What::Request, to, to, 0, 0, client, rules);
        self.apply_effects(to);
        Some(StepOutcome::handled(What::Request, to, log_from))
    }

    pub(super) fn send_reply(&mut self, from: NodeId, reply: Reply) {
        if !self.answers(from) {
            return;
        }
        let reply = if self.faults.is_some() { self.tamper_reply(from, reply) } else { reply };
        let leaves = match self.faults {
            Some(_) => (self.fault_code().put_together)(self, from, self.client_weight(reply.client, reply.seq)),
            None => self.saved_at(from),
        };
        let site = self.site_of_client(reply.client);
        self.counts.client_messages += 1;
        let flight = self.topology.delay(self.site_of(from), site, true, &mut self.net_rng);
        let lost = self.net_rng.chance(self.topology.loss_permille);
        let (leaves, flight, lost) = match self.faults {
            Some(_) => (self.fault_code().in_time)(self, leaves, leaves, flight, lost),
            None => (leaves, flight, lost),
        };
        if lost {
            return;
        }
        let client_message = self.client_messages.put(ClientMessage::Reply(reply));
        self.schedule(leaves + flight, Event::Reply { from, flight: flight as u32, client_message });
    }

    pub(super) fn answered(&mut self, from: NodeId, client_message: u32) -> Option<StepOutcome> {
        // Looked at where it lies: moved out field by field, it makes the processor wait.
        let client_message = self.client_messages.take(client_message);
        let Some(ClientMessage::Reply(Reply { client, seq, ref answer })) = client_message else { return None };
        if self.is_out_of_reach(client, from) {
            return None;
        }
        self.record(What::Answered, from, from, 0, 0, u32::from(client.0), RuleSet::EMPTY);
        self.reply = Some((from, ReplyKind::of(*answer, from)));
        let step = Some(StepOutcome::passed(What::Answered, from));
        let session = &mut self.clients.sessions[usize::from(client.0)];
        let Some(waiting) = session.waiting.filter(|waiting| waiting.command.seq == seq) else {
            return step;
        };
        match *answer {
            Answer::Done(outcome) => {
                if self.answers_needed > 1 {
                    // A replica's last word counts.
                    session.answers.retain(|(node, _)| *node != from);
                    session.answers.push((from, outcome));
                    let alike = session.answers.iter().filter(|(_, other)| *other == outcome).count();
                    if alike < usize::from(self.answers_needed) {
                        return step;
                    }
                    session.answers.clear();
                }
                session.target = from;
                if self.contact == Contact::Nearest {
                    self.choose_next_target(client, waiting.attempt);
                }
                let session = &mut self.clients.sessions[usize::from(client.0)];
                self.counts.answered += 1;
                let sample = Sample { at: self.time, latency: self.time - waiting.since, client, node: from };
                self.samples[usize::from(session.site)].push(sample);
                // An answer in no time must not begin the next command in no time, or time would stand still.
                let least = Micros::from(sample.latency == 0);
                if let Some(pause) = self.clients.told(client, waiting.command.op, outcome, self.time, least) {
                    self.schedule(self.time + pause, Event::Wake(client));
                }
                self.record_client_event(client, HistoryEvent::Told(outcome));
            }
            Answer::Redirect(Some(leader)) if leader != from && waiting.attempt % (REDIRECTS + 1) != 0 => {
                session.target = leader;
                self.ask(client);
            }
            Answer::Redirect(leader) => {
                let group = session.group;
                let target = leader.unwrap_or(self.next_target(from));
                self.clients.sessions[usize::from(client.0)].target = target;
                let pause = (self.clients.groups[usize::from(group)].retry / 10).max(1);
                // Patience begins anew: if it ran out during the pause, the replica that is next would be passed over, every time around.
                let attempt = waiting.attempt;
                if let Some(waiting) = &mut self.clients.sessions[usize::from(client.0)].waiting {
                    waiting.asked = self.time;
                }
                self.schedule(self.time + pause, Event::Again { client, seq, attempt });
            }
        }
        step
    }

    /// A client of the nearest replica got its answer after so many requests. The nearest one gets the next command, unless it did not answer
    /// this one: then it is left alone for a while, twice as long each time.
    fn choose_next_target(&mut self, client: ClientId, requests: u16) {
        let nearest = self.nearest(self.clients.sessions[usize::from(client.0)].site);
        let session = &mut self.clients.sessions[usize::from(client.0)];
        let (left, pause) = session.away;
        session.away = match (session.target == nearest, requests) {
            (true, _) => (0, 1),
            (false, 1) => (left.saturating_sub(1), pause),
            (false, _) => (pause, (pause * 2).min(64)),
        };
        if session.away.0 == 0 {
            session.target = nearest;
        }
    }

    fn next_target(&self, after: NodeId) -> NodeId {
        NodeId((after.0 + 1) % self.hosts.len() as u8)
    }

    pub(super) fn again(&mut self, client: ClientId, seq: u32, attempt: u16) -> Option<StepOutcome> {
        let waiting = self.clients.sessions[usize::from(client.0)].waiting?;
        if waiting.command.seq != seq || waiting.attempt != attempt {
            return None;
        }
        self.ask(client);
        Some(self.client_acted(client))
    }

    pub(super) fn impatient(&mut self, client: ClientId) -> Option<StepOutcome> {
        let session = &mut self.clients.sessions[usize::from(client.0)];
        session.watched = false;
        let waiting = session.waiting?;
        let due = waiting.asked + self.clients.groups[usize::from(session.group)].retry;
        if due > self.time {
            session.watched = true;
            self.schedule(due, Event::Impatient(client));
            return None;
        }
        let next = self.next_target(self.clients.sessions[usize::from(client.0)].target);
        self.clients.sessions[usize::from(client.0)].target = next;
        self.counts.retried += 1;
        self.ask(client);
        Some(self.client_acted(client))
    }

    /// Holds back (or lets go on) all new commands.
    pub(super) fn quiesce(&mut self, quiet: bool) {
        for (client, due) in self.clients.quiesce(quiet) {
            self.schedule(due.max(self.time), Event::Wake(client));
        }
    }
}
