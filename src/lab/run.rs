//! One run from start to end, and what came of it in numbers.

#[cfg(feature = "cli")]
use super::consistency::{Consistency, LINEARIZABILITY};
use super::outage::{Outage, Outages};
use super::problem::{Problem, Problems};
use super::session::{Document, Moment, ReplayMismatch, Session};
use super::{Checked, Place};
use crate::core::{Log, Micros, NodeSet, Phase, RuleId};
use crate::judge::{LeadershipInterval, Violation};
use crate::sim::{Counts, Refused, Sample};
use crate::universe::Universe;
use serde::Serialize;

/// Most events of one run; a run that would take more is cut short, and its report says so.
pub const MOST_EVENTS: u64 = 200_000_000;

/// A run on its way to its end: that of its scenario's time, or the moment that a link describes.
#[derive(Debug)]
pub struct Run {
    session: Session,
    moment: Option<Moment>,
    outages: Outages,
    /// What had happened at the end of the warm-up, once it has ended.
    before: Option<Before>,
}

/// What had happened when the warm-up ended.
#[derive(Clone, Debug, Default)]
struct Before {
    counts: Counts,
    chosen: u64,
}

impl Run {
    /// Starts a run.
    pub fn new(document: &Document) -> Result<Run, Problems> {
        let (session, moment) = Session::load(document, document.scenario.check()?)?;
        #[cfg(feature = "cli")]
        let session = session.recorded();
        // A request that is sent on to the leader and from there to a quorum takes three round trips at most.
        let outages = Outages::new(4 * session.checked().blueprint.topology.round_trip_max());
        let before = (session.checked().warmup == 0).then(Before::default);
        Ok(Run { session, moment, outages, before })
    }

    /// Runs to the end.
    pub fn to_end(document: &Document) -> Result<Report, Problems> {
        let mut run = Run::new(document)?;
        while !run.advance(MOST_EVENTS)? {}
        Ok(run.report())
    }

    /// Goes on for at most so many events. True when the run has ended.
    pub fn advance(&mut self, events: u64) -> Result<bool, Problem> {
        let stop = self.session.universe().events().saturating_add(events);
        while self.session.universe().events() < stop {
            if self.step()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets the next thing happen. True when the run has ended.
    pub fn step(&mut self) -> Result<bool, Problem> {
        if self.arrived() || self.session.universe().events() >= MOST_EVENTS {
            return Ok(true);
        }
        let warmup = self.session.checked().warmup;
        let warming_up = self.before.is_none() && warmup < self.end();
        let limit = if warming_up { warmup } else { self.end() };
        let happened = self.session.advance(limit).map_err(|ReplayMismatch(says)| Problem {
            field: format!("deeds[{}]", self.session.moment().interventions),
            value: String::new(),
            says,
        })?;
        let universe = self.session.universe();
        if happened {
            let counts = universe.counts();
            self.outages.observe(universe.time(), counts.asked, counts.answered);
        } else if warming_up {
            self.before = Some(Before { counts: universe.counts().clone(), chosen: universe.chosen() });
        }
        Ok(!happened && !warming_up)
    }

    /// Begins to tell the run, from here on. Have every step told.
    #[cfg(feature = "cli")]
    pub fn tell(&mut self) -> crate::universe::Transcript {
        self.session.tell()
    }

    /// Whether what clients saw is linearizable; and if not, what shows it.
    #[cfg(feature = "cli")]
    fn judge_clients(&self) -> (Option<&'static str>, Option<Violation>) {
        match super::consistency::judge_clients(self.session.universe()) {
            None => (None, None),
            Some(Consistency::Linearizable(_)) => (Some("linearizable"), None),
            Some(Consistency::Undecided(_)) => (Some("undecided"), None),
            Some(Consistency::Delivered(_)) => (Some("what a queue promises"), None),
            Some(Consistency::Violated(violation)) if violation.property == LINEARIZABILITY => {
                (Some("not linearizable"), Some(violation))
            }
            Some(Consistency::Violated(violation)) => (Some("not what a queue promises"), Some(violation)),
        }
    }

    /// The page does not keep what clients saw.
    #[cfg(not(feature = "cli"))]
    fn judge_clients(&self) -> (Option<&'static str>, Option<Violation>) {
        (None, None)
    }

    /// When it ends, µs.
    fn end(&self) -> Micros {
        self.moment.map_or(self.session.checked().duration, |moment| moment.at)
    }

    /// Whether it is at the moment of its link. More may be due at the same time, and is left undone.
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

    /// How much of the run's time has passed, in parts of a thousand.
    pub fn permille(&self) -> u64 {
        (u128::from(self.session.universe().time()) * 1_000 / u128::from(self.end().max(1))) as u64
    }

    /// The run as it stands.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What came of it, up to now.
    pub fn report(&self) -> Report {
        let (universe, checked) = (self.session.universe(), self.session.checked());
        let now = universe.time();
        let nothing = Before::default();
        let before = self.before.as_ref().unwrap_or(&nothing);
        let rules = universe.rules_used();
        let (history, setting_error) = self.judge_clients();
        let violations = universe.violations().iter().chain(&setting_error).map(ViolationReport::new).collect();
        Report {
            title: self.session.scenario().title.clone(),
            variant: checked.variant.card.key,
            seed: checked.blueprint.seed,
            fingerprint: format!("{:016x}", universe.fingerprint()),
            time_us: now,
            complete: now >= self.end(),
            events: universe.events(),
            measured_from_us: if self.before.is_some() { checked.warmup } else { 0 },
            commands: Commands::new(universe, before),
            messages: Messages::new(universe, before, &checked.places),
            latency_us: latencies(universe, checked),
            leaders: universe.leadership_intervals().iter().map(Leader::new).collect(),
            patience_us: self.outages.patience(),
            outages: self.outages.until(now),
            refused: universe.refused().iter().map(RefusedReport::new).collect(),
            history,
            violations,
            rules: rules.iter().map(|RuleId(id)| universe.variant().rules()[usize::from(id)].key).collect(),
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The scenario's title.
    pub title: String,
    /// The variant's key.
    pub variant: &'static str,
    /// The run's seed.
    pub seed: u64,
    /// One number for all that happened, in hexadecimal.
    pub fingerprint: String,
    /// Simulated time, µs.
    pub time_us: Micros,
    /// Whether the run came to its end. Runs of too many events are cut short.
    pub complete: bool,
    /// Events.
    pub events: u64,
    /// Commands, messages and latencies are counted from this time on, µs: the end of the warm-up.
    pub measured_from_us: Micros,
    /// Commands.
    pub commands: Commands,
    /// Messages between replicas.
    pub messages: Messages,
    /// From a client's first request to the answer, µs, at each site with answers.
    pub latency_us: Vec<Latency>,
    /// Every time somebody began to lead, in the whole run.
    pub leaders: Vec<Leader>,
    /// Nobody being answered for longer than this, while somebody waits, is an outage, µs: four of the longest round trips.
    pub patience_us: Micros,
    /// Times in which nobody was served, in the whole run.
    pub outages: Vec<Outage>,
    /// Faults of the script that made no sense when their time came, so that nothing was done.
    pub refused: Vec<RefusedReport>,
    /// Whether what clients saw is linearizable, not linearizable, or undecided, being too hard to tell; or, where items of a queue come
    /// again, "what a queue promises" or "not what a queue promises". `null` if there is nothing to judge.
    pub history: Option<&'static str>,
    /// What must never happen, and did.
    pub violations: Vec<ViolationReport>,
    /// Keys of the rules applied at least once.
    pub rules: Vec<&'static str>,
}

/// Commands of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Commands {
    /// Begun.
    pub begun: u64,
    /// Known to be chosen. Reads that do without the log are not among them.
    pub committed: u64,
    /// Answered for good.
    pub answered: u64,
    /// Requests sent again after waiting too long.
    pub retried: u64,
    /// Arrivals for which there was no room.
    pub turned_away: u64,
    /// Waiting at the end.
    pub waiting: u64,
}

impl Commands {
    fn new(universe: &dyn Universe, before: &Before) -> Commands {
        let counts = universe.counts();
        Commands {
            begun: counts.asked - before.counts.asked,
            committed: universe.chosen() - before.chosen,
            answered: counts.answered - before.counts.answered,
            retried: counts.retried - before.counts.retried,
            turned_away: counts.turned_away - before.counts.turned_away,
            waiting: universe.waiting() as u64,
        }
    }
}

/// Messages between replicas; none that a replica sends to itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Messages {
    /// All.
    pub total: u64,
    /// Those that only keep things going.
    pub heartbeats: u64,
    /// All but heartbeats, for each answered command; `null` if none was answered.
    pub per_command: Option<f64>,
    /// By kind.
    pub by_kind: Vec<KindCount>,
    /// By sending replica, in their order.
    pub by_sender: Vec<u64>,
    /// Between any two sites, from the first to the second, where there were any.
    pub between_sites: Vec<SiteCount>,
    /// That got lost.
    pub lost: u64,
    /// Bytes, headers included.
    pub bytes: u64,
    /// Bytes by sending replica, in their order.
    pub bytes_by_sender: Vec<u64>,
    /// Requests and answers of clients; not among the total.
    pub client_messages: u64,
}

/// How many messages of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// The paper's verb.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
}

/// How many messages from one site to another, or within one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteCount {
    /// Id of the sender's site.
    pub from: String,
    /// Id of the receiver's site.
    pub to: String,
    /// How many.
    pub count: u64,
}

/// What was counted after the warm-up, place by place. A replica that joined later counts from its beginning.
fn since<'a>(now: &'a [u64], before: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
    now.iter().enumerate().map(|(i, count)| count - before.get(i).copied().unwrap_or(0))
}

impl Messages {
    fn new(universe: &dyn Universe, before: &Before, places: &[Place]) -> Messages {
        let (counts, before) = (universe.counts(), &before.counts);
        let kinds = universe.variant().kinds;
        let by_kind: Vec<u64> = since(&counts.by_kind(), &before.by_kind()).collect();
        let total = by_kind.iter().sum();
        let heartbeats =
            kinds.iter().zip(&by_kind).filter(|(kind, _)| kind.phase == Phase::Heartbeat).map(|(_, n)| n).sum();
        let answered = counts.answered - before.answered;
        let pairs = places.iter().flat_map(|from| places.iter().map(move |to| (from, to)));
        let between = pairs.zip(since(&counts.by_sites, &before.by_sites)).filter(|(_, count)| *count > 0);
        Messages {
            total,
            heartbeats,
            per_command: (answered > 0).then(|| (total - heartbeats) as f64 / answered as f64),
            by_kind: kinds.iter().zip(by_kind).map(|(kind, count)| KindCount { kind: kind.name, count }).collect(),
            by_sender: since(&counts.by_sender(), &before.by_sender()).collect(),
            between_sites: between
                .map(|((from, to), count)| SiteCount { from: from.id.clone(), to: to.id.clone(), count })
                .collect(),
            lost: counts.lost - before.lost,
            bytes: counts.bytes() - before.bytes(),
            bytes_by_sender: since(&counts.bytes_by_sender(), &before.bytes_by_sender()).collect(),
            client_messages: counts.client_messages - before.client_messages,
        }
    }
}

/// How long the clients at one site waited, µs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Id of the site.
    pub site: String,
    /// Its name.
    pub name: String,
    /// Answers.
    pub count: u64,
    /// Mean, rounded down.
    pub mean: Micros,
    /// Half waited no longer.
    pub p50: Micros,
    /// 90 of 100 waited no longer.
    pub p90: Micros,
    /// 99 of 100 waited no longer.
    pub p99: Micros,
    /// The longest.
    pub max: Micros,
}

/// The smallest of `sorted` that `percent` of it do not exceed (the nearest-rank method). `sorted` must not be empty.
pub fn percentile(sorted: &[Micros], percent: usize) -> Micros {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

fn latencies(universe: &dyn Universe, checked: &Checked) -> Vec<Latency> {
    let at_site = |(place, samples): (&Place, &Log<Sample>)| {
        let counted = samples.iter().map(|(_, sample)| sample).filter(|sample| sample.at >= checked.warmup);
        let mut sorted: Vec<Micros> = counted.map(|sample| sample.latency).collect();
        sorted.sort_unstable();
        let max = *sorted.last()?;
        Some(Latency {
            site: place.id.clone(),
            name: place.name.clone(),
            count: sorted.len() as u64,
            mean: sorted.iter().sum::<Micros>() / sorted.len() as Micros,
            p50: percentile(&sorted, 50),
            p90: percentile(&sorted, 90),
            p99: percentile(&sorted, 99),
            max,
        })
    };
    checked.places.iter().zip(universe.samples()).filter_map(at_site).collect()
}

/// Somebody began to lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leader {
    /// When, µs.
    pub at_us: Micros,
    /// Who, counted from 1.
    pub node: u32,
    /// The number of its term or ballot.
    pub epoch: u32,
}

impl Leader {
    fn new(leadership: &LeadershipInterval) -> Leader {
        Leader { at_us: leadership.since, node: u32::from(leadership.node.0) + 1, epoch: leadership.epoch.number }
    }
}

/// A fault of the script that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedReport {
    /// Where it stands in the scenario, such as `script[2]`.
    pub field: String,
    /// When, µs.
    pub at_us: Micros,
    /// What, in words.
    pub action: String,
    /// Why it made no sense.
    pub why: String,
}

impl RefusedReport {
    fn new(refused: &Refused) -> RefusedReport {
        RefusedReport {
            field: format!("script[{}]", refused.index),
            at_us: refused.timed.at,
            action: refused.timed.action.to_string(),
            why: refused.why.to_string(),
        }
    }
}

/// What must never happen, and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViolationReport {
    /// The name of the property.
    pub property: &'static str,
    /// What the property says.
    pub says: &'static str,
    /// The nodes it takes to see it, counted from 1.
    pub nodes: Vec<u32>,
    /// The slot, if it is about one.
    pub slot: Option<u32>,
    /// The event after which it was seen.
    pub event: u64,
    /// When, µs.
    pub at_us: Micros,
}

impl ViolationReport {
    fn new(violation: &Violation) -> ViolationReport {
        let numbers = |nodes: NodeSet| nodes.iter().map(|node| u32::from(node.0) + 1).collect();
        ViolationReport {
            property: violation.property,
            says: violation.says,
            nodes: numbers(violation.nodes),
            slot: violation.slot,
            event: violation.event,
            at_us: violation.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_nearest_rank() {
        let hundred: Vec<Micros> = (1..=100).collect();
        assert_eq!([50, 90, 99, 100].map(|percent| percentile(&hundred, percent)), [50, 90, 99, 100]);
        assert_eq!([1, 50, 99].map(|percent| percentile(&[7], percent)), [7, 7, 7]);
        assert_eq!([50, 51, 99].map(|percent| percentile(&[1, 2], percent)), [1, 2, 2]);
    }
}
