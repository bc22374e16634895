//! The page around the frame: whom it is obeyed, how much of it, and what is said to it.

use super::commands::{self, Failure};
use super::splice::Splice;
use super::watch;
use crate::run::player::Shared;
use crate::run::told::Told;
use crate::web::options::HOST;
use crate::web::{browser, handle};
use gloo::events::EventListener;
use js_sys::{JsString, Reflect};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MessageEvent;

/// Most commands that are obeyed in a second. More than these are left out, and that is told once.
const COMMANDS_A_SECOND: u32 = 100;
/// Most characters of a text in a command.
const LONGEST: u32 = 1 << 20;
/// Most characters of a name in a command.
const NAME: u32 = 200;

/// The page around the frame.
pub struct Host {
    /// The run on screen.
    pub player: Shared,
    /// What courseware is told.
    pub splice: Splice,
    /// Where the page around comes from, once it has given a command; `None` before.
    origin: RefCell<Option<String>>,
    /// Since when commands are counted, ms, and how many there were.
    counted: Cell<(f64, u32)>,
    /// The height without which something does not fit at a width, CSS pixels, as far as that is known.
    pub needs: Cell<(f64, f64)>,
    /// Whether H5P's resizer has answered.
    pub has_resizer: Cell<bool>,
}

/// Begins, for the lifetime of the page.
pub fn begin(player: &Shared) {
    let host = Rc::new(Host {
        player: player.clone(),
        splice: Splice::default(),
        origin: RefCell::new(None),
        counted: Cell::new((0.0, 0)),
        needs: Cell::default(),
        has_resizer: Cell::new(false),
    });
    let listens = host.clone();
    let listener = EventListener::new(&browser::window(), "message", move |event| {
        if let Some(event) = event.dyn_ref::<MessageEvent>() {
            listens.hear(event);
        }
    });
    listener.forget();
    let tells = host.clone();
    player.borrow().told.listen(move |told| tells.lesson(told));
    // Whoever embeds it need not have said anything before; what is told here is on screen anyway.
    let state = handle::state(player);
    host.post(json!({ "type": "ready", "version": env!("CARGO_PKG_VERSION"), "state": state }));
    host.splice.ask();
    browser::post(&json!({ "context": "h5p", "action": "hello" }), "*");
    watch::begin(&host);
}

impl Host {
    /// Says something in our own words.
    pub fn post(&self, mut message: Value) {
        message["quorumscope"] = json!(1);
        let origin = self.origin.borrow();
        // An origin that is none, as that of a page from a file, can only be named by all of them.
        let to = origin.as_deref().filter(|origin| *origin != "null").unwrap_or("*");
        browser::post(&message, to);
    }

    /// Whether somebody around has spoken in our own words.
    pub fn is_known(&self) -> bool {
        self.origin.borrow().is_some()
    }

    fn hear(self: &Rc<Host>, event: &MessageEvent) {
        let parent = browser::window().parent().ok().flatten().map(JsValue::from);
        let from_parent = event.source().map(JsValue::from).is_some_and(|source| parent == Some(source));
        let origin = event.origin();
        if !from_parent || HOST.here().is_some_and(|only| only != origin) {
            return;
        }
        let data = event.data();
        if !data.is_object() {
            return;
        }
        let field = |name: &str| short(&data, name, NAME);
        if Reflect::get(&data, &"quorumscope".into()).is_ok_and(|version| version == 1) {
            self.obey(&data, origin);
        } else if field("subject").is_some_and(|subject| subject == "SPLICE.getState.response") {
            self.splice.hear(&self.player, &data);
        } else if field("context").is_some_and(|context| context == "h5p") {
            self.resized(field("action").as_deref());
        }
        // Whatever else comes is not for us; Canvas answers what it does not know with errors, which mean that there is nobody.
    }

    fn obey(self: &Rc<Host>, data: &JsValue, origin: String) {
        let (since, count) = self.counted.get();
        let now = browser::now();
        let (since, count) = if now - since > 1_000.0 { (now, 0) } else { (since, count) };
        self.counted.set((since, count + 1));
        if count == COMMANDS_A_SECOND {
            let says = format!("more than {COMMANDS_A_SECOND} commands in a second; the rest of them are left out");
            self.post(json!({ "type": "error", "code": "flood", "message": says }));
        }
        if count >= COMMANDS_A_SECOND {
            return;
        }
        if self.origin.borrow_mut().get_or_insert_with(|| origin.clone()) != &origin {
            return;
        }
        let id = Reflect::get(data, &"id".into()).ok();
        let id = match id.as_ref().and_then(JsValue::as_f64) {
            Some(number) => json!(number),
            None => json!(short(data, "id", NAME)),
        };
        let Some(name) = short(data, "command", NAME) else {
            let says = "there is no \"command\", or it is no text";
            return self.post(json!({ "type": "error", "id": id, "code": "bad_command", "message": says }));
        };
        let text = |name: &str| short(data, name, LONGEST);
        let arguments = match commands::Arguments::read(&name, data, text) {
            Ok(arguments) => arguments,
            Err(failure) => return self.fail(&id, &failure),
        };
        let host = self.clone();
        yew::platform::spawn_local(async move {
            match commands::perform(&host.player, &name, arguments).await {
                Ok(value) => host.post(json!({ "type": "done", "id": id, "value": value })),
                Err(failure) => host.fail(&id, &failure),
            }
        });
    }

    fn fail(&self, id: &Value, failure: &Failure) {
        self.post(json!({ "type": "error", "id": id, "code": failure.code, "message": failure.message }));
    }

    /// What somebody did in a lesson.
    fn lesson(&self, told: &Told) {
        if let Told::Progress { .. } = told {
            return self.splice.report_soon(&self.player);
        }
        let message = json!(told);
        self.splice.event(message["type"].as_str().unwrap_or_default(), &message);
        if self.is_known() {
            self.post(message);
        }
    }

    /// H5P's resizer says something.
    fn resized(&self, action: Option<&str>) {
        match action {
            Some("hello") => self.has_resizer.set(true),
            Some("resizePrepared") => {
                browser::post(
                    &json!({ "context": "h5p", "action": "resize", "scrollHeight": watch::height(self) }),
                    "*",
                );
                return;
            }
            Some("resize") => {}
            _ => return,
        }
        self.prepare_resize();
    }

    /// Asks H5P's resizer for the height that is wanted.
    pub fn prepare_resize(&self) {
        let inner = browser::window().inner_height().ok().and_then(|height| height.as_f64());
        browser::post(
            &json!({ "context": "h5p", "action": "prepareResize", "scrollHeight": watch::height(self), "clientHeight": inner }),
            "*",
        );
    }
}

/// A text in a message, unless it is longer than that: what is long is not even copied.
fn short(data: &JsValue, name: &str, longest: u32) -> Option<String> {
    let value: JsString = Reflect::get(data, &name.into()).ok()?.dyn_into().ok()?;
    (value.length() <= longest).then(|| value.into())
}
