//! Time: transport controls (play, pause, step, speed, restart) and the time line.

pub mod chapters;
pub mod diagram;
pub mod timeline;

use crate::elements::controls::{click, icon_button, slider};
use crate::elements::text;
use crate::page_action::PageAction;
use crate::run::pace::Pace;
use crate::run::view_model::ViewModel;
use yew::prelude::*;

/// A part of the time controls that comes in the chunk for actions.
pub type Part = fn(&ViewModel, &Callback<PageAction>) -> Html;

/// The transport controls, with the time on screen, and `more` below them.
pub fn transport(playing: bool, pace: Pace, view: &ViewModel, on: &Callback<PageAction>, more: Option<Part>) -> Html {
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
            <div class="moments">{ for more.map(|more| more(view, on)) }</div>
        </div>
    }
}
