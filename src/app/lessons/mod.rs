//! Lessons: the list, and a lesson beside the stage. The entry comes in the chunk for actions and mounts itself beside the laboratory, so that the first
//! picture does without; the lessons are a chunk of their own.

mod address;
pub mod entry;
mod lesson;
mod list;
mod prediction;
pub mod progress;
mod source;
mod stage;
mod task;

use crate::run::player::Shared;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Draws the lessons.
type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(lessons, fallible)]
fn load() -> Result<View, SplitLoaderError> {
    Ok(|props| match props.place.key() {
        Some(name) => {
            html! { <lesson::LessonView key={name.clone()} name={name.clone()} place={props.place} player={props.player} go={props.go} /> }
        }
        None => list::list(&props.go, &props.player),
    })
}

/// Has the chunk there before anybody wants it.
pub async fn fetch() {
    let _ = load().await;
}

/// What the lessons are drawn from.
struct Props {
    /// What is open: a lesson, or the list.
    place: address::Place,
    /// The player of the laboratory, which shows the runs.
    player: Shared,
    /// Goes to a lesson, to the list, or away from both.
    go: Callback<address::Place>,
}
