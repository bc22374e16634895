//! What is predicted: the fields for each kind of prediction, and what was entered.

use crate::elements::controls::{button, slider};
use quorumscope::core::Micros;
use quorumscope::lab::lesson::form::{Prediction, PredictionKind};
use quorumscope::lab::lesson::{Answer, Unit};
use quorumscope::universe::words::moment_ms;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// µs in a step of the slider for moments.
const STEP: Micros = 50_000;

/// The unit in which a number is entered, and how much of the measure's unit it is.
fn entered_in(prediction: &Prediction) -> (&'static str, f64) {
    match prediction.of.as_ref().map(|measure| measure.measure.unit()) {
        Some(Unit::Time) => ("seconds", 1_000_000.0),
        Some(Unit::Share) => ("percent", 10.0),
        Some(Unit::Hundredths) => ("", 100.0),
        _ => ("", 1.0),
    }
}

/// What to begin with, where there is something: a moment, an order.
pub fn first(prediction: &Prediction, length: Micros) -> Option<Answer> {
    match prediction.kind {
        PredictionKind::Moment => Some(Answer::Number(length / 2 / STEP * STEP)),
        PredictionKind::Order => Some(Answer::Order((0..prediction.options.len()).collect())),
        _ => None,
    }
}

/// Draws the fields. `places` are the names of the sites to choose from, `length` that of the run, µs.
pub fn fields(
    prediction: &Prediction,
    places: &[&str],
    length: Micros,
    draft: Option<&Answer>,
    on: &Callback<Answer>,
) -> Html {
    let options: Vec<String> = match prediction.kind {
        PredictionKind::Place => places.iter().map(|&place| place.to_owned()).collect(),
        _ => prediction.options.iter().map(|option| option.says.clone()).collect(),
    };
    match prediction.kind {
        PredictionKind::Choice | PredictionKind::Place => {
            let choice = |(index, says): (usize, String)| {
                let checked = draft == Some(&Answer::Index(index));
                let onchange = on.reform(move |_: Event| Answer::Index(index));
                html! { <label key={index}><input type="radio" name="prediction" {checked} {onchange} />{ says }</label> }
            };
            html! { <div class="choices">{ for options.into_iter().enumerate().map(choice) }</div> }
        }
        PredictionKind::Number => {
            let (unit, scale) = entered_in(prediction);
            let on = on.clone();
            let oninput = Callback::from(move |event: InputEvent| {
                let number = event.target_unchecked_into::<HtmlInputElement>().value_as_number();
                if number.is_finite() && number >= 0.0 {
                    on.emit(Answer::Number((number * scale).round() as u64));
                }
            });
            html! {
                <label class="number"><input type="number" min="0" step="any" inputmode="decimal" aria-label={format!("Your prediction {unit}")} {oninput} />{ format!(" {unit}") }</label>
            }
        }
        PredictionKind::Moment => {
            let at = if let Some(Answer::Number(at)) = draft { *at } else { 0 };
            let most = u32::try_from(length / STEP).unwrap_or(u32::MAX);
            let on = on.reform(|step: u32| Answer::Number(u64::from(step) * STEP));
            html! {
                <div class="moment">
                    { slider("The moment", moment_ms(at), most, u32::try_from(at / STEP).unwrap_or(0), on) }
                    <output>{ moment_ms(at) }</output>
                </div>
            }
        }
        PredictionKind::Order => {
            let order = if let Some(Answer::Order(order)) = draft { order.clone() } else { Vec::new() };
            let row = |(place, &option): (usize, &usize)| {
                let mut moved = order.clone();
                let up = (place > 0).then(|| {
                    moved.swap(place, place - 1);
                    let onclick = on.reform(move |_: MouseEvent| Answer::Order(moved.clone()));
                    html! { <button type="button" aria-label={format!("Move {} up", options[option])} {onclick}>{ "↑" }</button> }
                });
                html! { <li key={option}><span>{ options[option].clone() }</span>{ for up }</li> }
            };
            html! { <ol class="order">{ for order.iter().enumerate().map(row) }</ol> }
        }
    }
}

/// The button that locks it.
pub fn lock(ready: bool, on: Callback<MouseEvent>) -> Html {
    html! { <button type="button" class="primary" disabled={!ready} onclick={on}>{ "Lock it, and run" }</button> }
}

/// The button for those who only want to see.
pub fn show(on: Callback<MouseEvent>) -> Html {
    button("Just show me", on)
}
