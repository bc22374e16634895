//! Pacing of the narration: how often the sentence changes on screen, and what is announced to screen readers.

use crate::run::announce::Announce;
use crate::run::engine::Engine;
use crate::run::view_model::ViewModel;
use crate::web::browser;
use yew::AttrValue;

/// Least time a sentence stays while the run plays, ms: enough to read it.
const STAYS: f64 = 450.0;

/// The present sentence, on screen and spoken.
#[derive(Default)]
pub struct Narration {
    /// On screen.
    pub text: AttrValue,
    /// Last announcement for screen readers.
    pub spoken: AttrValue,
    /// What says what to announce; `None` before the chunk for actions is loaded.
    pub announce: Option<Announce>,
    changed_at: f64,
}

impl Narration {
    /// Updates both. While the run is paused, every change is shown at once.
    pub fn update(&mut self, view: &ViewModel, engine: &Engine) {
        let now = browser::now();
        if !engine.playing() || now - self.changed_at >= STAYS {
            self.changed_at = now;
            if *self.text != view.sentence {
                self.text = AttrValue::from(view.sentence.clone());
            }
        }
        let spoken = self.announce.as_mut().and_then(|announce| announce(engine));
        self.spoken = spoken.map_or_else(|| self.spoken.clone(), AttrValue::from);
    }
}
