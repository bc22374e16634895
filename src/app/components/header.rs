//! The top of the page: its name, what runs, and what can be opened.

use super::controls::{button, click, select, sign};
use crate::page_action::{Dialog, PageAction};
use crate::run::RunContext;
use quorumscope::lab::Scenario;
use quorumscope::universe;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The built-in scenarios.
    pub presets: Rc<[Scenario]>,
    /// Light or dark.
    pub dark: bool,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

/// A component, unlike most pieces of the page: it changes so rarely that comparing it ten times a second would be a waste.
#[component]
pub fn Header(props: &Props) -> Html {
    let Props { context, presets, dark, on } = props;
    let variants = universe::titles().iter().map(|&(key, title)| (key.into(), title.into()));
    let titles = presets.iter().enumerate().map(|(i, scenario)| (i.to_string().into(), scenario.title.clone().into()));
    let preset = presets.iter().position(|preset| preset.title == context.scenario.title);
    let chosen = match preset {
        Some(index) => index.to_string(),
        None if context.scenario.title.is_empty() => "Your own".to_owned(),
        None => context.scenario.title.clone(),
    };
    let theme = if *dark { ("sun", "Light theme") } else { ("moon", "Dark theme") };
    html! {
        <header class="top">
            <h1>{ "Quorumscope" }</h1>
            <label class="choice">
                <span>{ "Protocol" }</span>
                { select("Protocol".into(), variants.collect(), context.variant.card.key, on.reform(PageAction::Variant)) }
            </label>
            <label class="choice">
                <span>{ "Scenario" }</span>
                { select("Scenario".into(), titles.collect(), &chosen, on.reform(|index: String| PageAction::Preset(index.parse().unwrap_or(0)))) }
            </label>
            <span class="spring"></span>
            { button("Set up", click(on, PageAction::Open(Some(Dialog::Setup)))) }
            { button("Share", click(on, PageAction::Share)) }
            { sign("round", theme.0, theme.1, click(on, PageAction::Dark(!dark))) }
            { sign("round", "help", "Help", click(on, PageAction::Open(Some(Dialog::Help)))) }
        </header>
    }
}
