//! What a reader may not do where the address says so (`lock`, `faults`). What the page around a frame orders is not asked here.

use super::apply_action;
use crate::page_action::{Dialog, PageAction};
use crate::run::engine::Engine;
use crate::web::browser;
use crate::web::kinds::{ALL, NONE};
use crate::web::options::{FAULTS, LOCK};
use quorumscope::lab::Fault;
use quorumscope::sim::Action;

/// Has the style sheet leave out what would be refused anyway.
pub fn install() {
    let Some(root) = browser::document().document_element() else { return };
    if is_locked() || FAULTS.here().is_some_and(|allowed| allowed == NONE) {
        let _ = root.set_attribute("data-lock", if is_locked() { "all" } else { "faults" });
    }
}

fn is_locked() -> bool {
    LOCK.here() == Some(true)
}

/// Why something is not done, if the address forbids it.
pub fn refuses(engine: &Engine, action: &PageAction) -> Option<String> {
    if is_locked() && !is_harmless(action) {
        return Some("The page around this frame lets only time be changed here.".to_owned());
    }
    let allowed = FAULTS.here().filter(|allowed| allowed != ALL)?;
    let does = verbs(engine, action);
    // Who may heal a link may heal them all.
    let allows = |verb: &str| allowed.split(',').any(|word| word == verb || (word == "heal" && verb == "heal-all"));
    let refused = does.iter().find(|verb| !allows(verb))?;
    let what = if allowed == NONE { "nothing".to_owned() } else { allowed.replace(',', ", ") };
    Some(format!("The page around this frame does not let you {refused} here; what it lets you do to the run: {what}."))
}

/// Whether an action leaves the run as it is, but for the moment that is on screen.
fn is_harmless(action: &PageAction) -> bool {
    use PageAction::*;
    match action {
        Play(_) | Step | Back | Restart | Pace(_) | Branch(_) | Seek(_) | GoTo(_) | Stop | Chapter(_) | SlowDown(_) => {
            true
        }
        Tab(_) | GoInto(_) | Select(_) | Dark(_) | Diagram(_) | Present(_) | Keys(_) | CloseNotice => true,
        Menu(target) => target.is_none(),
        Open(dialog) => *dialog != Some(Dialog::Setup),
        Strike(_) | Act(_) | Undo(_) | Add(_) | Remove(_) | RestartLeader | Variant(_) | Preset(_) | Run(_) => false,
    }
}

/// What an action does to the run, in the words of a script.
fn verbs(engine: &Engine, action: &PageAction) -> Vec<String> {
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    let of = |actions: &[Action]| {
        let checked = engine.session().checked();
        let sites = checked.sites();
        actions.iter().map(|action| Fault::new(0, *action, checked.names(&sites)).action).collect()
    };
    match action {
        PageAction::Act(actions) => of(actions),
        PageAction::Strike(strike) => of(&apply_action::actions_of(engine, *strike).unwrap_or_default()),
        PageAction::RestartLeader => words(&["crash", "restart"]),
        PageAction::Add(_) => words(&["add"]),
        PageAction::Remove(_) => words(&["remove"]),
        _ => Vec::new(),
    }
}
