//! Where a lesson comes from: it is built in, beside the page, or in a file that somebody has opened. What is not built in is TOML or JSON, as
//! `docs/writing-a-lesson.md` has it; what reads TOML is a chunk of its own.

use super::address::Place;
use crate::web::files;
use quorumscope::lab::Problem;
use quorumscope::lab::lesson::form::Lesson;
use quorumscope::lab::lesson::{LESSONS, built_in, read};
use quorumscope::lab::link::tree_from_json;
use quorumscope::lab::problem::{no_such, shortened};
use serde_json::Value;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

/// Reads TOML.
type Toml = fn(&str) -> Result<Value, Problem>;

#[wasm_split(toml, fallible)]
fn toml() -> Result<Toml, SplitLoaderError> {
    Ok(quorumscope::lab::toml_text::tree_from_toml)
}

/// Whether a name is an address and no key: keys have neither dots nor slashes.
fn is_address(name: &str) -> bool {
    name.contains(['.', '/'])
}

/// The lesson that is open, or why it cannot be shown.
pub async fn lesson(place: &Place) -> Result<Lesson, String> {
    match place {
        Place::File(file) => from_text(&file.text).await.map_err(|why| format!("{}: {why}", file.name)),
        Place::Lesson(name) if is_address(name) => {
            let about = |why: String| format!("{}: {why}", shortened(name));
            from_text(&files::fetch(name).await.map_err(about)?).await.map_err(about)
        }
        Place::Lesson(key) => match built_in(key) {
            Some(file) => read::from_json(file.json).map_err(|problems| problems.to_string()),
            None => {
                let keys = LESSONS.iter().map(|lesson| lesson.key);
                Err(format!("There is no lesson \"{}\"; {}.", shortened(key), no_such(key, "lessons", keys)))
            }
        },
        Place::Closed | Place::List => Err("There is no lesson.".to_owned()),
    }
}

/// A text in TOML or JSON; the latter begins with a brace.
async fn from_text(text: &str) -> Result<Lesson, String> {
    let tree = match text.trim_start().starts_with('{') {
        true => tree_from_json(text),
        false => {
            toml().await.map_err(|_| "What reads TOML could not be loaded. Is there a connection?".to_owned())?(text)
        }
    };
    let tree = tree.map_err(|problem| problem.to_string())?;
    read::read(tree).map_err(|problems| problems.to_string())
}

/// What `next` in a lesson leads to: its place, and its title if that is known. In a lesson from an address, an address is relative to it.
pub fn next(place: &Place, next: &str) -> Option<(Place, String)> {
    if let Some(file) = built_in(next) {
        return Some((Place::Lesson(next.to_owned()), read::from_json(file.json).ok()?.title));
    }
    let folder = match place {
        Place::Lesson(name) if is_address(name) => name.rsplit_once('/').map_or("", |(folder, _)| folder),
        _ => return None,
    };
    let address = if folder.is_empty() || next.contains("//") || next.starts_with('/') {
        next.to_owned()
    } else {
        format!("{folder}/{next}")
    };
    is_address(next).then(|| (Place::Lesson(address), "the next lesson".to_owned()))
}
