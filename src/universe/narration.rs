//! What happens now, in a plain sentence or two, told from what any variant shows of itself.

use super::cluster::FaultSentences;
use super::{NodeView, Universe};
use crate::core::{Blocked, Command, Epoch, LeaderModel, NodeId, NodeSet, NodeStatus, Shots, Slot, Tally};
use crate::judge::Violation;

/// The leader and what it waits for, several nodes that lead at once, or who is trying to lead; then what is down, and other faults. Violations: [`violation`].
pub(super) fn sentence(universe: &dyn Universe, faults: Option<FaultSentences>, places: &[&str]) -> String {
    let views: Vec<NodeView> = (0..universe.nodes()).map(|id| universe.node(NodeId(id))).collect();
    let leaders: Vec<&NodeView> = views.iter().filter(|view| takes_itself_for_leader(view)).collect();
    let mut text = match universe.leader() {
        // Leaders of several objects do not contradict each other.
        _ if leaders.len() > 1 && universe.variant().card.leader != LeaderModel::PerObject => {
            several_lead(universe, &leaders, &views, places)
        }
        Some(leader) => leading(universe, &views[usize::from(leader.0)], &views, places),
        None => leaderless(universe, &views),
    };
    text.push_str(&blocked(universe, &views));
    text.push_str(&no_quorum(universe, &views));
    let down: Vec<NodeId> = views.iter().filter(|view| view.status.is_none()).map(|view| view.id).collect();
    match down.as_slice() {
        [] => {}
        all if all.len() == views.len() => text = "Nobody is up.".to_owned(),
        [_] => text.push_str(&format!(" {} is down.", nodes(&down))),
        _ => text.push_str(&format!(" {} are down.", nodes(&down))),
    }
    if let Some(sentences) = faults {
        text.push_str(&sentences(universe, &views, places));
    }
    text
}

/// Why nothing goes on, if that can be told: who is blocked, and who counts votes and reaches too few to get enough.
pub fn stuck(universe: &dyn Universe) -> Option<String> {
    let views: Vec<NodeView> = (0..universe.nodes()).map(|id| universe.node(NodeId(id))).collect();
    let text = blocked(universe, &views) + &no_quorum(universe, &views);
    (!text.is_empty()).then(|| text.trim_start().to_owned())
}

/// What is out of order besides nodes that are down: one sentence each. `places` are the names of the sites.
pub fn out_of_order(universe: &dyn Universe, places: &[&str]) -> Vec<String> {
    let views: Vec<NodeView> = (0..universe.nodes()).map(|id| universe.node(NodeId(id))).collect();
    super::faults::all(universe, &views, places)
}

fn number(id: NodeId) -> String {
    (id.0 + 1).to_string()
}

/// `Node 1`, `Nodes 1 and 2`, `Nodes 1, 2 and 3`.
fn nodes(ids: &[NodeId]) -> String {
    let names: Vec<String> = ids.iter().copied().map(number).collect();
    match names.as_slice() {
        [] => "No node".to_owned(),
        [one] => format!("Node {one}"),
        [rest @ .., last] => format!("Nodes {} and {last}", rest.join(", ")),
    }
}

/// What one decision is about: `entry`, `transaction`.
fn decision(universe: &dyn Universe) -> &'static str {
    match universe.variant().card.agrees_on {
        Shots::Transactions => "transaction",
        Shots::Registers => "register",
        Shots::Single => "value",
        Shots::Log | Shots::Graph | Shots::Nothing => "entry",
    }
}

/// Which nodes are blocked, on what, until when and why; those in the same position together.
fn blocked(universe: &dyn Universe, views: &[NodeView]) -> String {
    let mut told: Vec<(Blocked, Vec<NodeId>)> = Vec::new();
    for view in views {
        let Some(blocked) = view.status.and_then(|status| status.blocked) else { continue };
        match told.iter_mut().find(|(same, _)| *same == blocked) {
            Some((_, ids)) => ids.push(view.id),
            None => told.push((blocked, vec![view.id])),
        }
    }
    let down = |id: NodeId| views.get(usize::from(id.0)).is_none_or(|view| view.status.is_none());
    let sentence = |(Blocked { on, at, because }, ids): (Blocked, Vec<NodeId>)| {
        let (are, who) = if ids.len() == 1 { ("is", "it") } else { ("are", "each") };
        let on_whom: Vec<String> = on.iter().map(|id| format!("node {}", number(id))).collect();
        let until = match on_whom.is_empty() {
            true => "for ever".to_owned(),
            false if on.iter().all(down) => format!("until {} is back", on_whom.join(" or ")),
            false => format!("until {} hears from {}", if ids.len() == 1 { "it" } else { "one" }, on_whom.join(" or ")),
        };
        format!(" {} {are} blocked on {} {at} {until}: {who} {because}.", nodes(&ids), decision(universe))
    };
    told.into_iter().map(sentence).collect()
}

/// That everybody who counts votes, promises or acknowledgements reaches fewer nodes that run than it needs.
fn no_quorum(universe: &dyn Universe, views: &[NodeView]) -> String {
    let card = universe.variant().card;
    // Elsewhere a count that is not reached is a decision as well, as in atomic commitment.
    let counts = matches!(card.agrees_on, Shots::Log | Shots::Single | Shots::Registers);
    if !counts || matches!(card.leader, LeaderModel::Fixed | LeaderModel::SelfAppointed) {
        return String::new();
    }
    let runs = |view: &&NodeView| view.status.is_some() && view.paused.is_none();
    let reached = |from: &NodeView| -> NodeSet {
        let reaches = |to: &&NodeView| from.id == to.id || !from.cut.has(to.id) && !to.cut.has(from.id);
        views.iter().filter(runs).filter(reaches).filter(|to| to.member).map(|to| to.id).collect()
    };
    let counting = views.iter().filter(runs).filter_map(|view| {
        let status = view.status?;
        let tally = status.tally?;
        Some((status.leads, reached(view).or(tally.from).len(), view.id, tally))
    });
    let Some((leads, reaches, id, tally)) = counting.max_by_key(|(leads, reaches, id, _)| (*leads, *reaches, *id))
    else {
        return String::new();
    };
    if reaches >= tally.need {
        return String::new();
    }
    let what = if leads { "nothing can be committed" } else { "nobody can lead" };
    let what = if card.leader == LeaderModel::None { "nothing can be chosen" } else { what };
    let whom = match reaches {
        1 => "no other node".to_owned(),
        more => format!("{more} nodes, itself included"),
    };
    let missing = tally.need - reaches;
    let of = tally.of;
    format!(
        " Node {} needs {} {of} and reaches {whom}: {what} until it reaches {missing} more.",
        number(id),
        tally.need
    )
}

/// What was violated, by which nodes and in which slot, and what the property says.
pub fn violation(violation: &Violation, card: &crate::core::Card) -> String {
    let nodes: Vec<String> = violation.nodes.iter().map(number).collect();
    let slot = violation.place(card.agrees_on).map(|place| format!(" on {place}")).unwrap_or_default();
    let who = match nodes.as_slice() {
        [] => String::new(),
        [one] => format!(", by node {one}"),
        _ => format!(", by nodes {}", nodes.join(" and ")),
    };
    format!("{} is violated{slot}{who}: {}", violation.property, violation.says)
}

fn epoch(universe: &dyn Universe, epoch: Epoch) -> String {
    format!("{} {epoch}", universe.variant().card.epoch)
}

fn leading(universe: &dyn Universe, leader: &NodeView, views: &[NodeView], places: &[&str]) -> String {
    let Some(status) = leader.status else { return String::new() };
    let from = places.get(usize::from(leader.site)).map(|place| format!(" from {place}")).unwrap_or_default();
    let card = universe.variant().card;
    let who = match card.leader {
        LeaderModel::Fixed => format!("Node {} is the {}{from}.", number(leader.id), status.role),
        _ => format!("Node {} leads {}{from}.", number(leader.id), epoch(universe, status.epoch)),
    };
    let known = status.log.committed;
    if card.agrees_on == Shots::Transactions {
        return match status.tally {
            Some(tally) if tally.slot > 0 => format!("{who} {}", votes(universe, views, &tally)),
            _ => format!("{who} {}", count(universe.chosen(), "transaction")),
        };
    }
    if card.agrees_on == Shots::Single {
        return format!("{who} {}", chosen_values(universe, views).unwrap_or("No value is chosen yet.".to_owned()));
    }
    // What an earlier leader has found out stays true, even if this one has not heard of it.
    let committed = committed_prefix(universe, known);
    match status.tally {
        Some(tally) if tally.slot > committed => format!("{who} {}", waiting_for(universe, leader.id, &status, &tally)),
        _ if committed == 0 => format!("{who} Nothing is committed yet."),
        _ if committed > known => {
            format!("{who} Everything up to entry {committed} is committed, {}.", knows(leader.id, known))
        }
        _ => format!("{who} Everything up to entry {committed} is committed."),
    }
}

/// The last slot up to which everything is committed, if a node knows that it is so up to `known`.
fn committed_prefix(universe: &dyn Universe, known: Slot) -> Slot {
    (known..).find(|slot| !universe.is_chosen(slot + 1)).unwrap_or(known)
}

fn knows(leader: NodeId, known: Slot) -> String {
    match known {
        0 => format!("but node {} does not know that yet", number(leader)),
        _ => format!("but node {} knows that only up to {known}", number(leader)),
    }
}

/// Whether a node leads, by what it says; of one that sleeps or lies that means nothing.
fn takes_itself_for_leader(view: &NodeView) -> bool {
    view.status.is_some_and(|status| status.leads) && view.paused.is_none() && !view.byzantine
}

/// That they all lead, and what the one in the highest epoch is about, if only one is in that.
fn several_lead(universe: &dyn Universe, leaders: &[&NodeView], views: &[NodeView], places: &[&str]) -> String {
    let names: Vec<String> = leaders.iter().map(|view| number(view.id)).collect();
    let role = leaders[0].status.map_or("leader", |status| status.role);
    let text = match names.as_slice() {
        [one, other] => format!("Nodes {one} and {other} both take themselves for the {role}."),
        [rest @ .., last] => format!("Nodes {} and {last} all take themselves for the {role}.", rest.join(", ")),
        [] => String::new(),
    };
    let at = |view: &&&NodeView| view.status.map(|status| status.epoch);
    let highest = leaders.iter().map(|view| at(&view)).max().flatten();
    match leaders.iter().filter(|view| at(view) == highest).collect::<Vec<_>>().as_slice() {
        [newest] => format!("{text} {}", leading(universe, newest, views, places)),
        _ => text,
    }
}

/// A transaction under way.
fn votes(universe: &dyn Universe, views: &[NodeView], tally: &Tally) -> String {
    let aborted =
        |node: &NodeId| universe.entry(*node, tally.slot).is_some_and(|entry| entry.chosen && entry.command.is_none());
    let aborted: Vec<NodeId> = views.iter().map(|view| view.id).filter(aborted).collect();
    if !aborted.is_empty() {
        let (at, by) = (tally.slot, nodes(&aborted).to_ascii_lowercase());
        return format!("Transaction {at} is aborted already, by {by}; the coordinator does not know that yet.");
    }
    let for_it: Vec<NodeId> = tally.from.iter().collect();
    let who = nodes(&for_it).to_ascii_lowercase();
    match tally.need.saturating_sub(tally.from.len()) {
        1 => format!("Transaction {} has the {} of {who}; one more and it is committed.", tally.slot, tally.of),
        more => format!("Transaction {} has the {} of {who}; {more} more and it is committed.", tally.slot, tally.of),
    }
}

/// An entry that the leader waits for.
fn waiting_for(universe: &dyn Universe, leader: NodeId, status: &NodeStatus, tally: &Tally) -> String {
    let others: Vec<String> = tally.from.iter().map(number).collect();
    let missing = tally.need.saturating_sub(tally.from.len());
    let slot = tally.slot;
    let have = match others.as_slice() {
        [] => format!("Nobody has acknowledged entry {slot}"),
        [one] => format!("Node {one} has acknowledged entry {slot}"),
        [rest @ .., last] => format!("Nodes {} and {last} have acknowledged entry {slot}", rest.join(", ")),
    };
    // An entry of an earlier epoch that its leader keeps as it is can be overwritten, whoever has it.
    let earlier = universe.entry(leader, slot).is_some_and(|entry| entry.epoch < status.epoch);
    match missing {
        _ if earlier => {
            format!("{have}; it is committed together with the first entry of {}.", epoch(universe, status.epoch))
        }
        0 => format!("{have}; that is enough."),
        need if others.is_empty() => format!("{have} yet; once {need} have, it is committed."),
        1 => format!("{have}; one more and it is committed."),
        more => format!("{have}; {more} more and it is committed."),
    }
}

/// The latest round under way, where rounds go by time and one value is agreed on.
fn round_under_way(card: &crate::core::Card, views: &[NodeView]) -> Option<Epoch> {
    let latest = views.iter().filter_map(|view| view.status).map(|status| status.epoch).max();
    let rounds = card.agrees_on == Shots::Single && card.needs_synchrony();
    latest.filter(|latest| rounds && latest.number > 0)
}

fn leaderless(universe: &dyn Universe, views: &[NodeView]) -> String {
    let card = universe.variant().card;
    let single = card.agrees_on == Shots::Single;
    if single && let Some(text) = chosen_values(universe, views) {
        return text;
    }
    let gathering = |view: &NodeView| -> Option<(Epoch, NodeId, NodeStatus, Tally)> {
        let status = view.status?;
        Some((status.epoch, view.id, status, status.tally?))
    };
    match views.iter().filter_map(gathering).max_by_key(|(epoch, id, ..)| (*epoch, *id)) {
        Some((at, id, status, tally)) => format!(
            "Node {} is {} in {}{} and has {} of the {} {} it needs.",
            number(id),
            with_article(status.role),
            epoch(universe, at),
            about(universe, &tally),
            tally.from.len(),
            tally.need,
            tally.of,
        ),
        None if let Some(round) = round_under_way(card, views) => {
            format!("No value is chosen yet in {}.", epoch(universe, round))
        }
        None if single => "Nobody has proposed anything yet.".to_owned(),
        None if card.leader == LeaderModel::Fixed => "Nobody leads, and nobody takes the leader's place.".to_owned(),
        None if card.leader == LeaderModel::None => serving(universe),
        None => "Nobody leads. The nodes wait for a heartbeat; the first to lose patience will ask for leadership."
            .to_owned(),
    }
}

/// That a value is chosen, and who knows it; or that there are several, where agreement is broken. `None`: nobody ever knew of one.
fn chosen_values(universe: &dyn Universe, views: &[NodeView]) -> Option<String> {
    let mut values: Vec<(Option<Command>, NodeSet)> = Vec::new();
    for view in views.iter().filter(|view| view.status.is_some_and(|status| status.log.committed > 0)) {
        let value = universe.entry(view.id, 1).and_then(|entry| entry.command);
        match values.iter_mut().find(|(other, _)| *other == value) {
            Some((_, know)) => *know = know.with(view.id),
            None => values.push((value, NodeSet::just(view.id))),
        }
    }
    match values.as_slice() {
        [] if universe.is_chosen(1) => Some("A value is chosen, but nobody who knows it is up.".to_owned()),
        [] => None,
        [(_, know)] => Some(format!("A value is chosen. {} of {} nodes know it.", know.len(), views.len())),
        several => {
            let who =
                |(_, know): &(Option<Command>, NodeSet)| nodes(&know.iter().collect::<Vec<_>>()).to_ascii_lowercase();
            let who: Vec<String> = several.iter().map(who).collect();
            Some(format!("{} values are chosen: one by {}.", several.len(), who.join(", another by ")))
        }
    }
}

/// Which register a tally is for. Registers are counted from 0, and shown as slots, which are counted from 1.
fn about(universe: &dyn Universe, tally: &Tally) -> String {
    match universe.variant().card.agrees_on {
        Shots::Registers if tally.slot > 0 => format!(" for register {}", tally.slot - 1),
        _ => String::new(),
    }
}

/// Without a leader, and nothing under way.
fn serving(universe: &dyn Universe) -> String {
    format!("There is no leader: every node serves whoever asks it. {}", count(universe.chosen(), "command"))
}

/// How many are committed.
fn count(committed: u64, what: &str) -> String {
    match committed {
        0 => "Nothing is committed yet.".to_owned(),
        1 => format!("One {what} is committed."),
        many => format!("{many} {what}s are committed."),
    }
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}
