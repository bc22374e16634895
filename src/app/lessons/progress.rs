//! How far somebody has come, kept on the device; or, in a frame, by the page around it, if that keeps such things.

use crate::run::told::{Listeners, Told};
use crate::web::browser;
use quorumscope::lab::lesson::LESSONS;

/// What is known of a lesson.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether the prediction was right, the last time.
    pub right: Option<bool>,
    /// Whether the task was done.
    pub built: bool,
}

/// Most lessons that the page around may have kept something of, and most bytes of each.
const HELD: (usize, usize) = (200, 40);

impl Progress {
    /// What is kept of a lesson.
    pub fn of(key: &str, told: &Listeners) -> Progress {
        let held = told.kept.borrow().as_ref().map(|kept| kept.get(key).cloned());
        let kept = held.unwrap_or_else(|| browser::remembered(&name(key))).unwrap_or_default();
        let right = match kept.split(' ').next() {
            Some("right") => Some(true),
            Some("wrong") => Some(false),
            _ => None,
        };
        Progress { right, built: kept.ends_with("built") }
    }

    /// Keeps it.
    pub fn keep(self, key: &str, told: &Listeners) {
        let right = match self.right {
            Some(true) => "right",
            Some(false) => "wrong",
            None => "seen",
        };
        let text = if self.built { format!("{right} built") } else { right.to_owned() };
        let held = told.kept.borrow_mut().as_mut().map(|kept| kept.insert(key.to_owned(), text.clone()));
        if held.is_none() {
            browser::remember(&name(key), &text);
        }
        told.tell(&Told::Progress { lesson: key.to_owned() });
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

    /// Half a point for having predicted it, half for the task.
    fn score(self) -> f64 {
        (f64::from(u8::from(self.right == Some(true))) + f64::from(u8::from(self.built))) / 2.0
    }
}

/// From now on the page around keeps it; this is what it has kept.
pub fn hold(told: &Listeners, kept: impl Iterator<Item = (String, String)>) {
    let short = |(key, text): &(String, String)| key.len() <= HELD.1 && text.len() <= HELD.1;
    *told.kept.borrow_mut() = Some(kept.filter(short).take(HELD.0).collect());
    let redraw = told.on_kept.take();
    redraw.iter().for_each(|redraw| redraw());
    told.on_kept.set(redraw);
}

/// The score of a lesson, from 0 to 1; without one, the mean over all.
pub fn score(told: &Listeners, lesson: Option<&str>) -> f64 {
    let score = |key: &str| Progress::of(key, told).score();
    match lesson {
        Some(key) => score(key),
        None => LESSONS.iter().map(|lesson| score(lesson.key)).sum::<f64>() / LESSONS.len().max(1) as f64,
    }
}

fn name(key: &str) -> String {
    format!("lesson.{key}")
}
