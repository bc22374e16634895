//! What the page listens to as a whole: keys, visibility, the address, the system's theme.

use super::lab::{Lab, Msg};
use crate::web::browser;
use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// The listeners, which last as long as they are kept.
pub(super) fn listeners(ctx: &Context<Lab>) -> Vec<EventListener> {
    let key = ctx.link().batch_callback(|event: web_sys::Event| event.dyn_into().ok().map(Msg::Key));
    let seen = ctx.link().callback(|_: web_sys::Event| Msg::Visibility);
    let address = ctx.link().callback(|_: web_sys::Event| Msg::Address);
    let active = gloo::events::EventListenerOptions::enable_prevent_default();
    let theme = ctx.link().callback(|_: web_sys::Event| Msg::Theme(browser::matches("(prefers-color-scheme: dark)")));
    let scheme = browser::window().match_media("(prefers-color-scheme: dark)").ok().flatten();
    let scheme = scheme.map(|list| EventListener::new(&list, "change", move |event| theme.emit(event.clone())));
    let mut listeners = vec![
        EventListener::new_with_options(&browser::document(), "keydown", active, move |event| key.emit(event.clone())),
        EventListener::new(&browser::document(), "visibilitychange", move |event| seen.emit(event.clone())),
        EventListener::new(&browser::window(), "hashchange", move |event| address.emit(event.clone())),
    ];
    listeners.extend(scheme);
    listeners
}
