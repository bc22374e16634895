//! The report of a run: commands, messages, latencies, leaders, outages, refused actions and violated properties.

use super::AtWarmup;
use super::outage::Outage;
use crate::core::{Log, Micros, NodeId, NodeSet, Phase, Shots};
use crate::judge::orders::OrderOutcome;
use crate::judge::{Finding, LeadershipInterval, Violation, liveness};
use crate::lab::{Checked, Place};
use crate::sim::roles::Resolved;
use crate::sim::{Refused, Sample};
use crate::universe::Universe;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The scenario's title.
    pub title: String,
    /// The variant's key.
    pub variant: &'static str,
    /// The run's seed.
    pub seed: u64,
    /// Hash of all events, 64 bits in hexadecimal.
    pub fingerprint: String,
    /// Simulated time, µs.
    pub time_us: Micros,
    /// Whether the run reached its end.
    pub complete: bool,
    /// A finding about the run as a whole: why it did not reach its end. It took more than [`MOST_EVENTS`](super::MOST_EVENTS) events or too
    /// much memory, or time stood still.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cut_short: String,
    /// Events.
    pub events: u64,
    /// Commands, messages and latencies are counted from this time on, µs: the end of the warm-up.
    pub measured_from_us: Micros,
    /// Commands.
    pub commands: Commands,
    /// Messages between replicas.
    pub messages: Messages,
    /// Latency from a client's first request to its answer, µs, for each site with answers.
    pub latency_us: Vec<Latency>,
    /// The beginnings of leadership intervals, in the whole run.
    pub leaders: Vec<Leader>,
    /// No answer to any client for longer than this, while at least one waits, is an outage, µs: four times the longest round trip.
    pub patience_us: Micros,
    /// Outages, in the whole run.
    pub outages: Vec<Outage>,
    /// Actions of the script that were impossible when their time came, and were not done.
    pub refused: Vec<RefusedReport>,
    /// Orders to transfer leadership or to change the members that reached a leader, and what came of them.
    pub orders: Vec<OrderReport>,
    /// The members at the end, counted from 1: as the leader sees them or, without one, as each node sees itself.
    pub members: Vec<u32>,
    /// Actions of the script that named nodes by role, and the nodes that had the roles.
    pub resolved: Vec<ResolvedReport>,
    /// The verdict on the clients' history: "linearizable", "not linearizable" or "undecided" (within the limits of the search); for queues
    /// with redelivery "what a queue promises" or "not what a queue promises". `null`: there is no history to judge.
    pub history: Option<&'static str>,
    /// Every property, and what came of checking it.
    pub properties: Vec<PropertyReport>,
    /// Violated properties.
    pub violations: Vec<ViolationReport>,
    /// What happened against properties that the variant does not promise.
    pub not_promised: Vec<ViolationReport>,
    /// Why nothing went on at the end, if that can be told: a quorum that cannot be met with the nodes that run, or a blocked node.
    pub stuck: Option<String>,
    /// Keys of the rules that were applied at least once.
    pub rules: Vec<&'static str>,
}

/// Commands of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Commands {
    /// Issued by clients.
    pub begun: u64,
    /// Chosen. Reads that bypass the log are not among them.
    pub committed: u64,
    /// Answered.
    pub answered: u64,
    /// Requests sent again after the client's timeout.
    pub retried: u64,
    /// Open-loop arrivals that were turned away because too many were outstanding.
    pub turned_away: u64,
    /// Outstanding at the end.
    pub waiting: u64,
}

impl Commands {
    pub(super) fn new(universe: &dyn Universe, before: &AtWarmup) -> Commands {
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

/// Messages between replicas. Messages of a replica to itself are not counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Messages {
    /// All.
    pub total: u64,
    /// Heartbeats among them.
    pub heartbeats: u64,
    /// Messages other than heartbeats per answered command; `null` if none was answered.
    pub per_command: Option<f64>,
    /// By kind.
    pub by_kind: Vec<KindCount>,
    /// By sending replica, in the order of replicas.
    pub by_sender: Vec<u64>,
    /// By pair of sites, from the first to the second, where there were any.
    pub between_sites: Vec<SiteCount>,
    /// Lost.
    pub lost: u64,
    /// Bytes, headers included.
    pub bytes: u64,
    /// Bytes by sending replica, in the order of replicas.
    pub bytes_by_sender: Vec<u64>,
    /// Client requests and answers. Not among the total.
    pub client_messages: u64,
}

/// The number of messages of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// The name of the kind.
    pub kind: &'static str,
    /// The number of messages.
    pub count: u64,
}

/// The number of messages from one site to another, or within one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteCount {
    /// Id of the sender's site.
    pub from: String,
    /// Id of the receiver's site.
    pub to: String,
    /// The number of messages.
    pub count: u64,
}

/// Counters since the warm-up, element by element. A replica that joined later counts from when it joined.
fn since<'a>(now: &'a [u64], before: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
    now.iter().enumerate().map(|(i, count)| count - before.get(i).copied().unwrap_or(0))
}

impl Messages {
    pub(super) fn new(universe: &dyn Universe, before: &AtWarmup, places: &[Place]) -> Messages {
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

/// Latency of the clients at one site, µs. Percentiles by the nearest-rank method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Id of the site.
    pub site: String,
    /// Its name.
    pub name: String,
    /// Number of answers.
    pub count: u64,
    /// Mean, rounded down.
    pub mean: Micros,
    /// Median.
    pub p50: Micros,
    /// 90th percentile.
    pub p90: Micros,
    /// 99th percentile.
    pub p99: Micros,
    /// Longest.
    pub max: Micros,
}

/// The `percent`th percentile by the nearest-rank method. `sorted` must be in ascending order and not empty.
pub fn percentile(sorted: &[Micros], percent: usize) -> Micros {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// Latency summed up, µs. Percentiles by the nearest-rank method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LatencySummary {
    /// Number of answers.
    pub count: u64,
    /// Mean, rounded down.
    pub mean: Micros,
    /// Median.
    pub p50: Micros,
    /// 90th percentile.
    pub p90: Micros,
    /// 99th percentile.
    pub p99: Micros,
    /// Longest.
    pub max: Micros,
}

impl LatencySummary {
    /// Sums up latencies; `None` if there are none.
    fn of(mut latencies: Vec<Micros>) -> Option<LatencySummary> {
        latencies.sort_unstable();
        let max = *latencies.last()?;
        Some(LatencySummary {
            count: latencies.len() as u64,
            mean: latencies.iter().sum::<Micros>() / latencies.len() as Micros,
            p50: percentile(&latencies, 50),
            p90: percentile(&latencies, 90),
            p99: percentile(&latencies, 99),
            max,
        })
    }

    /// The latencies of the clients at all sites together, answers before `warmup` (µs) not counted.
    #[cfg(feature = "cli")]
    pub(super) fn of_all_sites(universe: &dyn Universe, warmup: Micros) -> Option<LatencySummary> {
        LatencySummary::of(universe.samples().iter().flat_map(|samples| counted(samples, warmup)).collect())
    }
}

/// The latencies of answers after the warm-up.
fn counted(samples: &Log<Sample>, warmup: Micros) -> impl Iterator<Item = Micros> {
    samples.iter().map(|(_, sample)| sample).filter(move |sample| sample.at >= warmup).map(|sample| sample.latency)
}

pub(super) fn latencies(universe: &dyn Universe, checked: &Checked) -> Vec<Latency> {
    let at_site = |(place, samples): (&Place, &Log<Sample>)| {
        let LatencySummary { count, mean, p50, p90, p99, max } =
            LatencySummary::of(counted(samples, checked.warmup).collect())?;
        Some(Latency { site: place.id.clone(), name: place.name.clone(), count, mean, p50, p90, p99, max })
    };
    checked.places.iter().zip(universe.samples()).filter_map(at_site).collect()
}

/// The beginning of a leadership interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leader {
    /// When, µs.
    pub at_us: Micros,
    /// The leader, counted from 1.
    pub node: u32,
    /// The number of its epoch (term, ballot).
    pub epoch: u32,
}

impl Leader {
    pub(super) fn new(leadership: &LeadershipInterval) -> Leader {
        Leader { at_us: leadership.since, node: u32::from(leadership.node.0) + 1, epoch: leadership.epoch.number }
    }
}

/// An action of the script that named nodes by role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResolvedReport {
    /// Its path in the scenario, such as `script[2]`.
    pub field: String,
    /// When, µs.
    pub at_us: Micros,
    /// The roles, such as `node = leader`.
    pub roles: String,
    /// The action with the nodes that had them, in words.
    pub action: String,
}

impl ResolvedReport {
    pub(super) fn new(resolved: &Resolved) -> ResolvedReport {
        let Resolved { index, timed } = resolved;
        ResolvedReport {
            field: format!("script[{index}]"),
            at_us: timed.at,
            roles: timed.roles.to_string(),
            action: timed.action.to_string(),
        }
    }
}

/// An action of the script that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedReport {
    /// Its path in the scenario, such as `script[2]`.
    pub field: String,
    /// When, µs.
    pub at_us: Micros,
    /// The action, in words.
    pub action: String,
    /// Why it was impossible.
    pub why: String,
}

impl RefusedReport {
    pub(super) fn new(refused: &Refused) -> RefusedReport {
        RefusedReport {
            field: format!("script[{}]", refused.index),
            at_us: refused.timed.at,
            action: refused.timed.to_string(),
            why: refused.why.to_string(),
        }
    }
}

/// An operator's order and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderReport {
    /// When it was given, µs.
    pub at_us: Micros,
    /// The order, in words.
    pub order: String,
    /// The leader that it went to, counted from 1.
    pub leader: u32,
    /// "done", "given up", "replaced", "not taken up", "lost with its leader" or "under way".
    pub outcome: &'static str,
    /// When that was, µs; `null`: it is under way.
    pub ended_us: Option<Micros>,
    /// Why it was not done.
    pub why: Option<String>,
}

impl OrderReport {
    pub(super) fn new(OrderOutcome { given, ended }: &OrderOutcome) -> OrderReport {
        OrderReport {
            at_us: given.at,
            order: given.action.to_string(),
            leader: u32::from(given.leader.0) + 1,
            outcome: ended.map_or("under way", |(_, ended)| ended.text()),
            ended_us: ended.map(|(at, _)| at),
            why: ended.and_then(|(_, ended)| ended.why(given.order)),
        }
    }
}

/// The members, counted from 1.
pub(super) fn members(universe: &dyn Universe) -> Vec<u32> {
    let nodes = (0..universe.nodes()).map(|id| universe.node(NodeId(id)));
    nodes.filter(|node| node.member).map(|node| u32::from(node.id.0) + 1).collect()
}

/// A property and what came of checking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyReport {
    /// Its name.
    pub property: &'static str,
    /// "held", "violated", "never exercised" (nothing happened at which it could have failed), "not applicable" (to this variant or scenario)
    /// or "not promised" (it did not hold, and the variant does not promise it).
    pub finding: &'static str,
}

/// A finding, as reported.
pub fn finding_text(finding: Finding) -> &'static str {
    match finding {
        Finding::Held => "held",
        Finding::Violated => "violated",
        Finding::NeverExercised => "never exercised",
        Finding::NotApplicable => "not applicable",
        Finding::NotPromised => "not promised",
    }
}

/// The findings of the safety and liveness checkers, and that on the clients' history.
pub(super) fn properties(universe: &dyn Universe, clients: Option<(&'static str, Finding)>) -> Vec<PropertyReport> {
    let checked = universe.findings();
    let found = checked.iter().map(|finding| (finding.property, finding.finding));
    // Without a bound in the scenario there is no liveness checker.
    let unbound = liveness::PROPERTIES.into_iter().filter(|name| checked.iter().all(|one| one.property != *name));
    let all = found.chain(unbound.map(|name| (name, Finding::NotApplicable))).chain(clients);
    all.map(|(property, finding)| PropertyReport { property, finding: finding_text(finding) }).collect()
}

/// A figure that does not apply to every variant. In JSON: the figure, `"not applicable"`, or `{ "says": … }`.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure<T> {
    /// The figure.
    Measured(T),
    /// It applies, but could not be measured.
    Unmeasured {
        /// Why not.
        says: String,
    },
    /// The variant has nothing of the kind.
    NotApplicable,
}

impl<T: Serialize> Serialize for Figure<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Figure::Measured(figure) => figure.serialize(serializer),
            Figure::Unmeasured { says } => BTreeMap::from([("says", says)]).serialize(serializer),
            Figure::NotApplicable => "not applicable".serialize(serializer),
        }
    }
}

/// A violated property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViolationReport {
    /// The name of the property.
    pub property: &'static str,
    /// What the property says.
    pub says: &'static str,
    /// The nodes that witness it, counted from 1.
    pub nodes: Vec<u32>,
    /// The slot, if it is about one.
    pub slot: Option<u32>,
    /// The same in terms of what the variant agrees on: "slot 3", "version 7 of register 2", "transaction 5".
    pub place: Option<String>,
    /// The number of the event after which it was detected.
    pub event: u64,
    /// When, µs.
    pub at_us: Micros,
}

impl ViolationReport {
    pub(super) fn new(violation: &Violation, agrees_on: Shots) -> ViolationReport {
        let numbers = |nodes: NodeSet| nodes.iter().map(|node| u32::from(node.0) + 1).collect();
        ViolationReport {
            property: violation.property,
            says: violation.says,
            nodes: numbers(violation.nodes),
            slot: violation.slot,
            place: violation.place(agrees_on),
            event: violation.event,
            at_us: violation.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_follows_the_nearest_rank_method() {
        let hundred: Vec<Micros> = (1..=100).collect();
        assert_eq!([50, 90, 99, 100].map(|percent| percentile(&hundred, percent)), [50, 90, 99, 100]);
        assert_eq!([1, 50, 99].map(|percent| percentile(&[7], percent)), [7, 7, 7]);
        assert_eq!([50, 51, 99].map(|percent| percentile(&[1, 2], percent)), [1, 2, 2]);
    }
}
