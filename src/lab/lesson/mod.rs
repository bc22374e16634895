//! Lessons: two runs that differ in one thing, a prediction, what the runs say, and a run to be built.
//!
//! * [`form`]: the document, as a lecturer writes it.
//! * [`read`]: its text, its checks, and the two scenarios it stands for.
//! * [`play`]: a run, up to where it stops.
//! * [`measure`]: what is measured in a run, and conditions on it.
//! * [`verdict`]: which prediction was right, what happened in words, whether a built run reaches its goal.
//! * [`trial`]: a lesson tried on many seeds.

pub mod form;
pub mod measure;
pub mod one_thing;
pub mod play;
pub mod read;
#[cfg(feature = "cli")]
pub mod trial;
pub mod verdict;

pub use form::{Lesson, Which};
pub use measure::Unit;
pub use play::Played;
pub use read::{Ready, ReadyRun};
pub use verdict::Answer;

/// A built-in lesson.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its key: the name of its file without the extension.
    pub key: &'static str,
    /// The lesson, as JSON.
    pub json: &'static str,
}

/// All built-in lessons: every JSON file in `lessons/`, by name (see `build.rs`). Each is generated from the TOML file beside it.
pub const LESSONS: &[File] = include!(concat!(env!("OUT_DIR"), "/lessons.rs"));

/// The built-in lesson with this key.
pub fn built_in(key: &str) -> Option<&'static File> {
    LESSONS.iter().find(|lesson| lesson.key == key)
}
