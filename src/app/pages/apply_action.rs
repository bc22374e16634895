//! Performs the page actions that change the run, and reports refusals.

use super::opening;
use crate::elements::text;
use crate::page_action::{PageAction, Strike};
use crate::run::context::describe;
use crate::run::engine::Engine;
use crate::run::errand;
use crate::run::last_event;
use crate::run::moments::Moment;
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::lab::REPLICAS;
use quorumscope::lab::session::{Difference, Goal};
use quorumscope::lab::{Scenario, Session};
use quorumscope::sim::action::Intercept;
use quorumscope::sim::{Action, Record};
use quorumscope::universe::{NodeView, Variant};
use std::rc::Rc;

/// A text for the person, if there is something to report.
pub type Notice = Option<String>;

/// Performs an action; `variant` is that of the run that shall be. Those that do not concern the run do nothing here.
pub fn apply_action(
    engine: &mut Engine,
    page_action: PageAction,
    variant: &'static Variant,
    presets: &[Scenario],
) -> Notice {
    match page_action {
        PageAction::Step => (!engine.step()).then(|| engine.ending()),
        PageAction::Stop => {
            errand::stop(engine);
            None
        }
        PageAction::Back => {
            engine.pause();
            go(engine, engine.session().before())
        }
        PageAction::Restart => {
            errand::restart(engine);
            engine.has_arrived().flatten()
        }
        PageAction::Seek(time) => go(engine, Goal::Time(time)),
        PageAction::GoTo(event) => {
            engine.pause();
            go(engine, Goal::Event(event))
        }
        PageAction::Branch(number) => {
            engine.pause();
            errand::switch(engine, number, difference);
            engine.has_arrived().flatten()
        }
        PageAction::Chapter(forward) => chapter(engine, forward),
        PageAction::SlowDown(slows_down) => {
            engine.slows_down = slows_down;
            None
        }
        PageAction::Strike(strike) => self::strike(engine, strike),
        PageAction::Act(actions) => act(engine, &actions),
        PageAction::Undo(back) => undo(engine, back),
        PageAction::RestartLeader => {
            let leader = engine.session().universe().leader()?;
            act(engine, &[Action::Crash(leader), Action::Restart(leader)])
        }
        PageAction::Add(site) => add(engine, site),
        PageAction::Remove(node) => remove(engine, node),
        PageAction::Variant(key) => {
            let scenario = opening::with_variant(present(engine), &key);
            run(engine, scenario, variant)
        }
        PageAction::Preset(index) => run(engine, opening::without_trials(presets.get(index)?.clone()), variant),
        PageAction::Run(scenario) => {
            run(engine, untitled_if_changed(engine.session().scenario(), Rc::unwrap_or_clone(scenario)), variant)
        }
        _ => None,
    }
}

/// Goes somewhere; what there is to tell of it comes later if that is far.
fn go(engine: &mut Engine, goal: Goal) -> Notice {
    errand::go(engine, goal);
    engine.has_arrived().flatten()
}

/// Where the branch on screen first differs from the one that was left.
fn difference(session: &Session, left: usize, found: Option<Difference>) -> String {
    let number = session.branch().number;
    let Some(Difference { at, here, there, .. }) = found else {
        return format!("Branch {}. It is no different from branch {}.", number + 1, left + 1);
    };
    let universe = session.universe();
    let describe = |record: Option<Record>| {
        record.map_or("Nothing happens any more.".to_owned(), |record| last_event::sentence(universe, &record, &[]))
    };
    format!(
        "Branch {} differs from branch {} first at {}.\nHere: {}\nThere: {}",
        number + 1,
        left + 1,
        text::moment_ms(at),
        describe(here),
        describe(there)
    )
}

/// Acts on the run, and reports every refusal.
fn act(engine: &mut Engine, actions: &[Action]) -> Notice {
    let mut refusals = Vec::new();
    for action in actions {
        let action = readable(engine, *action);
        if let Err(refusal) = engine.act(action) {
            refusals.push(sentence(&refusal.to_string()));
        } else {
            let_happen(engine, action);
        }
    }
    (!refusals.is_empty()).then(|| refusals.join("\n"))
}

/// Takes back what was done by hand last, or does it again.
fn undo(engine: &mut Engine, back: bool) -> Notice {
    engine.pause();
    let done = engine.with(|session| if back { session.undo() } else { session.redo() });
    let Some(action) = done else {
        let says = if back {
            "Nothing was done by hand before this."
        } else {
            "Nothing was taken back that could be done again."
        };
        return Some(says.to_owned());
    };
    if !back {
        let_happen(engine, action);
    }
    let what = describe(engine.session().checked(), action);
    Some(if back { format!("Taken back: {what}.") } else { format!("Done again: {what}.") })
}

/// Most events of one moment that happen with an action.
const AT_ONCE: u64 = 1_000;

/// The action as it stands in a script that can be read: a message in flight by its ends and kind.
fn readable(engine: &Engine, action: Action) -> Action {
    let Action::Message { flight, intercept } = action else { return action };
    let named = engine.session().universe().name_in_flight(flight);
    named.map_or(action, |(which, nth)| Action::Sent { which, nth, intercept })
}

/// Whoever decides, while the run is paused, what happens next sees it happen.
fn let_happen(engine: &mut Engine, action: Action) {
    if !engine.playing() && happens_at_once(action) {
        let now = engine.time();
        engine.with(|session| session.run_until(now, AT_ONCE));
    }
}

/// Whether something is handled because of it, at the same moment.
fn happens_at_once(action: Action) -> bool {
    matches!(
        action,
        Action::Fire { .. }
            | Action::Sent { intercept: Intercept::Deliver, .. }
            | Action::Message { intercept: Intercept::Deliver, .. }
    )
}

/// Runs a scenario from its start.
fn run(engine: &mut Engine, scenario: Scenario, variant: &'static Variant) -> Notice {
    match opening::session(scenario, Some(variant)) {
        Ok(session) => {
            engine.load(opening::where_it_opens(session));
            engine.play(true);
            errand::go_on_at_once(engine);
            engine.has_arrived().flatten()
        }
        Err(problems) => Some(problems.to_string()),
    }
}

/// Goes to just before the next moment that matters, or the one before.
fn chapter(engine: &mut Engine, forward: bool) -> Notice {
    let (now, lead) = (engine.time(), engine.lead());
    let begins = |moment: &Moment| moment.at.saturating_sub(lead);
    let to = match forward {
        true => engine.moments.iter().map(begins).find(|at| *at > now),
        false => engine.moments.iter().map(begins).rev().find(|at| *at < now),
    };
    match to {
        Some(to) => go(engine, Goal::Time(to)),
        None if forward => Some("Nothing of note lies ahead, as far as has been looked.".to_owned()),
        None => Some("Nothing of note lies before this.".to_owned()),
    }
}

/// One of the faults beside the transport.
fn strike(engine: &mut Engine, strike: Strike) -> Notice {
    match actions_of(engine, strike) {
        Ok(actions) => act(engine, &actions),
        Err(why) => Some(why),
    }
}

/// What such a fault does to the run as it is now, or why it does nothing.
pub fn actions_of(engine: &Engine, strike: Strike) -> Result<Vec<Action>, String> {
    let universe = engine.session().universe();
    let all: Vec<NodeView> = (0..universe.nodes()).map(|id| universe.node(NodeId(id))).collect();
    let leader = universe.leader();
    Ok(match strike {
        Strike::Leader => match leader {
            Some(leader) => vec![Action::Crash(leader)],
            None => return Err("Nobody leads now who could crash.".to_owned()),
        },
        Strike::Cut(parts) => {
            let mut members: Vec<&NodeView> = all.iter().filter(|view| view.member).collect();
            let home = leader.map(|leader| universe.node(leader).site);
            // The leader, those beside it, and then the others, place by place.
            members.sort_by_key(|view| (Some(view.id) != leader, Some(view.site) != home, view.site, view.id));
            let few = (members.len() / usize::from(parts)).max(1);
            let set = |views: &[&NodeView]| views.iter().map(|view| view.id).collect::<NodeSet>();
            let (cut, rest) = members.split_at(few.min(members.len()));
            vec![Action::Split { from: set(cut), to: set(rest), both: true, replicas_only: false }]
        }
        Strike::Mend => {
            let down = all.iter().filter(|view| view.status.is_none()).map(|view| Action::Restart(view.id));
            let paused = all.iter().filter(|view| view.paused.is_some()).map(|view| Action::Continue(view.id));
            [Action::HealAll].into_iter().chain(down).chain(paused).collect()
        }
    })
}

/// Adds a replica: by a membership change where the protocol has one, otherwise by a new run.
fn add(engine: &mut Engine, site: usize) -> Notice {
    let card = engine.session().checked().variant.card;
    let universe = engine.session().universe();
    let present_nodes = (0..universe.nodes()).map(|id| universe.node(NodeId(id))).filter(|node| node.member).count();
    if present_nodes >= REPLICAS {
        return Some(format!("No replica was added: {REPLICAS} are the most."));
    }
    if card.membership {
        return act(engine, &[Action::Add { site: site as u8 }]);
    }
    let mut scenario = present(engine);
    scenario.replicas.push(scenario.sites[site].id.clone());
    rebuild(engine, scenario)
}

/// Removes a replica, likewise.
fn remove(engine: &mut Engine, node: NodeId) -> Notice {
    let card = engine.session().checked().variant.card;
    if card.membership {
        return act(engine, &[Action::Remove(node)]);
    }
    let mut scenario = present(engine);
    if scenario.replicas.len() <= usize::from(card.min_replicas) {
        return Some(format!(
            "It stays: {} needs at least {}.",
            card.title,
            text::count(card.min_replicas.into(), "replica")
        ));
    }
    scenario.replicas.remove(usize::from(node.0));
    rebuild(engine, scenario)
}

fn rebuild(engine: &mut Engine, scenario: Scenario) -> Notice {
    let variant = engine.session().checked().variant;
    let title = variant.card.title;
    let replicas = scenario.replicas.len();
    run(engine, scenario, variant).or_else(|| {
        Some(format!("{title} cannot change its members while it runs, so this is a new run with {replicas} replicas."))
    })
}

/// The scenario of the run, with every replica at its present site.
pub fn present(engine: &Engine) -> Scenario {
    let session = engine.session();
    let mut scenario = session.scenario().clone();
    let start = &session.checked().blueprint.placement;
    for (i, (place, start)) in scenario.replicas.iter_mut().zip(start).enumerate() {
        let home = session.universe().node(NodeId(i as u8)).site;
        // A replica that has not moved keeps its rack.
        if home != *start {
            *place = session.checked().places[usize::from(home)].id.clone();
        }
    }
    scenario
}

/// The new scenario, without title and description if it differs from the old one.
fn untitled_if_changed(old: &Scenario, new: Scenario) -> Scenario {
    if *old == new {
        new
    } else {
        opening::without_trials(Scenario { title: String::new(), about: String::new(), ..new })
    }
}

/// A refusal as a sentence.
fn sentence(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    if text.ends_with('.') { text } else { text + "." }
}
