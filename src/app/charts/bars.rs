//! Horizontal bars, each stacked from parts, with a mark for what was expected. Pointing at one, or reaching it by keyboard, shows its
//! numbers.

use super::scale::Scale;
use crate::components::words::decimal;
use yew::prelude::*;

/// A part this long, in parts of the whole scale, has room for its letter.
const ROOM: f64 = 0.055;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is about.
    pub label: AttrValue,
    /// What it is made of.
    pub parts: Vec<Part>,
    /// What was expected.
    pub mark: Option<f64>,
    /// All of it in words.
    pub spoken: String,
    /// It moves while one looks.
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
    /// How long it is.
    pub value: f64,
}

impl Bar {
    /// How long it is.
    fn total(&self) -> f64 {
        self.parts.iter().map(|part| part.value).sum()
    }
}

/// Draws them from top to bottom on one scale.
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
