//! Panels beside the stage: about the scenario, latency, log, messages per command.

pub mod judged;
pub mod latency;
pub mod log;
pub mod measurements;
pub mod messages;
pub mod trials;

use quorumscope::lab::Scenario;
use yew::prelude::*;

/// Title and description of the scenario, in a panel that can be folded; nothing if it has no description.
pub fn about(scenario: &Scenario) -> Html {
    if scenario.about.is_empty() {
        return html! {};
    }
    html! {
        <details class="panel about" open=true key={scenario.title.clone()}>
            <summary>{ &scenario.title }</summary>
            <p>{ &scenario.about }</p>
        </details>
    }
}
