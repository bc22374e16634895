//! Play, pause, step, speed, restart.

use super::icon::Icon;
use super::words;
use crate::intent::Intent;
use crate::run::Pace;
use quorumscope::core::Micros;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Whether time goes by.
    pub playing: bool,
    /// How fast.
    pub pace: Pace,
    /// µs since the start.
    pub time: Micros,
    /// Events since the start.
    pub events: u64,
    /// What is wanted.
    pub on: Callback<Intent>,
}

#[component]
pub fn Transport(props: &Props) -> Html {
    let Props { playing, pace, time, events, on } = props;
    let playing = *playing;
    let oninput = on.reform(|event: InputEvent| {
        let index = event.target_unchecked_into::<HtmlInputElement>().value_as_number();
        Intent::Pace(Pace::at(index as usize))
    });
    let click = |intent: Intent| on.reform(move |_: MouseEvent| intent.clone());
    html! {
        <div class="transport" role="group" aria-label="Time">
            <button class="round" title="Back to the start" aria-label="Back to the start" onclick={click(Intent::Restart)}><Icon name="restart" /></button>
            <button class="round" title="One event back" aria-label="One event back" onclick={click(Intent::Back)}><Icon name="back" /></button>
            <button class="round play" title="Play or pause (space)" aria-label={if playing { "Pause" } else { "Play" }} onclick={click(Intent::Play(!playing))}>
                <Icon name={if playing { "pause" } else { "play" }} />
            </button>
            <button class="round" title="One event on (S)" aria-label="One event on" onclick={click(Intent::Step)}><Icon name="step" /></button>
            <label class="pace">
                <span>{ "Speed" }</span>
                <input type="range" min="0" max={Pace::LAST.to_string()} value={pace.index().to_string()} {oninput}
                    aria-label="Speed" aria-valuetext={pace.spoken()} />
                <output>{ pace.label() }</output>
            </label>
            <p class="clock"><span>{ words::moment(*time) }</span><small>{ words::count(*events as usize, "event") }</small></p>
        </div>
    }
}
