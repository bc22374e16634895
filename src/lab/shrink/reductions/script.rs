//! Reductions of the script: earlier, milder faults on fewer nodes and links.

use super::{half, micros, rounded, time, with};
use crate::lab::Quantity;
use crate::lab::document::fault::{Fault, Nodes, Target};
use crate::lab::document::scenario::Scenario;

/// Renumbers the nodes of a script entry after node `gone` was removed. False: no node is left for it.
pub(super) fn leave_out(fault: &mut Fault, gone: u32) -> bool {
    let moved = |number: &mut u32| {
        let there = *number != gone;
        *number -= u32::from(*number > gone);
        there
    };
    let nodes = |nodes: &mut Option<Nodes>| match nodes {
        None | Some(Nodes::All | Nodes::Role(_)) => true,
        Some(Nodes::One(number)) => moved(number),
        Some(Nodes::Several(list)) => {
            list.retain_mut(moved);
            !list.is_empty()
        }
    };
    let (from, to) = (nodes(&mut fault.from), nodes(&mut fault.to));
    let node = match &mut fault.node {
        Some(Target::Number(number)) => moved(number),
        Some(Target::Role(_)) | None => true,
    };
    node && from && to
}

/// A fault of one node, or of its links, in place of a fault of a failure domain.
pub(super) fn nodes_for_places(scenario: &Scenario) -> Vec<Scenario> {
    let nodes = scenario.replicas.len() as u32;
    let mut ways = Vec::new();
    for (index, fault) in scenario.script.iter().enumerate().filter(|(_, fault)| fault.place.is_some()) {
        for node in 1..=nodes {
            let others = (1..=nodes).filter(|other| *other != node).collect();
            let (from, to) = (Some(Nodes::One(node)), Some(Nodes::Several(others)));
            let one = match fault.action.as_str() {
                "cut" | "heal" => Fault { place: None, from, to, ..fault.clone() },
                _ => Fault { place: None, node: Some(node.into()), ..fault.clone() },
            };
            ways.push(with(scenario, |s| s.script[index] = one));
        }
    }
    ways
}

/// Fewer links, and one direction only.
pub(super) fn narrower(scenario: &Scenario) -> Vec<Scenario> {
    let nodes = scenario.replicas.len() as u32;
    let mut ways = Vec::new();
    for (index, fault) in scenario.script.iter().enumerate() {
        let mut way = |change: &dyn Fn(&mut Fault)| ways.push(with(scenario, |s| change(&mut s.script[index])));
        if disturbs_all_links(fault) {
            for node in 1..=nodes {
                way(&|fault| (fault.from, fault.to) = (Some(Nodes::One(node)), Some(Nodes::All)));
            }
        }
        for fewer in fewer(&fault.from, nodes) {
            way(&|fault| fault.from = Some(fewer.clone()));
        }
        for fewer in fewer(&fault.to, nodes) {
            way(&|fault| fault.to = Some(fewer.clone()));
        }
        if LINKS.contains(&fault.action.as_str()) && !fault.one_way && fault.from.is_some() {
            way(&|fault| fault.one_way = true);
            way(&|fault| {
                std::mem::swap(&mut fault.from, &mut fault.to);
                fault.one_way = true;
            });
        }
    }
    ways
}

/// Actions on links that may be one-way.
const LINKS: &[&str] = &["cut", "loss", "slow", "duplication", "reordering", "limit"];

fn disturbs_all_links(fault: &Fault) -> bool {
    let Fault { action, from, to, node, place, .. } = fault;
    LINKS.contains(&action.as_str()) && (from, to, node, place) == (&None, &None, &None, &None)
}

/// Ends of links with fewer nodes.
fn fewer(nodes: &Option<Nodes>, all: u32) -> Vec<Nodes> {
    match nodes {
        None | Some(Nodes::One(_)) => Vec::new(),
        Some(Nodes::All | Nodes::Role(_)) => (1..=all).map(Nodes::One).collect(),
        Some(Nodes::Several(list)) if list.len() == 1 => vec![Nodes::One(list[0])],
        Some(Nodes::Several(list)) => {
            let without = |gone| list.iter().copied().filter(|node| node != gone).collect();
            list.iter().map(|gone| Nodes::Several(without(gone))).collect()
        }
    }
}

/// One entry and all after it come earlier, by some or all of the time before it.
pub(super) fn earlier(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    let at = |index: usize| scenario.script[index].at.micros().unwrap_or(0);
    for index in 0..scenario.script.len() {
        let before = index.checked_sub(1).map_or(0, at);
        let pause = at(index).saturating_sub(before);
        for less in [pause, pause / 2, pause / 4].into_iter().filter(|less| *less >= 1_000) {
            ways.push(with(scenario, |s| {
                for fault in &mut s.script[index..] {
                    fault.at = Quantity::from_micros(fault.at.micros().unwrap_or(0).saturating_sub(less));
                }
                for group in &mut s.clients {
                    let start = micros(&group.start);
                    group.start = time(if start > before { start.saturating_sub(less).max(before) } else { start });
                }
            }));
        }
    }
    ways
}

pub(super) fn rounder(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    let at = |index: usize| scenario.script[index].at.micros().unwrap_or(0);
    for index in 0..scenario.script.len() {
        let before = index.checked_sub(1).map_or(0, at);
        let round = rounded(at(index)).filter(|round| *round >= before);
        ways.extend(round.map(|round| with(scenario, |s| s.script[index].at = Quantity::from_micros(round))));
    }
    ways
}

type Magnitude = fn(&mut Fault) -> &mut Option<Quantity>;

/// Fields that hold the magnitude of a fault.
const MAGNITUDES: &[Magnitude] = &[
    |fault| &mut fault.loss,
    |fault| &mut fault.share,
    |fault| &mut fault.extra,
    |fault| &mut fault.jitter,
    |fault| &mut fault.write,
    |fault| &mut fault.by,
];

/// Smaller magnitudes.
pub(super) fn milder(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    for (index, fault) in scenario.script.iter().enumerate() {
        let mut fault = fault.clone();
        for magnitude in MAGNITUDES {
            if let Some(half) = half(magnitude(&mut fault)) {
                ways.push(with(scenario, |s| *magnitude(&mut s.script[index]) = Some(half)));
            }
        }
        if let Some(ppm) = fault.ppm.filter(|ppm| ppm.unsigned_abs() > 1) {
            ways.push(with(scenario, |s| s.script[index].ppm = Some(ppm / 2)));
        }
    }
    ways
}
