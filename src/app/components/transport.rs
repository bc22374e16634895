//! Play, pause, step, speed, restart.

use super::controls::{click, sign, slider};
use super::words;
use crate::intent::Intent;
use crate::run::{Pace, Shown};
use yew::prelude::*;

/// Shows the controls of time.
pub fn transport(playing: bool, pace: Pace, shown: &Shown, on: &Callback<Intent>) -> Html {
    let play = if playing { ("pause", "Pause") } else { ("play", "Play") };
    html! {
        <div class="transport" role="group" aria-label="Time">
            { sign("round", "restart", "Back to the start", click(on, Intent::Restart)) }
            { sign("round", "back", "One event back", click(on, Intent::Back)) }
            { sign("round play", play.0, play.1, click(on, Intent::Play(!playing))) }
            { sign("round", "step", "One event on", click(on, Intent::Step)) }
            <label class="pace">
                <span>{ "Speed" }</span>
                { slider("Speed", pace.spoken(), Pace::LAST as u32, pace.index() as u32, on.reform(|index| Intent::Pace(Pace::at(index as usize)))) }
                <output>{ pace.label() }</output>
            </label>
            <p class="clock"><span>{ words::moment(shown.time) }</span><small>{ words::count(shown.events as usize, "event") }</small></p>
        </div>
    }
}
