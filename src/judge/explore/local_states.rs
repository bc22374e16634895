//! Local states: a host with the messages in flight to it. Whatever happens next happens to one of these, so its transitions are found once for
//! each, however many states it is part of.

use super::bounds::{Bounds, Cost, Cut, Cuts, Times};
use super::intern::{Lists, Memo};
use super::model::Stimulus;
use super::outcomes::Outcomes;
use super::states::States;
use crate::core::NodeId;
use serde::{Deserialize, Serialize};

/// What kind of thing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Action {
    /// A message arrives.
    Deliver,
    /// A message arrives and stays in flight.
    Duplicate,
    /// A message gets lost.
    Lose,
    /// A timer fires.
    Fire,
    /// A client asks.
    Ask,
    /// An operator gives an order.
    Order,
    /// The node crashes.
    Crash,
    /// It restarts.
    Restart,
}

/// An event in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    pub action: Action,
    /// The node that it happens to.
    pub node: NodeId,
    /// Which of the outcomes it has there; see [`Outcomes::of`].
    pub branch: u16,
    /// The number of the message, timer, request or order.
    pub number: u32,
}

impl Event {
    /// What the node handles; `None` if it notices nothing.
    pub fn stimulus(self) -> Option<Stimulus> {
        match self.action {
            Action::Deliver | Action::Duplicate => Some(Stimulus::Message(self.number)),
            Action::Lose => None,
            Action::Fire => Some(Stimulus::Timer(self.number)),
            Action::Ask => Some(Stimulus::Request(self.number)),
            Action::Order => Some(Stimulus::Order(self.number)),
            Action::Crash => Some(Stimulus::Crash),
            Action::Restart => Some(Stimulus::Boot),
        }
    }
}

/// A transition of one local state, as part of any state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transition {
    pub event: Event,
    /// The number of the outcome; [`Transition::NO_OUTCOME`] if the node notices nothing.
    pub outcome: u32,
    /// The local state afterwards, apart from what the node sends itself through the network.
    pub after: u32,
    /// What that adds to the hash of a state.
    pub hash: u64,
    /// Whether its host is another one then.
    pub moved: bool,
    /// Whether it changes more than the local state: something is sent or matters to the history.
    pub visible: bool,
    /// Whether the node crashes in the middle of sending.
    pub crashes: bool,
    /// What it is counted as, unless it may happen any number of times.
    pub cost: Option<Cost>,
}

impl Transition {
    /// No outcome.
    pub const NO_OUTCOME: u32 = u32::MAX;

    /// Whether nothing changes but the local state.
    #[inline]
    pub fn is_silent(&self) -> bool {
        !self.visible && self.cost.is_none() && !self.crashes
    }
}

/// Where the transitions of a local state stand; see [`LocalStates::all`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    first: u32,
    end: u32,
    pub all_silent: bool,
}

impl Span {
    const UNKNOWN: Span = Span { first: u32::MAX, end: 0, all_silent: false };
}

/// All local states so far, and their transitions.
#[derive(Debug)]
pub(super) struct LocalStates {
    /// Host and inbox, by number.
    items: Vec<(u32, u32)>,
    numbers: Memo,
    /// How many messages are in flight to it, by number.
    pub in_flight: Vec<u16>,
    /// Inboxes: sorted lists of messages, in which equal ones can stand several times.
    inboxes: Lists,
    /// The local state after one more message was sent.
    after_send: Memo,
    /// Where the transitions of each stand, once they were asked for.
    spans: Vec<Span>,
    transitions: Vec<Transition>,
    /// Most equal messages.
    copies: usize,
    /// Two lists of messages, kept for their space.
    inbox: Vec<u32>,
    next_inbox: Vec<u32>,
    /// The bounds that kept something from happening.
    pub cuts: Cuts,
    /// What was computed for the first time, in order: to compute the same again gives everything the same numbers.
    pub computed: Vec<Computed>,
}

/// What about a local state was computed for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Computed {
    /// Its transitions.
    Transitions(u32),
    /// The local state after one more message was sent to it.
    AfterSend(u32, u32),
    /// What it is under other names: the place of the permutation, and the local state.
    Renamed(u16, u32),
}

impl LocalStates {
    pub fn new(bounds: &Bounds) -> LocalStates {
        LocalStates {
            items: Vec::new(),
            numbers: Memo::default(),
            in_flight: Vec::new(),
            inboxes: Lists::default(),
            after_send: Memo::default(),
            spans: Vec::new(),
            transitions: Vec::new(),
            copies: usize::from(bounds.copies.max(1)),
            inbox: Vec::new(),
            next_inbox: Vec::new(),
            cuts: Cuts::default(),
            computed: Vec::new(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.items.len() as u32
    }

    /// The number of a host with these messages, which are sorted, in flight to it.
    pub fn put(&mut self, host: u32, messages: &[u32]) -> u32 {
        let inbox = self.inboxes.put(messages);
        let key = u64::from(host) << 32 | u64::from(inbox);
        if let Some(number) = self.numbers.get(key) {
            return number;
        }
        let number = self.items.len() as u32;
        self.items.push((host, inbox));
        self.in_flight.push(messages.len() as u16);
        self.spans.push(Span::UNKNOWN);
        self.numbers.set(key, number);
        number
    }

    /// The host.
    #[inline]
    pub fn host(&self, local: u32) -> u32 {
        self.items[local as usize].0
    }

    /// The messages in flight to it, sorted.
    pub fn inbox(&self, local: u32) -> &[u32] {
        self.inboxes.get(self.items[local as usize].1)
    }

    /// Bytes, by count.
    pub fn bytes(&self) -> u64 {
        let each = size_of::<(u32, u32)>() + size_of::<u16>() + size_of::<Span>();
        let vectors = self.items.len() * each + size_of_val(&self.transitions[..]) + size_of_val(&self.computed[..]);
        2 * vectors as u64 + self.numbers.bytes() + self.inboxes.bytes() + self.after_send.bytes()
    }

    /// The local state after one more message was sent to it; the same, if there are as many equal ones already as may be.
    #[inline]
    pub fn after_send(&mut self, local: u32, message: u32) -> u32 {
        let key = u64::from(local) << 32 | u64::from(message);
        match self.after_send.get(key) {
            Some(after) => after,
            None => self.find_after_send(key, local, message),
        }
    }

    #[inline(never)]
    fn find_after_send(&mut self, key: u64, local: u32, message: u32) -> u32 {
        self.computed.push(Computed::AfterSend(local, message));
        let mut messages = std::mem::take(&mut self.next_inbox);
        messages.clear();
        messages.extend_from_slice(self.inbox(local));
        let place = messages.partition_point(|&other| other < message);
        let equal = messages[place..].iter().take_while(|&&other| other == message).count();
        let after = if equal < self.copies {
            messages.insert(place, message);
            self.put(self.host(local), &messages)
        } else {
            self.cuts.add(Cut::Copies);
            local
        };
        self.next_inbox = messages;
        self.after_send.set(key, after);
        after
    }

    /// Where the transitions of a local state stand.
    #[inline]
    pub fn transitions(&mut self, local: u32, bounds: &Bounds, outcomes: &mut Outcomes) -> Span {
        let known = self.spans[local as usize];
        if known.first != u32::MAX { known } else { self.find_transitions(local, bounds, outcomes) }
    }

    #[inline(never)]
    fn find_transitions(&mut self, local: u32, bounds: &Bounds, outcomes: &mut Outcomes) -> Span {
        self.computed.push(Computed::Transitions(local));
        let first = self.transitions.len() as u32;
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.clear();
        inbox.extend_from_slice(self.inbox(local));
        let host = self.host(local);
        let me = outcomes.facts(host).me;
        Finder { locals: self, bounds, outcomes, local, host, me }.find(&inbox);
        self.inbox = inbox;
        let all_silent = self.transitions[first as usize..].iter().all(Transition::is_silent);
        let span = Span { first, end: self.transitions.len() as u32, all_silent };
        self.spans[local as usize] = span;
        span
    }

    /// All of them, with their places.
    #[inline]
    pub fn all(&self, span: Span) -> impl Iterator<Item = (u32, &Transition)> {
        (span.first..).zip(&self.transitions[span.first as usize..span.end as usize])
    }

    /// The transition in this place.
    #[inline]
    pub fn transition(&self, place: u32) -> &Transition {
        &self.transitions[place as usize]
    }
}

/// Finds all transitions of one local state.
struct Finder<'a> {
    locals: &'a mut LocalStates,
    bounds: &'a Bounds,
    outcomes: &'a mut Outcomes,
    local: u32,
    host: u32,
    me: NodeId,
}

impl Finder<'_> {
    fn find(&mut self, inbox: &[u32]) {
        self.losses(inbox);
        if !self.outcomes.facts(self.host).up {
            return self.event(Action::Restart, 0, inbox, Some(Cost::Restarts));
        }
        self.deliveries(inbox);
        for timer in self.outcomes.facts(self.host).timers.clone() {
            self.event(Action::Fire, timer, inbox, Some(Cost::Timers));
        }
        for (number, request) in (0..).zip(&self.bounds.requests) {
            if request.at.has(self.me) {
                self.event(Action::Ask, u32::from(number), inbox, Some(Cost::Request(number)));
            }
        }
        if self.outcomes.facts(self.host).leads.is_some() {
            for number in 0..self.bounds.orders.len() as u8 {
                self.event(Action::Order, u32::from(number), inbox, Some(Cost::Order(number)));
            }
        }
        if self.bounds.crashes == Times::Most(0) {
            return self.locals.cuts.add(Cut::Crashes);
        }
        let inbox = self.after_crash(inbox);
        self.event(Action::Crash, 0, &inbox, Some(Cost::Crashes));
    }

    /// What is still in flight after a crash: all but what the node sent itself.
    fn after_crash(&self, inbox: &[u32]) -> Vec<u32> {
        inbox.iter().copied().filter(|&message| self.outcomes.endpoints(message).0 != self.me).collect()
    }

    fn deliveries(&mut self, inbox: &[u32]) {
        let for_ever = self.bounds.duplicates == Times::Any;
        for (place, &message) in inbox.iter().enumerate() {
            // Of several equal messages any will do.
            if place > 0 && inbox[place - 1] == message {
                continue;
            }
            let to_itself = self.outcomes.endpoints(message).0 == self.me;
            let once = to_itself || self.outcomes.is_fence(message);
            if for_ever && !once {
                self.event(Action::Duplicate, message, inbox, None);
                continue;
            }
            let mut rest = inbox.to_vec();
            rest.remove(place);
            self.event(Action::Deliver, message, &rest, None);
            if self.is_byzantine(message)
                && let Some(other) = self.outcomes.tampered(message)
            {
                self.event(Action::Deliver, other, &rest, None);
            }
            if !once {
                self.event(Action::Duplicate, message, inbox, Some(Cost::Duplicates));
            }
        }
    }

    /// Whether a message is of a Byzantine node, to another one.
    fn is_byzantine(&self, message: u32) -> bool {
        let (from, to) = self.outcomes.endpoints(message);
        from != to && self.bounds.byzantine.has(from)
    }

    fn losses(&mut self, inbox: &[u32]) {
        let none = self.bounds.losses == Times::Most(0) || self.bounds.duplicates == Times::Any;
        if none && self.bounds.byzantine.is_empty() {
            return;
        }
        for (place, &message) in inbox.iter().enumerate() {
            let (from, _) = self.outcomes.endpoints(message);
            let byzantine = self.is_byzantine(message);
            if none && !byzantine
                || from == self.me
                || self.outcomes.is_fence(message)
                || place > 0 && inbox[place - 1] == message
            {
                continue;
            }
            let mut rest = inbox.to_vec();
            rest.remove(place);
            let after = self.locals.put(self.host, &rest);
            self.locals.transitions.push(Transition {
                event: Event { action: Action::Lose, node: self.me, branch: 0, number: message },
                outcome: Transition::NO_OUTCOME,
                after,
                hash: self.hash(after),
                moved: false,
                visible: false,
                crashes: false,
                cost: (self.bounds.losses != Times::Any && !byzantine).then_some(Cost::Losses),
            });
        }
    }

    /// An event may happen, after which these messages are still in flight. An outcome that changes nothing need not be looked at.
    fn event(&mut self, action: Action, number: u32, inbox: &[u32], cost: Option<Cost>) {
        let event = Event { action, node: self.me, branch: 0, number };
        let Some(stimulus) = event.stimulus() else { return };
        for (branch, outcome) in (0..).zip(self.outcomes.of(self.host, stimulus)) {
            self.transition(Event { branch, ..event }, outcome, inbox, cost);
        }
    }

    fn transition(&mut self, event: Event, number: u32, inbox: &[u32], cost: Option<Cost>) {
        let outcome = self.outcomes.get(number);
        let (host, crashes) = (outcome.host, outcome.crashes());
        // In lock-step, what arrives without an effect is waited for all the same.
        if outcome.idle && !(self.bounds.lock_step && event.action == Action::Deliver) {
            return;
        }
        if self.outcomes.facts(host).epoch > self.bounds.epoch {
            return self.locals.cuts.add(Cut::Epoch);
        }
        if crashes && self.bounds.crashes == Times::Most(0) {
            return self.locals.cuts.add(Cut::Crashes);
        }
        let cost = match cost.map(|cost| (cost, self.bounds.most(cost))) {
            Some((cost, Times::Most(0))) => return self.locals.cuts.add_all(cost.cut()),
            Some((_, Times::Any)) | None => None,
            Some((cost, Times::Most(_))) => Some(cost),
        };
        let (moved, visible) = (host != self.host, !outcome.sent.is_empty() || outcome.observed);
        // Crashed in the middle of sending, or turned off.
        let after = match self.outcomes.facts(host).up {
            false => self.locals.put(host, &self.after_crash(inbox)),
            true => self.locals.put(host, inbox),
        };
        let hash = self.hash(after);
        self.locals.transitions.push(Transition { event, outcome: number, after, hash, moved, visible, crashes, cost });
    }

    /// What it adds to the hash of a state if this is the local state afterwards.
    fn hash(&self, after: u32) -> u64 {
        States::rehash(0, usize::from(self.me.0), self.local, after)
    }
}
