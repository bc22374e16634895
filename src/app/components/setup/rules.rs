//! The rules of the protocol, each of which can be taken away to see what it is for.

use super::{Change, edit};
use crate::components::controls::checkbox;
use quorumscope::core::Rule;
use quorumscope::lab::Scenario;
use yew::prelude::*;

/// Offers them.
pub fn rules(rules: &'static [Rule], scenario: &Scenario, change: &Change) -> Html {
    let removable: Vec<(&Rule, &str)> = rules.iter().filter_map(|rule| Some((rule, rule.without?))).collect();
    if removable.is_empty() {
        return html! {};
    }
    html! {
        <fieldset class="rules">
            <legend>{ "Rules" }<small>{ "take one away and see what fails" }</small></legend>
            { for removable.into_iter().map(|(rule, without)| show(rule, without, scenario, change)) }
        </fieldset>
    }
}

fn show(rule: &'static Rule, without: &'static str, scenario: &Scenario, change: &Change) -> Html {
    let taken = scenario.without.iter().any(|key| key == rule.key);
    let on = edit(scenario, change, |scenario, in_force: bool| {
        scenario.without.retain(|key| key != rule.key);
        if !in_force {
            scenario.without.push(rule.key.to_owned());
        }
    });
    html! {
        <label class="rule" key={rule.key}>
            { checkbox(None, !taken, on) }
            <span>
                <strong>{ rule.title }</strong><cite>{ rule.source }</cite>
                <small>{ rule.says }</small>
                if taken { <small class="without">{ format!("Without it: {without}.") }</small> }
            </span>
        </label>
    }
}
