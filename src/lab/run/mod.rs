//! Running a scenario: one run and its report, interactive sessions, comparisons of variants, divergence of two runs.

pub mod chapters;
pub mod compare;
#[cfg(feature = "search")]
pub mod consistency;
#[cfg(feature = "cli")]
mod debug_json;
pub mod description;
pub mod diagram;
#[cfg(feature = "cli")]
pub mod divergence;
#[cfg(feature = "cli")]
pub mod event_log;
pub mod outage;
pub mod report;
#[cfg(feature = "cli")]
pub mod seeds;
pub mod sequence;
pub mod session;
pub mod trial;

pub use report::Report;

use super::{Checked, Document, Moment, Problem, Problems};
use crate::core::{Micros, RuleId};
#[cfg(feature = "cli")]
use crate::judge::delivery::DELIVERY;
use crate::judge::{Finding, Violation};
use crate::sim::Counts;
#[cfg(feature = "cli")]
use consistency::{Consistency, LINEARIZABILITY};
use outage::Outages;
use report::{
    Commands, Leader, Messages, OrderReport, RefusedReport, ResolvedReport, ViolationReport, latencies, members,
    properties,
};
use serde::Serialize;
use session::{ReplayMismatch, Session, Stopped};

/// Most events of one run. A run that would take more is cut short, and its report says so.
pub const MOST_EVENTS: u64 = 200_000_000;
/// Memory that a run may take, bytes, unless [`Run::limit_memory`] says otherwise.
pub const MEMORY: u64 = 4 << 30;

/// How a run ended, or why it did not go on to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Ending {
    /// Its duration was over, or the moment of its link was reached.
    #[serde(rename = "duration")]
    Duration,
    /// It was cut short after [`MOST_EVENTS`] events.
    #[serde(rename = "too many events")]
    TooManyEvents,
    /// It took more memory than there was for it.
    #[serde(rename = "too large")]
    TooLarge,
    /// Time stood still: events without end in one microsecond.
    #[serde(rename = "time stands still")]
    StandsStill,
    /// It is not over.
    #[serde(rename = "running")]
    Running,
}

impl Ending {
    /// As in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Ending::Duration => "duration",
            Ending::TooManyEvents => "too many events",
            Ending::TooLarge => "too large",
            Ending::StandsStill => "time stands still",
            Ending::Running => "running",
        }
    }

    /// Whether the run was cut short by a limit.
    pub fn is_cut_short(self) -> bool {
        matches!(self, Ending::TooManyEvents | Ending::TooLarge | Ending::StandsStill)
    }
}

/// A run in progress, up to the end of its scenario's duration or to the moment of its link.
#[derive(Debug)]
pub struct Run {
    session: Session,
    moment: Option<Moment>,
    outages: Outages,
    /// Counters at the end of the warm-up, once it has ended.
    before: Option<AtWarmup>,
}

/// Counters at the end of the warm-up.
#[derive(Clone, Debug, Default)]
struct AtWarmup {
    counts: Counts,
    chosen: u64,
}

/// The verdict on the clients' history of a run.
#[derive(Debug, Default)]
struct ClientVerdict {
    /// As reported; `None` if there is nothing to judge, or nothing was recorded.
    history: Option<&'static str>,
    /// The property judged, and what came of it.
    finding: Option<(&'static str, Finding)>,
    violation: Option<Violation>,
    /// A violation of what the protocol does not promise.
    not_promised: Option<Violation>,
}

impl Run {
    /// Starts a run. Errors: all problems of its document.
    pub fn new(document: &Document) -> Result<Run, Problems> {
        Run::of(document, document.scenario.check()?)
    }

    /// The same, with every handler call kept for [`event_log`].
    #[cfg(feature = "cli")]
    fn with_calls(document: &Document) -> Result<Run, Problems> {
        let mut checked = document.scenario.check()?;
        checked.blueprint.record_calls = true;
        Run::of(document, checked)
    }

    fn of(document: &Document, checked: Checked) -> Result<Run, Problems> {
        let (session, moment) = Session::load_checked(document, checked)?;
        #[cfg(feature = "cli")]
        let mut session = session.recorded();
        #[cfg(feature = "cli")]
        session.limit_memory(MEMORY);
        // A request that is sent on to the leader and from there to a quorum takes three round trips at most.
        let outages = Outages::new(4 * session.checked().blueprint.topology.round_trip_max());
        let before = (session.checked().warmup == 0).then(AtWarmup::default);
        Ok(Run { session, moment, outages, before })
    }

    /// Has the run stop where it takes more memory than so many bytes.
    #[cfg(feature = "cli")]
    pub fn limit_memory(&mut self, bytes: u64) {
        self.session.limit_memory(bytes);
    }

    /// How it ended.
    pub fn ending(&self) -> Ending {
        match self.session.stopped() {
            Some(Stopped::TooLarge { .. }) => Ending::TooLarge,
            Some(Stopped::StandsStill(_)) => Ending::StandsStill,
            None if self.arrived() || self.session.universe().time() >= self.end() => Ending::Duration,
            None if self.session.universe().events() >= MOST_EVENTS => Ending::TooManyEvents,
            None => Ending::Running,
        }
    }

    /// Why it was cut short, in words; empty if it was not.
    pub fn cut_short(&self) -> String {
        let events = self.session.universe().events();
        match self.session.stopped() {
            Some(stopped) => stopped.to_string(),
            None if self.ending() == Ending::TooManyEvents => {
                format!("too many events: {} million, and the run was not over", events / 1_000_000)
            }
            None => String::new(),
        }
    }

    /// Runs to the end and reports.
    pub fn to_end(document: &Document) -> Result<Report, Problems> {
        let mut run = Run::new(document)?;
        while !run.advance(MOST_EVENTS)? {}
        Ok(run.report())
    }

    /// Runs for at most `events` events. True: the run has ended. Errors: an intervention of the document does not fit the run.
    pub fn advance(&mut self, events: u64) -> Result<bool, Problem> {
        let stop = self.session.universe().events().saturating_add(events);
        while self.session.universe().events() < stop {
            if self.step()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Handles the next event or intervention. True: the run has ended.
    pub fn step(&mut self) -> Result<bool, Problem> {
        if self.arrived() || self.session.universe().events() >= MOST_EVENTS || self.session.stopped().is_some() {
            return Ok(true);
        }
        let warmup = self.session.checked().warmup;
        let warming_up = self.before.is_none() && warmup < self.end();
        let limit = if warming_up { warmup } else { self.end() };
        let happened = self.advance_to(limit)?;
        if self.session.stopped().is_some() {
            return Ok(true);
        }
        let universe = self.session.universe();
        if happened {
            let counts = universe.counts();
            self.outages.observe(universe.time(), counts.asked, counts.answered);
        } else if warming_up {
            self.before = Some(AtWarmup { counts: universe.counts().clone(), chosen: universe.chosen() });
        }
        Ok(!happened && !warming_up)
    }

    /// Handles the next event or intervention due by `limit`, µs since the start. False: there is none, and it is `limit` now, or the run has
    /// ended.
    #[cfg(feature = "cli")]
    fn step_until(&mut self, limit: Micros) -> Result<bool, Problem> {
        if self.arrived() || self.session.universe().events() >= MOST_EVENTS || self.session.stopped().is_some() {
            return Ok(false);
        }
        Ok(self.advance_to(limit.min(self.end()))? && self.session.stopped().is_none())
    }

    fn advance_to(&mut self, limit: Micros) -> Result<bool, Problem> {
        self.session.advance(limit).map_err(|ReplayMismatch(says)| Problem {
            field: format!("interventions[{}]", self.session.moment().interventions),
            value: String::new(),
            says,
        })
    }

    /// Starts a sequence chart from here on; it must observe the run after every step.
    #[cfg(feature = "cli")]
    fn sequence(&mut self, filter: sequence::Filter) -> sequence::Recorder {
        self.session.sequence(filter)
    }

    /// Starts a transcript from here on; it must be told after every step.
    #[cfg(feature = "cli")]
    pub fn transcript(&mut self) -> crate::universe::Transcript {
        self.session.transcript()
    }

    /// The verdict on the clients' history.
    #[cfg(feature = "cli")]
    fn judge_clients(&self) -> ClientVerdict {
        let verdict = |history, finding, property| ClientVerdict {
            history: Some(history),
            finding: Some((property, finding)),
            ..ClientVerdict::default()
        };
        let broken = |violation: &Violation| match violation.property {
            LINEARIZABILITY => "not linearizable",
            _ => "not what a queue promises",
        };
        match consistency::judge_clients(self.session.universe()) {
            None => ClientVerdict::default(),
            Some(Consistency::Linearizable(0)) => verdict("linearizable", Finding::NeverExercised, LINEARIZABILITY),
            Some(Consistency::Linearizable(_)) => verdict("linearizable", Finding::Held, LINEARIZABILITY),
            Some(Consistency::Undecided(_)) => ClientVerdict { history: Some("undecided"), ..ClientVerdict::default() },
            Some(Consistency::Delivered(_)) => verdict("what a queue promises", Finding::Held, DELIVERY),
            Some(Consistency::Violated(violation)) => ClientVerdict {
                violation: Some(violation.clone()),
                ..verdict(broken(&violation), Finding::Violated, violation.property)
            },
            Some(Consistency::NotPromised(violation)) => ClientVerdict {
                not_promised: Some(violation.clone()),
                ..verdict(broken(&violation), Finding::NotPromised, violation.property)
            },
        }
    }

    /// The page records no client history.
    #[cfg(not(feature = "cli"))]
    fn judge_clients(&self) -> ClientVerdict {
        ClientVerdict::default()
    }

    /// The time at which the run ends, µs.
    fn end(&self) -> Micros {
        self.moment.map_or(self.session.checked().duration, |moment| moment.at)
    }

    /// Whether the moment of the link is reached. Events due at the same time may remain.
    fn arrived(&self) -> bool {
        let now = self.session.moment();
        match self.moment {
            Some(moment) => {
                now == moment
                    || now.event >= moment.event && now.interventions >= moment.interventions && now.at >= moment.at
            }
            None => false,
        }
    }

    /// The part of the run's time that has passed, in parts of a thousand.
    pub fn permille(&self) -> u64 {
        (u128::from(self.session.universe().time()) * 1_000 / u128::from(self.end().max(1))) as u64
    }

    /// The session at the present moment.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The report up to now.
    pub fn report(&self) -> Report {
        let (universe, checked) = (self.session.universe(), self.session.checked());
        let now = universe.time();
        let nothing = AtWarmup::default();
        let before = self.before.as_ref().unwrap_or(&nothing);
        let rules = universe.rules_used();
        let clients = self.judge_clients();
        let report = |violation: &Violation| ViolationReport::new(violation, checked.variant.card.agrees_on);
        let violations = universe.violations().iter().chain(&clients.violation).map(report).collect();
        let not_promised = universe.not_promised().iter().chain(&clients.not_promised).map(report);
        Report {
            title: self.session.scenario().title.clone(),
            variant: checked.variant.card.key,
            seed: checked.blueprint.seed,
            fingerprint: format!("{:016x}", universe.fingerprint()),
            time_us: now,
            complete: now >= self.end() && !self.ending().is_cut_short(),
            cut_short: self.cut_short(),
            events: universe.events(),
            measured_from_us: if self.before.is_some() { checked.warmup } else { 0 },
            commands: Commands::new(universe, before),
            messages: Messages::new(universe, before, &checked.places),
            latency_us: latencies(universe, checked),
            leaders: universe.leadership_intervals().iter().map(Leader::new).collect(),
            patience_us: self.outages.patience(),
            outages: self.outages.until(now),
            refused: universe.refused().iter().map(RefusedReport::new).collect(),
            orders: universe.orders().iter().map(OrderReport::new).collect(),
            members: members(universe),
            resolved: universe.resolved().iter().map(ResolvedReport::new).collect(),
            history: clients.history,
            properties: properties(universe, clients.finding),
            violations,
            not_promised: not_promised.collect(),
            stuck: crate::universe::narration::stuck(universe),
            rules: rules.iter().map(|RuleId(id)| universe.variant().rules()[usize::from(id)].key).collect(),
        }
    }
}
