//! Errands: going to a moment, however far; switching branches; opening a link. This comes in the chunk for actions.

use super::engine::{Engine, Errand, RunStart, Way, stopped_text};
use crate::elements::controls::{button, click};
use crate::elements::text;
use crate::page_action::PageAction;
use crate::web::browser;
use quorumscope::lab::session::{Difference, DifferenceSearch, Goal};
use quorumscope::lab::{Problem, Replay, Session};
use yew::prelude::*;

/// Time that an errand gets at once, ms. Most are done then, and nothing is seen of them.
const AT_ONCE: f64 = 40.0;
/// Events between two readings of the clock.
pub const EVENTS: u64 = 256;
/// Time after which an errand is shown, ms.
const SHOWN_AFTER: f64 = 200.0;

/// What an errand under way looks like: how far it is, and a button that stops it.
pub fn draw(errand: &Errand, on: &Callback<PageAction>) -> Html {
    if browser::now() - errand.since < SHOWN_AFTER {
        return html! {};
    }
    html! {
        <div>
            <p>{ &errand.what }{ "… " }<progress aria-label="How far it is" max="1000" value={errand.permille.to_string()}></progress></p>
            { button("Stop", click(on, PageAction::Stop)) }
        </div>
    }
}

/// Begins an errand. One that is under way gives way to it; if it moves the run, too, where that was before counts.
pub fn begin(engine: &mut Engine, errand: Errand) {
    let before = engine.errand.take().and_then(|other| other.from);
    let from = if errand.from.is_some() { before.or(errand.from) } else { None };
    engine.errand = Some(Errand { from, ..errand });
    go_on_at_once(engine);
}

/// Goes on with what has just begun, for less than is noticed.
pub fn go_on_at_once(engine: &mut Engine) {
    engine.go_on(AT_ONCE);
}

/// Stops what is under way: the run is where it was before.
pub fn stop(engine: &mut Engine) {
    if let Some(from) = engine.errand.take().and_then(|errand| errand.from) {
        engine.with(|session| session.return_to(from));
    }
}

fn new(what: String, go_on: impl FnMut(&mut Session, f64) -> Way + 'static) -> Errand {
    Errand { what, go_on: Box::new(go_on), from: None, since: browser::now(), permille: 0 }
}

/// Goes on until there, or until the deadline.
fn approach(session: &mut Session, goal: Goal, deadline: f64) -> bool {
    loop {
        if session.approach(goal, EVENTS) {
            return true;
        }
        if browser::now() > deadline {
            return false;
        }
    }
}

/// How far it is from one moment, event and time, to the goal, in parts of a thousand.
fn permille(session: &Session, from: (u64, u64), goal: Goal) -> u64 {
    let now = session.moment();
    let (from, now, to) = match goal {
        Goal::Time(time) => (from.1, now.at, time),
        Goal::Event(event) => (from.0, now.event, event),
        Goal::Moment(moment) => (from.0, now.event, moment.event),
    };
    now.saturating_sub(from).min(1 << 50) * 1_000 / to.saturating_sub(from).max(1)
}

/// Goes somewhere in the session that will be there when the errand begins.
pub fn going(goal: Goal) -> Errand {
    let what = match goal {
        Goal::Time(time) => format!("Going to {}", text::moment(time)),
        Goal::Event(event) => format!("Going to event {event}"),
        Goal::Moment(moment) => format!("Going to event {}", moment.event),
    };
    let mut from = None;
    new(what, move |session, deadline| {
        let from = *from.get_or_insert_with(|| {
            session.set_out(goal);
            let now = session.moment();
            (now.event, now.at)
        });
        match approach(session, goal, deadline) {
            true => Way::There(session.stopped().map(stopped_text)),
            false => Way::On(permille(session, from, goal)),
        }
    })
}

/// Goes back to where the page began to show the scenario or, from there, to its start. Everything done by hand is forgotten.
pub fn restart(engine: &mut Engine) {
    let opens = engine.session().checked().opens;
    let to = if engine.time() > opens { opens } else { 0 };
    engine.errand = None;
    engine.with(Session::restart);
    // At time 0 events wait that have not happened at the start.
    if to > 0 {
        go(engine, Goal::Time(to));
    }
}

/// Goes somewhere.
pub fn go(engine: &mut Engine, goal: Goal) {
    let from = Some(engine.session().bookmark());
    begin(engine, Errand { from, ..going(goal) });
}

/// Switches to another branch, and tells by `tell` where it first differs from the one that was left. Nothing happens if it is on screen.
pub fn switch(engine: &mut Engine, branch: usize, tell: fn(&Session, usize, Option<Difference>) -> String) {
    let left = engine.session().branch().number;
    let from = Some(engine.session().bookmark());
    let Some(goal) = engine.with(|session| session.set_out_on(branch)) else { return };
    let mut comparing: Option<DifferenceSearch> = None;
    let errand = new(format!("Going to branch {}", branch + 1), move |session, deadline| {
        if comparing.is_none() {
            if !approach(session, goal, deadline) {
                return Way::On(permille(session, (0, 0), goal) / 2);
            }
            comparing = session.search_difference(left);
        }
        let Some(search) = &mut comparing else { return Way::There(Some(tell(session, left, None))) };
        while browser::now() < deadline {
            if let Some(found) = search.advance(EVENTS) {
                return Way::There(Some(tell(session, left, found)));
            }
        }
        Way::On(750)
    });
    begin(engine, Errand { from, ..errand });
}

/// Replays a document to its moment, beside the run on screen; `then` makes of it what takes that run's place, and `fail` what is told if it
/// does not fit.
pub fn replaying(
    what: &str,
    replay: Replay,
    then: impl FnOnce(Session) -> (RunStart, bool) + 'static,
    fail: impl Fn(Problem) -> String + 'static,
) -> Errand {
    let mut under_way = Some((replay, then));
    new(what.to_owned(), move |_, deadline| {
        loop {
            let Some((replay, _)) = &mut under_way else { return Way::There(None) };
            match replay.advance(EVENTS) {
                Ok(false) if browser::now() > deadline => return Way::On(replay.permille()),
                Ok(false) => {}
                Ok(true) => {
                    let Some((replay, then)) = under_way.take() else { return Way::There(None) };
                    let (start, plays) = then(replay.into_session());
                    return Way::Run(Box::new(start), plays);
                }
                Err(problem) => return Way::There(Some(fail(problem))),
            }
        }
    })
}
