//! What of jobs the page's own program does: measuring, with the variants loaded one by one. This is the chunk that a worker loads first. Compiled with the
//! feature `search`, as in the page of one file, it has every variant with its model checker, and does any job.

use js_sys::{Function, Reflect};
use quorumscope::lab::job::{Job, News, Work};
use std::future::Future;
use std::pin::Pin;
use wasm_bindgen::{JsCast, JsValue};
use wasm_split_helpers::{SplitLoaderError, wasm_split};

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
#[cfg(feature = "search")]
async fn begin(job: Job) -> Begun {
    quorumscope::lab::job::begin::begin(&job)
}

/// The same with what of it this program does.
#[cfg(not(feature = "search"))]
async fn begin(job: Job) -> Begun {
    match job {
        Job::Measure { scenario, cells } => measure(&scenario, cells).await,
        Job::Explore { .. } | Job::Fuzz { .. } => Err("the program that searches does this".to_owned()),
    }
}

/// Begins to measure these cells on this scenario. Variants that cannot be loaded are left out. Errors: a scenario that makes no sense.
#[cfg(not(feature = "search"))]
async fn measure(scenario: &str, cells: Vec<(String, u8)>) -> Begun {
    use crate::web::variants;
    use quorumscope::lab::{CompareJob, job::measuring, link};
    let scenario = link::from_json(scenario).map_err(|problems| problems.to_string())?.scenario;
    let own = match variants::variant(&scenario.variant).await {
        Some(loaded) => Some(loaded.map_err(|missing| missing.to_string())?),
        None => None,
    };
    let checked = scenario.check_with(own).map_err(|problems| problems.to_string())?;
    let mut tasks = Vec::new();
    for (key, replicas) in cells {
        if let Some(Ok(variant)) = variants::variant(&key).await {
            tasks.push((variant, replicas));
        }
    }
    Ok(measuring(CompareJob::of(&scenario, checked, tasks)))
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
    post(&global, &News::Progress(0, work.extent()));
    let mut over = false;
    while !over {
        work.advance(&mut |news| {
            over |= news.is_end();
            post(&global, &news);
        });
    }
}

/// Tells the page.
fn post(global: &JsValue, news: &News) {
    let post = Reflect::get(global, &"postMessage".into()).ok().and_then(|post| post.dyn_into::<Function>().ok());
    if let (Some(post), Ok(text)) = (post, serde_json::to_string(news)) {
        let _ = post.call1(global, &text.into());
    }
}
