//! SPLICE (cssplice.org, iframe protocol): the page around keeps score and state of a lesson. Asked once; without an answer nothing more is said.

use crate::lessons::progress;
use crate::run::player::Shared;
use crate::web::browser;
use crate::web::options::{CONTENT_ID, LESSON};
use gloo::timers::callback::Timeout;
use js_sys::{JSON, Reflect};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// Least time between two reports, ms.
const REPORT_EVERY: u32 = 1_000;
/// Most characters of a state that is taken back.
const LONGEST: u32 = 1 << 16;

/// What courseware is told.
#[derive(Default)]
pub struct Splice(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// Whether somebody has answered.
    is_there: Cell<bool>,
    messages: Cell<u32>,
    /// What reports soon.
    soon: RefCell<Option<Timeout>>,
}

impl Splice {
    /// Asks for the state that was kept. Everything is shown as new meanwhile.
    pub fn ask(&self) {
        self.0.post("SPLICE.getState", json!({}));
    }

    /// Takes the answer: the first one with a state counts.
    pub fn hear(&self, player: &Shared, data: &JsValue) {
        let kept = Reflect::get(data, &"state".into()).unwrap_or_default();
        let text = JSON::stringify(&kept).ok().filter(|text| text.length() <= LONGEST);
        let state = text.and_then(|text| serde_json::from_str::<Value>(&String::from(text)).ok()).unwrap_or_default();
        let first = !self.0.is_there.replace(true);
        if first || state["lessons"].is_object() {
            let kept = state["lessons"].as_object().into_iter().flatten();
            let kept = kept.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            progress::hold(&player.borrow().told, kept);
        }
    }

    /// Reports score and state, a little later: what changes by then is part of it.
    pub fn report_soon(&self, player: &Shared) {
        if !self.0.is_there.get() {
            return;
        }
        let (inner, player) = (self.0.clone(), player.clone());
        let mut soon = self.0.soon.borrow_mut();
        if soon.is_none() {
            *soon = Some(Timeout::new(REPORT_EVERY, move || inner.report(&player)));
        }
    }

    /// Reports what has not been reported yet, as when the page is left.
    pub fn flush(&self, player: &Shared) {
        if self.0.soon.borrow().is_some() {
            self.0.report(player);
        }
    }

    /// Tells something that somebody did.
    pub fn event(&self, name: &str, data: &Value) {
        if self.0.is_there.get() {
            let location = browser::window().location().href().unwrap_or_default();
            self.0.post("SPLICE.sendEvent", json!({ "location": location, "name": name, "data": data }));
        }
    }
}

/// The key of the lesson in the address, if there is one.
fn lesson() -> Option<String> {
    LESSON.here().filter(|key| !key.is_empty())
}

impl Inner {
    fn report(&self, player: &Shared) {
        drop(self.soon.borrow_mut().take());
        let told = player.borrow().told.clone();
        let lessons = told.kept.borrow().clone().unwrap_or_default();
        let score = progress::score(&told, lesson().as_deref());
        self.post("SPLICE.reportScoreAndState", json!({ "score": score, "state": { "lessons": lessons } }));
    }

    fn post(&self, subject: &str, mut message: Value) {
        let number = self.messages.get() + 1;
        self.messages.set(number);
        message["subject"] = json!(subject);
        message["message_id"] = json!(format!("quorumscope-{number}"));
        // By default, those who keep states tell them apart by host and path; lessons have the same path.
        let lesson = lesson().map(|key| format!("quorumscope-lesson-{key}"));
        if let Some(name) = CONTENT_ID.here().or(lesson) {
            message["content_id"] = json!(name);
        }
        browser::post(&message, "*");
    }
}
