//! A part of a run as a sequence chart: what `quorumscope sequence` draws, of a session up to its present moment.

use super::{MOST_EVENTS, Refusal};
use crate::core::Micros;
use crate::lab::Session;
use crate::lab::run::sequence::svg::{Theme, document};
use crate::lab::run::sequence::{Chart, Filter, Recorder, drawing, recorder::MOST_MESSAGES};
use crate::lab::run::session::Follower;
use crate::universe::inspect::Inspector;

/// Messages without heartbeats of the part that is shown where none is asked for.
pub(super) const USUAL: usize = 14;

/// Watches a run from a time on.
pub(super) struct Watcher {
    follower: Follower,
    inspector: Inspector,
    /// `None` until the time is reached.
    recorder: Option<Recorder>,
    from: Micros,
    chart: Option<Chart>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watcher from {} with {:?}", self.from, self.follower)
    }
}

impl Watcher {
    /// Begins at the latest checkpoint before a time, µs.
    pub fn new(session: &Session, inspector: &Inspector, from: Micros) -> Watcher {
        let follower = session.follower(|moment| moment.at < from);
        Watcher { follower, inspector: *inspector, recorder: None, from, chart: None }
    }

    /// Goes on for at most so many events. True: the chart is there.
    pub fn advance(&mut self, session: &Session, events: u64) -> Result<bool, Refusal> {
        let goal = session.moment();
        for _ in 0..events.min(MOST_EVENTS) {
            if self.chart.is_some() {
                return Ok(true);
            }
            // What is due at the first moment itself belongs to the chart.
            let begin = crate::lab::Moment { event: u64::MAX, at: self.from.saturating_sub(1).min(goal.at), ..goal };
            if self.recorder.is_none() && !session.lead_on(session.branch(), begin, &mut self.follower) {
                let places = session.checked().places.iter().map(|place| place.name.clone()).collect();
                let (title, filter) = (&session.scenario().title, Filter { heartbeats: false, ..Filter::default() });
                let universe = self.follower.universe_mut();
                self.recorder = Some(Recorder::new(universe, &self.inspector, title, places, filter));
            }
            let Some(recorder) = &mut self.recorder else { continue };
            let happened = session.lead_on(session.branch(), goal, &mut self.follower);
            if happened {
                let too_much = |_| Refusal::TooMuch {
                    bound: format!("{MOST_MESSAGES} messages in a chart"),
                    at: self.follower.universe().time(),
                };
                recorder.observe(self.follower.universe()).map_err(too_much)?;
            } else if let Some(recorder) = self.recorder.take() {
                self.chart = Some(recorder.finish(self.follower.universe(), self.from, goal.at));
            }
        }
        Ok(self.chart.is_some())
    }

    /// The picture.
    pub fn svg(&self, theme: Theme) -> String {
        self.chart.as_ref().map_or_else(String::new, |chart| document(&drawing::draw(chart), theme))
    }
}
