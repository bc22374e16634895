//! Outcomes of events at hosts, memoised: each is computed once for a host, an event and the choices left open, however many states it is part of.

use super::bounds::{Bounds, Cut, Times};
use super::intern::Memo;
use super::model::{Choices, HostFacts, MOST_COINS, Model, Outcome, Report, Stimulus};
use crate::core::hash::Digest;
use crate::core::{Names, NodeId, RuleSet};
use serde::{Deserialize, Serialize};
use std::hash::Hasher;
use std::ops::Range;

/// A protocol with all outcomes so far, and what is asked of it most often.
#[derive(Debug)]
pub(super) struct Outcomes {
    pub model: Box<dyn Model>,
    facts: Vec<HostFacts>,
    /// From and to, for each message.
    endpoints: Vec<(NodeId, NodeId)>,
    outcomes: Vec<Outcome>,
    /// The outcomes of one event at one host, by a number for both; they stand side by side.
    memo: Memo,
    spans: Vec<Range<u32>>,
    /// Whether nodes may crash in the middle of sending.
    partial: bool,
    /// What was computed about histories for the first time, in order: to compute the same again gives them the same numbers.
    pub remembered: Vec<Remembered>,
    /// Rules applied at least once.
    pub used: RuleSet,
    /// Whether a message to oneself was handled at once.
    handled_own: bool,
    /// Whether a message was lost for its kind.
    lost_kind: bool,
    /// Whether more coins were drawn in one event than are explored.
    many_coins: bool,
    /// Whether a crash in the middle of sending was left out.
    whole_sends: bool,
}

/// What about a history was computed for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Remembered {
    /// The history after an outcome.
    Observed(u32, u32),
    /// What it is under other names: the place of the permutation, and the history.
    Renamed(u16, u32),
}

impl Outcomes {
    /// Bytes, by count: those of the model as well.
    pub fn bytes(&self) -> u64 {
        let lists = |outcome: &Outcome| size_of_val(&outcome.sent[..]) + size_of_val(&outcome.decided[..]);
        // A sample will do: there are very many.
        let step = self.outcomes.len() / 1_000 + 1;
        let outside: usize = self.outcomes.iter().step_by(step).map(lists).sum::<usize>() * step;
        let vectors = self.outcomes.len() * size_of::<Outcome>()
            + self.facts.len() * (size_of::<HostFacts>() + 16)
            + self.endpoints.len() * 2
            + self.spans.len() * size_of::<Range<u32>>()
            + size_of_val(&self.remembered[..]);
        2 * vectors as u64 + outside as u64 + self.memo.bytes() + self.model.bytes()
    }

    pub fn new(model: Box<dyn Model>, bounds: &Bounds) -> Outcomes {
        Outcomes {
            model,
            facts: Vec::new(),
            endpoints: Vec::new(),
            outcomes: Vec::new(),
            memo: Memo::default(),
            spans: Vec::new(),
            partial: bounds.partial != Times::Most(0),
            remembered: Vec::new(),
            used: RuleSet::EMPTY,
            handled_own: false,
            lost_kind: false,
            many_coins: false,
            whole_sends: false,
        }
    }

    /// The number of the host of `me` with an empty disk and nothing running.
    pub fn empty_host(&mut self, me: NodeId) -> u32 {
        let host = self.model.empty_host(me);
        self.update();
        host
    }

    /// The number of a host under other names.
    pub fn rename_host(&mut self, host: u32, names: &Names) -> u32 {
        let host = self.model.rename_host(host, names);
        self.update();
        host
    }

    /// The number of a message under other names.
    pub fn rename_message(&mut self, message: u32, names: &Names) -> u32 {
        let message = self.model.rename_message(message, names);
        self.update();
        message
    }

    /// The number of the message that a Byzantine sender could send in its place.
    pub fn tampered(&mut self, message: u32) -> Option<u32> {
        let message = self.model.tampered(message);
        self.update();
        message
    }

    /// Learns of new hosts and messages.
    fn update(&mut self) {
        self.facts.extend((self.facts.len() as u32..self.model.hosts()).map(|host| self.model.host_facts(host)));
        let new = self.endpoints.len() as u32..self.model.messages();
        self.endpoints.extend(new.map(|message| self.model.endpoints(message)));
    }

    /// What is to be known of a host.
    pub fn facts(&self, host: u32) -> &HostFacts {
        &self.facts[host as usize]
    }

    /// Who sent the message with this number, and to whom.
    #[inline]
    pub fn endpoints(&self, message: u32) -> (NodeId, NodeId) {
        self.endpoints[message as usize]
    }

    /// Whether it is the order that turns its receiver off.
    pub fn is_fence(&self, message: u32) -> bool {
        self.model.is_fence(message)
    }

    /// The outcome with this number.
    #[inline]
    pub fn get(&self, number: u32) -> &Outcome {
        &self.outcomes[number as usize]
    }

    /// Numbers of all outcomes of an event at a host: one for each way the coins may fall, each followed by those in which the node crashes after
    /// its first, second, … message to others, if the bounds allow for that.
    pub fn of(&mut self, host: u32, stimulus: Stimulus) -> Range<u32> {
        let key = key(host, stimulus);
        if let Some(known) = self.memo.get(key) {
            return self.spans[known as usize].clone();
        }
        let first = self.outcomes.len() as u32;
        self.branch(host, stimulus, Choices::default());
        let span = first..self.outcomes.len() as u32;
        self.memo.set(key, self.spans.len() as u32);
        self.spans.push(span.clone());
        span
    }

    /// Handles an event with some coins decided; if that is not enough of them, with either side of the next one.
    fn branch(&mut self, host: u32, stimulus: Stimulus, choices: Choices) {
        let (outcome, report) = self.model.handle(host, stimulus, choices);
        if report.coins > choices.decided && choices.decided < MOST_COINS {
            self.branch(host, stimulus, choices.with_coin(false));
            return self.branch(host, stimulus, choices.with_coin(true));
        }
        self.many_coins |= report.coins > choices.decided;
        self.add(outcome, report);
        if report.sent_to_others > 1 && !self.partial {
            self.whole_sends = true;
        } else {
            for crash_after in 1..report.sent_to_others.min(u32::from(u8::MAX)) as u8 {
                let (outcome, report) = self.model.handle(host, stimulus, Choices { crash_after, ..choices });
                self.add(outcome, report);
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.outcomes.len() as u32
    }

    /// A digest of what each does to hosts and sends: what numbers mean, as far as numbers can tell.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        for outcome in &self.outcomes {
            digest.word(u64::from(outcome.host) << 32 | outcome.sent.len() as u64);
            outcome.sent.iter().for_each(|&message| digest.word(u64::from(message)));
        }
        digest.finish()
    }

    /// What was left out of the outcomes.
    pub fn cuts(&self, bounds: &Bounds) -> impl Iterator<Item = Cut> {
        let partial = self.whole_sends && bounds.crashes != Times::Most(0);
        let all = [
            (self.handled_own, Cut::Own),
            (self.lost_kind, Cut::Lost),
            (self.many_coins, Cut::Coins),
            (partial, Cut::Partial),
        ];
        all.into_iter().filter(|(left_out, _)| *left_out).map(|(_, cut)| cut)
    }

    fn add(&mut self, outcome: Outcome, report: Report) {
        self.used = self.used.or(report.rules);
        self.handled_own |= report.handled_own;
        self.lost_kind |= report.lost_kind;
        self.outcomes.push(outcome);
        self.update();
    }
}

/// A number for a host and an event.
fn key(host: u32, stimulus: Stimulus) -> u64 {
    let (kind, number) = match stimulus {
        Stimulus::Message(number) => (0, number),
        Stimulus::Timer(number) => (1, number),
        Stimulus::Request(number) => (2, number),
        Stimulus::Crash => (3, 0),
        Stimulus::Boot => (4, 0),
        Stimulus::Order(number) => (5, number),
    };
    u64::from(host) << 32 | u64::from(number) << 3 | kind
}
