//! What can be done to a run, and documents: links, scenarios, the handle for scripts. They come in a chunk of their own, right after the first picture.

use super::carry_out::{self, Says};
use super::keyboard;
use super::opening::{self, Opened};
use crate::intent::Intent;
use crate::run::happened::{self, Happened};
use crate::run::shown::BranchShown;
use crate::run::{Engine, Shared, shown};
use crate::web::options::Options;
use crate::web::{address, handle, json};
use quorumscope::lab::{Document, Scenario, Session};
use quorumscope::universe::Variant;
use std::future::Future;
use std::pin::Pin;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::KeyboardEvent;

/// Something that is told later.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// The functions of this chunk.
pub struct Actions {
    /// See [`carry_out::carry_out`].
    pub carry_out: fn(&mut Engine, Intent, &'static Variant, &[Scenario]) -> Says,
    /// See [`carry_out::present`].
    pub present: fn(&Engine) -> Scenario,
    /// See [`keyboard::intent`].
    pub key: fn(&KeyboardEvent, &Engine) -> Option<Intent>,
    /// See [`opening::asked`].
    pub asked: fn(Options) -> Later<Opened>,
    /// See [`opening::link`].
    pub link: fn(String) -> Later<Result<Opened, String>>,
    /// The built-in scenarios.
    pub presets: fn() -> Vec<Scenario>,
    /// See [`address::pack`].
    pub pack: fn(Document) -> Later<Option<String>>,
    /// See [`address::link`].
    pub address: fn(&str) -> String,
    /// See [`Session::document`].
    pub document: fn(&Session) -> Document,
    /// See [`happened::last`].
    pub last: fn(&Session) -> Option<Happened>,
    /// See [`shown::branches`].
    pub branches: fn(&Session) -> Vec<BranchShown>,
    /// See [`handle::install`].
    pub install: fn(&Shared),
}

/// Where this chunk begins.
#[wasm_split(actions, fallible)]
pub fn load() -> Result<&'static Actions, SplitLoaderError> {
    Ok(&Actions {
        carry_out: carry_out::carry_out,
        present: carry_out::present,
        key: keyboard::intent,
        asked: |options| Box::pin(opening::asked(options)),
        link: |fragment| Box::pin(async move { opening::link(&fragment).await }),
        presets: || json::presets().into_iter().map(|(_, scenario)| scenario).collect(),
        pack: |document| Box::pin(async move { address::pack(&document).await }),
        address: address::link,
        document: Session::document,
        last: happened::last,
        branches: shown::branches,
        install: handle::install,
    })
}
