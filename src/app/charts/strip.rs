//! Dots over time in a narrow strip.

use crate::components::size::use_size;
use std::fmt::Write;
use yew::prelude::*;

/// Height of the strip.
const HEIGHT: f64 = 40.0;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// When and how much.
    pub points: Vec<(u64, u64)>,
    /// When the strip begins and ends.
    pub span: (u64, u64),
    /// How much its top stands for.
    pub top: u64,
    /// Moments to mark.
    pub marks: Vec<u64>,
    /// All of it in words.
    pub spoken: AttrValue,
}

#[component]
pub fn Strip(props: &Props) -> Html {
    let frame = use_node_ref();
    let (width, _) = use_size(&frame);
    let (from, to) = props.span;
    let x = |at: u64| (at.saturating_sub(from)) as f64 / (to - from).max(1) as f64 * (width - 4.0) + 2.0;
    let y = |value: u64| HEIGHT - 3.0 - value as f64 / props.top.max(1) as f64 * (HEIGHT - 6.0);
    let mut dots = String::new();
    for &(at, value) in props.points.iter().filter(|(at, _)| *at >= from) {
        let _ = write!(dots, "M{:.1} {:.1}h0", x(at), y(value));
    }
    html! {
        <div class="strip" ref={frame}>
            <svg width={width.to_string()} height={HEIGHT.to_string()} role="img" aria-label={props.spoken.clone()}>
                <line class="floor" x1="0" x2={width.to_string()} y1={(HEIGHT - 0.5).to_string()} y2={(HEIGHT - 0.5).to_string()} />
                { for props.marks.iter().filter(|at| **at >= from && **at <= to).map(|at| {
                    let x = format!("{:.1}", x(*at));
                    html! { <line class="deed" x1={x.clone()} x2={x} y1="0" y2={HEIGHT.to_string()} /> }
                }) }
                <path class="dots" d={dots} />
            </svg>
        </div>
    }
}
