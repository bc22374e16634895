//! How far somebody has come, kept on the device.

use crate::web::browser;

/// What is known of a lesson.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether the prediction was right, the last time.
    pub right: Option<bool>,
    /// Whether the task was done.
    pub built: bool,
}

impl Progress {
    /// What is kept of a lesson.
    pub fn of(key: &str) -> Progress {
        let kept = browser::remembered(&name(key)).unwrap_or_default();
        let right = match kept.split(' ').next() {
            Some("right") => Some(true),
            Some("wrong") => Some(false),
            _ => None,
        };
        Progress { right, built: kept.ends_with("built") }
    }

    /// Keeps it.
    pub fn keep(self, key: &str) {
        let right = match self.right {
            Some(true) => "right",
            Some(false) => "wrong",
            None => "seen",
        };
        browser::remember(&name(key), &if self.built { format!("{right} built") } else { right.to_owned() });
    }

    /// In words; empty if there is nothing to say.
    pub fn text(self) -> &'static str {
        match (self.right, self.built) {
            (Some(true), true) => "predicted, and built",
            (Some(true), false) => "predicted",
            (Some(false), true) => "built; predicted something else",
            (Some(false), false) => "predicted something else",
            (None, true) => "built",
            (None, false) => "",
        }
    }
}

fn name(key: &str) -> String {
    format!("lesson.{key}")
}
