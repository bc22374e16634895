//! The rules of the protocol, each of which can be taken away to see what it is for.

use quorumscope::core::Rule;
use quorumscope::lab::Scenario;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// All rules.
    pub rules: &'static [Rule],
    /// As it is.
    pub scenario: Scenario,
    /// As it shall be.
    pub change: Callback<Scenario>,
}

#[component]
pub fn Rules(props: &Props) -> Html {
    let removable = props.rules.iter().filter_map(|rule| Some((rule, rule.without?)));
    html! {
        <fieldset class="rules">
            <legend>{ "Rules" } <small>{ "take one away and see what fails" }</small></legend>
            { for removable.map(|(rule, without)| show(rule, without, props)) }
        </fieldset>
    }
}

fn show(rule: &'static Rule, without: &'static str, props: &Props) -> Html {
    let taken = props.scenario.without.iter().any(|key| key == rule.key);
    let onchange = {
        let (scenario, change) = (props.scenario.clone(), props.change.clone());
        Callback::from(move |event: Event| {
            let mut scenario = scenario.clone();
            scenario.without.retain(|key| key != rule.key);
            if !event.target_unchecked_into::<HtmlInputElement>().checked() {
                scenario.without.push(rule.key.to_owned());
            }
            change.emit(scenario);
        })
    };
    html! {
        <label class={classes!("rule", taken.then_some("taken"))} key={rule.key}>
            <input type="checkbox" checked={!taken} {onchange} />
            <span>
                <strong>{ rule.title }</strong>{ " " }<cite>{ rule.source }</cite>
                <small>{ rule.says }</small>
                if taken { <small class="without">{ format!("Without it: {without}.") }</small> }
            </span>
        </label>
    }
}
