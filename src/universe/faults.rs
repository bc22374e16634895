//! Sentences about active faults: link cuts, pauses, Byzantine nodes, disk faults, clock drift, link conditions.
//!
//! The page loads this module in a deferred chunk.

use super::{Link, NodeView, Universe};
use crate::core::{NodeId, NodeSet};
use std::collections::BTreeMap;

/// Maximum number of sentences, so that the state of the cluster stays prominent.
const MOST: usize = 2;

/// Directed link: sender and receiver.
type Way = (NodeId, NodeId);

/// Sentences about the first [`MOST`] faults, and the number of others.
pub fn sentences(universe: &dyn Universe, views: &[NodeView], places: &[&str]) -> String {
    let told = all(universe, views, places);
    let mut text: String = told.iter().take(MOST).map(|sentence| format!(" {sentence}")).collect();
    match told.len().saturating_sub(MOST) {
        0 => {}
        1 => text += " One more thing is out of order.",
        more => text += &format!(" {more} more things are out of order."),
    }
    text
}

/// Sentences about all faults.
pub(super) fn all(universe: &dyn Universe, views: &[NodeView], places: &[&str]) -> Vec<String> {
    let held =
        universe.holds_all().then(|| "All messages and timers are held; only what is chosen happens.".to_owned());
    let mut told: Vec<String> = held.into_iter().chain(cuts(universe, views, places)).collect();
    told.extend(views.iter().flat_map(of_node));
    told.extend(links(universe, views, places));
    told
}

/// All directed links between replicas.
fn ways(views: &[NodeView]) -> impl Iterator<Item = Way> {
    let to_others = |from: &NodeView| {
        let from = from.id;
        views.iter().map(move |to| (from, to.id)).filter(|(from, to)| from != to)
    };
    views.iter().flat_map(to_others)
}

fn cuts(universe: &dyn Universe, views: &[NodeView], places: &[&str]) -> Option<String> {
    let cut_to = |from: NodeId| views.iter().find(|view| view.id == from).map_or(NodeSet::EMPTY, |view| view.cut);
    let both_ways = |(from, to): Way| cut_to(to).has(from);
    // A link that is cut both ways counts once.
    let cut = ways(views).filter(|&(from, to)| cut_to(from).has(to) && (from < to || !both_ways((from, to))));
    let cut: Vec<Way> = cut.collect();
    let clients = clients(universe, views, places);
    match cut.as_slice() {
        [] => None,
        [way @ (from, to)] if both_ways(*way) => {
            Some(format!("Nodes {from:?} and {to:?} cannot reach each other{clients}."))
        }
        [(from, to)] => Some(format!("Node {from:?} cannot reach node {to:?}, but hears it{clients}.")),
        more => Some(format!("{} links are cut{clients}.", more.len())),
    }
}

/// Whether clients are cut off from replicas at other places as well, as a clause.
fn clients(universe: &dyn Universe, views: &[NodeView], places: &[&str]) -> String {
    let cut = |(site, _): &(u8, &&str)| {
        let (requests, replies) = universe.client_cuts(*site);
        !requests.is_empty() || !replies.is_empty()
    };
    let cut_off: Vec<&str> = (0..).zip(places).filter(cut).map(|(_, name)| *name).collect();
    match cut_off.as_slice() {
        [] if views.iter().any(|view| !view.cut_replicas_only.is_empty()) => ", for replicas only".to_owned(),
        [] => String::new(),
        [one] => format!(", for clients in {one} as well"),
        [rest @ .., last] => format!(", for clients in {} and {last} as well", rest.join(", ")),
    }
}

fn of_node(view: &NodeView) -> Vec<String> {
    let NodeView { id, disk, drift, .. } = *view;
    let states = [
        (view.paused.is_some(), format!("Node {id:?} is paused.")),
        (view.twin, format!("There are two of node {id:?}.")),
        (view.byzantine && !view.twin, format!("Node {id:?} is Byzantine.")),
        (disk.write.is_some(), format!("The disk of node {id:?} is slow.")),
        (disk.full, format!("The disk of node {id:?} is full.")),
        (disk.forgets, format!("The disk of node {id:?} only says that it writes.")),
        (disk.tears, format!("The disk of node {id:?} loses its last write in a crash.")),
        (disk.rotten, format!("A record on the disk of node {id:?} is corrupt.")),
        (drift > 0, format!("The clock of node {id:?} runs fast.")),
        (drift < 0, format!("The clock of node {id:?} runs slow.")),
    ];
    states.into_iter().filter(|(holds, _)| *holds).map(|(_, sentence)| sentence).collect()
}

/// Link conditions: one sentence for each pair of sites, or one for all if all links have the same conditions.
fn links(universe: &dyn Universe, views: &[NodeView], places: &[&str]) -> Vec<String> {
    let usual = Link::default();
    let link_conditions: Vec<(Way, Link)> =
        ways(views).map(|(from, to)| ((from, to), universe.link(from, to))).collect();
    if let Some((_, first)) = link_conditions.first().filter(|(_, first)| *first != usual)
        && link_conditions.iter().all(|(_, link)| link == first)
    {
        return vec![format!("All messages {}.", conditions(&[*first]))];
    }
    let site = |node: NodeId| views.iter().find(|view| view.id == node).map_or(0, |view| view.site);
    let mut site_links: BTreeMap<(u8, u8), Vec<(Way, Link)>> = BTreeMap::new();
    for (way, link) in link_conditions.into_iter().filter(|(_, link)| *link != usual) {
        let (a, b) = (site(way.0), site(way.1));
        site_links.entry((a.min(b), a.max(b))).or_default().push((way, link));
    }
    let tell = |((a, b), links): ((u8, u8), Vec<(Way, Link)>)| {
        let name = |site: u8| places.get(usize::from(site)).copied().unwrap_or("?");
        let mut starts = links.iter().map(|((from, _), _)| site(*from));
        let direction = match starts.next() {
            Some(from) if a != b && starts.all(|other| other == from) => {
                format!("from {} to {}", name(from), name(if from == a { b } else { a }))
            }
            _ if a == b => format!("within {}", name(a)),
            _ => format!("between {} and {}", name(a), name(b)),
        };
        let links: Vec<Link> = links.into_iter().map(|(_, link)| link).collect();
        format!("Messages {direction} {}.", conditions(&links))
    };
    site_links.into_iter().map(tell).collect()
}

/// Conditions of these links, as a predicate of "messages".
fn conditions(links: &[Link]) -> String {
    let any = |holds: fn(&Link) -> bool| links.iter().any(holds);
    let all = [
        (any(|link| link.extra > 0 || link.jitter > 0), "are slow"),
        (any(|link| link.lose > 0), "get lost at times"),
        (any(|link| link.duplicate > 0), "come twice at times"),
        (any(|link| link.reorder > 0), "overtake each other"),
        (any(|link| link.bytes_per_s > 0), "queue for a narrow link"),
    ];
    let told: Vec<&str> = all.into_iter().filter(|(holds, _)| *holds).map(|(_, says)| says).collect();
    match told.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        told => told.concat(),
    }
}
