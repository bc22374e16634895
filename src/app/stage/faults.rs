//! Menus, gestures and fault conditions of the stage, and replicas in words: a chunk of its own, loaded after the first picture, in which
//! nothing is faulty and nothing is dragged.

use super::drag::Drag;
use super::forecast::{self, Forecast};
use super::layout::{Layout, SiteLink};
use super::measure::Measure;
use super::menu::{self, Menu};
use super::{condition, description, gestures, legend, link_conditions};
use crate::elements::geometry::Point;
use crate::page_action::Target;
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
    /// See [`gestures::anchor`].
    pub anchor: fn(&Layout, Target) -> Option<Point>,
    /// See [`gestures::handlers`].
    pub handlers: fn(gestures::Pointing) -> gestures::Handlers,
    /// See [`gestures::landing`].
    pub landing: fn(Drag, &Layout, &ViewModel) -> gestures::Landing,
    /// See [`description::describe`].
    pub describe: fn(&NodeView, &str, &str) -> String,
    /// See [`condition::draw_at_node`].
    pub draw_at_node: fn(&NodeView, Measure) -> Vec<Html>,
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
        anchor: gestures::anchor,
        handlers: gestures::handlers,
        landing: gestures::landing,
        describe: description::describe,
        draw_at_node: condition::draw_at_node,
        legend: legend::condition_entries,
        links: link_conditions::links,
        site_link_line: link_conditions::site_link_line,
        forecast: forecast::forecast,
        link_clauses: link_conditions::clauses,
    })
}
