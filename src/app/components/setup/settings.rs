//! What the protocol lets one choose.

use quorumscope::core::{Setting, SettingKind};
use quorumscope::lab::scenario::Value;
use quorumscope::lab::{Quantity, Scenario};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What there is to choose.
    pub settings: &'static [Setting],
    /// As it is.
    pub scenario: Scenario,
    /// As it shall be.
    pub change: Callback<Scenario>,
}

#[component]
pub fn Settings(props: &Props) -> Html {
    html! {
        <fieldset class="settings">
            <legend>{ "Protocol" }</legend>
            { for props.settings.iter().map(|setting| html! {
                <label class="field" key={setting.key}>
                    <span>{ plain(setting.key) }</span>
                    { control(setting, props) }
                    <small>{ setting.says }</small>
                </label>
            }) }
        </fieldset>
    }
}

fn control(setting: &'static Setting, props: &Props) -> Html {
    let now = props.scenario.settings.get(setting.key);
    // A value like the default is left out again, so that links stay short.
    let set = {
        let (scenario, change) = (props.scenario.clone(), props.change.clone());
        Callback::from(move |value: Option<Value>| {
            let mut scenario = scenario.clone();
            match value {
                Some(value) => scenario.settings.insert(setting.key.to_owned(), value),
                None => scenario.settings.remove(setting.key),
            };
            change.emit(scenario);
        })
    };
    match setting.kind {
        SettingKind::Flag { default } => {
            let checked = now.map_or(default, |value| *value == Value::Flag(true));
            let onchange = set.reform(move |event: Event| {
                let checked = event.target_unchecked_into::<HtmlInputElement>().checked();
                (checked != default).then_some(Value::Flag(checked))
            });
            html! { <input type="checkbox" {checked} {onchange} /> }
        }
        SettingKind::Choice { options, default } => {
            let default = options[usize::from(default)];
            let chosen = match now {
                Some(Value::Text(text)) => text.clone(),
                _ => default.to_owned(),
            };
            let onchange = set.reform(move |event: Event| {
                let value = event.target_unchecked_into::<HtmlSelectElement>().value();
                (value != default).then_some(Value::Text(value))
            });
            html! {
                <select {onchange}>
                    { for options.iter().map(|option| html! { <option value={*option} selected={*option == chosen}>{ plain(option) }</option> }) }
                </select>
            }
        }
        SettingKind::Duration { min, max } => {
            let value = now.map(text_of).unwrap_or_default();
            let onchange = set.reform(|event: Event| {
                let text = event.target_unchecked_into::<HtmlInputElement>().value().trim().to_owned();
                (!text.is_empty()).then_some(Value::Text(text))
            });
            let title = format!(
                "{} to {}; empty: worked out from the distances",
                Quantity::from_micros(min),
                Quantity::from_micros(max)
            );
            html! { <input type="text" size="9" placeholder="worked out" {value} {title} {onchange} /> }
        }
        SettingKind::Count { min, max, default } => {
            let value = now.map_or(default.to_string(), text_of);
            let onchange = set.reform(move |event: Event| {
                let number = event.target_unchecked_into::<HtmlInputElement>().value().parse::<i64>().ok();
                number.filter(|number| *number != i64::from(default)).map(Value::Number)
            });
            html! { <input type="number" min={min.to_string()} max={max.to_string()} {value} {onchange} /> }
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
    }
}

/// `election_timeout_min` as people write it.
fn plain(key: &str) -> String {
    let mut words = key.replace(['_', '-'], " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}
