//! Synod's shortest violations counted as a published model counts them: three acceptors, two proposers, each with a request that it keeps.
//!
//! There, what is sent to everybody is one event, and so is each arrival at an acceptor; answers stand on a board, where whoever asked reads them
//! at no cost and as often as it likes; a crash with its restart is one event; and two values are chosen as soon as quorums have accepted them,
//! whether or not anybody knows. So here: what was sent may arrive again for ever, nodes tell themselves by messages like all others, nobody
//! is told what was accepted, and a history variable of its own records what acceptors accept.

use super::request;
use quorumscope::core::node::Protocol;
use quorumscope::core::{Ballot, Command, Effect, NodeId, NodeSet};
use quorumscope::judge::explore::{
    Explorer, HistoryVariable, Observation, Request, TraceEvent, TraceStep, Verdict, Violation,
};
use quorumscope::protocols::synod::{Msg, Synod};
use std::collections::BTreeSet;

const TWO_VALUES: (&str, &str) = ("Two values", "At most one value is accepted by a quorum in one ballot.");

/// Who accepted what in which ballot; `QUORUM` acceptances choose a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Votes<const QUORUM: usize>(BTreeSet<(Ballot, u32, NodeId)>);

/// The proposal that an acceptor accepts with this event. Whoever refuses one stays as it was.
fn accepts(event: &Observation<'_, Synod>) -> Option<(Ballot, Command)> {
    match event.arrived {
        Some((_, &Msg::Accept { ballot, value })) if event.changed => Some((ballot, value)),
        _ => None,
    }
}

impl<const QUORUM: usize> HistoryVariable<Synod> for Votes<QUORUM> {
    fn new(_: &[Request]) -> Self {
        Votes(BTreeSet::new())
    }

    fn is_relevant(event: &Observation<'_, Synod>) -> bool {
        accepts(event).is_some()
    }

    fn observe(&mut self, event: &Observation<'_, Synod>) -> Vec<Violation> {
        let Some((ballot, value)) = accepts(event) else { return Vec::new() };
        self.0.insert((ballot, u32::from(value.client.0), event.node));
        let votes = |&&(ballot, value, _): &&_| {
            self.0.iter().filter(|(of, for_, _)| (*of, *for_) == (ballot, value)).count() >= QUORUM
        };
        let chosen: BTreeSet<u32> = self.0.iter().filter(votes).map(|&(_, value, _)| value).collect();
        (chosen.len() > 1).then(|| Violation::new(TWO_VALUES, NodeSet::just(event.node), Some(1))).into_iter().collect()
    }
}

/// Events as the published model counts them.
fn counted(step: &TraceStep) -> usize {
    let to_everybody = step.effects.iter().filter(|effect| matches!(effect, Effect::Broadcast(..))).count();
    let counts = match &step.event {
        TraceEvent::Delivered { message, .. } => matches!(message.kind, "Prepare" | "Accept"),
        TraceEvent::Crashed => true,
        _ => false,
    };
    to_everybody + usize::from(counts)
}

/// The shortest way to two values chosen, counted so; `None` if there is none. `wishes`: the proposer that asks for the third time, after
/// a restart, wants what it wanted before.
fn events<const QUORUM: usize>(line: &str, keeps_its_wish: bool) -> Option<usize> {
    let line = format!("{line} duplicates=any own=late lost=Nack+Chosen+Accepted timers=0 states=5000000");
    let mut query = request(&line).query;
    query.property = Some(TWO_VALUES.0.to_owned());
    if let [_, second, third] = query.bounds.requests.as_mut_slice()
        && keeps_its_wish
    {
        third.command = second.command;
    }
    let mut explorer = Explorer::new::<Synod, Votes<QUORUM>>(&query).expect("the settings fit");
    explorer.advance(u32::MAX);
    match explorer.verdict() {
        Some(Verdict::Safe) => None,
        Some(Verdict::Violated(_)) => Some(explorer.trace().iter().map(counted).sum()),
        other => panic!("{line}: {other:?} in {} states of {}", explorer.states(), Synod::CARD.title),
    }
}

#[test]
fn shortest_violations_have_the_published_lengths() {
    for (line, published) in [
        ("synod 3 / at=1+2", None),
        ("synod 3 -adopt-highest-accepted / at=1+2", Some(12)),
        ("synod 3 -accept-unless-promised / at=1+2", Some(12)),
        ("synod 3 -unique-ballots / at=1+2", Some(12)),
        ("synod 3 -durable-acceptor / at=1+2 crashes=1", Some(13)),
        ("synod 3 -quorums-intersect q1=1 q2=2 / at=1+2", Some(10)),
        ("synod 4 -quorums-intersect q1=2 q2=2 / at=1+2", Some(12)),
        ("synod 4 q1=3 q2=2 / at=1+2", None),
    ] {
        assert_eq!(events::<2>(line, true), published, "{line}");
    }
    assert_eq!(events::<1>("synod 3 -quorums-intersect q1=2 q2=1 / at=1+2", true), Some(10));
    assert_eq!(events::<1>("synod 3 q1=3 q2=1 / at=1+2", true), None);
}

/// A proposer that uses its ballot again wants what it wanted before, so it proposes another value only if it has to: it must hear of one that was
/// accepted in a lower ballot, by an acceptor that it did not hear in time. That takes both proposers, and 17 events. If its client has a
/// new request, it needs nobody else.
#[test]
fn ballot_used_again_takes_17_events_with_the_value_kept() {
    let line = "synod 3 -durable-round / crashes=1 at=1+2+2";
    assert_eq!(events::<2>(line, true), Some(17));
    assert_eq!(events::<2>(line, false), Some(11));
    assert_eq!(events::<2>("synod 3 / crashes=1 at=1+2+2", true), None);
}
