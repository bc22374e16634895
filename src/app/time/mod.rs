//! Time: transport controls (play, pause, step, speed, restart) and the time line.

pub mod timeline;

use crate::elements::controls::{button, checkbox, click, icon_button, slider};
use crate::elements::text;
use crate::page_action::{PageAction, Strike};
use crate::run::pace::Pace;
use crate::run::view_model::ViewModel;
use yew::prelude::*;

/// To the moments that matter, slowing down around them, and faults that take one press.
fn moments(view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let slows = on.reform(PageAction::SlowDown);
    let slowed = if view.pace.1 { "slowed" } else { "" };
    let strike = |word: &'static str, strike: Strike| button(word, click(on, PageAction::Strike(strike)));
    html! {
        <div class="moments">
            { icon_button("round", "before", "To the moment that matters before this", click(on, PageAction::Chapter(false))) }
            { icon_button("round", "next", "To the next moment that matters", click(on, PageAction::Chapter(true))) }
            <label class={slowed}>{ checkbox(None, view.slows_down, slows) }{ "Slow at events" }</label>
            { strike("Crash leader", Strike::Leader) }
            { strike("Cut in half", Strike::Cut(2)) }
            { strike("Cut a third", Strike::Cut(3)) }
            { strike("Mend all", Strike::Mend) }
        </div>
    }
}

/// The transport controls, with the time on screen.
pub fn transport(playing: bool, pace: Pace, view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let play = if playing { ("pause", "Pause") } else { ("play", "Play") };
    html! {
        <div class="transport" role="group" aria-label="Time">
            { icon_button("round", "restart", "Back to the start", click(on, PageAction::Restart)) }
            { icon_button("round", "back", "One event back", click(on, PageAction::Back)) }
            { icon_button("round play", play.0, play.1, click(on, PageAction::Play(!playing))) }
            { icon_button("round", "step", "One event on", click(on, PageAction::Step)) }
            <label class="pace">
                <span>{ "Speed" }</span>
                { slider("Speed", pace.spoken(), Pace::LAST as u32, pace.index() as u32, on.reform(|index| PageAction::Pace(Pace::at(index as usize)))) }
                <output>{ view.pace.0.label() }</output>
            </label>
            <p class="clock"><span>{ text::moment(view.time) }</span><small>{ text::count(view.events as usize, "event") }</small></p>
            { moments(view, on) }
        </div>
    }
}
