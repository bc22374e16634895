//! What is announced to those who do not see the page: what changed, politely and not too often. This comes in the chunk for actions.

use super::engine::Engine;
use super::last_event;
use crate::web::browser;
use quorumscope::lab::Moment;
use quorumscope::lab::run::description::Spoken;

/// Least time between two announcements while the run plays, ms.
const PAUSE: f64 = 4_000.0;

/// The next announcement for a run at this moment, if there is one.
pub type Announce = Box<dyn FnMut(&Engine) -> Option<String>>;

/// Announces the runs of an engine.
pub fn announce() -> Announce {
    let mut told: Option<(u32, Spoken)> = None;
    let (mut at, mut seen): (f64, Option<(Moment, usize)>) = (0.0, None);
    Box::new(move |engine| {
        let (session, now) = (engine.session(), browser::now());
        let moment = Some((session.moment(), session.branch().number));
        if moment == seen {
            return None;
        }
        // Another run, or back in time: all is new.
        let Some((_, spoken)) =
            told.as_mut().filter(|(number, spoken)| *number == engine.number() && !spoken.is_back(session))
        else {
            told = Some((engine.number(), Spoken::of(session)));
            (at, seen) = (now, moment);
            return Some(session.sentence());
        };
        let acted = seen.is_some_and(|(before, _)| before.interventions != session.moment().interventions);
        if engine.playing() && !acted && now - at < PAUSE {
            return None;
        }
        seen = moment;
        let event = (!engine.playing()).then(|| last_event::last(session).map(|last| last.text)).flatten();
        let changes = spoken.changes(session, !engine.playing());
        let text: Vec<String> = event.into_iter().chain((!changes.is_empty()).then_some(changes)).collect();
        if text.is_empty() {
            return None;
        }
        at = now;
        Some(text.join(" "))
    })
}
