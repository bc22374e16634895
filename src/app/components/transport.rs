//! Play, pause, step, speed, restart.

use super::controls::{click, sign, slider};
use super::words;
use crate::page_action::PageAction;
use crate::run::{Pace, ViewModel};
use yew::prelude::*;

/// Shows the controls of time.
pub fn transport(playing: bool, pace: Pace, view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let play = if playing { ("pause", "Pause") } else { ("play", "Play") };
    html! {
        <div class="transport" role="group" aria-label="Time">
            { sign("round", "restart", "Back to the start", click(on, PageAction::Restart)) }
            { sign("round", "back", "One event back", click(on, PageAction::Back)) }
            { sign("round play", play.0, play.1, click(on, PageAction::Play(!playing))) }
            { sign("round", "step", "One event on", click(on, PageAction::Step)) }
            <label class="pace">
                <span>{ "Speed" }</span>
                { slider("Speed", pace.spoken(), Pace::LAST as u32, pace.index() as u32, on.reform(|index| PageAction::Pace(Pace::at(index as usize)))) }
                <output>{ pace.label() }</output>
            </label>
            <p class="clock"><span>{ words::moment(view.time) }</span><small>{ words::count(view.events as usize, "event") }</small></p>
        </div>
    }
}
