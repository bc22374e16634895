//! The top of the page: its name, what runs, and what can be opened.

use super::icon::Icon;
use crate::intent::{Intent, Sheet};
use crate::run::Ground;
use quorumscope::lab::Scenario;
use quorumscope::universe;
use std::rc::Rc;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub ground: Rc<Ground>,
    /// The built-in scenarios: their titles.
    pub presets: Rc<[Scenario]>,
    /// Light or dark.
    pub dark: bool,
    /// What is wanted.
    pub on: Callback<Intent>,
}

#[component]
pub fn Header(props: &Props) -> Html {
    let Props { ground, presets, dark, on } = props;
    let click = |intent: Intent| on.reform(move |_: MouseEvent| intent.clone());
    let chosen = |event: &Event| event.target_unchecked_into::<HtmlSelectElement>().value();
    let on_variant = on.reform(move |event: Event| Intent::Variant(chosen(&event)));
    let on_preset = on.reform(move |event: Event| Intent::Preset(chosen(&event).parse().unwrap_or(0)));
    let preset = presets.iter().position(|preset| preset.title == ground.scenario.title);
    html! {
        <header class="top">
            <h1>{ "Quorumscope" }</h1>
            <label class="choice">
                <span>{ "Protocol" }</span>
                <select aria-label="Protocol" onchange={on_variant}>
                    { for universe::variants().iter().map(|variant| html! {
                        <option value={variant.card.key} selected={variant.card.key == ground.variant.card.key}>{ variant.card.title }</option>
                    }) }
                </select>
            </label>
            <label class="choice wide">
                <span>{ "Scenario" }</span>
                <select aria-label="Scenario" onchange={on_preset}>
                    if preset.is_none() {
                        <option value="" selected=true disabled=true>{ own_title(&ground.scenario) }</option>
                    }
                    { for presets.iter().enumerate().map(|(i, scenario)| html! {
                        <option value={i.to_string()} selected={preset == Some(i)}>{ &scenario.title }</option>
                    }) }
                </select>
            </label>
            <span class="spring"></span>
            <button onclick={click(Intent::Open(Some(Sheet::Setup)))}>{ "Set up" }</button>
            <button onclick={click(Intent::Share)}>{ "Share" }</button>
            <button class="round" onclick={click(Intent::Dark(!dark))} aria-label={if *dark { "Light theme" } else { "Dark theme" }}
                title={if *dark { "Light theme" } else { "Dark theme" }}><Icon name={if *dark { "sun" } else { "moon" }} /></button>
            <button class="round" onclick={click(Intent::Open(Some(Sheet::Help)))} aria-label="Help" title="Help (?)">{ "?" }</button>
        </header>
    }
}

fn own_title(scenario: &Scenario) -> String {
    if scenario.title.is_empty() { "Your own".to_owned() } else { scenario.title.clone() }
}
