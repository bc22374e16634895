//! What can be done to a run, and documents: links, scenarios, the handle for scripts. They come in a chunk of their own, right after the first picture.

use super::apply_action::{self, Notice};
use super::keyboard;
use super::opening::{self, Opened};
use crate::page_action::PageAction;
use crate::panels::trials;
use crate::run::announce::{self, Announce};
use crate::run::details::Details;
use crate::run::engine::Engine;
use crate::run::player::Shared;
use crate::time::{self, chapters};
use crate::web::options::Options;
use crate::web::{address, handle, json};
use quorumscope::lab::document::trial::Trial;
use quorumscope::lab::{Document, Scenario, Session};
use quorumscope::universe::Variant;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::KeyboardEvent;
use yew::Html;

/// Something that is told later.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// The functions of this chunk.
#[derive(Debug)]
pub struct Actions {
    /// See [`apply_action::apply_action`].
    pub apply: fn(&mut Engine, PageAction, &'static Variant, &[Scenario]) -> Notice,
    /// See [`apply_action::present`].
    pub present: fn(&Engine) -> Scenario,
    /// See [`keyboard::page_action`].
    pub key: fn(&KeyboardEvent, &Engine) -> Option<PageAction>,
    /// See [`opening::asked`].
    pub asked: fn(Options) -> Later<Opened>,
    /// See [`opening::link`]; the error says what is wrong.
    pub link: fn(String) -> Later<Result<Opened, String>>,
    /// The built-in scenarios.
    pub presets: fn() -> Vec<Scenario>,
    /// See [`address::pack`].
    pub pack: fn(Document) -> Later<Option<String>>,
    /// See [`address::link`].
    pub address: fn(&str) -> String,
    /// See [`Session::document`].
    pub document: fn(&Session) -> Document,
    /// What is told of a run.
    pub details: Details,
    /// See [`Engine::ending`].
    pub ending: fn(&Engine) -> String,
    /// See [`Engine::complete`].
    pub complete: fn(&mut Engine),
    /// See [`chapters::buttons`] and [`chapters::ticks`].
    pub moments: (time::Part, time::Part),
    /// A copy of what a scenario has to try.
    pub trials_of: fn(&Scenario) -> Rc<[Trial]>,
    /// See [`trials::trials`].
    pub trials: fn(trials::Props) -> Html,
    /// See [`announce::announce`].
    pub announce: fn() -> Announce,
    /// See [`handle::install`].
    pub install: fn(&Shared),
}

/// Where this chunk begins.
#[wasm_split(actions, fallible)]
pub fn load() -> Result<&'static Actions, SplitLoaderError> {
    Ok(&Actions {
        apply: apply_action::apply_action,
        present: apply_action::present,
        key: keyboard::page_action,
        asked: |options| Box::pin(opening::asked(options)),
        link: |fragment| {
            Box::pin(async move { opening::link(&fragment).await.map_err(|problems| problems.to_string()) })
        },
        presets: || json::presets().into_iter().map(|(_, scenario)| scenario).collect(),
        pack: |document| Box::pin(async move { address::pack(&document).await }),
        address: address::link,
        document: Session::document,
        details: Details::ALL,
        ending: Engine::ending,
        complete: Engine::complete,
        moments: (chapters::buttons, chapters::ticks),
        trials_of: |scenario| scenario.trials.as_slice().into(),
        trials: trials::trials,
        announce: announce::announce,
        install: handle::install,
    })
}
