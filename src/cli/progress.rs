//! Progress bar on a terminal, for work that takes longer than 400 ms.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Time before the bar appears.
const MOMENT: Duration = Duration::from_millis(400);

/// A progress bar.
pub struct Progress {
    since: Instant,
    bar: Option<ProgressBar>,
    what: &'static str,
}

impl Progress {
    /// Starts work called `what`.
    pub fn new(what: &'static str) -> Progress {
        Progress { since: Instant::now(), bar: None, what }
    }

    /// Sets the progress, in parts of a thousand.
    pub fn set(&mut self, permille: u64) {
        if self.since.elapsed() < MOMENT {
            return;
        }
        // On anything but a terminal this bar draws nothing.
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{prefix} [{bar:40}] {percent}%, {eta} to go");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
            ProgressBar::new(1_000).with_style(style).with_prefix(self.what)
        });
        bar.set_position(permille);
    }

    /// Ends the work and removes the bar.
    pub fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
