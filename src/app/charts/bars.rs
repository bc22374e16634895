//! Horizontal bars, each stacked from parts, with a mark for what was expected.

use super::scale::Scale;
use crate::components::size::use_size;
use yew::prelude::*;

/// Height of one bar with its surroundings.
const ROW: f64 = 30.0;
const BAR: f64 = 16.0;
/// Room for the number to the right.
const RIGHT: f64 = 44.0;
/// Width of a letter of a label, about.
const GLYPH: f64 = 6.9;
/// Height of the axis.
const AXIS: f64 = 22.0;
/// A part as wide as this has room for its letter.
const LETTER: f64 = 13.0;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it is about.
    pub label: String,
    /// What it is made of.
    pub parts: Vec<Part>,
    /// What was expected.
    pub mark: Option<f64>,
    /// The number after it.
    pub number: String,
    /// All of it in words.
    pub spoken: String,
    /// Shown above the others, as it moves.
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

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// From top to bottom.
    pub bars: Vec<Bar>,
    /// What is shown.
    pub label: AttrValue,
}

#[component]
pub fn Bars(props: &Props) -> Html {
    let frame = use_node_ref();
    let (width, _) = use_size(&frame);
    let chosen = use_state_eq(|| None::<usize>);
    let bars = &props.bars;
    let longest = bars.iter().map(|bar| bar.label.chars().count()).max().unwrap_or(0);
    let left = (longest as f64 * GLYPH + 12.0).clamp(60.0, 150.0);
    let total = |bar: &Bar| bar.parts.iter().map(|part| part.value).sum::<f64>().max(bar.mark.unwrap_or(0.0));
    let most = bars.iter().map(total).fold(0.0, f64::max);
    let scale = Scale::holding(most, (width - left - RIGHT).max(10.0));
    let height = bars.len() as f64 * ROW + AXIS;
    html! {
        <div class="chart bars" ref={frame} onmouseleave={let chosen = chosen.clone(); move |_| chosen.set(None)}>
            <svg width={width.to_string()} height={height.to_string()} role="group" aria-label={props.label.clone()}>
                { axis(&scale, left, height - AXIS) }
                { for bars.iter().enumerate().map(|(i, bar)| {
                    let choose = |value: Option<usize>| { let chosen = chosen.clone(); Callback::from(move |()| chosen.set(value)) };
                    let (over, focus, blur) = (choose(Some(i)), choose(Some(i)), choose(None));
                    html! {
                        <g class={classes!("bar", bar.live.then_some("live"))} tabindex="0" role="img" aria-label={bar.spoken.clone()}
                            transform={format!("translate(0 {:.1})", i as f64 * ROW)}
                            onmouseenter={over.reform(|_: MouseEvent| ())} onfocus={focus.reform(|_: FocusEvent| ())} onblur={blur.reform(|_: FocusEvent| ())}>
                            <rect class="hit" width={width.to_string()} height={ROW.to_string()} />
                            <text class="label" x={(left - 8.0).to_string()} y="20">{ &bar.label }</text>
                            { parts(bar, &scale, left) }
                            <text class="number" x={format!("{:.1}", left + scale.at(total(bar)) + 7.0)} y="20">{ &bar.number }</text>
                        </g>
                    }
                }) }
            </svg>
            if let Some((i, bar)) = chosen.and_then(|i| Some((i, bars.get(i)?))) {
                <div class="tip" style={format!("top: {:.0}px", (i as f64 + 1.0) * ROW + 2.0)} aria-hidden="true">{ tip(bar) }</div>
            }
        </div>
    }
}

fn axis(scale: &Scale, left: f64, bottom: f64) -> Html {
    html! {
        <g class="axis" aria-hidden="true">
            { for scale.ticks().into_iter().map(|tick| {
                let x = format!("{:.1}", left + scale.at(tick));
                html! {
                    <>
                        <line x1={x.clone()} x2={x.clone()} y1="2" y2={bottom.to_string()} />
                        <text {x} y={(bottom + 15.0).to_string()}>{ tick }</text>
                    </>
                }
            }) }
        </g>
    }
}

fn parts(bar: &Bar, scale: &Scale, left: f64) -> Html {
    let top = (ROW - BAR) / 2.0;
    let mut from = left;
    let parts: Vec<Html> = bar
        .parts
        .iter()
        .map(|part| {
            let width = scale.at(part.value);
            let x = from;
            from += width;
            html! {
                <>
                    <rect class={format!("fill-{}", part.color)} x={format!("{x:.1}")} y={top.to_string()}
                        width={format!("{:.1}", (width - 1.0).max(0.5))} height={BAR.to_string()} />
                    if width >= LETTER {
                        <text class={format!("letter letter-{}", part.color)} x={format!("{:.1}", x + width / 2.0)} y="19">{ part.letter }</text>
                    }
                </>
            }
        })
        .collect();
    let mark = bar.mark.map(|mark| {
        let x = format!("{:.1}", left + scale.at(mark));
        html! { <line class="mark" x1={x.clone()} x2={x} y1={(top - 4.0).to_string()} y2={(top + BAR + 4.0).to_string()} /> }
    });
    html! { <>{ for parts }{ mark }</> }
}

fn tip(bar: &Bar) -> Html {
    html! {
        <>
            <strong>{ &bar.label }</strong>
            { for bar.parts.iter().map(|part| html! {
                <span><i class={classes!("dot", format!("on-{}", part.color))}>{ part.letter }</i>{ part.name }<b>{ number(part.value) }</b></span>
            }) }
            if let Some(mark) = bar.mark { <span class="formula"><i class="tick"></i>{ "formula" }<b>{ number(mark) }</b></span> }
        </>
    }
}

/// A number with as many decimals as it needs, two at most.
pub fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_have_no_needless_zeros() {
        assert_eq!([8.0, 8.5, 8.123, 0.0, 100.0].map(super::number), ["8", "8.5", "8.12", "0", "100"]);
    }
}
