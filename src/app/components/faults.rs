//! What is out of order, and what can be put out of order: signs and menus. They come in a chunk of their own, after the first picture, in
//! which all is in order.

use super::menu::{self, Menu};
use super::{links, trouble};
use crate::run::shown::NodeShown;
use crate::run::{Ground, Shown};
use crate::stage::layout::{Lane, Layout};
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// The functions of this chunk.
pub struct Faults {
    /// See [`Menu`].
    pub menu: fn(menu::Props) -> Html,
    /// See [`trouble::mark`].
    pub mark: fn(&NodeShown) -> Vec<Html>,
    /// See [`trouble::explained`].
    pub explained: fn(&Shown) -> Vec<Html>,
    /// See [`links::links`].
    pub links: fn(&Layout, &Ground, &Shown) -> links::Drawn,
    /// See [`links::lane_line`].
    pub lane_line: fn(&Layout, &Shown, &Lane) -> Option<Html>,
    /// See [`links::in_words`].
    pub in_words: fn(&Ground, &Shown, usize, usize) -> String,
}

/// Where this chunk begins.
#[wasm_split(faults, fallible)]
pub fn load() -> Result<&'static Faults, SplitLoaderError> {
    Ok(&Faults {
        menu: |menu::Props { target, at, room, ground, shown, on }| {
            html! { <Menu {target} {at} {room} {ground} {shown} {on} /> }
        },
        mark: trouble::mark,
        explained: trouble::explained,
        links: links::links,
        lane_line: links::lane_line,
        in_words: links::in_words,
    })
}
