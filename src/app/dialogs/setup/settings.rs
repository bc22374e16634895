//! Settings and rules of the protocol in the set-up dialog.

use super::draft::{Change, Draft, edit, message, problem_at};
use crate::elements::controls::{Field, checkbox, field, select};
use quorumscope::core::{Rule, Setting, SettingKind};
use quorumscope::lab::scenario::Value;
use quorumscope::lab::{Quantity, Scenario};
use quorumscope::universe::Variant;
use yew::prelude::*;

/// The settings of the protocol.
pub fn settings(variant: &'static Variant, draft: &Draft) -> Html {
    let Draft { scenario, change, problems, .. } = *draft;
    if variant.settings.is_empty() {
        return html! {};
    }
    html! {
        <fieldset class="settings">
            <legend>{ "Protocol" }</legend>
            { for variant.described_settings().map(|(setting, says)| {
                let problem = problem_at(&format!("settings.{}", setting.key), problems);
                html! {
                    <label class="field" key={setting.key}>
                        <span>{ plain(setting.key) }</span>
                        { control(setting, scenario, change, problem.is_some()) }
                        <small>{ says }</small>
                        { message(problem) }
                    </label>
                }
            }) }
        </fieldset>
    }
}

fn control(setting: &'static Setting, scenario: &Scenario, change: &Change, invalid: bool) -> Html {
    let label = AttrValue::from(plain(setting.key));
    let now = scenario.settings.get(setting.key);
    // The default is left out, so that links stay short.
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
            select(label, options, &chosen, on)
        }
        SettingKind::Duration { min, max } => {
            let title = format!("{} to {}", Quantity::from_micros(min), Quantity::from_micros(max));
            let on = set.reform(|text: String| (!text.is_empty()).then_some(Value::Text(text)));
            let value = now.map(text_of).unwrap_or_default();
            field(Field { label, value, placeholder: "worked out".into(), title: title.into(), invalid }, on)
        }
        SettingKind::Count { min, max, default } => {
            // A text that is no number is kept, and reported as a problem.
            let on = set.reform(move |text: String| match text.parse::<i64>() {
                Ok(number) => (number != i64::from(default)).then_some(Value::Number(number)),
                Err(_) => (!text.is_empty()).then_some(Value::Text(text)),
            });
            {
                let value = now.map(text_of).unwrap_or_default();
                let title = format!("{min} to {max}").into();
                field(Field { label, value, placeholder: default.to_string().into(), title, invalid }, on)
            }
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
pub fn plain(key: &str) -> String {
    let mut words = key.replace(['_', '-'], " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// The rules of the protocol that can be switched off.
pub fn rules(rules: &'static [Rule], scenario: &Scenario, change: &Change) -> Html {
    let removable: Vec<(&Rule, &str)> = rules.iter().filter_map(|rule| Some((rule, rule.without?))).collect();
    if removable.is_empty() {
        return html! {};
    }
    html! {
        <fieldset class="rules">
            <legend>{ "Rules" }<small>{ "take one away and see what fails" }</small></legend>
            { for removable.into_iter().map(|(rule, without)| rule_row(rule, without, scenario, change)) }
        </fieldset>
    }
}

fn rule_row(rule: &'static Rule, without: &'static str, scenario: &Scenario, change: &Change) -> Html {
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
