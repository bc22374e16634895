//! Menus and fault conditions of the stage: a chunk of its own, loaded after the first picture, in which nothing is faulty.

use super::forecast::{self, Forecast};
use super::layout::{Layout, SiteLink};
use super::measure::Measure;
use super::menu::{self, Menu};
use super::{condition, legend, link_conditions};
use crate::run::context::RunContext;
use crate::run::view_model::{NodeView, ViewModel};
use quorumscope::lab::Session;
use quorumscope::sim::Action;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// The functions of this chunk.
#[derive(Debug)]
pub struct Faults {
    /// See [`Menu`].
    pub menu: fn(menu::Props) -> Html,
    /// See [`condition::draw_at_node`].
    pub draw_at_node: fn(&NodeView, Measure) -> Vec<Html>,
    /// The conditions of a replica as clauses: see [`condition::clauses`].
    pub node_clauses: fn(&NodeView) -> String,
    /// See [`legend::condition_entries`].
    pub legend: fn(&ViewModel) -> Vec<Html>,
    /// See [`link_conditions::links`].
    pub links: fn(&Layout, &RunContext, &ViewModel) -> link_conditions::LinkDrawings,
    /// See [`link_conditions::site_link_line`].
    pub site_link_line: fn(&Layout, &ViewModel, &SiteLink) -> Option<Html>,
    /// See [`forecast::forecast`].
    pub forecast: fn(&Session, Action) -> Forecast,
    /// See [`link_conditions::clauses`].
    pub link_clauses: fn(&RunContext, &ViewModel, usize, usize) -> String,
}

impl PartialEq for Faults {
    fn eq(&self, other: &Faults) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Where the chunk begins.
#[wasm_split(faults, fallible)]
pub fn load() -> Result<&'static Faults, SplitLoaderError> {
    Ok(&Faults {
        menu: |menu::Props { target, at, room, context, view, on }| {
            html! { <Menu {target} {at} {room} {context} {view} {on} /> }
        },
        draw_at_node: condition::draw_at_node,
        node_clauses: |node| condition::clauses(&condition::of_node(node)),
        legend: legend::condition_entries,
        links: link_conditions::links,
        site_link_line: link_conditions::site_link_line,
        forecast: forecast::forecast,
        link_clauses: link_conditions::clauses,
    })
}
