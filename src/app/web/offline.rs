//! Keeps the page for when there is no network, by a service worker (`www/service-worker.js`), and says when a newer one has come. This comes in the
//! chunk for actions. Nothing is kept in frames of other pages, on connections that save data, and of debug builds.

use super::browser;
use gloo::timers::future::TimeoutFuture;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use yew::Callback;

/// ms after the first picture: what is on screen comes first.
const AFTER: u32 = 8_000;
/// What is told when a newer page has come.
const NEWER: &str =
    "A newer version of this page has been published. Reload to have it; the run is kept in the address.";

/// Begins to keep it, and tells of newer ones for the lifetime of the page.
pub fn install(tell: Callback<String>) {
    if cfg!(debug_assertions) || browser::is_framed() || saves_data() {
        return;
    }
    yew::platform::spawn_local(async move {
        TimeoutFuture::new(AFTER).await;
        // Where that is forbidden, or the host has no such file, the page does without.
        let _ = register(tell).await;
    });
}

/// Whether the person wants little to be loaded.
fn saves_data() -> bool {
    let connection = Reflect::get(&browser::window().navigator(), &"connection".into());
    connection.and_then(|connection| Reflect::get(&connection, &"saveData".into())).is_ok_and(|saves| saves.is_truthy())
}

/// What web-sys would bring much for.
fn call(on: &JsValue, name: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
    Reflect::get(on, &name.into())?.dyn_into::<Function>()?.call1(on, argument)
}

async fn register(tell: Callback<String>) -> Result<(), JsValue> {
    let container = Reflect::get(&browser::window().navigator(), &"serviceWorker".into())?;
    let registered: Promise = call(&container, "register", &"service-worker.js".into())?.dyn_into()?;
    let registration = JsFuture::from(registered).await?;
    let (found, watched) = (container.clone(), registration.clone());
    let on_found = Closure::<dyn Fn()>::new(move || {
        // The first one of all is no newer one.
        let is_first = Reflect::get(&found, &"controller".into()).is_ok_and(|controller| controller.is_null());
        let Ok(worker) = Reflect::get(&watched, &"installing".into()) else { return };
        let (tell, changing) = (tell.clone(), worker.clone());
        let on_change = Closure::<dyn Fn()>::new(move || {
            let state = Reflect::get(&changing, &"state".into()).ok().and_then(|state| state.as_string());
            if !is_first && state.as_deref() == Some("installed") {
                tell.emit(NEWER.to_owned());
            }
        });
        let _ = Reflect::set(&worker, &"onstatechange".into(), on_change.as_ref());
        on_change.forget();
    });
    Reflect::set(&registration, &"onupdatefound".into(), on_found.as_ref())?;
    on_found.forget();
    Ok(())
}
