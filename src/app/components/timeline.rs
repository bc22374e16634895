//! The run so far as a line: who led when, when something was done by hand, and where the picture stands. It can be dragged.

use super::branches::branches;
use super::controls::slider;
use super::words;
use crate::intent::Intent;
use crate::run::Shown;
use quorumscope::core::Micros;
use yew::prelude::*;

/// Steps of the slider.
const STEPS: u32 = 10_000;

/// Shows it. `epoch` is what the protocol calls its numbers.
pub fn timeline(epoch: &str, shown: &Shown, on: &Callback<Intent>) -> Html {
    let all = shown.span.max(1);
    let percent = |at: Micros| words::hundredths(at * 10_000 / all);
    let reigns = shown.reigns.iter().enumerate().map(|(i, reign)| {
        let until = shown.reigns.get(i + 1).map_or(shown.time.max(reign.since), |next| next.since);
        let node = words::number(reign.node);
        let title =
            format!("Node {node} leads {} from {}", words::epoch(epoch, reign.epoch), words::moment_ms(reign.since));
        let style = format!("left: {}%; width: {}%", percent(reign.since), percent(until - reign.since));
        html! { <span class="reign" {title} {style}>{ format!("node {node} leads") }</span> }
    });
    let deeds = shown.deeds.iter().map(|at| html! { <i class="deed" style={format!("left: {}%", percent(*at))}></i> });
    let seek = on.reform(move |step: u32| Intent::Seek(u64::from(step) * all / u64::from(STEPS)));
    let now = (shown.time * u64::from(STEPS) / all) as u32;
    html! {
        <div class="timeline">
            if !shown.branches.is_empty() { { branches(shown, on) } }
            <div class="reigns" aria-hidden="true">{ for reigns }{ for deeds }</div>
            { slider("Moment of the run", words::moment_ms(shown.time), STEPS, now, seek) }
        </div>
    }
}
