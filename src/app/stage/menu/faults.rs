//! Fault injection menus: entries for replicas, sites, links and messages in flight.

use super::entry::{Group, Item, act, acts};
use crate::elements::text;
use crate::run::context::RunContext;
use crate::run::view_model::{NodeView, ViewModel};
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::sim::Action;
use quorumscope::sim::action::{ALL, Behaviour, DiskFault, DomainFault, Intercept, LinkFault};
use quorumscope::sim::world::{End, Flight};

/// Most messages in flight offered one by one, those that arrive first.
const MESSAGES: usize = 4;
/// Drift of a fast clock, in millionths.
const FAST: i32 = 100_000;

fn group(heading: impl Into<String>, items: Vec<Option<Item>>) -> Group {
    Group::headed(heading, items.into_iter().flatten().collect())
}

/// Faults of a replica.
pub fn of_node(view: &ViewModel, node: &NodeView) -> Vec<Group> {
    let id = node.id;
    let up = node.status.is_some();
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
        (!sound).then(|| act("sound again", disk(DiskFault::Repair))),
    ];
    let drift = |ppm| Action::Drift { node: id, ppm };
    let clocks = vec![
        (node.drift != FAST).then(|| act("10% fast", drift(FAST))),
        (node.drift != -FAST).then(|| act("10% slow", drift(-FAST))),
        (node.drift != 0).then(|| act("right", drift(0))),
        Some(act("2 s ahead at once", Action::Jump { node: id, by: 2_000_000 })),
    ];
    let others: NodeSet = view.nodes.iter().map(|other| other.id).filter(|other| *other != id).collect();
    let half: NodeSet = others.iter().skip(usize::from(others.len()) / 2).collect();
    let behave = |label: &str, how| (!half.is_empty()).then(|| act(label, Action::Behaviour { node: id, how }));
    let byzantine = vec![
        behave("stay silent", Behaviour::Silent(ALL)),
        behave("equivocate as twins", Behaviour::Twin(half)),
        behave("deny its promises", Behaviour::Deny(half)),
        behave("tamper with commands", Behaviour::Tamper(half)),
        behave("be honest", Behaviour::Honest).filter(|_| node.byzantine),
    ];
    let reachable = others.iter().filter(|other| !node.cut.has(*other));
    let only_to = reachable.map(|to| {
        Some(act(text::number(to).to_string(), Action::Cut { from: id, to, both: false, replicas_only: false }))
    });
    vec![
        group("Pause it", pauses),
        group("Its disk is", disks).folded(),
        group("Its clock is", clocks).folded(),
        link_faults(view, "Its messages", NodeSet::just(id), others).folded(),
        group("Lose all it sends to", only_to.collect()).folded(),
        group("Byzantine: have it", byzantine).folded(),
    ]
}

/// Faults of a site.
pub fn of_site(context: &RunContext, view: &ViewModel, site: usize) -> Vec<Group> {
    let Some(domain) = context.domains.get(site).copied().flatten() else { return Vec::new() };
    let partitioned = view.sites.get(site).is_some_and(|site| site.partitioned);
    let here = || view.nodes.iter().filter(|node| node.site == site && node.status.is_some());
    let fault = |label: &str, fault| act(label, Action::Domain { domain, fault });
    let items = vec![
        Some(if partitioned {
            fault("Reconnect it", DomainFault::Reconnect)
        } else {
            fault("Partition it, clients too", DomainFault::Partition)
        }),
        here().any(|node| node.paused.is_none()).then(|| fault("Pause all that is here", DomainFault::Pause)),
        here().any(|node| node.paused.is_some()).then(|| fault("Let what is paused here go on", DomainFault::Continue)),
    ];
    vec![group("", items)]
}

/// Faults of the links between two groups of replicas.
pub fn of_links(view: &ViewModel, from: NodeSet, to: NodeSet) -> Option<Group> {
    (!from.is_empty() && !to.is_empty()).then(|| link_faults(view, "Messages here", from, to))
}

/// Faults of the messages between two groups of replicas, in both directions.
fn link_faults(view: &ViewModel, heading: &str, from: NodeSet, to: NodeSet) -> Group {
    let disturb = |how| Action::Disturb { from, to, both: true, how };
    let healthy = [
        LinkFault::Slow { extra: 0, jitter: 0 },
        LinkFault::Lose(0),
        LinkFault::Duplicate(0),
        LinkFault::Reorder { permille: 0, by: 0 },
        LinkFault::Narrow(0),
    ];
    let faulty = view.disturbed_links.iter().any(|way| joins((way.from, way.to), from, to));
    let items = vec![
        Some(act("50 ms slower", disturb(LinkFault::Slow { extra: 50_000, jitter: 0 }))),
        Some(act("lose a fifth", disturb(LinkFault::Lose(200)))),
        Some(act("repeat a fifth", disturb(LinkFault::Duplicate(200)))),
        Some(act("out of order", disturb(LinkFault::Reorder { permille: 200, by: 100_000 }))),
        Some(act("50 kB/s", disturb(LinkFault::Narrow(50_000)))),
        faulty.then(|| acts("as usual", healthy.map(disturb).to_vec())),
    ];
    group(heading, items)
}

/// One-way cuts between two sites named `a` and `b`.
pub fn one_way(a: &str, b: &str, from: NodeSet, to: NodeSet) -> Group {
    let cut = |name: &str, from, to| Some(act(name, Action::Split { from, to, both: false, replicas_only: false }));
    let items = if from.is_empty() || to.is_empty() { vec![] } else { vec![cut(b, from, to), cut(a, to, from)] };
    group("Cut only the way to", items).folded()
}

/// Interception of single messages in flight between two groups of replicas: held ones first, then those that arrive first.
pub fn of_messages(view: &ViewModel, from: NodeSet, to: NodeSet) -> Vec<Group> {
    let between = |flight: &&Flight| match (flight.from, flight.to) {
        (End::Node(a), End::Node(b)) => joins((a, b), from, to),
        _ => false,
    };
    let mut flights: Vec<&Flight> = view.flights.iter().filter(between).collect();
    flights.sort_by_key(|flight| (!flight.held, flight.arrives));
    flights.into_iter().take(MESSAGES).map(|flight| of_message(view, flight)).collect()
}

/// Whether this link joins the two groups.
fn joins((a, b): (NodeId, NodeId), from: NodeSet, to: NodeSet) -> bool {
    from.has(a) && to.has(b) || from.has(b) && to.has(a)
}

/// Interception of one message in flight.
fn of_message(view: &ViewModel, flight: &Flight) -> Group {
    let name = |end: End| match end {
        End::Node(id) => text::number(id).to_string(),
        End::Client(_) => String::new(),
    };
    let kind = flight.kind.and_then(|kind| view.kinds.get(usize::from(kind.0))).map_or("message", |kind| kind.name);
    let intercept = |label: &str, intercept| act(label, Action::Message { flight: flight.id, intercept });
    let items = vec![
        (!flight.held).then(|| intercept("hold", Intercept::Hold)),
        Some(intercept("deliver now", Intercept::Deliver)),
        Some(intercept("drop", Intercept::Drop)),
        Some(intercept("duplicate", Intercept::Duplicate)),
    ];
    let group = group(format!("{kind} {} → {}", name(flight.from), name(flight.to)), items);
    // A held message must be easy to find.
    if flight.held { group } else { group.folded() }
}
