//! The fixed parts of the page: header, narration, notices.

use crate::elements::controls::{button, click, grouped, icon_button, select};
use crate::elements::text;
use crate::page_action::{Dialog, PageAction, Tab};
use crate::run::context::RunContext;
use crate::run::view_model::{ViewModel, ViolationView};
use quorumscope::core::Family;
use quorumscope::universe;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct HeaderProps {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The titles of the built-in scenarios.
    pub titles: Rc<[AttrValue]>,
    /// Whether the theme is dark.
    pub dark: bool,
    /// Takes actions.
    pub on: Callback<PageAction>,
}

/// The header: name, protocol, scenario, dialogs. A component, because it changes rarely.
#[component]
pub fn Header(props: &HeaderProps) -> Html {
    let HeaderProps { context, titles, dark, on } = props;
    let of = |family: Family| {
        let members = universe::titles().iter().filter(move |(.., of)| *of == family);
        (Some(family.title().into()), members.map(|&(key, title, _)| (key.into(), title.into())).collect())
    };
    let preset = titles.iter().position(|title| *title == context.scenario.title);
    let titles = titles.iter().enumerate().map(|(i, title)| (i.to_string().into(), title.clone()));
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
                { grouped("Protocol".into(), Family::ALL.map(of).into(), context.variant.card.key, on.reform(PageAction::Variant)) }
            </label>
            <label class="choice">
                <span>{ "Scenario" }</span>
                { select("Scenario".into(), titles.collect(), &chosen, on.reform(|index: String| PageAction::Preset(index.parse().unwrap_or(0)))) }
            </label>
            <span class="spring"></span>
            { button("Set up", click(on, PageAction::Open(Some(Dialog::Setup)))) }
            { button("Share", click(on, PageAction::Open(Some(Dialog::Share)))) }
            { icon_button("round present", "present", "Present: stage, sentence and controls alone (P)", click(on, PageAction::Present(true))) }
            { icon_button("round", theme.0, theme.1, click(on, PageAction::Dark(!dark))) }
            { icon_button("round", "help", "Help", click(on, PageAction::Open(Some(Dialog::Help)))) }
        </header>
    }
}

/// The narration: a sentence about the present state, the last event while paused, and `spoken` for screen readers.
pub fn sentence(narration: &AttrValue, spoken: &AttrValue, view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let rules = view.last.iter().flat_map(|last| &last.rules);
    html! {
        <div class="telling">
            { for view.violation.iter().map(|violation| violated(violation, view, on)) }
            <p class="sentence">{ narration }</p>
            <p class="last">
                { for view.last.iter().map(|last| &last.text) }
                { for rules.map(|rule| html! { <button type="button" class="why" title={format!("{} ({})", rule.says, rule.source)} onclick={click(on, PageAction::GoInto(Tab::Inspect))}>{ rule.title }</button> }) }
            </p>
            <p class="unseen" role="status" aria-live="polite">{ spoken }</p>
        </div>
    }
}

/// The first violation: what, when, and a button that goes there.
fn violated(violation: &ViolationView, view: &ViewModel, on: &Callback<PageAction>) -> Html {
    html! {
        <p class="violation" role="alert">
            <strong>{ &violation.text }</strong>
            if view.events == violation.event {
                <span>{ "It broke right here." }</span>
            } else {
                { button(format!("Go to where it broke, {}", text::moment_ms(violation.at)), click(on, PageAction::GoTo(violation.event))) }
            }
        </p>
    }
}

/// What is `under_way`, and a notice that can be closed: refusals, confirmations, problems. Line breaks are kept.
pub fn notice(under_way: Option<Html>, text: Option<&AttrValue>, on: &Callback<PageAction>) -> Html {
    html! {
        <div class="notice" role="status">
            { for under_way }
            if let Some(text) = text {
                <div><p>{ text }</p>{ icon_button("round", "close", "Close", click(on, PageAction::CloseNotice)) }</div>
            }
        </div>
    }
}
