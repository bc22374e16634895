//! What the page listens to: keys, visibility, the address, the system's theme.

use super::lab::{Lab, Msg};
use crate::web::{browser, room};
use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use yew::Context;

/// Listens for as long as what is returned is kept.
pub(super) fn listeners(ctx: &Context<Lab>) -> Vec<EventListener> {
    let key = ctx.link().batch_callback(|event: web_sys::Event| event.dyn_into().ok().map(Msg::Key));
    let seen = ctx.link().callback(|_: web_sys::Event| Msg::Visibility);
    let address = ctx.link().callback(|_: web_sys::Event| Msg::Address);
    let active = gloo::events::EventListenerOptions::enable_prevent_default();
    let theme = ctx.link().callback(|_: web_sys::Event| Msg::Theme(browser::matches("(prefers-color-scheme: dark)")));
    let paper = ctx.link().callback(|_: web_sys::Event| Msg::Paper(browser::matches("print")));
    let print = browser::window().match_media("print").ok().flatten();
    let print = print.map(|list| EventListener::new(&list, "change", move |event| paper.emit(event.clone())));
    let scheme = browser::window().match_media("(prefers-color-scheme: dark)").ok().flatten();
    let scheme = scheme.map(|list| EventListener::new(&list, "change", move |event| theme.emit(event.clone())));
    let mut listeners = vec![
        EventListener::new_with_options(&browser::document(), "keydown", active, move |event| key.emit(event.clone())),
        EventListener::new(&browser::document(), "visibilitychange", move |event| seen.emit(event.clone())),
        EventListener::new(&browser::window(), "hashchange", move |event| address.emit(event.clone())),
    ];
    listeners.push(EventListener::new(&browser::window(), "resize", |_| room::classify()));
    listeners.extend(scheme.into_iter().chain(print));
    listeners
}
