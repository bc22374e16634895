//! Stacked bars and columns with a mark for the expected value. Hovering or focusing a bar shows its numbers.

use super::scale::Scale;
use crate::elements::geometry::point;
use crate::elements::svg;
use crate::elements::text::decimal;
use yew::prelude::*;

/// Least length of a part that has room for its letter, as a fraction of the scale.
const ROOM: f64 = 0.055;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Name.
    pub label: AttrValue,
    /// Stacked parts.
    pub parts: Vec<Part>,
    /// Expected value.
    pub mark: Option<f64>,
    /// Text for screen readers.
    pub spoken: String,
    /// Whether its values change all the time.
    pub live: bool,
}

/// One part of a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// Its letter.
    pub letter: char,
    /// Its colour's name in the style sheet.
    pub color: &'static str,
    /// Its value.
    pub value: f64,
}

impl Bar {
    /// Sum of its parts.
    fn total(&self) -> f64 {
        self.parts.iter().map(|part| part.value).sum()
    }
}

/// A chart of horizontal bars on one scale.
pub fn bars(label: AttrValue, bars: &[Bar]) -> Html {
    let most = bars.iter().map(|bar| bar.total().max(bar.mark.unwrap_or(0.0))).fold(0.0, f64::max);
    let scale = Scale::holding(most, 100.0);
    let ticks = scale.ticks();
    html! {
        <div class="bars" role="group" aria-label={label}>
            { for bars.iter().map(|bar| show(bar, &scale)) }
            <div class="axis" aria-hidden="true">
                <span class="track">{ for ticks.into_iter().map(|tick| html! { <i style={at("left", scale.at(tick))}>{ decimal(tick) }</i> }) }</span>
            </div>
        </div>
    }
}

fn show(bar: &Bar, scale: &Scale) -> Html {
    let parts = bar.parts.iter().map(|part| {
        let letter = if part.value / scale.top > ROOM { part.letter.to_string() } else { String::new() };
        html! { <i class={format!("on-{}", part.color)} style={at("width", scale.at(part.value))}>{ letter }</i> }
    });
    html! {
        <div class={if bar.live { "bar live" } else { "bar" }} tabindex="0" role="img" aria-label={bar.spoken.clone()}>
            <span class="label">{ &bar.label }</span>
            <span class="track">
                { for parts }
                { for bar.mark.map(|mark| html! { <b class="mark" style={at("left", scale.at(mark))}></b> }) }
            </span>
            <strong>{ if bar.parts.is_empty() { "–".to_owned() } else { decimal(bar.total()) } }</strong>
            if !bar.parts.is_empty() { { tip(bar) } }
        </div>
    }
}

fn at(property: &str, percent: f64) -> String {
    format!("{property}: {}%", decimal(percent))
}

fn tip(bar: &Bar) -> Html {
    let row = |class: String, sign: String, name: &'static str, value: f64| {
        html! { <span><i class={class}>{ sign }</i>{ name }<b>{ decimal(value) }</b></span> }
    };
    let parts = bar
        .parts
        .iter()
        .map(|part| row(format!("dot on-{}", part.color), part.letter.to_string(), part.name, part.value));
    let formula = bar.mark.map(|mark| row("tick".to_owned(), String::new(), "the formula", mark));
    html! { <div class="tip">{ for parts.chain(formula) }</div> }
}

const COLUMN: f64 = 13.0;
const STEP: f64 = 19.0;
const HEIGHT: f64 = 60.0;
const FOOT: f64 = 16.0;
const HEAD: f64 = 14.0;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Text below it.
    pub label: String,
    /// Stacked parts, from the bottom.
    pub parts: Vec<Part>,
    /// Expected value.
    pub mark: Option<f64>,
}

impl Column {
    fn total(&self) -> f64 {
        self.parts.iter().map(|part| part.value).sum()
    }
}

/// A chart of columns for one variant, on a scale of its own. `spoken` is its text for screen readers.
pub fn columns(title: AttrValue, columns: &[Column], spoken: String) -> Html {
    let most = columns.iter().map(|column| column.total().max(column.mark.unwrap_or(0.0))).fold(1.0, f64::max);
    let scale = Scale { top: most, length: HEIGHT };
    let width = columns.len() as f64 * STEP;
    let (floor, height) = (HEAD + HEIGHT, HEAD + HEIGHT + FOOT);
    html! {
        <div class="columns" tabindex="0" role="img" aria-label={spoken}>
            <p aria-hidden="true">{ title }</p>
            <svg width={svg::number(width)} height={svg::number(height)} aria-hidden="true">
                { for columns.iter().enumerate().map(|(i, column)| show_column(column, i as f64 * STEP, &scale)) }
                { svg::line("floor", point(0.0, floor), point(width, floor)) }
            </svg>
        </div>
    }
}

fn show_column(column: &Column, left: f64, scale: &Scale) -> Html {
    let x = left + (STEP - COLUMN) / 2.0;
    let bottom = HEAD + HEIGHT;
    let middle = left + STEP / 2.0;
    let total = column.total();
    let mut top = bottom;
    let mut drawn = vec![svg::title(format!("{} replicas: {}", column.label, decimal(total)))];
    for part in &column.parts {
        let height = scale.at(part.value);
        top -= height;
        drawn.push(svg::rect(format!("fill-{}", part.color), point(x, top), point(COLUMN, (height - 0.8).max(0.4))));
    }
    if let Some(mark) = column.mark {
        let y = bottom - scale.at(mark);
        drawn.push(svg::line("mark", point(x - 2.5, y), point(x + COLUMN + 2.5, y)));
        top = top.min(y);
    }
    if total > 0.0 {
        drawn.push(svg::text("number", point(middle, top - 3.0), decimal((total * 10.0).round() / 10.0)));
    }
    drawn.push(svg::text("label", point(middle, bottom + 12.0), column.label.clone()));
    svg::group("", drawn)
}
