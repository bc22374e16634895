//! The page comes in two parts: what the first picture needs, and the rest, which is loaded once that picture is there. What is only in
//! the rest can be called at any time, but whoever calls it early makes the page stand still until it is loaded; so ask first.
//! `scripts/split.mjs` makes the two parts, of release builds only: others have it all from the start.

use super::browser;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The function that the loader leaves in the window: it gives a promise, and tries again if it failed before.
const LOAD: &str = "quorumscopeRest";

/// Waits until all of the page is there; tells whether that worked.
pub async fn ready() -> bool {
    let load = Reflect::get(&browser::window(), &LOAD.into()).ok().and_then(|load| load.dyn_into::<Function>().ok());
    let Some(load) = load else { return true };
    match load.call0(&JsValue::NULL).ok().and_then(|promise| promise.dyn_into::<Promise>().ok()) {
        Some(promise) => JsFuture::from(promise).await.is_ok(),
        None => false,
    }
}
