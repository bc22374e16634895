//! The figure on a variant's card: the sequence chart of one command, made from a run when somebody wants to see it.

use crate::elements::geometry::{Point, point};
use crate::elements::svg::{element, group, line, path, rect, text, title};
use crate::web::variants;
use quorumscope::lab::run::sequence::drawing::{self, Drawing, Shape};
use quorumscope::lab::run::sequence::text::sentences;
use quorumscope::lab::run::sequence::{Chart, steady};
use quorumscope::universe::Variant;
use yew::prelude::*;

/// Height of a letter, in units of the drawing.
const LETTER: i32 = 13;

#[derive(Clone, Copy, Properties)]
pub struct Props {
    /// The variant.
    pub variant: &'static Variant,
}

impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        self.variant.card.key == other.variant.card.key
    }
}

/// A message to the figure.
pub enum Msg {
    /// It was opened, or closed.
    Toggled,
    /// The run has been made, or why not.
    Made(Result<Chart, String>),
}

/// The figure.
pub struct Figure {
    made: Option<Result<Chart, String>>,
}

impl Component for Figure {
    type Message = Msg;
    type Properties = Props;

    fn create(_: &Context<Figure>) -> Figure {
        Figure { made: None }
    }

    fn update(&mut self, ctx: &Context<Figure>, msg: Msg) -> bool {
        match msg {
            // What failed is tried again.
            Msg::Toggled if !matches!(self.made, Some(Ok(_))) => {
                let variant = ctx.props().variant;
                ctx.link().send_future(async move {
                    let inspector = variants::inspector(variant.card.key).await;
                    let made = inspector.map_err(|missing| missing.to_string());
                    Msg::Made(made.and_then(|inspector| steady::chart(variant, inspector)))
                });
                false
            }
            Msg::Toggled => false,
            Msg::Made(made) => {
                self.made = Some(made);
                true
            }
        }
    }

    fn view(&self, ctx: &Context<Figure>) -> Html {
        let ontoggle = ctx.link().callback(|_: Event| Msg::Toggled);
        html! {
            <details class="figure" {ontoggle}>
                <summary>{ "One command as a sequence chart" }</summary>
                { match &self.made {
                    None => html! { <p class="note">{ "Loading…" }</p> },
                    Some(Err(says)) => html! { <p class="note" role="alert">{ says }</p> },
                    Some(Ok(chart)) => figure(chart),
                } }
            </details>
        }
    }
}

fn figure(chart: &Chart) -> Html {
    html! {
        <>
            <p class="note">{ "A real run, made just now: nothing fails, all distances are the same, heartbeats that change nothing are left out." }</p>
            <div class="sequence" role="region" tabindex="0" aria-label="Sequence chart">{ svg(&drawing::draw(chart)) }</div>
            <details>
                <summary>{ "The same in sentences" }</summary>
                <ol>{ for sentences(chart).into_iter().map(|sentence| html! { <li>{ sentence }</li> }) }</ol>
            </details>
        </>
    }
}

/// A drawn chart, as large as letters are.
fn svg(drawing: &Drawing) -> Html {
    let Drawing { size, description, shapes, .. } = drawing;
    let em = |units: i32| format!("{}.{}em", units / LETTER, units % LETTER * 10 / LETTER);
    let values = vec![
        "img".into(),
        description.clone().into(),
        format!("0 0 {} {}", size.0, size.1).into(),
        em(size.0).into(),
        em(size.1).into(),
    ];
    let keys = &["role", "aria-label", "viewBox", "width", "height"];
    element("svg", keys, values, shapes.iter().map(shape).collect())
}

fn shape(shape: &Shape) -> Html {
    match shape {
        Shape::Line { class, from, to } => line(own(class), at(*from), at(*to)),
        Shape::Rect { class, at: corner, size } => rect(own(class), at(*corner), at(*size)),
        Shape::Text { class, at: place, text: words } => text(own(class), at(*place), words.clone()),
        Shape::Message { class, way, head, title: says } => {
            group(own(class), vec![title(says.clone()), path(own("way"), way.clone()), path(own("head"), head.clone())])
        }
    }
}

fn at((x, y): drawing::Point) -> Point {
    point(x.into(), y.into())
}

/// The classes under names that nothing else in the page has.
fn own(classes: &str) -> String {
    classes.split(' ').map(|class| format!("seq-{class}")).collect::<Vec<_>>().join(" ")
}
