//! The time line: leadership intervals, interventions, branches, and a slider for the moment on screen.

use crate::elements::controls::{click, slider};
use crate::elements::text;
use crate::page_action::PageAction;
use crate::run::view_model::ViewModel;
use quorumscope::core::Micros;
use yew::prelude::*;

/// Steps of the slider.
const STEPS: u32 = 10_000;

/// The time line. `epoch` is the protocol's word for its epochs (term, ballot).
pub fn timeline(epoch: &str, view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let all = view.span.max(1);
    let percent = |at: Micros| text::hundredths(at * 10_000 / all);
    let leadership_intervals = view.leadership_intervals.iter().enumerate().map(|(i, leadership)| {
        let until = view.leadership_intervals.get(i + 1).map_or(view.time.max(leadership.since), |next| next.since);
        let node = text::number(leadership.node);
        let title = format!(
            "Node {node} leads {} from {}",
            text::epoch(epoch, leadership.epoch),
            text::moment_ms(leadership.since)
        );
        let style = format!("left: {}%; width: {}%", percent(leadership.since), percent(until - leadership.since));
        html! { <span class="reign" {title} {style}>{ format!("node {node} leads") }</span> }
    });
    let interventions =
        view.interventions.iter().map(|at| html! { <i class="deed" style={format!("left: {}%", percent(*at))}></i> });
    let seek = on.reform(move |step: u32| PageAction::Seek(u64::from(step) * all / u64::from(STEPS)));
    let now = (view.time * u64::from(STEPS) / all) as u32;
    html! {
        <div class="timeline">
            if !view.branches.is_empty() { { branches(view, on) } }
            <div class="reigns" aria-hidden="true">{ for leadership_intervals }{ for interventions }</div>
            { slider("Moment of the run", text::moment_ms(view.time), STEPS, now, seek) }
        </div>
    }
}

/// Branches of the run, a button each, on the scale of the time line: where it parted, how far it got, and which one is on screen.
fn branches(view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let all = view.span.max(1);
    let percent = |at: Micros| text::hundredths(at * 10_000 / all);
    let lines = view.branches.iter().map(|branch| {
        let name = format!("Branch {}", branch.number + 1);
        let label = match branch.parted {
            Some((from, at)) => {
                format!("{name}, parted from branch {} at {}, up to {}", from + 1, text::moment_ms(at), text::moment_ms(branch.reached))
            }
            None => format!("{name}, up to {}", text::moment_ms(branch.reached)),
        };
        let begin = branch.parted.map_or(0, |(_, at)| at);
        let at = format!("margin-left: {}%", percent(begin));
        let style = format!("{at}; width: {}%", percent(branch.reached.saturating_sub(begin)));
        let pressed = if branch.present { "true" } else { "false" };
        html! {
            <button type="button" aria-pressed={pressed} aria-label={label.clone()} title={label} onclick={click(on, PageAction::Branch(branch.number))}>
                <b style={at}>{ branch.number + 1 }</b><span {style}></span>
            </button>
        }
    });
    html! { <div class="branches" role="group" aria-label="Branches of this run">{ for lines }</div> }
}
