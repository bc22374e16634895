//! The moments that matter: ticks with names on the time axis, and a row of buttons. This comes in the chunk for actions.

use super::timeline::Axis;
use crate::elements::controls::{button, checkbox, click, icon_button};
use crate::elements::svg;
use crate::elements::text;
use crate::page_action::{PageAction, Strike};
use crate::run::moments::Moment;
use crate::run::view_model::ViewModel;
use crate::web::browser;
use quorumscope::core::Micros;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

/// How long before a moment a click on its tick goes, µs.
const BEFORE: Micros = 100_000;

/// To the moments that matter, slowing down around them, and faults that take one press.
pub fn buttons(view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let slows = on.reform(PageAction::SlowDown);
    let slowed = if view.pace.1 { "slowed" } else { "" };
    // Whether it is pulled up is asked when the button is pressed.
    let pull = on.reform(|_: MouseEvent| PageAction::Diagram(!browser::matches_selector(".diagram")));
    let strike = |word: &'static str, strike: Strike| button(word, click(on, PageAction::Strike(strike)));
    html! {
        <>
            { icon_button("round", "before", "To the moment that matters before this", click(on, PageAction::Chapter(false))) }
            { icon_button("round", "next", "To the next moment that matters", click(on, PageAction::Chapter(true))) }
            <label class={slowed}>{ checkbox(None, view.slows_down, slows) }{ "Slow at events" }</label>
            { strike("Crash leader", Strike::Leader) }
            { strike("Cut in half", Strike::Cut(2)) }
            { strike("Cut a third", Strike::Cut(3)) }
            { strike("Mend all", Strike::Mend) }
            <button type="button" class="pull" title="The time line, pulled up: who sends what to whom, and what came of what (D)" onclick={pull}>{ "Space-time diagram" }</button>
        </>
    }
}

/// Ticks with names, those ahead dotted: above what is done, by the script or by hand, and below what came of it. A click goes to just before one,
/// also ahead. For the keyboard the same moments are a list, which is seen while the focus is in it.
pub fn ticks(view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let (now, axis) = (view.time, Axis::of(view));
    let row = |found: bool| {
        let row: Vec<&Moment> = view.moments.iter().filter(|moment| moment.found == found).collect();
        let ticks = row.iter().enumerate().map(|(i, moment)| {
            let until = row.get(i + 1).map_or(axis.0, |next| next.at);
            let (label, text) = moment.told(now);
            let title = format!("{} {text}", text::moment_ms(moment.at));
            let class = svg::classes(moment.class, &[("ahead", moment.at > now)]);
            let onclick = click(on, PageAction::Seek(moment.at.saturating_sub(BEFORE)));
            let style = axis.between(moment.at, until);
            html! { <span {class} {title} {onclick} {style}>{ label.to_owned() }</span> }
        });
        html! { <div class="faults" aria-hidden="true">{ for ticks }</div> }
    };
    // One stop of the Tab key: the moment that comes next, or the last one. Arrow keys go on from there.
    let stop = view.moments.iter().find(|moment| moment.at > now).or(view.moments.last()).map(|moment| moment.at);
    let listed = view.moments.iter().map(|moment| {
        let tabindex = if Some(moment.at) == stop { "0" } else { "-1" };
        let onclick = click(on, PageAction::Seek(moment.at.saturating_sub(BEFORE)));
        html! { <li><button type="button" {tabindex} {onclick}>{ format!("{} {}", text::moment_ms(moment.at), moment.told(now).1) }</button></li> }
    });
    html! {
        <>
            { row(false) }
            { row(true) }
            <ol class="unseen when" aria-label="Moments that matter" onkeydown={along_moments}>{ for listed }</ol>
        </>
    }
}

/// Arrow keys, Home and End move the focus along the moments.
fn along_moments(event: KeyboardEvent) {
    let Ok(all) = browser::document().query_selector_all(".when button") else { return };
    let all: Vec<HtmlElement> = (0..all.length()).filter_map(|i| all.get(i)?.dyn_into().ok()).collect();
    let focus = browser::document().active_element();
    let at = all.iter().position(|one| focus.as_ref() == Some(one)).unwrap_or(0);
    let last = all.len().saturating_sub(1);
    let to = match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => (at + 1).min(last),
        "ArrowLeft" | "ArrowUp" => at.saturating_sub(1),
        "Home" => 0,
        "End" => last,
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = all.get(to) {
        let _ = next.focus();
    }
}
