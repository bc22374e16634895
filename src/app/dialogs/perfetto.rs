//! Hands a trace to Perfetto's page, as that documents it ("Deep linking to the Perfetto UI"): a window is opened, asked with PING until it answers PONG, and
//! given the trace. The trace goes from window to window; this page asks no server for anything.

use crate::web::browser;
use gloo::events::EventListener;
use gloo::timers::future::TimeoutFuture;
use js_sys::{Object, Reflect, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Window};

/// Perfetto's page.
const PAGE: &str = "https://ui.perfetto.dev";
/// ms between two questions, and how often it is asked: a minute in all.
const ASK: (u32, u32) = (100, 600);

/// Opens the window. It must be called while a click is handled: later, browsers forbid it.
pub fn open() -> Option<Window> {
    browser::window().open_with_url_and_target(PAGE, "_blank").ok().flatten()
}

/// Gives it the trace once it is ready.
pub async fn give(to: &Window, trace: &str, title: &str) -> Result<(), String> {
    let ready = Rc::new(Cell::new(false));
    let heard = ready.clone();
    let _listener = EventListener::new(&browser::window(), "message", move |event| {
        let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
        heard.set(heard.get() || event.origin() == PAGE && event.data() == "PONG");
    });
    for _ in 0..ASK.1 {
        if ready.get() {
            return post(to, trace, title).map_err(|_| "it did not take it".to_owned());
        }
        let _ = to.post_message(&"PING".into(), PAGE);
        TimeoutFuture::new(ASK.0).await;
    }
    Err("Perfetto's page did not answer".to_owned())
}

fn post(to: &Window, trace: &str, title: &str) -> Result<(), JsValue> {
    let buffer = Uint8Array::from(trace.as_bytes()).buffer();
    let given = Object::new();
    Reflect::set(&given, &"buffer".into(), &buffer)?;
    Reflect::set(&given, &"title".into(), &title.into())?;
    let message = Object::new();
    Reflect::set(&message, &"perfetto".into(), &given)?;
    to.post_message(&message, PAGE)
}
