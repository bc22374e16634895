//! Dots over time in a narrow strip.

use crate::elements::geometry::point;
use crate::elements::svg;
use yew::prelude::*;

/// Size of the drawing, which is stretched to its element.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 40.0;

/// The ranges of a strip.
#[derive(Clone, Copy)]
pub struct Span {
    /// Begin, µs.
    pub from: u64,
    /// End, µs.
    pub to: u64,
    /// Value at the top.
    pub top: u64,
}

/// Draws points (time, value) and marks (times). `spoken` is its text for screen readers.
pub fn strip(points: &[(u64, u64)], span: Span, marks: &[u64], spoken: String) -> Html {
    let Span { from, to, top } = span;
    let x = |at: u64| (at.saturating_sub(from)) as f64 / (to - from).max(1) as f64 * (WIDTH - 4.0) + 2.0;
    let y = |value: u64| HEIGHT - 3.0 - value.min(top) as f64 / top.max(1) as f64 * (HEIGHT - 6.0);
    let dot = |&(at, value): &(u64, u64)| format!("M{} {}h0", svg::number(x(at)), svg::number(y(value)));
    let dots: String = points.iter().filter(|(at, _)| *at >= from).map(dot).collect();
    let marks = marks
        .iter()
        .filter(|at| **at >= from && **at <= to)
        .map(|at| svg::line("intervention", point(x(*at), 0.0), point(x(*at), HEIGHT)));
    html! {
        <svg class="strip" viewBox="0 0 300 40" preserveAspectRatio="none" role="img" aria-label={spoken}>
            { svg::line("floor", point(0.0, HEIGHT - 0.5), point(WIDTH, HEIGHT - 0.5)) }
            { svg::path("dots", dots) }
            { for marks }
        </svg>
    }
}
