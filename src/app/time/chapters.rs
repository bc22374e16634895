//! The moments that matter: ticks with names on the time axis, and a row of buttons. This comes in the chunk for actions.

use super::timeline::Axis;
use crate::elements::controls::{button, checkbox, click, icon_button};
use crate::elements::svg;
use crate::elements::text;
use crate::page_action::{PageAction, Strike};
use crate::run::moments::Moment;
use crate::run::view_model::ViewModel;
use quorumscope::core::Micros;
use yew::prelude::*;

/// How long before a moment a click on its tick goes, µs.
const BEFORE: Micros = 100_000;

/// To the moments that matter, slowing down around them, and faults that take one press.
pub fn buttons(view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let slows = on.reform(PageAction::SlowDown);
    let slowed = if view.pace.1 { "slowed" } else { "" };
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
        </>
    }
}

/// Ticks with names, those ahead dotted: above what is done, by the script or by hand, and below what came of it. A click goes to just before
/// one, also ahead.
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
    let spoken = view.moments.iter().map(|moment| {
        html! { <li>{ format!("{} {}", text::moment_ms(moment.at), moment.told(now).1) }</li> }
    });
    html! {
        <>
            { row(false) }
            { row(true) }
            <ol class="unseen" aria-label="Moments that matter">{ for spoken }</ol>
        </>
    }
}
