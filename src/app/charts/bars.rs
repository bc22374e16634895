//! Stacked bars with a mark for the expected value, in groups on one scale. Hovering or focusing a bar shows its numbers.

use super::scale::Scale;
use crate::elements::controls::press;
use crate::elements::text::decimal;
use yew::prelude::*;

/// Least length of a part that has room for its letter, as a fraction of the scale.
const ROOM: f64 = 0.055;

/// Bars under a heading, or under none.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The heading.
    pub title: Option<&'static str>,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// Name.
    pub label: AttrValue,
    /// Stacked parts.
    pub parts: Vec<Part>,
    /// Expected value.
    pub mark: Option<Mark>,
    /// Text for screen readers.
    pub spoken: String,
    /// Whether its values change all the time.
    pub live: bool,
    /// Whether it is that of the run on screen: it stays in sight.
    pub own: bool,
    /// Whether it is pinned, and what changes that; `None` where it cannot be.
    pub pin: Option<(bool, Callback<()>)>,
}

/// An expected value.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The value.
    pub value: f64,
    /// The formula that gives it, as printed.
    pub formula: String,
    /// Where it is printed.
    pub source: String,
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

/// Sum of parts.
pub fn total(parts: &[Part]) -> f64 {
    parts.iter().map(|part| part.value).sum()
}

/// A chart of horizontal bars on one scale. A bar far longer than the others is broken off, and its number tells how long it is.
pub fn bars(label: AttrValue, groups: &[Group]) -> Html {
    let all = groups.iter().flat_map(|group| &group.bars);
    let scale = Scale::without_outliers(all.map(|bar| total(&bar.parts)).filter(|total| *total > 0.0).collect(), 100.0);
    let ticks = scale.ticks();
    let rows = |group: &Group| {
        html! { <>
            if let Some(title) = group.title { <h3>{ title }</h3> }
            { for group.bars.iter().map(|bar| show(bar, &scale)) }
        </> }
    };
    html! {
        <div class="bars" role="group" aria-label={label}>
            <div class="axis" aria-hidden="true">
                <span class="track">{ for ticks.into_iter().map(|tick| html! { <i style={at("left", scale.at(tick))}>{ decimal(tick) }</i> }) }</span>
            </div>
            { for groups.iter().map(rows) }
        </div>
    }
}

fn show(bar: &Bar, scale: &Scale) -> Html {
    let parts = bar.parts.iter().map(|part| {
        let letter = if part.value / scale.top > ROOM { part.letter.to_string() } else { String::new() };
        html! { <i class={format!("on-{}", part.color)} style={at("width", scale.at(part.value))}>{ letter }</i> }
    });
    let mark = bar.mark.iter().filter(|mark| !scale.exceeded_by(mark.value));
    let pinned = matches!(bar.pin, Some((true, _)));
    let class = classes!("bar", bar.live.then_some("live"), bar.own.then_some("own"), pinned.then_some("pinned"));
    html! {
        <div {class}>
            <div class="value" tabindex="0" role="img" aria-label={bar.spoken.clone()}>
                <span class="label">{ &bar.label }</span>
                <span class={if scale.exceeded_by(total(&bar.parts)) { "track broken" } else { "track" }}>
                    { for parts }
                    { for mark.map(|mark| html! { <b class="mark" style={at("left", scale.at(mark.value))}></b> }) }
                </span>
                <strong>{ if bar.parts.is_empty() { "–".to_owned() } else { decimal(total(&bar.parts)) } }</strong>
                if !bar.parts.is_empty() { { tip(bar) } }
            </div>
            { for bar.pin.iter().map(|(pinned, on)| pin(&bar.label, *pinned, on)) }
        </div>
    }
}

fn pin(label: &AttrValue, pinned: bool, on: &Callback<()>) -> Html {
    html! {
        <button type="button" class="pin" aria-pressed={pinned.to_string()} aria-label={format!("Keep {label} on top")} title={format!("Keep {label} on top")} onclick={press(on)}></button>
    }
}

fn at(property: &str, percent: f64) -> String {
    format!("{property}: {}%", decimal(percent))
}

fn tip(bar: &Bar) -> Html {
    let row = |class: String, sign: String, name: AttrValue, value: f64| {
        html! { <span><i class={class}>{ sign }</i>{ name }<b>{ decimal(value) }</b></span> }
    };
    let part =
        |part: &Part| row(format!("dot on-{}", part.color), part.letter.to_string(), part.name.into(), part.value);
    let formula =
        |mark: &Mark| row("tick".to_owned(), String::new(), format!("the formula {}", mark.formula).into(), mark.value);
    let source = |mark: &Mark| html! { <small>{ format!("counted as in {}", mark.source) }</small> };
    html! {
        <div class="tip">{ for bar.parts.iter().map(part) }{ for bar.mark.iter().map(formula) }{ for bar.mark.iter().map(source) }</div>
    }
}
