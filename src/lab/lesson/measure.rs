//! What is measured in a run of a lesson, and conditions on it.

use super::form::{Amount, Measure, MeasureKind};
use super::play::{Played, leaders};
use crate::core::{Micros, NodeId, Phase};
use crate::judge::LeadershipInterval;
use crate::lab::problem::ProblemCollector;
use crate::lab::run::trial::duration;
use crate::lab::{Checked, Quantity};
use crate::sim::Sample;
use crate::universe::words::thousands;

/// The property that is judged from what clients were told.
const LINEARIZABILITY: &str = "Linearizability";

/// What a measured number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Microseconds.
    Time,
    /// Parts of a thousand.
    Share,
    /// Hundredths.
    Hundredths,
}

impl Unit {
    /// Reads an amount in this unit. Errors: what would do.
    pub fn read(self, amount: &Amount) -> Result<u64, &'static str> {
        let text = amount.0.text();
        match self {
            Unit::Count => text.parse().map_err(|_| "a whole number from 0 up would do"),
            Unit::Time => amount.0.micros(),
            Unit::Share => amount.0.permille(),
            Unit::Hundredths => amount.0.hundredths(),
        }
    }

    /// Writes a measured number for people.
    pub fn text(self, value: u64) -> String {
        match self {
            Unit::Count => thousands(value),
            Unit::Time => duration(value),
            Unit::Share => Quantity::from_permille(value).to_string(),
            Unit::Hundredths => format!("{}.{:02}", value / 100, value % 100),
        }
    }
}

impl MeasureKind {
    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            MeasureKind::Leaderless
            | MeasureKind::Latency
            | MeasureKind::Slowest
            | MeasureKind::Gap
            | MeasureKind::ViolatedAt => Unit::Time,
            MeasureKind::SentShare => Unit::Share,
            MeasureKind::MessagesPerCommand => Unit::Hundredths,
            _ => Unit::Count,
        }
    }

    /// The fields that narrow it down.
    fn takes(self) -> &'static [&'static str] {
        match self {
            MeasureKind::Leaders
            | MeasureKind::LeadersPerEpoch
            | MeasureKind::Down
            | MeasureKind::Waiting
            | MeasureKind::Committed
            | MeasureKind::MessagesPerCommand => &[],
            MeasureKind::LeadersAtOnce | MeasureKind::Winners | MeasureKind::Leaderless => &["from", "to"],
            MeasureKind::Leaderships => &["node", "from", "to"],
            MeasureKind::Ballot | MeasureKind::SentShare => &["node"],
            MeasureKind::Answered | MeasureKind::Latency | MeasureKind::Slowest => &["site", "node", "from", "to"],
            MeasureKind::Gap => &["site", "from", "to"],
            MeasureKind::Messages => &["kind"],
            MeasureKind::Violations | MeasureKind::ViolatedAt => &["property"],
        }
    }
}

impl Measure {
    /// The measured number. `None`: there is nothing to measure, such as the latency of no answers.
    pub fn value(&self, played: &Played) -> Option<u64> {
        let universe = played.universe();
        let now = universe.time();
        let time = |time: &Option<Quantity>| time.as_ref().and_then(|time| time.micros().ok());
        let (from, to) = (time(&self.from).unwrap_or(0), time(&self.to).unwrap_or(now).min(now));
        let samples = || self.samples(played, from, to);
        let intervals = || universe.leadership_intervals().into_iter();
        let leads = |at: Micros, one: &LeadershipInterval| one.since <= at && one.until.is_none_or(|until| until > at);
        let within = |one: &LeadershipInterval| one.since < to && one.until.is_none_or(|until| until > from);
        match self.measure {
            MeasureKind::Leaders => Some(leaders(universe) as u64),
            MeasureKind::LeadersAtOnce => {
                let all: Vec<LeadershipInterval> = intervals().filter(within).collect();
                let at_once = |at: Micros| {
                    let mut nodes: Vec<NodeId> = all.iter().filter(|one| leads(at, one)).map(|one| one.node).collect();
                    nodes.sort_unstable();
                    nodes.dedup();
                    nodes.len() as u64
                };
                Some(all.iter().map(|one| at_once(one.since.max(from))).max().unwrap_or(0))
            }
            MeasureKind::Winners => Some(different(intervals().filter(within).map(|one| one.node))),
            MeasureKind::Leaderships => {
                let begun = |one: &LeadershipInterval| (from..=to).contains(&one.since) && self.is_about(one.node);
                Some(intervals().filter(begun).count() as u64)
            }
            MeasureKind::LeadersPerEpoch => {
                let of = |epoch| different(intervals().filter(|one| one.epoch == epoch).map(|one| one.node));
                Some(intervals().map(|one| of(one.epoch)).max().unwrap_or(0))
            }
            MeasureKind::Leaderless => {
                let mut covered: Vec<(Micros, Micros)> = intervals()
                    .filter(within)
                    .map(|one| (one.since.max(from), one.until.unwrap_or(to).min(to)))
                    .collect();
                covered.sort_unstable();
                let (mut alone, mut end) = (0, from);
                for (since, until) in covered {
                    alone += since.saturating_sub(end);
                    end = end.max(until);
                }
                Some(alone + to.saturating_sub(end))
            }
            MeasureKind::Ballot => {
                let nodes = (0..universe.nodes()).map(NodeId).filter(|node| self.is_about(*node));
                let epochs = nodes.filter_map(|node| Some(universe.node(node).status?.epoch.number));
                epochs.max().map(u64::from)
            }
            MeasureKind::Down => {
                let down = |node: &u8| universe.node(NodeId(*node)).status.is_none();
                Some((0..universe.nodes()).filter(down).count() as u64)
            }
            MeasureKind::Answered => Some(samples().count() as u64),
            MeasureKind::Waiting => Some(universe.waiting() as u64),
            MeasureKind::Committed => Some(universe.chosen()),
            MeasureKind::Latency => {
                let mut latencies: Vec<Micros> = samples().map(|sample| sample.latency).collect();
                latencies.sort_unstable();
                latencies.get(latencies.len() / 2).copied()
            }
            MeasureKind::Slowest => samples().map(|sample| sample.latency).max(),
            MeasureKind::Gap => {
                let mut times: Vec<Micros> = samples().map(|sample| sample.at).chain([from, to.max(from)]).collect();
                times.sort_unstable();
                times.windows(2).map(|pair| pair[1] - pair[0]).max()
            }
            MeasureKind::Messages => {
                let kinds = universe.variant().kinds;
                let counted = |name: &str| self.kind.as_ref().is_none_or(|kind| kind == name);
                let sent = universe.counts().by_kind();
                Some(kinds.iter().zip(sent).filter(|(kind, _)| counted(kind.name)).map(|(_, count)| count).sum())
            }
            MeasureKind::MessagesPerCommand => {
                let (counts, before) = (universe.counts(), played.before());
                let sent = counts.by_kind().into_iter().zip(before.by_kind()).zip(universe.variant().kinds);
                let sent = sent.filter(|(_, kind)| kind.phase != Phase::Heartbeat);
                let sent: u64 = sent.map(|((now, before), _)| now - before).sum();
                (sent * 100 + (counts.answered - before.answered) / 2).checked_div(counts.answered - before.answered)
            }
            MeasureKind::SentShare => {
                let bytes = universe.counts().bytes_by_sender();
                let of = bytes.get(self.node? as usize - 1)?;
                (of * 1_000).checked_div(bytes.iter().sum())
            }
            MeasureKind::Violations => {
                let found = universe.violations().iter().chain(universe.not_promised());
                let mut names: Vec<&str> = found.map(|violation| violation.property).collect();
                if self.concerns(LINEARIZABILITY) && played.is_linearizable() == Some(false) {
                    names.push(LINEARIZABILITY);
                }
                names.retain(|name| self.concerns(name));
                names.sort_unstable();
                names.dedup();
                Some(names.len() as u64)
            }
            MeasureKind::ViolatedAt => {
                let found = universe.violations().iter().chain(universe.not_promised());
                found.filter(|violation| self.concerns(violation.property)).map(|violation| violation.at).min()
            }
        }
    }

    /// The number in words, or that there is none.
    pub fn text(&self, played: &Played) -> String {
        self.value(played).map_or_else(|| "none".to_owned(), |value| self.measure.unit().text(value))
    }

    /// Whether the condition holds. What cannot be measured fulfils none.
    pub fn holds(&self, played: &Played) -> bool {
        let Some(value) = self.value(played) else { return false };
        let bound = |amount: &Option<Amount>| Some(self.measure.unit().read(amount.as_ref()?).unwrap_or(u64::MAX));
        bound(&self.is).is_none_or(|bound| value == bound)
            && bound(&self.at_least).is_none_or(|bound| value >= bound)
            && bound(&self.at_most).is_none_or(|bound| value <= bound)
    }

    fn is_about(&self, node: NodeId) -> bool {
        self.node.is_none_or(|number| number == u32::from(node.0) + 1)
    }

    fn concerns(&self, property: &str) -> bool {
        self.property.as_ref().is_none_or(|name| name == property)
    }

    /// Answers to the clients that it is about, in a time.
    fn samples<'a>(&'a self, played: &'a Played, from: Micros, to: Micros) -> impl Iterator<Item = &'a Sample> {
        let site = self.site.as_ref().map(|id| played.checked().places.iter().position(|place| place.id == *id));
        let from = from.max(played.checked().warmup);
        let logs = played.universe().samples().iter().enumerate();
        let logs = logs.filter(move |(index, _)| site.is_none_or(|site| site == Some(*index)));
        let samples = logs.flat_map(|(_, log)| log.iter()).map(|(_, sample)| sample);
        samples.filter(move |sample| (from..=to).contains(&sample.at) && self.is_about(sample.node))
    }

    /// Reports every field that makes no sense in a run. `bounded`: it must be a condition; otherwise it must not be one.
    pub(super) fn check(&self, path: &str, checked: &Checked, bounded: bool, problems: &mut ProblemCollector) {
        let given = [
            ("site", self.site.is_some()),
            ("node", self.node.is_some()),
            ("property", self.property.is_some()),
            ("kind", self.kind.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
        ];
        let takes = self.measure.takes();
        for (field, _) in given.iter().filter(|(field, given)| *given && !takes.contains(field)) {
            let fields = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
            problems.add(format!("{path}.{field}"), "", format!("this measure takes {fields}"));
        }
        let nodes = checked.blueprint.placement.len();
        if self.measure == MeasureKind::SentShare && self.node.is_none() {
            problems.add(format!("{path}.node"), "", format!("is needed; 1 to {nodes} would do"));
        }
        if let Some(node) = self.node.filter(|node| !(1..=nodes as u32).contains(node)) {
            problems.add(format!("{path}.node"), node, format!("1 to {nodes} would do"));
        }
        if let Some(site) = self.site.as_deref().filter(|site| !checked.sites().contains(site)) {
            problems.unknown(format!("{path}.site"), site, "sites", checked.sites());
        }
        let kinds = checked.variant.kinds.iter().map(|kind| kind.name);
        if let Some(kind) = self.kind.as_deref().filter(|kind| kinds.clone().all(|name| name != *kind)) {
            problems.unknown(format!("{path}.kind"), kind, "kinds of messages", kinds);
        }
        if let (Some(property), Ok(universe)) = (&self.property, checked.boot()) {
            let known = universe.findings().into_iter().map(|found| found.property).chain([LINEARIZABILITY]);
            let known: Vec<&str> = known.collect();
            if !known.contains(&property.as_str()) {
                problems.unknown(format!("{path}.property"), property, "properties", known);
            }
        }
        for (field, time) in [("from", &self.from), ("to", &self.to)] {
            if let Some(says) = time.as_ref().and_then(|time| time.micros().err()) {
                problems.add(format!("{path}.{field}"), time.as_ref().map_or("", Quantity::text), says);
            }
        }
        let bounds = [("is", &self.is), ("at_least", &self.at_least), ("at_most", &self.at_most)];
        for (field, amount) in bounds {
            if let Some(amount) = amount
                && let Err(says) = self.measure.unit().read(amount)
            {
                problems.add(format!("{path}.{field}"), &amount.0, says);
            }
        }
        match (bounds.iter().any(|(_, amount)| amount.is_some()), bounded) {
            (false, true) => problems.add(path, "", "is no condition: is, at_least or at_most would make it one"),
            (true, false) => {
                problems.add(path, "", "is a condition; here a measure without is, at_least and at_most would do")
            }
            _ => {}
        }
    }
}

fn different(nodes: impl Iterator<Item = NodeId>) -> u64 {
    let mut nodes: Vec<NodeId> = nodes.collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes.len() as u64
}
