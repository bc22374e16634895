//! The web page, in Yew. It knows no protocol by name: all it shows comes from the façade, `quorumscope::universe`.

mod charts;
mod dialogs;
mod elements;
mod embed;
mod hotkeys;
mod lessons;
mod page_action;
mod pages;
mod panels;
mod run;
mod stage;
mod time;
mod web;
mod work;

use pages::first;
use pages::lab::{First, Lab, Props};
use std::cell::RefCell;
use std::rc::Rc;
use web::browser;
use web::options::Options;
use work::job;

fn main() {
    yew::platform::spawn_local(async {
        if browser::in_worker() {
            if let Ok(jobs) = job::load().await {
                (jobs.serve)().await;
            }
            return;
        }
        let options = Options::read();
        let opened = first::first(&options).await;
        let first = First(Rc::new(RefCell::new(Some(opened))));
        yew::Renderer::<Lab>::with_props(Props { options, first }).render();
    });
}
