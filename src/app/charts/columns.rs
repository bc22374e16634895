//! Small columns, one for each number of replicas, stacked from parts, with a mark for what was expected: one such picture for each
//! variant. Each has a scale of its own, since one variant may take a hundred times as much as another; so each column tells its number.

use super::bars::{Part, number};
use super::scale::Scale;
use yew::prelude::*;

const COLUMN: f64 = 13.0;
const STEP: f64 = 19.0;
const HEIGHT: f64 = 92.0;
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

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// From left to right.
    pub columns: Vec<Column>,
    /// What is shown.
    pub title: AttrValue,
    /// All of it in words.
    pub spoken: AttrValue,
}

#[component]
pub fn Columns(props: &Props) -> Html {
    let most = props.columns.iter().map(|column| column.total().max(column.mark.unwrap_or(0.0))).fold(1.0, f64::max);
    let scale = Scale { top: most, length: HEIGHT };
    let width = props.columns.len() as f64 * STEP;
    html! {
        <figure class="columns" tabindex="0" role="img" aria-label={props.spoken.clone()}>
            <figcaption aria-hidden="true">{ &props.title }</figcaption>
            <svg width={width.to_string()} height={(HEAD + HEIGHT + FOOT).to_string()} aria-hidden="true">
                { for props.columns.iter().enumerate().map(|(i, column)| show(column, i as f64 * STEP, &scale)) }
                <line class="floor" x1="0" x2={width.to_string()} y1={(HEAD + HEIGHT).to_string()} y2={(HEAD + HEIGHT).to_string()} />
            </svg>
        </figure>
    }
}

fn show(column: &Column, left: f64, scale: &Scale) -> Html {
    let x = left + (STEP - COLUMN) / 2.0;
    let bottom = HEAD + HEIGHT;
    let mut top = bottom;
    let parts: Vec<Html> = column
        .parts
        .iter()
        .map(|part| {
            let height = scale.at(part.value);
            top -= height;
            html! {
                <rect class={format!("fill-{}", part.color)} x={x.to_string()} y={format!("{top:.1}")} width={COLUMN.to_string()}
                    height={format!("{:.1}", (height - 0.8).max(0.4))} />
            }
        })
        .collect();
    let total = column.total();
    let middle = (left + STEP / 2.0).to_string();
    html! {
        <g>
            <title>{ format!("{} replicas: {}", column.label, number(total)) }</title>
            { for parts }
            if let Some(mark) = column.mark {
                <line class="mark" x1={(x - 2.5).to_string()} x2={(x + COLUMN + 2.5).to_string()} y1={format!("{:.1}", bottom - scale.at(mark))}
                    y2={format!("{:.1}", bottom - scale.at(mark))} />
            }
            if total > 0.0 {
                <text class="number" x={middle.clone()} y={format!("{:.1}", top.min(bottom - scale.at(column.mark.unwrap_or(0.0))) - 3.0)}>{ number((total * 10.0).round() / 10.0) }</text>
            }
            <text class="label" x={middle} y={(bottom + 12.0).to_string()}>{ &column.label }</text>
        </g>
    }
}
