//! The one sentence: how often it may change on screen, and when it is spoken.

use crate::run::Shown;
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
pub struct Voice {
    /// On screen.
    pub text: AttrValue,
    /// For screen readers.
    pub spoken: AttrValue,
    renewed: f64,
    spoke: f64,
    gist: Option<Gist>,
}

impl Voice {
    /// Looks at the run. While time stands still, all is told at once.
    pub fn look(&mut self, shown: &Shown, playing: bool) {
        let now = browser::now();
        if !playing || now - self.renewed >= STAYS {
            self.renewed = now;
            if *self.text != shown.sentence {
                self.text = AttrValue::from(shown.sentence.clone());
            }
        }
        if !playing {
            if let Some(last) = &shown.last
                && self.gist.is_some()
            {
                self.spoken = AttrValue::from(last.text.clone());
            }
            return;
        }
        let reign = shown.reigns.last().filter(|reign| shown.leader == Some(reign.node));
        let gist = (
            reign.map(|reign| (reign.node, reign.epoch)),
            shown.nodes.iter().map(|node| node.glance.is_some()).collect(),
            shown.broken,
        );
        if self.gist.as_ref() != Some(&gist) && now - self.spoke >= PAUSE {
            self.spoke = now;
            self.spoken = AttrValue::from(shown.sentence.clone());
            self.gist = Some(gist);
        }
    }
}
