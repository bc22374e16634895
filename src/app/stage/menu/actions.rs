//! Menus of replicas, sites and site links: everything that can also be done by dragging, for keyboard, touch and screen readers.

use super::entry::{Group, Item, act, acts};
use super::faults;
use crate::elements::text;
use crate::page_action::{PageAction, Target};
use crate::run::context::RunContext;
use crate::run::view_model::{Leadership, NodeView, ViewModel};
use quorumscope::core::NodeId;
use quorumscope::sim::Action;

/// Title and groups of the menu of `target`.
pub fn entries(context: &RunContext, view: &ViewModel, target: Target) -> (String, Vec<Group>) {
    match target {
        Target::Node(id) => match view.nodes.get(usize::from(id.0)) {
            Some(node) => (format!("Node {}", text::number(id)), node_items(context, view, node)),
            None => (String::new(), Vec::new()),
        },
        Target::Site(site) => (context.names[site].to_string(), site_items(context, view, site)),
        Target::SiteLink(a, b) => {
            let names = &context.names;
            let pairs = between(view, a, b);
            let mut groups = link_items(&pairs, "Cut every link", "Heal every link");
            let ends = |end: fn(&Pair) -> NodeId| pairs.iter().map(end).collect();
            let (from, to) = (ends(|pair| pair.0), ends(|pair| pair.1));
            groups.extend(faults::of_links(view, from, to));
            groups.push(faults::one_way(&names[a], &names[b], from, to));
            groups.extend(faults::of_messages(view, from, to));
            (format!("{} and {}", names[a], names[b]), groups)
        }
    }
}

fn node_items(context: &RunContext, view: &ViewModel, node: &NodeView) -> Vec<Group> {
    let id = node.id;
    let up = node.status.is_some();
    let mut first = Vec::new();
    if up && node.leadership != Leadership::Leader {
        first.push(act("Make it the leader", Action::HandOver(id)));
    }
    if up {
        first.push(act("Crash", Action::Crash(id)));
        first.push(acts("Crash and restart", vec![Action::Crash(id), Action::Restart(id)]));
    } else {
        first.push(act("Restart", Action::Restart(id)));
    }
    let elsewhere = (0..context.places.len()).filter(|site| *site != node.site);
    let moves = elsewhere.map(|site| act(&*context.names[site], Action::Move { node: id, site: site as u8 })).collect();
    let others: Vec<&NodeView> = view.nodes.iter().filter(|other| other.id != id && other.member).collect();
    let is_cut = |other: &&&NodeView| node.cut.has(other.id) || other.cut.has(id);
    let name = |other: &&NodeView| format!("{}", text::number(other.id));
    let cuts = others
        .iter()
        .filter(|other| !is_cut(other))
        .map(|other| act(name(other), Action::Cut { from: id, to: other.id, both: true, replicas_only: false }));
    let mut heals: Vec<Item> =
        others.iter().filter(is_cut).map(|other| act(name(other), Action::Heal(id, other.id))).collect();
    if heals.len() > 1 {
        heals.push(acts("all", others.iter().filter(is_cut).map(|other| Action::Heal(id, other.id)).collect()));
    }
    let mut cuts: Vec<Item> = cuts.collect();
    if cuts.len() > 1 {
        let open = others.iter().filter(|other| !is_cut(other));
        cuts.push(acts(
            "all",
            open.map(|other| Action::Cut { from: id, to: other.id, both: true, replicas_only: false }).collect(),
        ));
    }
    let mut groups = vec![
        Group::plain(first),
        Group::headed("Move to", moves),
        Group::headed("Cut the link to", cuts),
        Group::headed("Heal the link to", heals),
    ];
    groups.extend(faults::of_node(view, node));
    groups.push(Group::plain(vec![Item {
        label: "Remove this replica".to_owned(),
        page_action: PageAction::Remove(id),
    }]));
    groups
}

fn site_items(context: &RunContext, view: &ViewModel, site: usize) -> Vec<Group> {
    let here: Vec<&NodeView> = view.nodes.iter().filter(|node| node.site == site).collect();
    let up: Vec<Action> = here.iter().filter(|node| node.status.is_some()).map(|node| Action::Crash(node.id)).collect();
    let down: Vec<Action> =
        here.iter().filter(|node| node.status.is_none()).map(|node| Action::Restart(node.id)).collect();
    let mut items = vec![
        Item { label: "Add a replica here".to_owned(), page_action: PageAction::Add(site) },
        act("Send a client's request", Action::Request { site: site as u8 }),
    ];
    if !up.is_empty() {
        items.push(acts("Crash all that is here", up));
    }
    if !down.is_empty() {
        items.push(acts("Restart what is down here", down));
    }
    let others = (0..context.places.len()).filter(|other| *other != site);
    let out: Vec<Pair> = others.flat_map(|other| between(view, site, other)).collect();
    let mut groups = vec![Group::plain(items)];
    groups.extend(link_items(&out, "Cut its links to the rest", "Heal its links to the rest"));
    groups.extend(faults::of_site(context, view, site));
    groups
}

/// Two replicas, and whether the link between them is cut.
type Pair = (NodeId, NodeId, bool);

/// Every link between two sites.
fn between(view: &ViewModel, a: usize, b: usize) -> Vec<Pair> {
    let at = |site: usize| view.nodes.iter().filter(move |node| node.site == site);
    at(a).flat_map(|one| at(b).map(move |two| (one.id, two.id, one.cut.has(two.id) || two.cut.has(one.id)))).collect()
}

fn link_items(pairs: &[Pair], cut: &str, heal: &str) -> Vec<Group> {
    let whole = pairs.iter().filter(|(.., is_cut)| !is_cut);
    let cuts: Vec<Action> =
        whole.map(|&(from, to, _)| Action::Cut { from, to, both: true, replicas_only: false }).collect();
    let heals: Vec<Action> = pairs.iter().filter(|(.., is_cut)| *is_cut).map(|&(a, b, _)| Action::Heal(a, b)).collect();
    let item = |label: &str, actions: Vec<Action>| (!actions.is_empty()).then(|| acts(label, actions));
    vec![Group::plain([item(cut, cuts), item(heal, heals)].into_iter().flatten().collect())]
}
