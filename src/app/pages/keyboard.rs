//! Keyboard shortcuts that work wherever the focus is, unless the focused element uses the key itself.

use super::presentation;
use crate::page_action::{Dialog, PageAction};
use crate::run::engine::Engine;
use crate::run::pace::Pace;
use crate::web::browser;
use quorumscope::sim::Action;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// The action of a key press, if it has one.
pub fn page_action(event: &KeyboardEvent, engine: &Engine) -> Option<PageAction> {
    if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    let focus = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let within =
        |selector: &str| focus.as_ref().is_some_and(|element| element.closest(selector).ok().flatten().is_some());
    if within("dialog, select, input:not([type=range]), textarea") || browser::matches_selector("dialog[open]") {
        return None;
    }
    let universe = engine.session().universe();
    let key = event.key();
    Some(match key.as_str() {
        " " if within("button, summary, [role=button], a") => return None,
        " " => PageAction::Play(!engine.playing()),
        "Escape" if engine.errand.is_some() => PageAction::Stop,
        "." => PageAction::Chapter(true),
        "," => PageAction::Chapter(false),
        "ArrowLeft" | "ArrowRight" | "Home" if within("input, [role=menu]") => return None,
        "s" | "S" | "ArrowRight" => PageAction::Step,
        "ArrowLeft" => PageAction::Back,
        "Home" => PageAction::Restart,
        "+" | "=" => PageAction::Pace(Pace::at(engine.pace().index() + 1)),
        "-" => PageAction::Pace(Pace::at(engine.pace().index().saturating_sub(1))),
        "c" | "C" => {
            let site = engine.session().checked().blueprint.clients.first().map_or(0, |group| group.site);
            PageAction::Act(vec![Action::Request { site }])
        }
        "r" | "R" if universe.leader().is_some() => PageAction::RestartLeader,
        "?" => PageAction::Open(Some(Dialog::Help)),
        "p" | "P" => PageAction::Present(!presentation::is_on()),
        "Escape" if presentation::is_on() => PageAction::Present(false),
        _ => return None,
    })
}
