//! A part of the page that is drawn anew only when it is its turn: not all texts in the same frame.

use yew::prelude::*;

#[derive(Clone, Properties)]
pub struct Props {
    /// Counts how often it was its turn.
    pub turn: u32,
    /// Draws it.
    pub draw: Callback<(), Html>,
}

/// In the same turn it looks the same.
impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        self.turn == other.turn
    }
}

#[component]
pub fn Memo(props: &Props) -> Html {
    props.draw.emit(())
}
