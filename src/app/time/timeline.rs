//! The time line: moments that matter, ahead and behind, who led when, interventions, branches, and a slider for the moment on screen.

use crate::elements::controls::{click, slider};
use crate::elements::text;
use crate::page_action::PageAction;
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use crate::time::Part;
use quorumscope::core::Micros;
use quorumscope::core::card::LeaderModel;
use quorumscope::judge::LeadershipInterval;
use yew::prelude::*;

/// Steps of the slider.
const STEPS: u32 = 10_000;

/// The axis from 0 to its end, µs.
#[derive(Clone, Copy)]
pub(super) struct Axis(pub Micros);

impl Axis {
    /// An axis that holds the run, all its branches, and the moments still to come.
    pub fn of(view: &ViewModel) -> Axis {
        // The last has room for its name.
        let last = view.moments.last().map_or(0, |last| last.at + last.at / 10);
        Axis(view.span.max(last).max(1))
    }

    /// A position on it, in percent.
    fn percent(self, at: Micros) -> String {
        text::hundredths(at.min(self.0) * 10_000 / self.0)
    }

    /// The style of an element from one time to another.
    pub fn between(self, from: Micros, to: Micros) -> String {
        format!("left: {}%; width: {}%", self.percent(from), self.percent(to.saturating_sub(from)))
    }
}

/// The time line; `chapters` draws the moments that matter.
pub fn timeline(context: &RunContext, view: &ViewModel, on: &Callback<PageAction>, chapters: Option<Part>) -> Html {
    let axis = Axis::of(view);
    let Axis(all) = axis;
    let seek = on.reform(move |step: u32| PageAction::Seek(u64::from(step) * all / u64::from(STEPS)));
    let now = (view.time * u64::from(STEPS) / all) as u32;
    let interventions = view
        .interventions
        .iter()
        .map(|at| html! { <i class="intervention" style={format!("left: {}%", axis.percent(*at))}></i> });
    let violation = view.violation.iter().map(|violation| {
        let title = format!("{} {}", text::moment_ms(violation.at), violation.text);
        html! { <i class="broken" {title} style={format!("left: {}%", axis.percent(violation.at))}></i> }
    });
    html! {
        <div class="timeline">
            if !view.branches.is_empty() { { branches(view, axis, on) } }
            <div class="chapters">{ for chapters.map(|chapters| chapters(view, on)) }</div>
            <div class="leaderships" aria-hidden="true">{ leadership(context, view, axis) }{ for interventions }{ for violation }</div>
            { slider("Moment of the run", text::moment_ms(view.time), STEPS, now, seek) }
        </div>
    }
}

/// Bands of leadership; times without a leader are hatched, where the protocol has one leader.
fn leadership(context: &RunContext, view: &ViewModel, axis: Axis) -> Html {
    let hatched = !matches!(context.variant.card.leader, LeaderModel::None | LeaderModel::PerObject);
    let epoch = context.variant.card.epoch;
    let bands = bands(&view.leadership_intervals, view.time);
    let draw = bands.into_iter().filter(|band| hatched || band.leader.is_some()).map(|Band { from, to, leader }| {
        let style = axis.between(from, to);
        let times = format!("from {} to {}", text::moment_ms(from), text::moment_ms(to));
        match leader {
            Some(interval) => {
                let node = text::number(interval.node);
                let title = format!("Node {node} leads {} {times}", text::epoch(epoch, interval.epoch));
                let class = if interval.epoch.number % 2 == 0 { "leadership even" } else { "leadership" };
                html! { <span {class} {title} {style}>{ format!("node {node} leads") }</span> }
            }
            None => html! { <span class="leaderless" title={format!("Nobody leads {times}")} {style}></span> },
        }
    });
    draw.collect()
}

/// A time during which one node leads, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    pub from: Micros,
    pub to: Micros,
    pub leader: Option<LeadershipInterval>,
}

/// Who led when, from 0 to `now` without gaps. Where several nodes believe they lead, the one with the highest epoch does.
pub(super) fn bands(intervals: &[LeadershipInterval], now: Micros) -> Vec<Band> {
    let end = |interval: &LeadershipInterval| interval.until.unwrap_or(now).min(now);
    let mut times: Vec<Micros> = intervals.iter().flat_map(|interval| [interval.since, end(interval)]).collect();
    times.extend([0, now]);
    times.retain(|at| *at <= now);
    times.sort_unstable();
    times.dedup();
    let mut bands: Vec<Band> = Vec::new();
    for pair in times.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let leads = intervals.iter().filter(|interval| interval.since <= from && end(interval) >= to);
        let leader = leads.max_by_key(|interval| interval.epoch).copied();
        match bands.last_mut().filter(|last| last.leader == leader) {
            Some(last) => last.to = to,
            None => bands.push(Band { from, to, leader }),
        }
    }
    bands
}

/// Branches of the run, a button each, on the scale of the time line: where it parted, how far it got, and which one is on screen.
fn branches(view: &ViewModel, axis: Axis, on: &Callback<PageAction>) -> Html {
    let lines = view.branches.iter().map(|branch| {
        let name = format!("Branch {}", branch.number + 1);
        let label = match branch.parted {
            Some((from, at)) => {
                format!("{name}, parted from branch {} at {}, up to {}", from + 1, text::moment_ms(at), text::moment_ms(branch.reached))
            }
            None => format!("{name}, up to {}", text::moment_ms(branch.reached)),
        };
        let begin = branch.parted.map_or(0, |(_, at)| at);
        let at = format!("margin-left: {}%", axis.percent(begin));
        let style = format!("{at}; width: {}%", axis.percent(branch.reached.saturating_sub(begin)));
        let pressed = if branch.present { "true" } else { "false" };
        html! {
            <button type="button" aria-pressed={pressed} aria-label={label.clone()} title={label} onclick={click(on, PageAction::Branch(branch.number))}>
                <b style={at}>{ branch.number + 1 }</b><span {style}></span>
            </button>
        }
    });
    html! { <div class="branches" role="group" aria-label="Branches of this run">{ for lines }</div> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorumscope::core::{Epoch, NodeId};

    fn interval(node: u8, number: u32, since: Micros, until: Option<Micros>) -> LeadershipInterval {
        LeadershipInterval { since, until, node: NodeId(node), epoch: Epoch { number, owner: None } }
    }

    fn leaders(intervals: &[LeadershipInterval], now: Micros) -> Vec<(Micros, Micros, Option<u8>)> {
        bands(intervals, now).iter().map(|band| (band.from, band.to, band.leader.map(|leader| leader.node.0))).collect()
    }

    #[test]
    fn crashed_leader_is_followed_by_time_without_leader() {
        let first = interval(0, 1, 10, Some(40));
        assert_eq!(leaders(&[first], 50), [(0, 10, None), (10, 40, Some(0)), (40, 50, None)]);
        let second = interval(1, 2, 45, None);
        assert_eq!(
            leaders(&[first, second], 50),
            [(0, 10, None), (10, 40, Some(0)), (40, 45, None), (45, 50, Some(1))]
        );
    }

    #[test]
    fn leader_that_does_not_know_of_its_successor_leads_only_while_there_is_no_later_epoch() {
        let [stale, later] = [interval(0, 1, 0, None), interval(1, 2, 20, Some(30))];
        assert_eq!(leaders(&[stale, later], 40), [(0, 20, Some(0)), (20, 30, Some(1)), (30, 40, Some(0))]);
    }

    #[test]
    fn bands_end_at_the_present_moment() {
        assert_eq!(leaders(&[interval(0, 1, 10, Some(40))], 20), [(0, 10, None), (10, 20, Some(0))]);
        assert_eq!(leaders(&[], 0), []);
    }
}
