//! What clients ask for in a world that a seed draws, while it storms and afterwards.

use super::generate::{any_site, pick, share, time};
use crate::core::{Micros, Shots};
use crate::lab::Quantity;
use crate::lab::check::LONGEST;
use crate::lab::scenario::{Clients, Scenario, ValueBytes};
use crate::sim::rng::Rng;

/// Most commands of one group of clients while it storms.
const COMMANDS: u32 = 40;
/// Most commands of one group of clients afterwards.
const LATE_COMMANDS: u32 = 8;

/// What a cluster with a log is used for, as often as it is drawn. Half of them are stores: their histories are the hardest to satisfy.
const SERVICES: &[&str] = &["kv", "kv", "kv", "kv", "kv", "lock", "queue", "barrier", "config", "broadcast"];

/// Who asks while it storms.
pub(super) fn during(scenario: &mut Scenario, shots: Shots, ends: Micros, round_trip: Micros, rng: &mut Rng) {
    if shots == Shots::Log {
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
        if shots == Shots::Single {
            group.commands = Some(rng.between(1, 3) as u32);
            group.start = time(rng.between(0, ends / 2));
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

/// Who asks when the storm is over.
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

/// What the service at hand lets clients choose; `fault_phase` is how long the storm lasts, µs.
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
        // Items come again when their leases are over; where none ever is, what clients see is a plain queue, which is judged more strictly.
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
        // Whoever waits asks again and again, four times while others work: not so often that the log is full of it.
        group.work = time((fault_phase / pick(rng, &[2, 4])).max(25_000));
    }
}
