//! The run so far as a line: who led when, when something was done by hand, and where the picture stands. It can be dragged.

use super::branches::branches;
use super::controls::slider;
use super::words;
use crate::page_action::PageAction;
use crate::run::ViewModel;
use quorumscope::core::Micros;
use yew::prelude::*;

/// Steps of the slider.
const STEPS: u32 = 10_000;

/// Shows it. `epoch` is what the protocol calls its numbers.
pub fn timeline(epoch: &str, view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let all = view.span.max(1);
    let percent = |at: Micros| words::hundredths(at * 10_000 / all);
    let leadership_intervals = view.leadership_intervals.iter().enumerate().map(|(i, leadership)| {
        let until = view.leadership_intervals.get(i + 1).map_or(view.time.max(leadership.since), |next| next.since);
        let node = words::number(leadership.node);
        let title = format!(
            "Node {node} leads {} from {}",
            words::epoch(epoch, leadership.epoch),
            words::moment_ms(leadership.since)
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
            { slider("Moment of the run", words::moment_ms(view.time), STEPS, now, seek) }
        </div>
    }
}
