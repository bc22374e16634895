//! Panels beside the stage: about the scenario, latency, messages per command; inspector and log; tabs.

pub mod break_it;
pub mod inspect;
pub mod judged;
pub mod latency;
pub mod measurements;
pub mod messages;
pub mod side;
pub mod tabs;
pub mod trials;
pub mod words;

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
