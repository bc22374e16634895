//! Dots over time in a narrow strip, as wide as there is room.

use crate::components::draw;
use crate::stage::geometry::point;
use yew::prelude::*;

/// Size of the drawing; it is stretched to the room there is.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 40.0;

/// What a strip shows.
#[derive(Clone, Copy)]
pub struct Span {
    /// When it begins.
    pub from: u64,
    /// When it ends.
    pub to: u64,
    /// How much its top stands for.
    pub top: u64,
}

/// Draws points (when, and how much) and moments to mark. `spoken` is all of it in words.
pub fn strip(points: &[(u64, u64)], span: Span, marks: &[u64], spoken: String) -> Html {
    let Span { from, to, top } = span;
    let x = |at: u64| (at.saturating_sub(from)) as f64 / (to - from).max(1) as f64 * (WIDTH - 4.0) + 2.0;
    let y = |value: u64| HEIGHT - 3.0 - value.min(top) as f64 / top.max(1) as f64 * (HEIGHT - 6.0);
    let dot = |&(at, value): &(u64, u64)| format!("M{} {}h0", draw::number(x(at)), draw::number(y(value)));
    let dots: String = points.iter().filter(|(at, _)| *at >= from).map(dot).collect();
    let marks = marks
        .iter()
        .filter(|at| **at >= from && **at <= to)
        .map(|at| draw::line("deed", point(x(*at), 0.0), point(x(*at), HEIGHT)));
    html! {
        <svg class="strip" viewBox="0 0 300 40" preserveAspectRatio="none" role="img" aria-label={spoken}>
            { draw::line("floor", point(0.0, HEIGHT - 0.5), point(WIDTH, HEIGHT - 0.5)) }
            { draw::path("dots", dots) }
            { for marks }
        </svg>
    }
}
