//! The keyboard, for things that are no HTML buttons.

use yew::prelude::*;

/// Enter or Space chooses, as on any button.
pub fn activate(chosen: &Callback<()>) -> Callback<KeyboardEvent> {
    chosen.filter_reform(|event: KeyboardEvent| {
        let chosen = matches!(event.key().as_str(), "Enter" | " ") && !event.ctrl_key() && !event.meta_key();
        chosen.then(|| event.prevent_default())
    })
}
