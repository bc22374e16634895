//! What came of something that was tried: the outcome of a [`Trial`], found in the run.

use crate::core::{Micros, NodeId};
use crate::lab::document::trial::{Trial, Watch};
use crate::lab::{Quantity, Session};
use crate::sim::{Refusal, Sample};
use crate::universe::narration;

/// A trial under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    watch: Watch,
    /// The site it is about, by index; `None`: all.
    site: Option<usize>,
    /// When it began, µs.
    pub began: Micros,
    /// When its outcome is told, µs.
    pub until: Micros,
    leader: Option<NodeId>,
    /// Median of the latest latencies at the site before, µs.
    latency: Option<Micros>,
    violations: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which of the choices it is, by index.
    pub choice: usize,
    /// What happened, in a sentence.
    pub text: String,
}

/// Latest answers whose median is the latency.
const LATEST: usize = 5;

/// Does what a trial says, now. Errors: why something of it is impossible; what comes before that is done.
pub fn begin(session: &mut Session, trial: &Trial) -> Result<UnderWay, Refusal> {
    let began = session.universe().time();
    let site = trial.site.as_ref().and_then(|id| session.checked().places.iter().position(|place| place.id == *id));
    let under_way = UnderWay {
        watch: trial.watch,
        site,
        began,
        until: began + trial.lasts(),
        leader: session.universe().leader(),
        latency: median(latest(session, site, 0, began).as_slice()),
        violations: session.universe().violations().len() + session.universe().not_promised().len(),
    };
    let actions = {
        let sites = session.checked().sites();
        trial.read_actions(session.checked().names(&sites), usize::from(session.universe().nodes()))
    };
    for timed in actions {
        let action = session.universe().resolve(timed)?;
        session.act(action)?;
    }
    Ok(under_way)
}

/// What has come of it; `None` while it lasts.
pub fn outcome(under_way: &UnderWay, session: &Session) -> Option<Outcome> {
    let universe = session.universe();
    let UnderWay { began, until, site, .. } = *under_way;
    if universe.time() < until {
        return None;
    }
    let (choice, text) = match under_way.watch {
        Watch::Leader => {
            let leads = universe.leader().filter(|node| universe.node(*node).paused.is_none());
            let since = |node: NodeId| {
                let intervals = universe.leadership_intervals();
                intervals.iter().rev().find(|interval| interval.node == node).map_or(0, |interval| interval.since)
            };
            match leads {
                None => (2, "Nobody leads.".to_owned()),
                Some(node) if under_way.leader == Some(node) && since(node) <= began => {
                    (0, format!("Node {node:?} leads, as before."))
                }
                Some(node) if under_way.leader == Some(node) => {
                    (0, format!("Node {node:?} leads again, {} later.", after(since(node), began)))
                }
                Some(node) => (1, format!("Node {node:?} leads, from {} later on.", after(since(node), began))),
            }
        }
        Watch::Answers => answers(under_way, session),
        Watch::Latency => {
            let now = median(latest(session, site, began, until).as_slice());
            match (under_way.latency, now) {
                (Some(before), Some(now)) => {
                    let choice = match before.abs_diff(now) * 20 <= before {
                        true => 1,
                        false if now < before => 0,
                        false => 2,
                    };
                    (choice, format!("{} before, {} now.", duration(before), duration(now)))
                }
                _ => (2, "Nobody there was answered any more.".to_owned()),
            }
        }
        Watch::Safety => {
            let all = universe.violations().iter().chain(universe.not_promised());
            match all.clone().count() > under_way.violations {
                true => {
                    (1, all.last().map_or_else(String::new, |last| narration::violation(last, universe.variant().card)))
                }
                false => (0, "No property was violated.".to_owned()),
            }
        }
    };
    Some(Outcome { choice, text })
}

/// Whether clients were answered, and how long they waited.
fn answers(under_way: &UnderWay, session: &Session) -> (usize, String) {
    let UnderWay { began, until, site, .. } = *under_way;
    let mut times: Vec<Micros> = samples(session, site, began, until).map(|sample| sample.at).collect();
    times.sort_unstable();
    let count = times.len();
    let patience = 4 * session.checked().blueprint.topology.round_trip_max();
    let last = times.last().copied().unwrap_or(began);
    times.splice(0..0, [began]);
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    match () {
        () if count == 0 => (2, "They got no answer at all.".to_owned()),
        () if until - last > patience => (2, format!("The last answer came {} later.", after(last, began))),
        () if longest > patience => (1, format!("They waited {} for an answer, and then went on.", duration(longest))),
        () => (0, format!("They went on: {count} answers, {} apart at most.", duration(longest))),
    }
}

/// Answers at a site, or at all, after one time and up to another, µs.
fn samples(
    session: &Session,
    site: Option<usize>,
    from: Micros,
    until: Micros,
) -> impl DoubleEndedIterator<Item = &Sample> {
    let logs = session.universe().samples().iter().enumerate();
    let logs = logs.filter(move |(index, _)| site.is_none_or(|site| site == *index));
    logs.flat_map(|(_, log)| log.iter())
        .map(|(_, sample)| sample)
        .filter(move |sample| sample.at > from && sample.at <= until)
}

/// The latest latencies.
fn latest(session: &Session, site: Option<usize>, from: Micros, until: Micros) -> Vec<Micros> {
    samples(session, site, from, until).rev().take(LATEST).map(|sample| sample.latency).collect()
}

fn median(latencies: &[Micros]) -> Option<Micros> {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

fn after(at: Micros, began: Micros) -> String {
    duration(at.saturating_sub(began))
}

/// A duration for people: `0.57 s`, `143 ms`.
pub fn duration(micros: Micros) -> String {
    match micros {
        0..=9_999 => Quantity::from_micros(micros).to_string(),
        10_000..=999_999 => format!("{} ms", (micros + 500) / 1_000),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros / 10_000 % 100),
    }
}
