//! What can happen next, while the run is paused: the messages to deliver and the timers to fire, as buttons, so that a person can be the
//! scheduler. Each press is an action on the run, as one of the menus is.

use super::show::{name, route};
use crate::elements::controls::click;
use crate::elements::text;
use crate::page_action::{PageAction, Selected};
use crate::run::context::{RunContext, describe};
use crate::run::view_model::ViewModel;
use quorumscope::core::{NodeId, TimerId};
use quorumscope::lab::Session;
use quorumscope::sim::Action;
use quorumscope::sim::action::Intercept;
use quorumscope::sim::world::Flight;
use quorumscope::universe::{End, PendingTimer};
use yew::prelude::*;

/// Most messages listed, and most timers.
const LISTED: usize = 24;

/// What can happen next, at one moment.
#[derive(Default)]
pub struct Next {
    /// Whether the run plays; then nothing is listed.
    playing: bool,
    /// Whether everything is held.
    pub holds_all: bool,
    /// What can be taken back, and what can be done again, in words.
    undo: (Option<String>, Option<String>),
    /// The node that it is about, if one is selected.
    node: Option<NodeId>,
    /// Messages, held ones first, and the number of all.
    messages: (Vec<Flight>, usize),
    /// Timers that are set, those due first, and the number of all.
    timers: (Vec<(NodeId, TimerId, PendingTimer)>, usize),
}

impl Next {
    /// What can happen next at the selected node, or anywhere.
    pub fn of(session: &Session, playing: bool, selected: Option<Selected>) -> Next {
        let universe = session.universe();
        let node = match selected {
            Some(Selected::Node(node)) => Some(node),
            _ => None,
        };
        let told = |action: Action| describe(session.checked(), action);
        let undo = (session.undoes().map(told), session.redoes().map(told));
        let mut next = Next { playing, holds_all: universe.holds_all(), undo, node, ..Next::default() };
        if playing {
            return next;
        }
        let mut flights = Vec::new();
        universe.flights(&mut flights);
        let here = |flight: &&Flight| node.is_none_or(|node| flight.to == End::Node(node));
        let left = |flight: &&Flight| flight.sent <= universe.time();
        let mut messages: Vec<Flight> = flights.iter().filter(here).filter(left).copied().collect();
        messages.sort_by_key(|flight| (!flight.held, flight.arrives));
        let nodes = (0..universe.nodes()).map(NodeId).filter(|id| node.is_none_or(|node| node == *id));
        let pending =
            |id: NodeId| universe.pending_timers(id).into_iter().map(move |(timer, pending)| (id, timer, pending));
        let mut timers: Vec<_> = nodes.flat_map(pending).collect();
        timers.sort_by_key(|(id, _, pending)| (pending.due, *id));
        let (all_messages, all_timers) = (messages.len(), timers.len());
        messages.truncate(LISTED);
        timers.truncate(LISTED);
        (next.messages, next.timers) = ((messages, all_messages), (timers, all_timers));
        next
    }
}

/// Draws it.
pub fn next(context: &RunContext, view: &ViewModel, next: &Next, on: &Callback<PageAction>) -> Html {
    let act = |action: Action| click(on, PageAction::Act(vec![action]));
    let hold = match next.holds_all {
        true => act(Action::ReleaseAll),
        false => {
            let on = on.clone();
            Callback::from(move |_| {
                on.emit(PageAction::Play(false));
                on.emit(PageAction::Act(vec![Action::HoldAll]));
            })
        }
    };
    let (label, says) = match next.holds_all {
        true => ("Let everything go on", "Everything is held: only what you choose happens, in any order."),
        false => (
            "Hold everything",
            "Hold all messages and timers, and be the scheduler: then only what you choose happens.",
        ),
    };
    let at = next.node.map(|node| format!("at node {}", text::number(node)));
    html! {
        <section class="panel scheduler" aria-labelledby="next">
            <h2 id="next">{ "What can happen next" }<small>{ for at }</small></h2>
            <p class="note">{ says }</p>
            <button type="button" class="small" onclick={hold}>{ label }</button>
            { for undo(next.undo.0.as_ref(), "Undo", true, on) }
            { for undo(next.undo.1.as_ref(), "Redo", false, on) }
            if next.playing {
                <p class="note">{ "Pause, and it is listed here." }</p>
            } else {
                { messages(context, view, next, &act) }
                { timers(view, next, &act) }
            }
        </section>
    }
}

fn undo(what: Option<&String>, word: &str, back: bool, on: &Callback<PageAction>) -> Option<Html> {
    let what = what?;
    let onclick = click(on, PageAction::Undo(back));
    Some(html! { <button type="button" class="small" {onclick}>{ format!("{word}: {what}") }</button> })
}

// Items have no keys: the next one takes the place of the one that was chosen, and the focus stays where it is.

fn messages(context: &RunContext, view: &ViewModel, next: &Next, act: &dyn Fn(Action) -> Callback<MouseEvent>) -> Html {
    let (listed, all) = &next.messages;
    let item = |flight: &Flight| {
        let intercept = |intercept| act(Action::Message { flight: flight.id, intercept });
        let when = match flight.held {
            true => "held".to_owned(),
            false => format!("would arrive in {}", text::latency(flight.arrives.saturating_sub(view.time))),
        };
        let what = format!("{}, {}", name(view, flight), route(context, flight));
        html! {
            <li>
                <button type="button" onclick={intercept(Intercept::Deliver)}>{ format!("Deliver {}", name(view, flight)) }<small>{ format!("{}, {when}", route(context, flight)) }</small></button>
                <button type="button" class="small" aria-label={format!("Drop {what}")} onclick={intercept(Intercept::Drop)}>{ "Drop" }</button>
            </li>
        }
    };
    html! {
        <section aria-label="Messages to deliver">
            <h3>{ "Messages to deliver" }<small>{ all.to_string() }</small></h3>
            <ul class="flights">{ for listed.iter().map(item) }</ul>
            { more(*all, listed.len()) }
        </section>
    }
}

fn timers(view: &ViewModel, next: &Next, act: &dyn Fn(Action) -> Callback<MouseEvent>) -> Html {
    let (listed, all) = &next.timers;
    let item = |(node, timer, pending): &(NodeId, TimerId, PendingTimer)| {
        let when = match pending.due.saturating_sub(view.time) {
            0 => "due".to_owned(),
            left => format!("due in {}", text::latency(left)),
        };
        let number = if timer >> 8 > 0 { format!(" {}", timer >> 8) } else { String::new() };
        let fire = act(Action::Fire { node: *node, timer: *timer });
        html! {
            <li><button type="button" title={pending.kind.says} onclick={fire}>
                { format!("Fire {}{number}", pending.kind.name) }<small>{ format!("node {}, {when}", text::number(*node)) }</small>
            </button></li>
        }
    };
    html! {
        <section aria-label="Timers to fire">
            <h3>{ "Timers to fire" }<small>{ all.to_string() }</small></h3>
            <ul class="flights">{ for listed.iter().map(item) }</ul>
            { more(*all, listed.len()) }
        </section>
    }
}

fn more(all: usize, listed: usize) -> Html {
    match all - listed {
        0 => html! {},
        more => html! { <p class="note">{ format!("and {more} more; select a node to see its own") }</p> },
    }
}
