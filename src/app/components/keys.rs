//! The keyboard, for things that are no HTML buttons.

use yew::prelude::*;

/// Enter or Space chooses, as on any button.
pub fn activate(chosen: &Callback<()>) -> Callback<KeyboardEvent> {
    let chosen = chosen.clone();
    Callback::from(move |event: KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") && !event.ctrl_key() && !event.meta_key() {
            event.prevent_default();
            chosen.emit(());
        }
    })
}

/// A click without a pointer, as screen readers send it. Clicks of a pointer are seen to by whoever follows the pointer.
pub fn click_without_pointer(chosen: &Callback<()>) -> Callback<MouseEvent> {
    let chosen = chosen.clone();
    Callback::from(move |event: MouseEvent| {
        if event.detail() == 0 {
            chosen.emit(());
        }
    })
}
