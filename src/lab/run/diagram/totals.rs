//! What was sent, lost, decided and answered in a span of time.

use super::history::{Fate, History, MessageKind};
use crate::core::Micros;

/// Messages of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfKind {
    /// Which.
    pub kind: MessageKind,
    /// How many were sent.
    pub messages: u64,
    /// How many of them were lost.
    pub lost: u64,
    /// Their size together, bytes.
    pub bytes: u64,
    /// Of those that arrived, the median of the times on the way, µs.
    pub way: Option<Micros>,
}

/// What was sent from one time to another, and what was decided and answered then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By kind: those of the protocol in the order of its declaration, then those of clients.
    pub kinds: Vec<OfKind>,
    /// Decisions: slots that somebody learned first.
    pub decisions: u64,
    /// Answered commands.
    pub answered: u64,
    /// Median and longest of the answered commands' latencies, µs.
    pub latency: Option<(Micros, Micros)>,
}

impl Totals {
    /// Those of the messages sent from `from` to `until`, µs.
    pub fn of(history: &History, from: Micros, until: Micros) -> Totals {
        let mut kinds: Vec<(OfKind, Vec<Micros>)> = Vec::new();
        let sent = history.window(from, until).filter(|(_, message)| message.sent >= from);
        for (_, message) in sent {
            // Replies of all kinds are one.
            let same = |kind: MessageKind| match (kind, message.kind) {
                (MessageKind::Reply(_), MessageKind::Reply(_)) => true,
                (one, other) => one == other,
            };
            let index = kinds.iter().position(|(of, _)| same(of.kind)).unwrap_or_else(|| {
                kinds.push((OfKind { kind: message.kind, messages: 0, lost: 0, bytes: 0, way: None }, Vec::new()));
                kinds.len() - 1
            });
            let (of, ways) = &mut kinds[index];
            of.messages += 1;
            of.bytes += u64::from(message.bytes);
            of.lost += u64::from(message.fate == Fate::Lost);
            ways.extend((message.fate == Fate::Delivered).then_some(message.arrives - message.sent));
        }
        kinds.sort_by_key(|(of, _)| match of.kind {
            MessageKind::Protocol(kind) => (0, kind.0),
            MessageKind::Request => (1, 0),
            MessageKind::Reply(_) => (2, 0),
        });
        let median = |values: &mut Vec<Micros>| {
            let middle = values.len() / 2;
            (!values.is_empty()).then(|| *values.select_nth_unstable(middle).1)
        };
        let kinds = kinds.into_iter().map(|(of, mut ways)| OfKind { way: median(&mut ways), ..of }).collect();
        let mut latencies: Vec<Micros> = history.answers(from, until).map(|answer| answer.latency).collect();
        let longest = latencies.iter().max().copied();
        Totals {
            kinds,
            decisions: history.marks(from, until).filter(|mark| mark.first).count() as u64,
            answered: latencies.len() as u64,
            latency: median(&mut latencies).zip(longest),
        }
    }

    /// All messages, those of clients included.
    pub fn messages(&self) -> u64 {
        self.kinds.iter().map(|of| of.messages).sum()
    }

    /// Their size, bytes.
    pub fn bytes(&self) -> u64 {
        self.kinds.iter().map(|of| of.bytes).sum()
    }

    /// How many of them were lost.
    pub fn lost(&self) -> u64 {
        self.kinds.iter().map(|of| of.lost).sum()
    }
}
