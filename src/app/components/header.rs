//! The top of the page: its name, what runs, and what can be opened.

use super::controls::{button, click, select, sign};
use crate::intent::{Intent, Sheet};
use crate::run::Ground;
use quorumscope::lab::Scenario;
use quorumscope::universe;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub ground: Rc<Ground>,
    /// The built-in scenarios.
    pub presets: Rc<[Scenario]>,
    /// Light or dark.
    pub dark: bool,
    /// What is wanted.
    pub on: Callback<Intent>,
}

/// A component, unlike most pieces of the page: it changes so rarely that comparing it ten times a second would be a waste.
#[component]
pub fn Header(props: &Props) -> Html {
    let Props { ground, presets, dark, on } = props;
    let variants = universe::titles().iter().map(|&(key, title)| (key.into(), title.into()));
    let titles = presets.iter().enumerate().map(|(i, scenario)| (i.to_string().into(), scenario.title.clone().into()));
    let preset = presets.iter().position(|preset| preset.title == ground.scenario.title);
    let chosen = match preset {
        Some(index) => index.to_string(),
        None if ground.scenario.title.is_empty() => "Your own".to_owned(),
        None => ground.scenario.title.clone(),
    };
    let theme = if *dark { ("sun", "Light theme") } else { ("moon", "Dark theme") };
    html! {
        <header class="top">
            <h1>{ "Quorumscope" }</h1>
            <label class="choice">
                <span>{ "Protocol" }</span>
                { select("Protocol".into(), variants.collect(), ground.variant.card.key, on.reform(Intent::Variant)) }
            </label>
            <label class="choice">
                <span>{ "Scenario" }</span>
                { select("Scenario".into(), titles.collect(), &chosen, on.reform(|index: String| Intent::Preset(index.parse().unwrap_or(0)))) }
            </label>
            <span class="spring"></span>
            { button("Set up", click(on, Intent::Open(Some(Sheet::Setup)))) }
            { button("Share", click(on, Intent::Share)) }
            { sign("round", theme.0, theme.1, click(on, Intent::Dark(!dark))) }
            { sign("round", "help", "Help", click(on, Intent::Open(Some(Sheet::Help)))) }
        </header>
    }
}
