//! Small columns, one for each number of replicas, stacked from parts, with a mark for what was expected: one such picture for each
//! variant. Each has a scale of its own, since one variant may take a hundred times as much as another; so each column tells its number.

use super::bars::Part;
use super::scale::Scale;
use crate::components::draw;
use crate::components::words::decimal;
use crate::stage::geometry::point;
use yew::prelude::*;

const COLUMN: f64 = 13.0;
const STEP: f64 = 19.0;
const HEIGHT: f64 = 60.0;
const FOOT: f64 = 16.0;
const HEAD: f64 = 14.0;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What stands below it.
    pub label: String,
    /// What it is made of, from the bottom.
    pub parts: Vec<Part>,
    /// What was expected.
    pub mark: Option<f64>,
}

impl Column {
    fn total(&self) -> f64 {
        self.parts.iter().map(|part| part.value).sum()
    }
}

/// Draws them from left to right. `spoken` is all of it in words.
pub fn columns(title: AttrValue, columns: &[Column], spoken: String) -> Html {
    let most = columns.iter().map(|column| column.total().max(column.mark.unwrap_or(0.0))).fold(1.0, f64::max);
    let scale = Scale { top: most, length: HEIGHT };
    let width = columns.len() as f64 * STEP;
    let (floor, height) = (HEAD + HEIGHT, HEAD + HEIGHT + FOOT);
    html! {
        <div class="columns" tabindex="0" role="img" aria-label={spoken}>
            <p aria-hidden="true">{ title }</p>
            <svg width={draw::number(width)} height={draw::number(height)} aria-hidden="true">
                { for columns.iter().enumerate().map(|(i, column)| show(column, i as f64 * STEP, &scale)) }
                { draw::line("floor", point(0.0, floor), point(width, floor)) }
            </svg>
        </div>
    }
}

fn show(column: &Column, left: f64, scale: &Scale) -> Html {
    let x = left + (STEP - COLUMN) / 2.0;
    let bottom = HEAD + HEIGHT;
    let middle = left + STEP / 2.0;
    let total = column.total();
    let mut top = bottom;
    let mut drawn = vec![draw::title(format!("{} replicas: {}", column.label, decimal(total)))];
    for part in &column.parts {
        let height = scale.at(part.value);
        top -= height;
        drawn.push(draw::rect(format!("fill-{}", part.color), point(x, top), point(COLUMN, (height - 0.8).max(0.4))));
    }
    if let Some(mark) = column.mark {
        let y = bottom - scale.at(mark);
        drawn.push(draw::line("mark", point(x - 2.5, y), point(x + COLUMN + 2.5, y)));
        top = top.min(y);
    }
    if total > 0.0 {
        drawn.push(draw::text("number", point(middle, top - 3.0), decimal((total * 10.0).round() / 10.0)));
    }
    drawn.push(draw::text("label", point(middle, bottom + 12.0), column.label.clone()));
    draw::group("", drawn)
}
