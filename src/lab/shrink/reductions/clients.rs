//! Reductions of the workload: fewer clients, fewer commands, a plainer service.

use super::{micros, rounded, time, with};
use crate::lab::Quantity;
use crate::lab::document::scenario::{Clients, Scenario};
use crate::lab::document::workload::{SERVICES, serve};

pub(super) fn fewer(scenario: &Scenario) -> Vec<Scenario> {
    let all = (!scenario.clients.is_empty()).then(|| with(scenario, |s| s.clients.clear()));
    let one = (0..scenario.clients.len()).map(|group| with(scenario, |s| drop(s.clients.remove(group))));
    all.into_iter().chain(one).collect()
}

/// A key-value store in place of another service, without the fields that only that service uses.
pub(super) fn plain_service(scenario: &Scenario) -> Vec<Scenario> {
    scenario.service.is_some().then(|| with(scenario, |s| serve(s, SERVICES[0]))).into_iter().collect()
}

/// Clients at one site in place of several with weights, at one site fewer, or with a smaller weight.
pub(super) fn at_one_site(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    for (index, group) in scenario.clients.iter().enumerate() {
        let mut way = |change: &dyn Fn(&mut Clients)| ways.push(with(scenario, |s| change(&mut s.clients[index])));
        for id in group.weights.keys() {
            way(&|group| {
                group.weights.clear();
                group.site.clone_from(id);
            });
        }
        for (id, weight) in &group.weights {
            if group.weights.len() > 1 {
                way(&|group| {
                    group.weights.remove(id);
                });
            }
            if *weight > 1 {
                way(&|group| {
                    group.weights.insert(id.clone(), 1);
                });
            }
        }
    }
    ways
}

pub(super) fn plainer(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    for index in 0..scenario.clients.len() {
        let mut way = |change: fn(&mut Clients)| {
            let changed = with(scenario, |s| change(&mut s.clients[index]));
            if changed != *scenario {
                ways.push(changed);
            }
        };
        way(|group| {
            group.rate = None;
            group.stop = None;
        });
        way(|group| group.sessions = group.sessions.map(|sessions| (sessions / 2).max(1)));
        way(|group| group.sessions = group.sessions.map(|sessions| (sessions - 1).max(1)));
        way(|group| group.commands = Some(group.commands.map_or(64, |commands| (commands / 2).max(1))));
        way(|group| group.commands = group.commands.map(|commands| (commands - 1).max(1)));
        way(|group| group.stop = None);
        way(|group| group.keys = group.keys.map(|_| 1));
        way(|group| group.keys = group.keys.map(|keys| (keys / 2).max(1)));
    }
    ways
}

type Get = fn(&Clients) -> &Option<Quantity>;
type Set = fn(&mut Clients, Option<Quantity>);

/// The times of a group of clients that may become rounder.
const TIMES: &[(Get, Set)] = &[
    (|group| &group.start, |group, time| group.start = time),
    (|group| &group.think, |group, time| group.think = time),
    (|group| &group.retry, |group, time| group.retry = time),
    (|group| &group.lease, |group, time| group.lease = time),
    (|group| &group.work, |group, time| group.work = time),
    (|group| &group.stall, |group, time| group.stall = time),
];

pub(super) fn rounder(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    for (index, group) in scenario.clients.iter().enumerate() {
        for (get, set) in TIMES {
            let round = rounded(micros(get(group))).filter(|round| *round > 0);
            ways.extend(round.map(|round| with(scenario, |s| set(&mut s.clients[index], time(round)))));
        }
    }
    ways
}
