//! What is out of order, and what can be put out of order: signs and menus. They come in a chunk of their own, after the first picture, in
//! which all is in order.

use super::menu::{self, Menu};
use super::{condition, links};
use crate::run::view::NodeView;
use crate::run::{RunContext, ViewModel};
use crate::stage::layout::{Layout, SiteLink};
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// The functions of this chunk.
#[derive(Debug)]
pub struct Faults {
    /// See [`Menu`].
    pub menu: fn(menu::Props) -> Html,
    /// See [`condition::mark`].
    pub mark: fn(&NodeView) -> Vec<Html>,
    /// What is wrong with a replica, in full: see [`condition::in_full`].
    pub in_full: fn(&NodeView) -> String,
    /// See [`condition::explained`].
    pub explained: fn(&ViewModel) -> Vec<Html>,
    /// See [`links::links`].
    pub links: fn(&Layout, &RunContext, &ViewModel) -> links::Drawn,
    /// See [`links::site_link_line`].
    pub site_link_line: fn(&Layout, &ViewModel, &SiteLink) -> Option<Html>,
    /// See [`links::in_words`].
    pub in_words: fn(&RunContext, &ViewModel, usize, usize) -> String,
}

/// Where this chunk begins.
#[wasm_split(faults, fallible)]
pub fn load() -> Result<&'static Faults, SplitLoaderError> {
    Ok(&Faults {
        menu: |menu::Props { target, at, room, context, view, on }| {
            html! { <Menu {target} {at} {room} {context} {view} {on} /> }
        },
        mark: condition::mark,
        in_full: |node| condition::in_full(&condition::at_node(node)),
        explained: condition::explained,
        links: links::links,
        site_link_line: links::site_link_line,
        in_words: links::in_words,
    })
}
