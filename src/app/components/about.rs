//! What there is to see in the scenario on screen, in its own words. It can be folded away.

use quorumscope::lab::Scenario;
use yew::prelude::*;

/// Shows it, if the scenario says anything.
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
