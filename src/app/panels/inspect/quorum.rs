//! The quorum chip: how many nodes it takes, and who of those that can reach each other are enough.

use super::subject::Quorum;
use crate::elements::text;
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::universe::inspect::quorums_in_words;
use yew::prelude::*;

/// The chip: `3 of 5` or `a row: 3 of 9`, and while nodes are down or cut off from each other, who still has a quorum. Without `quorum` the
/// protocol promises to go on with none.
pub fn chip(context: &RunContext, view: &ViewModel, quorum: Option<Quorum>) -> Html {
    let Some(quorum) = quorum else { return html! {} };
    let Quorum { need, of, .. } = quorum;
    let says = describe(quorum, &groups(view));
    let title = format!(
        "{} goes on as long as any {need} of {of} nodes are up and reach each other",
        context.variant.card.title
    );
    html! { <p class="chip" {title}><b>{ "Quorum" }</b>{ " " }{ says }</p> }
}

fn describe(quorum: Quorum, groups: &[NodeSet]) -> String {
    let Quorum { need, of, systems } = quorum;
    let (up, parts) = (groups.iter().map(|group| group.len()).sum::<u8>(), groups.len());
    let words = systems.as_ref().and_then(quorums_in_words);
    let holds = |group: &NodeSet| match systems.filter(|_| words.is_some()) {
        Some(systems) => systems.phase1.is_quorum(*group) && systems.phase2.is_quorum(*group),
        None => group.len() >= need,
    };
    let first = words.clone().unwrap_or_else(|| format!("{need} of {of}"));
    if up == of && parts == 1 {
        return first;
    }
    let split: Vec<String> = groups.iter().map(|group| group.len().to_string()).collect();
    let split = if parts > 1 { format!("; {up} split {}", split.join("-")) } else { format!("; {up} up") };
    let enough: Vec<String> = groups.iter().filter(|group| holds(group)).map(|group| nodes(*group)).collect();
    format!("{first}{split}: {}", if enough.is_empty() { "nobody".to_owned() } else { enough.join(", or ") })
}

fn nodes(nodes: NodeSet) -> String {
    let numbers: Vec<String> = nodes.iter().map(|node| text::number(node).to_string()).collect();
    format!("{} {}", if numbers.len() == 1 { "node" } else { "nodes" }, numbers.join(", "))
}

/// The members that are up, in groups of those that reach each other both ways, directly or through others; the largest first.
fn groups(view: &ViewModel) -> Vec<NodeSet> {
    let up = |id: NodeId| view.nodes[usize::from(id.0)].status.is_some();
    let reaches = |from: NodeId, to: NodeId| !view.nodes[usize::from(from.0)].cut.has(to);
    let mut left: NodeSet = view.nodes.iter().filter(|node| node.member && up(node.id)).map(|node| node.id).collect();
    let mut groups = Vec::new();
    while let Some(first) = left.iter().next() {
        let mut group = NodeSet::just(first);
        while let Some(next) =
            left.minus(group).iter().find(|id| group.iter().any(|it| reaches(it, *id) && reaches(*id, it)))
        {
            group.add(next);
        }
        left = left.minus(group);
        groups.push(group);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorumscope::core::{Grid, QuorumSystem, Quorums};

    fn set(ids: &[u8]) -> NodeSet {
        ids.iter().map(|id| NodeId(id - 1)).collect()
    }

    #[test]
    fn chip_says_who_is_enough() {
        let describe = |need, of, groups: &[NodeSet]| describe(Quorum { need, of, systems: None }, groups);
        assert_eq!(describe(3, 5, &[set(&[1, 2, 3, 4, 5])]), "3 of 5");
        assert_eq!(describe(3, 5, &[set(&[1, 2, 4, 5])]), "3 of 5; 4 up: nodes 1, 2, 4, 5");
        assert_eq!(describe(3, 5, &[set(&[3, 4, 5]), set(&[1, 2])]), "3 of 5; 5 split 3-2: nodes 3, 4, 5");
        let thirds = [set(&[1, 2, 3]), set(&[4, 5, 6]), set(&[7, 8, 9])];
        assert_eq!(describe(5, 9, &thirds), "5 of 9; 9 split 3-3-3: nobody");
    }

    #[test]
    fn chip_says_which_sets_are_quorums_where_not_only_the_number_matters() {
        let grid = Grid { rows: 3, columns: 3 };
        let systems = Quorums { replicas: 9, phase1: QuorumSystem::Row(grid), phase2: QuorumSystem::Column(grid) };
        let quorum = Quorum { need: 7, of: 9, systems: Some(systems) };
        let says = "a row: 3 of 9 to lead, a column: 3 of 9 to choose";
        assert_eq!(describe(quorum, &[NodeSet::first(9)]), says);
        // A row and a column that share node 1.
        assert_eq!(describe(quorum, &[set(&[1, 2, 3, 4, 7])]), format!("{says}; 5 up: nodes 1, 2, 3, 4, 7"));
        assert_eq!(describe(quorum, &[set(&[1, 2, 3, 4, 5, 6])]), format!("{says}; 6 up: nobody"));
    }
}
