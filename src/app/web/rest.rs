//! The page comes in two parts: what the first picture needs, and the rest, which is loaded once that picture is there. What is only in
//! the rest can be called at any time, but whoever calls it early makes the page stand still until it is loaded; so ask first.
//! `scripts/split.mjs` makes the two parts, of release builds only: others have it all from the start.

use super::browser;
use js_sys::Promise;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// The promise that the loader leaves in the window.
const PROMISE: &str = "quorumscopeRest";

/// Waits until all of the page is there; tells whether that worked.
pub async fn ready() -> bool {
    let promise = js_sys::Reflect::get(&browser::window(), &PROMISE.into()).ok();
    match promise.and_then(|promise| promise.dyn_into::<Promise>().ok()) {
        Some(promise) => JsFuture::from(promise).await.is_ok(),
        None => true,
    }
}
