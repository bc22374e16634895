//! The one sentence: how often it may change on screen, and when it is spoken.

use crate::run::ViewModel;
use crate::web::browser;
use quorumscope::core::{Epoch, NodeId};
use yew::AttrValue;

/// ms for which a sentence stays while time goes by: shorter could not be read.
const STAYS: f64 = 450.0;
/// ms between two spoken sentences.
const PAUSE: f64 = 4_000.0;

/// What deserves to be spoken when it changes.
type Gist = (Option<(NodeId, Epoch)>, Vec<bool>, bool);

/// What is told, and when that was last renewed.
#[derive(Default)]
pub struct Narration {
    /// On screen.
    pub text: AttrValue,
    /// For screen readers.
    pub spoken: AttrValue,
    renewed: f64,
    event: f64,
    gist: Option<Gist>,
}

impl Narration {
    /// Looks at the run. While time stands still, all is told at once.
    pub fn look(&mut self, view: &ViewModel, playing: bool) {
        let now = browser::now();
        if !playing || now - self.renewed >= STAYS {
            self.renewed = now;
            if *self.text != view.sentence {
                self.text = AttrValue::from(view.sentence.clone());
            }
        }
        if !playing {
            if let Some(last) = &view.last
                && self.gist.is_some()
            {
                self.spoken = AttrValue::from(last.text.clone());
            }
            return;
        }
        let leadership = view.leadership_intervals.last().filter(|leadership| view.leader == Some(leadership.node));
        let gist = (
            leadership.map(|leadership| (leadership.node, leadership.epoch)),
            view.nodes.iter().map(|node| node.status.is_some()).collect(),
            view.broken,
        );
        if self.gist.as_ref() != Some(&gist) && now - self.event >= PAUSE {
            self.event = now;
            self.spoken = AttrValue::from(view.sentence.clone());
            self.gist = Some(gist);
        }
    }
}
