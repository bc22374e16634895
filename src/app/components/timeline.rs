//! The run so far as a line: who led when, when something was done by hand, and where the picture stands. It can be dragged.

use super::size::use_size;
use super::words;
use crate::intent::Intent;
use crate::run::{Ground, Shown};
use quorumscope::core::Micros;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

const HEIGHT: f64 = 30.0;
/// A reign as wide as this has room for its number.
const ROOM: f64 = 22.0;
/// Steps of the slider.
const STEPS: f64 = 10_000.0;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub ground: Rc<Ground>,
    /// What it looks like now.
    pub shown: Rc<Shown>,
    /// What is wanted.
    pub on: Callback<Intent>,
}

#[component]
pub fn Timeline(props: &Props) -> Html {
    let Props { ground, shown, on } = props;
    let frame = use_node_ref();
    let (width, _) = use_size(&frame);
    let all = shown.reached.max(1) as f64;
    let x = |at: Micros| at as f64 / all * width;
    let oninput = on.reform(move |event: InputEvent| {
        let part = event.target_unchecked_into::<HtmlInputElement>().value_as_number() / STEPS;
        Intent::Seek((part * all) as Micros)
    });
    let value = (shown.time as f64 / all * STEPS).round();
    let epoch = ground.variant.card.epoch;
    html! {
        <div class="timeline" ref={frame}>
            <svg width={width.to_string()} height={HEIGHT.to_string()} aria-hidden="true">
                { for shown.reigns.iter().enumerate().map(|(i, reign)| {
                    let until = shown.reigns.get(i + 1).map_or(shown.time, |next| next.since);
                    let (from, wide) = (x(reign.since), (x(until) - x(reign.since)).max(1.0));
                    html! {
                        <g class={classes!("reign", (i % 2 == 1).then_some("odd"))}>
                            <title>{ format!("Node {} leads {} from {}", words::number(reign.node), words::epoch(epoch, reign.epoch), words::moment_ms(reign.since)) }</title>
                            <rect x={format!("{from:.1}")} y="2" width={format!("{wide:.1}")} height="14" />
                            if wide > ROOM {
                                <text x={format!("{:.1}", from + 5.0)} y="13">{ reign_label(words::number(reign.node), wide) }</text>
                            }
                        </g>
                    }
                }) }
                { for shown.deeds.iter().map(|at| {
                    let x = x(*at);
                    html! { <path class="deed" d={format!("M{:.1} 16l4 7h-8z", x)} /> }
                }) }
            </svg>
            <input type="range" min="0" max={STEPS.to_string()} value={value.to_string()} {oninput}
                aria-label="Moment of the run" aria-valuetext={words::moment_ms(shown.time)} />
        </div>
    }
}

fn reign_label(node: usize, wide: f64) -> String {
    if wide > 90.0 { format!("node {node} leads") } else { node.to_string() }
}
