//! The program that searches for violations: it does any job ([`quorumscope::lab::job`]), knows every variant with its model checker, and is compiled for
//! speed. The page has it loaded in a worker (`www/search.js`) when somebody searches.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use js_sys::Function;
use quorumscope::lab::job::begin::begin;
use quorumscope::lab::job::{Job, News, Work};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// One job under way.
#[wasm_bindgen]
pub struct UnderWay {
    /// `None`: it could not begin, and why was told.
    work: Option<Box<dyn Work>>,
    /// Takes each piece of news, as JSON.
    tell: Function,
}

#[wasm_bindgen]
impl UnderWay {
    /// Begins a job, given as JSON. What is told of it goes to `tell`.
    #[wasm_bindgen(constructor)]
    pub fn new(job: &str, tell: Function) -> UnderWay {
        let job: Result<Job, String> = serde_json::from_str(job).map_err(|wrong| wrong.to_string());
        let begun = job.and_then(|job| begin(&job));
        let news = match &begun {
            Ok(work) => News::Progress(0, work.extent()),
            Err(why) => News::Failed(why.clone()),
        };
        post(&tell, &news);
        UnderWay { work: begun.ok(), tell }
    }

    /// Goes on for some milliseconds; whether there is more to do.
    pub fn advance(&mut self) -> bool {
        let Some(work) = &mut self.work else { return false };
        let mut over = false;
        work.advance(&mut |news| {
            over |= news.is_end();
            post(&self.tell, &news);
        });
        !over
    }
}

/// Passes on what is new. That it was not taken is not for the job to mend.
fn post(tell: &Function, news: &News) {
    if let Ok(text) = serde_json::to_string(news) {
        let _ = tell.call1(&JsValue::NULL, &text.into());
    }
}

fn main() {}
