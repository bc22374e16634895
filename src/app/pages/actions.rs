//! What can be done to a run, and documents: links, scenarios, the handle for scripts. They come in a chunk of their own, right after the first picture.

use super::apply_action::{self, Notice};
use super::chunks::{Chunk, Missing, Part, variant};
use super::keyboard;
use super::lab::Lab;
use super::lock;
use super::opening::{self, Opened};
use super::prefetch;
use super::presentation;
use crate::embed;
use crate::lessons::entry;
use crate::page_action::PageAction;
use crate::panels::{latency, trials};
use crate::run::announce::{self, Announce};
use crate::run::context::RunContext;
use crate::run::details::Details;
use crate::run::engine::{Engine, Errand};
use crate::run::errand;
use crate::run::player::Shared;
use crate::run::view_model::ViewModel;
use crate::time::{self, chapters};
use crate::web::{address, handle, json, later_style, offline, parameters};
use quorumscope::lab::document::trial::Trial;
use quorumscope::lab::{Document, Scenario, Session};
use quorumscope::universe::Variant;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::KeyboardEvent;
use yew::{Callback, Context, Html};

/// Something that is told later.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// A variant, or why it could not be loaded; `None`: there is no such variant.
pub type Loaded = Option<Result<&'static Variant, Missing>>;

/// The functions of this chunk.
#[derive(Debug)]
pub struct Actions {
    /// See [`apply_action::apply_action`].
    pub apply: fn(&mut Engine, PageAction, &'static Variant, &[Scenario]) -> Notice,
    /// The scenario of the run for the set-up dialog: see [`apply_action::present`] and [`Session::scripted`].
    pub present: fn(&Engine) -> Rc<(Scenario, Scenario)>,
    /// See [`lock::refuses`].
    pub refuses: fn(&Engine, &PageAction) -> Option<String>,
    /// See [`keyboard::page_action`].
    pub key: fn(&KeyboardEvent, &Engine) -> Option<PageAction>,
    /// See [`opening::asked`].
    pub asked: fn() -> Later<Opened>,
    /// See [`opening::opening`]; the error says what is wrong.
    pub link: fn(String) -> Later<Result<Errand, String>>,
    /// See [`errand::begin`].
    pub begin: fn(&mut Engine, Errand),
    /// See [`errand::draw`].
    pub errand: fn(&Errand, &Callback<PageAction>) -> Html,
    /// The built-in scenarios.
    pub presets: fn() -> Vec<Scenario>,
    /// See [`address::pack`].
    pub pack: fn(Document) -> Later<Option<String>>,
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
    /// See [`latency::latency`].
    pub latency: fn(&RunContext, &ViewModel) -> Html,
    /// See [`announce::announce`].
    pub announce: fn() -> Announce,
    /// See [`handle::install`], [`later_style::install`], [`entry::mount`], [`lock::install`], [`embed::begin`] and [`offline::install`].
    pub install: fn(&Shared, Callback<String>),
    /// See [`parameters::complaints`].
    pub complaints: fn() -> Option<String>,
    /// See [`presentation::in_address`].
    pub presents: fn(bool),
    /// See [`chunks::variant`](super::chunks::variant). Here, so that the first picture does without what loads each of them.
    pub variant: fn(String) -> Later<Loaded>,
    /// See [`Chunk::load`].
    pub load: fn(Chunk) -> Later<Result<Part, Missing>>,
    /// See [`prefetch::prefetch`].
    pub prefetch: fn(&Context<Lab>),
}

/// Where this chunk begins.
#[wasm_split(actions, fallible)]
pub fn load() -> Result<&'static Actions, SplitLoaderError> {
    Ok(&Actions {
        apply: apply_action::apply_action,
        present: |engine| Rc::new((apply_action::present(engine), engine.session().scripted())),
        refuses: lock::refuses,
        key: keyboard::page_action,
        asked: || Box::pin(opening::asked()),
        link: |fragment| {
            Box::pin(async move { opening::opening(&fragment).await.map_err(|problems| problems.to_string()) })
        },
        begin: errand::begin,
        errand: errand::draw,
        presets: || json::presets().into_iter().map(|(_, scenario)| scenario).collect(),
        pack: |document| Box::pin(async move { address::pack(&document).await }),
        document: Session::document,
        details: Details::ALL,
        ending: Engine::ending,
        complete: Engine::complete,
        moments: (chapters::buttons, chapters::ticks),
        trials_of: |scenario| scenario.trials.as_slice().into(),
        trials: trials::trials,
        latency: latency::latency,
        announce: announce::announce,
        install: |player, tell| {
            later_style::install();
            handle::install(player);
            entry::mount(player);
            lock::install();
            embed::begin(player);
            offline::install(tell);
        },
        complaints: parameters::complaints,
        presents: presentation::in_address,
        variant: |key| Box::pin(async move { variant(&key).await }),
        load: |chunk| Box::pin(chunk.load()),
        prefetch: prefetch::prefetch,
    })
}
