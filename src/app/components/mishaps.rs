//! What can go wrong at a replica, a site, a link or with one message, as entries of their menus.

use super::menu::{Group, Item, act, acts};
use super::words;
use crate::run::shown::NodeShown;
use crate::run::{Ground, Shown};
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::sim::Action;
use quorumscope::sim::action::{ALL, Blow, DiskFault, Grip, Lie, Nuisance};
use quorumscope::sim::world::{End, Flight};

/// Messages offered one by one, those that arrive first.
const MESSAGES: usize = 4;
/// How fast a clock runs that is too fast, in millionths.
const FAST: i32 = 100_000;

fn group(heading: impl Into<String>, items: Vec<Option<Item>>) -> Group {
    Group { heading: heading.into(), items: items.into_iter().flatten().collect(), folded: false }
}

/// The same, for those who ask what else there is.
fn folded(heading: impl Into<String>, items: Vec<Option<Item>>) -> Group {
    Group { folded: true, ..group(heading, items) }
}

/// At a replica.
pub fn at_node(shown: &Shown, node: &NodeShown) -> Vec<Group> {
    let id = node.id;
    let up = node.glance.is_some();
    let disk = |fault| Action::Disk { node: id, fault };
    if !up {
        let empty = act("Empty it", disk(DiskFault::Wipe));
        let start = acts("Empty it and restart", vec![disk(DiskFault::Wipe), Action::Restart(id)]);
        return vec![group("Its disk", vec![Some(empty), Some(start)])];
    }
    let pause = |clock_stops| Action::Pause { node: id, clock_stops };
    let pauses = if node.paused.is_some() {
        vec![Some(act("Let it go on", Action::Continue(id)))]
    } else {
        vec![Some(act("as in a long GC", pause(false))), Some(act("with its clock", pause(true)))]
    };
    let state = node.disk;
    let sound = state == Default::default();
    let disks = vec![
        state.write.is_none().then(|| act("slow (50 ms)", disk(DiskFault::Slow(50_000)))),
        (!state.full).then(|| act("full", disk(DiskFault::Fill))),
        (!state.forgets).then(|| act("forgets writes", disk(DiskFault::Forget))),
        (!state.tears).then(|| act("tears the last write", disk(DiskFault::Tear))),
        (!state.rotten).then(|| act("corrupted", disk(DiskFault::Rot))),
        (!sound).then(|| act("sound again", disk(DiskFault::Mend))),
    ];
    let drift = |ppm| Action::Drift { node: id, ppm };
    let clocks = vec![
        (node.drift != FAST).then(|| act("10% fast", drift(FAST))),
        (node.drift != -FAST).then(|| act("10% slow", drift(-FAST))),
        (node.drift != 0).then(|| act("right", drift(0))),
        Some(act("2 s ahead at once", Action::Jump { node: id, by: 2_000_000 })),
    ];
    let others: NodeSet = shown.nodes.iter().map(|other| other.id).filter(|other| *other != id).collect();
    let half: NodeSet = others.iter().skip(usize::from(others.len()) / 2).collect();
    let lie = |label: &str, how| (!half.is_empty()).then(|| act(label, Action::Lie { node: id, how }));
    let lies = vec![
        lie("say nothing", Lie::Silent(ALL)),
        lie("be two at once", Lie::Twin(half)),
        lie("deny what it promised", Lie::Deny(half)),
        lie("forge commands", Lie::Forge(half)),
        lie("be honest", Lie::Nothing).filter(|_| node.liar),
    ];
    let heard = others.iter().filter(|other| !node.cut.has(*other));
    let only_to = heard.map(|to| Some(act(words::number(to).to_string(), Action::Cut { from: id, to, both: false })));
    vec![
        group("Pause it", pauses),
        folded("Its disk is", disks),
        folded("Its clock is", clocks),
        Group { folded: true, ..fares(shown, "Its messages", NodeSet::just(id), others) },
        folded("Lose all it sends to", only_to.collect()),
        folded("Have it", lies),
    ]
}

/// At a site.
pub fn at_site(ground: &Ground, shown: &Shown, site: usize) -> Vec<Group> {
    let Some(domain) = ground.domains.get(site).copied().flatten() else { return Vec::new() };
    let cut_off = shown.sites.get(site).is_some_and(|site| site.cut_off);
    let here = || shown.nodes.iter().filter(|node| node.site == site && node.glance.is_some());
    let blow = |label: &str, blow| act(label, Action::Domain { domain, blow });
    let items = vec![
        Some(if cut_off {
            blow("Reconnect it", Blow::Reconnect)
        } else {
            blow("Cut it off, clients too", Blow::CutOff)
        }),
        here().any(|node| node.paused.is_none()).then(|| blow("Pause all that is here", Blow::Pause)),
        here().any(|node| node.paused.is_some()).then(|| blow("Let what is paused here go on", Blow::Continue)),
    ];
    vec![group("", items)]
}

/// On the links between two groups of replicas.
pub fn on_links(shown: &Shown, from: NodeSet, to: NodeSet) -> Option<Group> {
    (!from.is_empty() && !to.is_empty()).then(|| fares(shown, "Messages here", from, to))
}

/// How messages between two groups of replicas may fare from now on.
fn fares(shown: &Shown, heading: &str, from: NodeSet, to: NodeSet) -> Group {
    let disturb = |how| Action::Disturb { from, to, both: true, how };
    let usual = [
        Nuisance::Slow { extra: 0, jitter: 0 },
        Nuisance::Lose(0),
        Nuisance::Duplicate(0),
        Nuisance::Reorder { permille: 0, by: 0 },
        Nuisance::Narrow(0),
    ];
    let troubled = shown.ways.iter().any(|way| joins((way.from, way.to), from, to));
    let items = vec![
        Some(act("50 ms slower", disturb(Nuisance::Slow { extra: 50_000, jitter: 0 }))),
        Some(act("lose a fifth", disturb(Nuisance::Lose(200)))),
        Some(act("repeat a fifth", disturb(Nuisance::Duplicate(200)))),
        Some(act("out of order", disturb(Nuisance::Reorder { permille: 200, by: 100_000 }))),
        Some(act("50 kB/s", disturb(Nuisance::Narrow(50_000)))),
        troubled.then(|| acts("as usual", usual.map(disturb).to_vec())),
    ];
    group(heading, items)
}

/// Cuts between two places, `a` and `b` by name, that let messages through the other way.
pub fn one_way(a: &str, b: &str, from: NodeSet, to: NodeSet) -> Group {
    let cut = |name: &str, from, to| Some(act(name, Action::Split { from, to, both: false }));
    let items = if from.is_empty() || to.is_empty() { vec![] } else { vec![cut(b, from, to), cut(a, to, from)] };
    folded("Cut only the way to", items)
}

/// With single messages under way between two groups of replicas: those in somebody's hand first, then those that arrive first.
pub fn on_messages(shown: &Shown, from: NodeSet, to: NodeSet) -> Vec<Group> {
    let between = |flight: &&Flight| match (flight.from, flight.to) {
        (End::Node(a), End::Node(b)) => joins((a, b), from, to),
        _ => false,
    };
    let mut flights: Vec<&Flight> = shown.flights.iter().filter(between).collect();
    flights.sort_by_key(|flight| (!flight.held, flight.arrives));
    flights.into_iter().take(MESSAGES).map(|flight| on_message(shown, flight)).collect()
}

/// Whether this way leads from one of the groups to the other.
fn joins((a, b): (NodeId, NodeId), from: NodeSet, to: NodeSet) -> bool {
    from.has(a) && to.has(b) || from.has(b) && to.has(a)
}

/// With one message under way.
fn on_message(shown: &Shown, flight: &Flight) -> Group {
    let name = |end: End| match end {
        End::Node(id) => words::number(id).to_string(),
        End::Client(_) => String::new(),
    };
    let kind = flight.kind.and_then(|kind| shown.kinds.get(usize::from(kind.0))).map_or("message", |kind| kind.name);
    let grip = |label: &str, grip| act(label, Action::Message { flight: flight.id, grip });
    let items = vec![
        (!flight.held).then(|| grip("hold", Grip::Hold)),
        Some(grip("deliver now", Grip::Deliver)),
        Some(grip("drop", Grip::Drop)),
        Some(grip("duplicate", Grip::Duplicate)),
    ];
    // What is held should not be looked for.
    Group { folded: !flight.held, ..group(format!("{kind} {} → {}", name(flight.from), name(flight.to)), items) }
}
