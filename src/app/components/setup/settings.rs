//! What the protocol lets one choose.

use super::{Change, edit};
use crate::components::controls::{checkbox, field, select};
use quorumscope::core::{Setting, SettingKind};
use quorumscope::lab::scenario::Value;
use quorumscope::lab::{Quantity, Scenario};
use yew::prelude::*;

/// Offers it.
pub fn settings(settings: &'static [Setting], scenario: &Scenario, change: &Change) -> Html {
    if settings.is_empty() {
        return html! {};
    }
    html! {
        <fieldset class="settings">
            <legend>{ "Protocol" }</legend>
            { for settings.iter().map(|setting| html! {
                <label class="field" key={setting.key}>
                    <span>{ plain(setting.key) }</span>
                    { control(setting, scenario, change) }
                    <small>{ setting.says }</small>
                </label>
            }) }
        </fieldset>
    }
}

fn control(setting: &'static Setting, scenario: &Scenario, change: &Change) -> Html {
    let now = scenario.settings.get(setting.key);
    // A value like the default is left out again, so that links stay short.
    let set = edit(scenario, change, |scenario, value: Option<Value>| {
        match value {
            Some(value) => scenario.settings.insert(setting.key.to_owned(), value),
            None => scenario.settings.remove(setting.key),
        };
    });
    match setting.kind {
        SettingKind::Flag { default } => {
            let checked = now.map_or(default, |value| *value == Value::Flag(true));
            checkbox(None, checked, set.reform(move |checked| (checked != default).then_some(Value::Flag(checked))))
        }
        SettingKind::Choice { options, default } => {
            let default = options[usize::from(default)];
            let chosen = now.map_or(default.to_owned(), text_of);
            let options = options.iter().map(|option| ((*option).into(), plain(option).into())).collect();
            let on = set.reform(move |value: String| (value != default).then_some(Value::Text(value)));
            select(plain(setting.key).into(), options, &chosen, on)
        }
        SettingKind::Duration { min, max } => {
            let title = format!("{} to {}", Quantity::from_micros(min), Quantity::from_micros(max));
            let on = set.reform(|text: String| (!text.is_empty()).then_some(Value::Text(text)));
            field(now.map(text_of).unwrap_or_default(), "worked out".into(), title.into(), on)
        }
        SettingKind::Count { min, max, default } => {
            // What is no number stays as it was written, and is complained about.
            let on = set.reform(move |text: String| match text.parse::<i64>() {
                Ok(number) => (number != i64::from(default)).then_some(Value::Number(number)),
                Err(_) => (!text.is_empty()).then_some(Value::Text(text)),
            });
            field(
                now.map(text_of).unwrap_or_default(),
                default.to_string().into(),
                format!("{min} to {max}").into(),
                on,
            )
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
