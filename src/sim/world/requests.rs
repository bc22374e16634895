//! Client sessions: issuing commands, requests, redirects, retry timeouts, replies.

use super::{ClientMessage, ReplyKind, StepOutcome, World};
use crate::core::node::Reply;
use crate::core::{Answer, ClientId, Command, Contact, Micros, NodeId, RuleSet};
use crate::sim::clients::{HistoryEvent, HistoryRecord, OPEN_SESSIONS, Pace};
use crate::sim::jitter;
use crate::sim::measure::Sample;
use crate::sim::queue::event::Event;
use crate::sim::trace::What;

/// Consecutive redirects after which a client pauses: an election is probably in progress.
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
                        self.wake_at(client, start);
                    }
                }
                Pace::Open { .. } => self.schedule_arrival(group, start),
            }
        }
    }

    /// Has a session issue its next command at a time, µs.
    fn wake_at(&mut self, client: ClientId, at: Micros) {
        self.clients.sessions[usize::from(client.0)].wake = Some(at);
        self.schedule(at, Event::Wake(client));
    }

    fn schedule_arrival(&mut self, group: u16, from: Micros) {
        if let Pace::Open { gap } = self.clients.groups[usize::from(group)].pace {
            let wait = jitter::exponential(gap, &mut self.clients.rng[usize::from(group)]).max(1);
            self.schedule(from + wait, Event::Arrival(group));
        }
    }

    /// The replica with the shortest round trip to a site; the lowest id among equals.
    pub(super) fn nearest(&self, site: u8) -> NodeId {
        let distance = |node: &NodeId| self.topology.round_trip(site, self.site_of(*node));
        (0..self.hosts.len() as u8).map(NodeId).min_by_key(distance).unwrap_or_default()
    }

    pub(super) fn site_of_client(&self, client: ClientId) -> u8 {
        self.clients.sessions.get(usize::from(client.0)).map_or(0, |session| session.site)
    }

    pub(super) fn open_loop_arrival(&mut self, group: u16) -> Option<StepOutcome> {
        self.schedule_arrival(group, self.time);
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
        self.clients.is_ready(client, self.time).then(|| self.begin(client))
    }

    #[inline]
    pub(super) fn begin(&mut self, client: ClientId) -> StepOutcome {
        self.counts.asked += 1;
        let command = self.clients.begin(client, self.time);
        if self.contact == Contact::NearestToRead {
            self.clients.sessions[usize::from(client.0)].turn_to(command.op.is_read());
        }
        self.record_client_event(client, HistoryEvent::Asked(command.op));
        self.submit(client);
        self.record_client_step(client)
    }

    fn record_client_event(&mut self, client: ClientId, event: HistoryEvent) {
        if let Some(recorded) = &mut self.recorded {
            recorded.push(HistoryRecord { at: self.time, client, event });
        }
    }

    #[inline(always)]
    fn record_client_step(&mut self, client: ClientId) -> StepOutcome {
        let target = self.clients.sessions[usize::from(client.0)].target;
        self.record(What::Client, target, target, 0, 0, u32::from(client.0), RuleSet::EMPTY);
        StepOutcome::passed(What::Client, target)
    }

    /// Sends the session's outstanding command to its target replica, or to all.
    fn submit(&mut self, client: ClientId) {
        let session = &mut self.clients.sessions[usize::from(client.0)];
        let Some(waiting) = &mut session.waiting else { return };
        waiting.attempt += 1;
        waiting.asked = self.time;
        let (command, to, site) = (waiting.command, session.target, session.site);
        let retry = self.clients.groups[usize::from(session.group)].retry;
        if !session.timeout_queued {
            session.timeout_queued = true;
            self.schedule(self.time + retry, Event::RetryTimeout(client));
        }
        match self.contact {
            Contact::All => (0..self.hosts.len() as u8).for_each(|to| self.send_request(command, site, NodeId(to))),
            Contact::Leader | Contact::Nearest | Contact::NearestToRead => self.send_request(command, site, to),
        }
    }

    #[inline]
    fn send_request(&mut self, command: Command, site: u8, to: NodeId) {
        self.counts.client_messages += 1;
        let flight = self.topology.delay(site, self.site_of(to), false, &mut self.net_rng);
        let will_drop = self.net_rng.chance(self.topology.loss_permille);
        let (flight, will_drop) = match self.faults {
            Some(_) => {
                let (_, flight, will_drop) =
                    (self.fault_code().bounded_arrival)(self, self.time, self.time, flight, will_drop);
                (flight, will_drop)
            }
            None => (flight, will_drop),
        };
        let client_message = self.client_messages.put(ClientMessage::Request(command));
        self.schedule(self.time + flight, Event::Request { to, will_drop, flight: flight as u32, client_message });
    }

    pub(super) fn deliver_request(
        &mut self,
        to: NodeId,
        will_drop: bool,
        flight: u32,
        client_message: u32,
    ) -> Option<StepOutcome> {
        let Some(ClientMessage::Request(command)) = self.client_messages.take(client_message) else { return None };
        let client = u32::from(command.client.0);
        let will_drop = will_drop || self.requests_cut(self.site_of_client(command.client)).has(to);
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
        if !self.replies_to_clients(from) {
            return;
        }
        let reply = if self.faults.is_some() { self.tamper_reply(from, reply) } else { reply };
        let leaves = match self.faults {
            Some(_) => {
                (self.fault_code().processor_send)(self, from, self.client_message_size(reply.client, reply.seq))
            }
            None => self.saved_at(from),
        };
        let site = self.site_of_client(reply.client);
        self.counts.client_messages += 1;
        let flight = self.topology.delay(self.site_of(from), site, true, &mut self.net_rng);
        let lost = self.net_rng.chance(self.topology.loss_permille);
        let (leaves, flight, lost) = match self.faults {
            Some(_) => (self.fault_code().bounded_arrival)(self, leaves, leaves, flight, lost),
            None => (leaves, flight, lost),
        };
        if lost {
            return;
        }
        let client_message = self.client_messages.put(ClientMessage::Reply(reply));
        self.schedule(leaves + flight, Event::Reply { from, flight: flight as u32, client_message });
    }

    pub(super) fn deliver_reply(&mut self, from: NodeId, client_message: u32) -> Option<StepOutcome> {
        // Borrowed, not moved: see "Speed" in `ARCHITECTURE.md`.
        let client_message = self.client_messages.take(client_message);
        let Some(ClientMessage::Reply(Reply { client, seq, ref answer })) = client_message else { return None };
        if self.replies_cut(self.site_of_client(client)).has(from) {
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
                    // A later reply of a replica replaces its earlier one.
                    session.answers.retain(|(node, _)| *node != from);
                    session.answers.push((from, outcome));
                    let alike = session.answers.iter().filter(|(_, other)| *other == outcome).count();
                    if alike < usize::from(self.answers_needed) {
                        return step;
                    }
                    session.answers.clear();
                }
                session.target = from;
                if self.contact == Contact::Nearest || session.reads {
                    self.choose_next_target(client, waiting.attempt);
                }
                let session = &mut self.clients.sessions[usize::from(client.0)];
                self.counts.answered += 1;
                let sample = Sample { at: self.time, latency: self.time - waiting.since, client, node: from };
                self.samples[usize::from(session.site)].push(sample);
                // Time must advance between commands, or a closed loop with zero latency would never end.
                let least = Micros::from(sample.latency == 0);
                if let Some(pause) = self.clients.complete(client, waiting.command.op, outcome, self.time, least) {
                    self.wake_at(client, self.time + pause);
                }
                self.record_client_event(client, HistoryEvent::Told(outcome));
            }
            Answer::Redirect(Some(leader)) if leader != from && waiting.attempt % (REDIRECTS + 1) != 0 => {
                session.target = leader;
                self.submit(client);
            }
            Answer::Redirect(leader) => {
                let group = session.group;
                let target = leader.unwrap_or(self.next_target(from));
                self.clients.sessions[usize::from(client.0)].target = target;
                let pause = (self.clients.groups[usize::from(group)].retry / 10).max(1);
                // The retry timeout restarts: if it expired during the pause, it would skip the next replica, in every round again.
                let attempt = waiting.attempt;
                if let Some(waiting) = &mut self.clients.sessions[usize::from(client.0)].waiting {
                    waiting.asked = self.time;
                }
                self.schedule(self.time + pause, Event::Resend { client, seq, attempt });
            }
        }
        step
    }

    /// Target of the next command for [`Contact::Nearest`], after a reply to the `requests`-th request: the nearest replica, with exponential
    /// backoff (in commands) after it did not answer.
    fn choose_next_target(&mut self, client: ClientId, requests: u16) {
        let nearest = self.nearest(self.clients.sessions[usize::from(client.0)].site);
        let session = &mut self.clients.sessions[usize::from(client.0)];
        let (left, pause) = session.backoff;
        session.backoff = match (session.target == nearest, requests) {
            (true, _) => (0, 1),
            (false, 1) => (left.saturating_sub(1), pause),
            (false, _) => (pause, (pause * 2).min(64)),
        };
        if session.backoff.0 == 0 {
            session.target = nearest;
        }
    }

    fn next_target(&self, after: NodeId) -> NodeId {
        NodeId((after.0 + 1) % self.hosts.len() as u8)
    }

    pub(super) fn resend(&mut self, client: ClientId, seq: u32, attempt: u16) -> Option<StepOutcome> {
        let waiting = self.clients.sessions[usize::from(client.0)].waiting?;
        if waiting.command.seq != seq || waiting.attempt != attempt {
            return None;
        }
        self.submit(client);
        Some(self.record_client_step(client))
    }

    pub(super) fn retry_timeout(&mut self, client: ClientId) -> Option<StepOutcome> {
        let session = &mut self.clients.sessions[usize::from(client.0)];
        session.timeout_queued = false;
        let waiting = session.waiting?;
        let due = waiting.asked + self.clients.groups[usize::from(session.group)].retry;
        if due > self.time {
            session.timeout_queued = true;
            self.schedule(due, Event::RetryTimeout(client));
            return None;
        }
        let next = self.next_target(self.clients.sessions[usize::from(client.0)].target);
        self.clients.sessions[usize::from(client.0)].target = next;
        self.counts.retried += 1;
        self.submit(client);
        Some(self.record_client_step(client))
    }

    /// Sets or clears quiescence of all clients.
    pub(super) fn quiesce(&mut self, quiet: bool) {
        for client in self.clients.quiesce(quiet, self.time) {
            self.wake_at(client, self.time);
        }
    }
}
