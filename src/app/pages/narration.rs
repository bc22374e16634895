//! Pacing of the narration: how often the sentence changes on screen, and when it is announced to screen readers.

use crate::run::view_model::ViewModel;
use crate::web::browser;
use quorumscope::core::{Epoch, NodeId};
use yew::AttrValue;

/// Least time a sentence stays while the run plays, ms: enough to read it.
const STAYS: f64 = 450.0;
/// Least time between two announcements, ms.
const PAUSE: f64 = 4_000.0;

/// State whose changes are announced: leader and epoch, which replicas are up, whether a property is broken.
type Announced = (Option<(NodeId, Epoch)>, Vec<bool>, bool);

/// The present sentence, on screen and spoken.
#[derive(Default)]
pub struct Narration {
    /// On screen.
    pub text: AttrValue,
    /// Last announcement for screen readers.
    pub spoken: AttrValue,
    changed_at: f64,
    announced_at: f64,
    announced: Option<Announced>,
}

impl Narration {
    /// Updates both from the view model. While the run is paused, every change is shown and announced at once.
    pub fn update(&mut self, view: &ViewModel, playing: bool) {
        let now = browser::now();
        if !playing || now - self.changed_at >= STAYS {
            self.changed_at = now;
            if *self.text != view.sentence {
                self.text = AttrValue::from(view.sentence.clone());
            }
        }
        if !playing {
            if let Some(last) = &view.last
                && self.announced.is_some()
            {
                self.spoken = AttrValue::from(last.text.clone());
            }
            return;
        }
        let leadership = view.leadership_intervals.last().filter(|leadership| view.leader == Some(leadership.node));
        let announced = (
            leadership.map(|leadership| (leadership.node, leadership.epoch)),
            view.nodes.iter().map(|node| node.status.is_some()).collect(),
            view.violation.is_some(),
        );
        if self.announced.as_ref() != Some(&announced) && now - self.announced_at >= PAUSE {
            self.announced_at = now;
            self.spoken = AttrValue::from(view.sentence.clone());
            self.announced = Some(announced);
        }
    }
}
