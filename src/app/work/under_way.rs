//! A job under way, as the page sees it: in a worker or, where none can be started, in slices in the page.

use super::job;
use crate::web::browser;
use gloo::events::EventListener;
use gloo::timers::future::TimeoutFuture;
use js_sys::{Array, Function, Object, Reflect};
use quorumscope::lab::job::{Job, News};
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::EventTarget;
use yew::Callback;

/// Time of one slice in the page, and the pause after it, ms.
const SLICE: (f64, u32) = (4.0, 14);

/// A job under way. To drop it ends it, whatever it is in the middle of.
pub struct UnderWay(Rc<State>);

struct State {
    job: Job,
    tell: Callback<News>,
    worker: RefCell<Option<Worker>>,
    /// Whether the worker has told anything: then it runs, and what is told of errors is the job's.
    answered: Cell<bool>,
}

/// A worker, and what listens to it.
struct Worker {
    worker: JsValue,
    _listeners: [EventListener; 2],
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = call(&self.worker, "terminate", &[]);
    }
}

impl UnderWay {
    /// Starts a job. What is told of it comes later, never before this returns.
    pub fn start(job: Job, tell: Callback<News>) -> UnderWay {
        let state = Rc::new(State { job, tell, worker: RefCell::new(None), answered: Cell::new(false) });
        match state.start_worker() {
            Some(worker) => *state.worker.borrow_mut() = Some(worker),
            None => state.go_on_in_page(),
        }
        UnderWay(state)
    }

    /// Whether it is in a worker.
    pub fn in_worker(&self) -> bool {
        self.0.worker.borrow().is_some()
    }
}

impl State {
    /// Starts a worker: to measure, with the program that runs here, which is compiled already. `None`: the browser lets none be started.
    fn start_worker(self: &Rc<State>) -> Option<Worker> {
        let script = browser::script()?;
        let folder = script.rsplit_once('/')?.0;
        let job = serde_json::to_string(&self.job).ok()?;
        let class: Function = Reflect::get(&browser::window(), &"Worker".into()).ok()?.dyn_into().ok()?;
        let options = Object::new();
        Reflect::set(&options, &"type".into(), &"module".into()).ok()?;
        // Compiled with the feature `search`, the program that runs here does.
        let file = if self.searches() && !cfg!(feature = "search") { "search" } else { "worker" };
        let arguments = Array::of2(&format!("{folder}/{file}.js").into(), &options);
        let worker: JsValue = Reflect::construct(&class, &arguments).ok()?;
        let listen = |kind: &'static str, on: fn(&Rc<State>, &JsValue)| {
            let state: Weak<State> = Rc::downgrade(self);
            EventListener::new(worker.unchecked_ref::<EventTarget>(), kind, move |event| {
                if let Some(state) = state.upgrade() {
                    on(&state, event);
                }
            })
        };
        let listeners = [listen("message", State::on_message), listen("error", |state, _| state.on_failure(None))];
        let told =
            call(&worker, "postMessage", &[Array::of3(&script.into(), &wasm_bindgen::module(), &job.into()).into()]);
        let started = Worker { worker, _listeners: listeners };
        told.map(|_| started)
    }

    /// The worker tells something: news, or, as anything but a text, that the program could not be started in it.
    fn on_message(self: &Rc<State>, event: &JsValue) {
        let data = Reflect::get(event, &"data".into()).ok();
        match data.and_then(|data| data.as_string()).map(|text| serde_json::from_str::<News>(&text)) {
            Some(Ok(news)) => {
                self.answered.set(true);
                if news.is_end() {
                    self.end_worker();
                }
                self.tell.emit(news);
            }
            Some(Err(wrong)) => self.on_failure(Some(wrong.to_string())),
            None => self.on_failure(None),
        }
    }

    /// The worker cannot go on. If it had not even begun, the page does its work.
    fn on_failure(self: &Rc<State>, why: Option<String>) {
        self.end_worker();
        match self.answered.get() {
            true => self.tell.emit(News::Failed(why.unwrap_or_else(|| "the worker has stopped".to_owned()))),
            false => self.go_on_in_page(),
        }
    }

    /// Ends the worker, after the event that is being handled: its listeners go with it.
    fn end_worker(&self) {
        let worker = self.worker.take();
        yew::platform::spawn_local(async move { drop(worker) });
    }

    /// Whether the job is done by the program that searches.
    fn searches(&self) -> bool {
        !matches!(self.job, Job::Measure { .. })
    }

    /// Does the work in slices, until nobody wants it any more. Searching would take too long for that.
    fn go_on_in_page(self: &Rc<State>) {
        if self.searches() {
            let why = "what searches could not be started. It needs a connection, and a browser and a host that let a worker run";
            let tell = self.tell.clone();
            return yew::platform::spawn_local(async move { tell.emit(News::Failed(why.to_owned())) });
        }
        let (job, state) = (self.job.clone(), Rc::downgrade(self));
        yew::platform::spawn_local(async move {
            let begun = match job::load().await {
                Ok(jobs) => (jobs.begin)(job).await,
                Err(_) => Err("What does this work could not be loaded. Is there a connection?".to_owned()),
            };
            let mut work = match begun {
                Ok(work) => work,
                Err(why) => {
                    return state.upgrade().into_iter().for_each(|state| state.tell.emit(News::Failed(why.clone())));
                }
            };
            loop {
                let deadline = browser::now() + SLICE.0;
                while browser::now() < deadline {
                    let mut over = false;
                    work.advance(&mut |news| {
                        over |= news.is_end();
                        state.upgrade().into_iter().for_each(|state| state.tell.emit(news.clone()));
                    });
                    if over {
                        return;
                    }
                }
                TimeoutFuture::new(SLICE.1).await;
                if state.strong_count() == 0 {
                    return;
                }
            }
        });
    }
}

/// Calls a method by name. web-sys's classes would add to what the first picture loads; what is imported already does as well.
fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let method: Function = Reflect::get(object, &method.into()).ok()?.dyn_into().ok()?;
    match arguments {
        [] => method.call0(object).ok(),
        [argument, ..] => method.call1(object, argument).ok(),
    }
}
