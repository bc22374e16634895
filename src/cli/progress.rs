//! A bar for work that takes longer than a moment; nothing where nobody watches.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// How long work may take before a bar appears.
const MOMENT: Duration = Duration::from_millis(400);

/// A bar that waits a moment before it appears.
pub struct Progress {
    since: Instant,
    bar: Option<ProgressBar>,
    what: &'static str,
}

impl Progress {
    /// Work that is called `what` begins.
    pub fn new(what: &'static str) -> Progress {
        Progress { since: Instant::now(), bar: None, what }
    }

    /// So many parts of a thousand are done.
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

    /// The work is done; the bar goes away.
    pub fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
