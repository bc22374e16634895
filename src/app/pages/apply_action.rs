//! Does what is wanted of the run, and says what came of it.

use super::opening;
use crate::components::words;
use crate::page_action::PageAction;
use crate::run::{Engine, last_event};
use quorumscope::core::NodeId;
use quorumscope::lab::Scenario;
use quorumscope::lab::session::Difference;
use quorumscope::sim::{Action, Record};
use quorumscope::universe::Variant;

/// What there is to say afterwards.
pub type Says = Option<String>;

/// Does it; `variant` is that of the run that shall be. Actions that are not about the run do nothing here.
pub fn apply_action(
    engine: &mut Engine,
    page_action: PageAction,
    variant: &'static Variant,
    presets: &[Scenario],
) -> Says {
    match page_action {
        PageAction::Step => (!engine.step()).then(|| "Nothing is left to happen.".to_owned()),
        PageAction::Back => {
            engine.back();
            None
        }
        PageAction::Restart => {
            engine.restart();
            None
        }
        PageAction::Seek(time) => {
            engine.seek(time);
            None
        }
        PageAction::Branch(number) => branch(engine, number),
        PageAction::Act(actions) => act(engine, &actions),
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
        PageAction::Preset(index) => run(engine, presets.get(index)?.clone(), variant),
        PageAction::Run(scenario) => run(engine, titled(engine.session().scenario(), *scenario), variant),
        _ => None,
    }
}

/// Goes over to another branch, and tells where it first differs from the one that was left.
fn branch(engine: &mut Engine, number: usize) -> Says {
    let left = engine.session().branch().number;
    if left == number {
        return None;
    }
    let Some(Difference { at, here, there, .. }) = engine.switch(number) else {
        return Some(format!("Branch {}. It is no different from branch {}.", number + 1, left + 1));
    };
    let universe = engine.session().universe();
    let tell = |record: Option<Record>| {
        record.map_or("Nothing happens any more.".to_owned(), |record| last_event::sentence(universe, &record, &[]))
    };
    Some(format!(
        "Branch {} differs from branch {} first at {}.\nHere: {}\nThere: {}",
        number + 1,
        left + 1,
        words::moment_ms(at),
        tell(here),
        tell(there)
    ))
}

/// Acts, and tells every refusal.
fn act(engine: &mut Engine, actions: &[Action]) -> Says {
    let refusals: Vec<String> = actions
        .iter()
        .filter_map(|action| engine.act(*action).err())
        .map(|refusal| sentence(&refusal.to_string()))
        .collect();
    (!refusals.is_empty()).then(|| refusals.join("\n"))
}

/// Starts this scenario.
fn run(engine: &mut Engine, scenario: Scenario, variant: &'static Variant) -> Says {
    match opening::session(scenario, Some(variant)) {
        Ok(session) => {
            engine.load(opening::after_prelude(session));
            engine.play(true);
            None
        }
        Err(problems) => Some(problems.to_string()),
    }
}

/// Adds a replica: by the protocol's own means where it has some, otherwise by starting again with one more.
fn add(engine: &mut Engine, site: usize) -> Says {
    let card = engine.session().checked().variant.card;
    if card.membership {
        return act(engine, &[Action::Add { site: site as u8 }]);
    }
    let mut scenario = present(engine);
    scenario.replicas.push(scenario.sites[site].id.clone());
    rebuild(engine, scenario)
}

/// Takes a replica out, likewise.
fn remove(engine: &mut Engine, node: NodeId) -> Says {
    let card = engine.session().checked().variant.card;
    if card.membership {
        return act(engine, &[Action::Remove(node)]);
    }
    let mut scenario = present(engine);
    scenario.replicas.remove(usize::from(node.0));
    rebuild(engine, scenario)
}

fn rebuild(engine: &mut Engine, scenario: Scenario) -> Says {
    let variant = engine.session().checked().variant;
    let title = variant.card.title;
    let replicas = scenario.replicas.len();
    run(engine, scenario, variant).or_else(|| {
        Some(format!("{title} cannot change its members while it runs, so this is a new run with {replicas} replicas."))
    })
}

/// The scenario of the run with every replica where it lives now.
pub fn present(engine: &Engine) -> Scenario {
    let session = engine.session();
    let mut scenario = session.scenario().clone();
    let start = &session.checked().blueprint.placement;
    for (i, (place, start)) in scenario.replicas.iter_mut().zip(start).enumerate() {
        let home = session.universe().node(NodeId(i as u8)).site;
        // One that has stayed stays in its rack as well.
        if home != *start {
            *place = session.checked().places[usize::from(home)].id.clone();
        }
    }
    scenario
}

/// A scenario that was changed is no longer the one with that title.
fn titled(old: &Scenario, new: Scenario) -> Scenario {
    if *old == new { new } else { Scenario { title: String::new(), about: String::new(), ..new } }
}

/// A refusal as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    if text.ends_with('.') { text } else { text + "." }
}
