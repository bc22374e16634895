//! Small charts of stacked columns, several on one scale.

use super::bars::{Part, total};
use super::scale::Scale;
use crate::elements::geometry::point;
use crate::elements::svg;
use crate::elements::text::decimal;
use yew::prelude::*;

const COLUMN: f64 = 13.0;
const STEP: f64 = 19.0;
const HEIGHT: f64 = 60.0;
const FOOT: f64 = 16.0;
const HEAD: f64 = 14.0;

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it is about.
    pub title: AttrValue,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Text for screen readers.
    pub spoken: String,
    /// Whether it is about the run on screen.
    pub own: bool,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Text below it.
    pub label: String,
    /// Stacked parts, from the bottom.
    pub parts: Vec<Part>,
    /// Expected value.
    pub mark: Option<f64>,
    /// Whether it is the one that is looked at; the others are paler.
    pub chosen: bool,
}

/// The scale of all these charts. One far higher than the others is broken off, and told as a number.
pub fn scale(charts: &[Chart]) -> Scale {
    let highest = |chart: &Chart| chart.columns.iter().map(|column| total(&column.parts)).fold(0.0, f64::max);
    Scale::without_outliers(charts.iter().map(highest).filter(|height| *height > 0.0).collect(), HEIGHT)
}

/// A chart.
pub fn chart(chart: &Chart, scale: &Scale) -> Html {
    let width = chart.columns.len() as f64 * STEP;
    let (floor, height) = (HEAD + HEIGHT, HEAD + HEIGHT + FOOT);
    html! {
        <div class={if chart.own { "columns own" } else { "columns" }} tabindex="0" role="img" aria-label={chart.spoken.clone()}>
            <p aria-hidden="true">{ &chart.title }</p>
            <svg width={svg::number(width)} height={svg::number(height)} aria-hidden="true">
                { for chart.columns.iter().enumerate().map(|(i, column)| draw(column, i as f64 * STEP, scale)) }
                { svg::line("floor", point(0.0, floor), point(width, floor)) }
            </svg>
        </div>
    }
}

fn draw(column: &Column, left: f64, scale: &Scale) -> Html {
    let x = left + (STEP - COLUMN) / 2.0;
    let bottom = HEAD + HEIGHT;
    let middle = left + STEP / 2.0;
    let total = total(&column.parts);
    let broken = scale.exceeded_by(total);
    let mut top = bottom;
    let mut drawn = vec![svg::title(format!("{} replicas: {}", column.label, decimal(total)))];
    for part in &column.parts {
        let height = scale.at(part.value).min(top - HEAD);
        top -= height;
        drawn.push(svg::rect(format!("fill-{}", part.color), point(x, top), point(COLUMN, (height - 0.8).max(0.4))));
    }
    if broken {
        drawn.push(svg::path(
            "notch",
            format!("M{} {}l{} -5", svg::number(x - 1.0), svg::number(HEAD + 9.0), svg::number(COLUMN + 2.0)),
        ));
    }
    if let Some(mark) = column.mark.filter(|mark| !scale.exceeded_by(*mark)) {
        let y = bottom - scale.at(mark);
        drawn.push(svg::line("mark", point(x - 2.5, y), point(x + COLUMN + 2.5, y)));
        top = top.min(y);
    }
    if total > 0.0 {
        let digits = if total < 100.0 { (total * 10.0).round() / 10.0 } else { total.round() };
        drawn.push(svg::text("number", point(middle, top - 3.0), decimal(digits)));
    }
    drawn.push(svg::text("label", point(middle, bottom + 12.0), column.label.clone()));
    svg::group(if column.chosen { "chosen" } else { "" }, drawn)
}
