//! Generated workload: client groups during the fault phase and after it.

use super::generate::{any_site, pick, share, time};
use crate::core::{Card, Micros, Shots};
use crate::lab::Quantity;
use crate::lab::document::read::LONGEST;
use crate::lab::document::scenario::{Clients, Scenario, ValueBytes};
use crate::sim::rng::Rng;

/// Most commands of one group of clients in the fault phase.
const COMMANDS: u32 = 40;
/// Most commands of one group of clients after it.
const LATE_COMMANDS: u32 = 8;

/// Services of a replicated log, as often as they are generated. Half are key-value stores, whose histories are checked most strictly.
const SERVICES: &[&str] = &["kv", "kv", "kv", "kv", "kv", "lock", "queue", "barrier", "config", "broadcast"];

/// Adds the clients of the fault phase.
pub(super) fn during(scenario: &mut Scenario, card: &Card, ends: Micros, round_trip: Micros, rng: &mut Rng) {
    let agrees_on = card.agrees_on;
    if agrees_on.executes() {
        scenario.service = Some(pick(rng, SERVICES)).filter(|service| *service != "kv").map(str::to_owned);
    }
    scenario.value_bytes =
        pick(rng, &[None, None, Some((0, 0)), Some((1_000, 1_000)), Some((0, 4_096))]).map(ValueBytes::from);
    for _ in 0..rng.between(1, 3) {
        let mut group = Clients {
            site: any_site(scenario, rng),
            retry: time((round_trip * rng.between(2, 8)).max(1_000)),
            stop: time(ends),
            ..Clients::default()
        };
        asked_for(scenario, &mut group, ends, rng);
        if agrees_on == Shots::Single {
            group.commands = Some(rng.between(1, 3) as u32);
            // Synchronous rounds begin soon, and what comes later is no input.
            let latest = if card.needs_synchrony() { (2 * round_trip).min(ends / 2) } else { ends / 2 };
            group.start = time(rng.between(0, latest));
        } else if rng.chance(300) && scenario.service.as_deref() != Some("barrier") {
            group.commands = Some(COMMANDS / 2);
            let gap = ends / rng.between(10, 50);
            group.rate = Some(Quantity::from_per_1000_s((1_000_000_000 / gap.max(1)).clamp(1, 100_000_000)));
        } else {
            group.commands = Some(COMMANDS);
            group.sessions = Some(rng.between(1, 4) as u32);
            group.think = time(ends / pick(rng, &[Micros::MAX, 150, 40, 15]));
        }
        scenario.clients.push(group);
    }
}

/// Adds the clients of the time after the fault phase.
pub(super) fn afterwards(scenario: &mut Scenario, ends: Micros, within: Micros, round_trip: Micros, rng: &mut Rng) {
    for _ in 0..rng.between(1, 2) {
        let mut group = Clients {
            site: any_site(scenario, rng),
            start: time(ends),
            think: time(within / 16),
            commands: Some(LATE_COMMANDS),
            retry: time((round_trip * rng.between(2, 8)).max(1_000)),
            ..Clients::default()
        };
        asked_for(scenario, &mut group, ends, rng);
        scenario.clients.push(group);
    }
}

/// Generates the fields of a client group that its service uses; `fault_phase` is the length of the fault phase, µs.
fn asked_for(scenario: &Scenario, group: &mut Clients, fault_phase: Micros, rng: &mut Rng) {
    let service = scenario.service.as_deref().unwrap_or("kv");
    if matches!(service, "kv" | "queue" | "config" | "broadcast") {
        group.reads = share(pick(rng, &[0, 300, 500, 900]));
    }
    if service != "barrier" {
        group.keys = Some(pick(rng, &[1, 1, 2, 8]));
    }
    if service == "kv" {
        group.swaps = share(pick(rng, &[0, 0, 300]));
    }
    if matches!(service, "lock" | "queue") {
        // With endless leases there is no redelivery, and the history is checked against a plain queue, which is stricter.
        let leases: &[Micros] = &[20_000, 200_000, 2_000_000];
        let endless: &[Micros] = if service == "queue" { &[LONGEST] } else { &[] };
        group.lease = time(pick(rng, &[leases, endless].concat()));
        group.stalls = share(pick(rng, &[0, 200]));
        group.stall = time(pick(rng, &[10_000, 300_000]));
        group.dies = share(pick(rng, &[0, 100]));
    }
    if matches!(service, "lock" | "queue") {
        group.work = time(pick(rng, &[1_000, 20_000, 100_000]));
    }
    if service == "barrier" {
        // Waiting clients poll four times in that time; more often would fill the log.
        group.work = time((fault_phase / pick(rng, &[2, 4])).max(25_000));
    }
}
