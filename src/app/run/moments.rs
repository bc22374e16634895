//! The moments that matter, for the time axis: what the script does, what was done by hand, and what came of it, behind and ahead. A copy of
//! the run goes ahead to find those ahead. This comes in the chunk for actions; the engine calls it through [`LookAhead`].

use super::context::{describe, scripted_faults};
use crate::web::browser;
use quorumscope::core::Micros;
use quorumscope::lab::Session;
use quorumscope::lab::run::chapters::{Chapter, ChapterKind, Scout, chapters};
use quorumscope::sim::Action;
use std::rc::Rc;

/// A moment that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When, µs.
    pub at: Micros,
    /// What happens, in a few words.
    pub label: String,
    /// All of it.
    pub text: String,
    /// What is said of it while it lies ahead, if that is less.
    pub ahead: Option<&'static str>,
    /// Whether it was found in the run, and is not what somebody or the script did.
    pub found: bool,
    /// Its class in the style sheet.
    pub class: &'static str,
}

impl Moment {
    /// What is said of it at a time, µs: in few words, and all.
    pub fn told(&self, now: Micros) -> (&str, &str) {
        self.ahead.filter(|_| self.at > now).map_or((&self.label, &self.text), |ahead| (ahead, ahead))
    }
}

/// Finds the moments of a session with this number, a little at a time. `Some`: there is something new.
pub type LookAhead = Box<dyn FnMut(u32, &Session) -> Option<Rc<[Moment]>>>;

/// Most events of one look, and most of its time, ms: few enough for a frame, also with a protocol that has much to do for each.
const LOOK: (u64, f64) = (1_500, 4.0);
/// Events between two readings of the clock.
const SLICE: u64 = 100;
/// How far ahead it looks beyond the end of the scenario's duration, µs.
const BEYOND: Micros = 10_000_000;

/// Most moments that were found, for the time axis has no room for more.
const MOST: usize = 200;

/// What the copy has ahead: session, branch, interventions, and whether all of these are done.
type Seen = (u32, usize, usize, bool);

/// Looks ahead.
pub fn look_ahead() -> LookAhead {
    let mut seen: Option<Seen> = None;
    let (mut horizon, mut told) = (0, (0, 0));
    let mut scout: Option<Scout> = None;
    Box::new(move |number, session| {
        let interventions = session.interventions().len();
        let all_done = session.moment().interventions == interventions;
        let now = (number, session.branch().number, interventions, all_done);
        let time = session.universe().time();
        // Going back behind what was done by hand changes nothing of what is known.
        let known = seen.is_some_and(|seen| seen == now || (seen.0, seen.1, seen.2) == (now.0, now.1, now.2) && seen.3);
        let patience = 4 * session.checked().blueprint.topology.round_trip_max();
        if known && time > horizon {
            // Beyond the scenario's end nothing is looked for ahead; what has happened is told.
            let counts = (session.universe().led(), session.universe().violations().len());
            let changed = std::mem::replace(&mut told, counts) != counts;
            return changed.then(|| moments(session, chapters(session.universe(), patience)));
        }
        if !known {
            seen = Some(now);
            horizon = session.checked().duration.max(time + BEYOND);
            scout = Some(Scout::new(session.universe(), horizon, patience));
            return Some(moments(session, scout.as_ref().map_or_else(Vec::new, Scout::chapters)));
        }
        let goes = scout.as_mut()?;
        let deadline = browser::now() + LOOK.1;
        let mut left = LOOK.0;
        let there = loop {
            let there = goes.advance(SLICE);
            left = left.saturating_sub(SLICE);
            if there || left == 0 || browser::now() > deadline {
                break there;
            }
        };
        let found = scout.take_if(|_| there)?.chapters();
        Some(moments(session, found))
    })
}

/// All moments, in order.
fn moments(session: &Session, found: Vec<Chapter>) -> Rc<[Moment]> {
    let checked = session.checked();
    let is_fault = |at: Micros| checked.blueprint.script.iter().any(|timed| timed.at == at && timed.action.is_fault());
    let mut all: Vec<Moment> = scripted_faults(checked)
        .iter()
        .map(|fault| {
            let class = if is_fault(fault.at) { "fault" } else { "fault order" };
            let found = false;
            Moment { at: fault.at, label: fault.label(), text: fault.text(), ahead: None, found, class }
        })
        .collect();
    let by_hand = session.interventions().iter().filter(|done| !matches!(done.action, Action::Request { .. }));
    all.extend(by_hand.map(|done| Moment {
        at: done.at,
        label: describe(checked, done.action),
        text: describe(checked, done.action),
        ahead: None,
        found: false,
        class: if done.action.is_fault() { "fault" } else { "fault order" },
    }));
    let acts: Vec<Micros> = all.iter().map(|moment| moment.at).collect();
    for Chapter { at, what } in found.into_iter().take(MOST) {
        let (label, ahead, class) = match what {
            // It is the act that is told.
            ChapterKind::Leaderless if acts.contains(&at) => continue,
            ChapterKind::Leaderless => ("nobody leads".to_owned(), None, "fault found"),
            ChapterKind::Leads(node, _) => (format!("node {node:?} leads"), Some("a new leader"), "fault found"),
            ChapterKind::Violated(property) => (format!("{property} violated"), Some("a violation"), "fault violated"),
            ChapterKind::AnsweredAgain => ("answered again".to_owned(), None, "fault found"),
        };
        // The bands below tell who led.
        let shown = if matches!(what, ChapterKind::Leads(..)) { String::new() } else { label.clone() };
        all.push(Moment { at, text: label, label: shown, ahead, found: true, class });
    }
    all.sort_by_key(|moment| moment.at);
    all.into()
}
