//! Keyboard shortcuts that work wherever the focus is, unless the focused element uses the key itself.

use super::presentation;
use crate::hotkeys::{self, Hotkey};
use crate::page_action::{Dialog, PageAction, Tab};
use crate::run::engine::Engine;
use crate::run::pace::Pace;
use crate::web::browser;
use quorumscope::sim::Action;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// The action of a key press, if it has one.
pub fn page_action(event: &KeyboardEvent, engine: &Engine) -> Option<PageAction> {
    if event.default_prevented() || event.alt_key() {
        return None;
    }
    let focus = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let within =
        |selector: &str| focus.as_ref().is_some_and(|element| element.closest(selector).ok().flatten().is_some());
    if within("dialog, select, input:not([type=range]), textarea") || browser::matches_selector("dialog[open]") {
        return None;
    }
    let universe = engine.session().universe();
    let with_ctrl = event.ctrl_key() || event.meta_key();
    let key = if with_ctrl { format!("Ctrl+{}", event.key()) } else { event.key() };
    let hotkey = hotkeys::hotkey(&key)?;
    Some(match hotkey {
        // On the stage Enter opens menus, so that Space goes on playing after one.
        Hotkey::Play if within("button, summary, [role=button]:not([data-target]), a") => return None,
        Hotkey::Step | Hotkey::Back | Hotkey::Restart
            if key.len() > 1 && within("input, [role=menu], [role=tablist], .when") =>
        {
            return None;
        }
        Hotkey::Play => PageAction::Play(!engine.playing()),
        Hotkey::Chapter(forward) => PageAction::Chapter(forward),
        Hotkey::Step => PageAction::Step,
        Hotkey::Back => PageAction::Back,
        Hotkey::Restart => PageAction::Restart,
        Hotkey::Pace(true) => PageAction::Pace(Pace::at(engine.pace().index() + 1)),
        Hotkey::Pace(false) => PageAction::Pace(Pace::at(engine.pace().index().saturating_sub(1))),
        Hotkey::Request => {
            let site = engine.session().checked().blueprint.clients.first().map_or(0, |group| group.site);
            PageAction::Act(vec![Action::Request { site }])
        }
        Hotkey::RestartLeader if universe.leader().is_none() => return None,
        Hotkey::RestartLeader => PageAction::RestartLeader,
        Hotkey::Text => PageAction::GoInto(Tab::Text),
        Hotkey::Inspect => PageAction::GoInto(Tab::Inspect),
        Hotkey::Moments => {
            browser::focus(".when [tabindex='0']");
            return None;
        }
        Hotkey::Diagram if browser::matches_selector(".diagram") => {
            browser::focus(".diagram canvas, .diagram li [tabindex='0']");
            return None;
        }
        Hotkey::Diagram => PageAction::Diagram(true),
        Hotkey::Present => PageAction::Present(!presentation::is_on()),
        Hotkey::Leave if engine.errand.is_some() => PageAction::Stop,
        Hotkey::Leave if presentation::is_on() => PageAction::Present(false),
        Hotkey::Leave => return None,
        Hotkey::Undo => PageAction::Undo(true),
        Hotkey::Redo => PageAction::Undo(false),
        Hotkey::Help => PageAction::Open(Some(Dialog::Help)),
    })
}
