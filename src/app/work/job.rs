//! Jobs: what is asked, what is told, and what does it. This is the chunk that a worker loads first.

use super::measure::{self, Measurement};
use js_sys::{Function, Reflect};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use wasm_bindgen::{JsCast, JsValue};
use wasm_split_helpers::{SplitLoaderError, wasm_split};

/// What is asked. One job a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Job {
    /// Measure messages per command.
    Measure {
        /// The scenario, a document in JSON.
        scenario: String,
        /// Variants by key, each with a number of replicas, in the order in which they are wanted.
        cells: Vec<(String, u8)>,
    },
}

/// What is told of a job: results as they come, how far it is, and one end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum News {
    /// So much is done, of so much in all. Also told at the beginning, before any result.
    Progress(u64, u64),
    /// A result.
    Measured(Measurement),
    /// The end: all is done.
    Done,
    /// The end: why it cannot be done.
    Failed(String),
}

impl News {
    /// Whether nothing comes after it.
    pub fn is_end(&self) -> bool {
        matches!(self, News::Done | News::Failed(_))
    }
}

/// A job under way.
pub trait Work {
    /// Goes on for a moment that no person notices, and tells what is new. Nothing is asked of it after an end.
    fn advance(&mut self) -> Vec<News>;
}

/// Something that is there later.
type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// A job that has begun, or why it cannot.
type Begun = Result<Box<dyn Work>, String>;

/// The functions of this chunk.
#[derive(Debug)]
pub struct Jobs {
    /// See [`begin`].
    pub begin: fn(Job) -> Later<Begun>,
    /// See [`serve`].
    pub serve: fn() -> Later<()>,
}

/// Where this chunk begins.
#[wasm_split(jobs, fallible)]
pub fn load() -> Result<&'static Jobs, SplitLoaderError> {
    Ok(&Jobs { begin: |job| Box::pin(begin(job)), serve: || Box::pin(serve()) })
}

/// Begins a job, and loads what it takes. The error says why that is impossible.
async fn begin(job: Job) -> Begun {
    match job {
        Job::Measure { scenario, cells } => Ok(Box::new(measure::begin(&scenario, cells).await?)),
    }
}

/// In a worker: does the job that `www/worker.js` has put there, without a pause. Whoever wants it to end ends the worker.
async fn serve() {
    let global = js_sys::global();
    let asked = Reflect::get(&global, &"job".into()).ok().and_then(|job| job.as_string()).unwrap_or_default();
    let work = match serde_json::from_str(&asked) {
        Ok(job) => begin(job).await,
        Err(wrong) => Err(wrong.to_string()),
    };
    let mut work = match work {
        Ok(work) => work,
        Err(why) => return post(&global, &News::Failed(why)),
    };
    loop {
        let news = work.advance();
        news.iter().for_each(|news| post(&global, news));
        if news.iter().any(News::is_end) {
            return;
        }
    }
}

/// Tells the page.
fn post(global: &JsValue, news: &News) {
    let post = Reflect::get(global, &"postMessage".into()).ok().and_then(|post| post.dyn_into::<Function>().ok());
    if let (Some(post), Ok(text)) = (post, serde_json::to_string(news)) {
        let _ = post.call1(global, &text.into());
    }
}
