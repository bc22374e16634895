//! Ways to make a scenario smaller or plainer. Each gives all documents one small step away, the biggest steps first; none of them ever
//! leads back.

use crate::core::Micros;
use crate::lab::Quantity;
use crate::lab::fault::{Fault, Nodes};
use crate::lab::scenario::{Clients, Network, Scenario, Site};

type Way = fn(&Scenario) -> Vec<Scenario>;

/// All ways, in the order in which they help each other most.
pub(super) const WAYS: &[Way] = &[
    shorter,
    fewer_clients,
    fewer_replicas,
    settings_left_out,
    plain_world,
    even_distances,
    fewer_sites,
    plainer_clients,
    earlier,
    rounder,
    milder,
    smaller_seed,
];

/// Those that leave alone what a bound on recovery is derived from.
pub(super) const AS_PROMISED: &[Way] = &[fewer_clients, settings_left_out, plain_world, smaller_seed];

/// With this done to a copy.
fn with(scenario: &Scenario, change: impl FnOnce(&mut Scenario)) -> Scenario {
    let mut changed = scenario.clone();
    change(&mut changed);
    changed
}

/// A time as written; 0 where there is none.
pub(super) fn micros(time: &Option<Quantity>) -> Micros {
    time.as_ref().and_then(|time| time.micros().ok()).unwrap_or(0)
}

fn time(micros: Micros) -> Option<Quantity> {
    (micros > 0).then(|| Quantity::from_micros(micros))
}

/// The same must go wrong sooner, which takes luck.
fn shorter(scenario: &Scenario) -> Vec<Scenario> {
    let duration = micros(&scenario.duration);
    let shares = [4, 8, 12, 14].map(|sixteenths| duration * sixteenths / 16);
    let possible = shares.into_iter().filter(|_| scenario.recovery.is_none() && duration > 2_000);
    possible.map(|less| with(scenario, |s| s.duration = time(less.div_ceil(1_000) * 1_000))).collect()
}

fn fewer_clients(scenario: &Scenario) -> Vec<Scenario> {
    let all = (!scenario.clients.is_empty()).then(|| with(scenario, |s| s.clients.clear()));
    let one = (0..scenario.clients.len()).map(|group| with(scenario, |s| drop(s.clients.remove(group))));
    all.into_iter().chain(one).collect()
}

/// Without one node; those after it move up, and what was done to it is left out.
fn fewer_replicas(scenario: &Scenario) -> Vec<Scenario> {
    let without = |node: usize| {
        with(scenario, |s| {
            s.replicas.remove(node);
            s.script.retain_mut(|fault| leave_out(fault, node as u32 + 1));
        })
    };
    (0..scenario.replicas.len()).rev().map(without).collect()
}

/// Renumbers the nodes that a fault names, now that one is gone. False if nobody is left for it.
fn leave_out(fault: &mut Fault, gone: u32) -> bool {
    let moved = |number: &mut u32| {
        let there = *number != gone;
        *number -= u32::from(*number > gone);
        there
    };
    let nodes = |nodes: &mut Option<Nodes>| match nodes {
        None | Some(Nodes::All) => true,
        Some(Nodes::One(number)) => moved(number),
        Some(Nodes::Several(list)) => {
            list.retain_mut(moved);
            !list.is_empty()
        }
    };
    let (from, to) = (nodes(&mut fault.from), nodes(&mut fault.to));
    fault.node.as_mut().is_none_or(moved) && from && to
}

fn settings_left_out(scenario: &Scenario) -> Vec<Scenario> {
    scenario.settings.keys().map(|key| with(scenario, |s| drop(s.settings.remove(key)))).collect()
}

fn plain_world(scenario: &Scenario) -> Vec<Scenario> {
    let plain = Network::default();
    let mut ways = vec![
        with(scenario, |s| s.network = plain.clone()),
        with(scenario, |s| s.network.jitter = None),
        with(scenario, |s| s.network.loss = None),
        with(scenario, |s| s.network.processing = None),
        with(scenario, |s| s.disk = None),
        with(scenario, |s| s.value_bytes = None),
        with(scenario, |s| s.warmup = None),
    ];
    ways.retain(|way| way != scenario);
    ways
}

/// The same distance between any two sites, and nothing much within.
fn even_distances(scenario: &Scenario) -> Vec<Scenario> {
    let sites = scenario.sites.len();
    let even = |far: f64, near: f64| {
        with(scenario, |s| {
            if s.matrix.take().is_some() {
                let known = s.sites.iter().map(|site| site.id.clone()).collect::<Vec<_>>();
                s.sites = known.iter().map(|id| Site::named(id)).collect();
            }
            s.rtt_ms = (0..sites).map(|a| (0..sites).map(|b| if a == b { near } else { far }).collect()).collect();
        })
    };
    let plain = |cell: &f64| [10.0, 1.0].contains(cell);
    // Even ones are left as they are: two kinds of plainness would take turns for ever.
    if scenario.matrix.is_none() && scenario.rtt_ms.iter().flatten().all(plain) {
        return Vec::new();
    }
    vec![even(10.0, 10.0), even(10.0, 1.0)]
}

/// Everybody who lives at one site moves to another.
fn fewer_sites(scenario: &Scenario) -> Vec<Scenario> {
    let sites = scenario.sites.len();
    let without = |gone: usize| {
        let to = scenario.sites[usize::from(gone == 0)].id.clone();
        with(scenario, |s| {
            let id = s.sites.remove(gone).id;
            let moved = |site: &mut String| {
                if *site == id {
                    site.clone_from(&to);
                }
            };
            s.replicas.iter_mut().for_each(moved);
            s.clients.iter_mut().map(|group| &mut group.site).for_each(moved);
            s.script.iter_mut().filter_map(|fault| fault.site.as_mut()).for_each(moved);
            if gone < s.rtt_ms.len() {
                s.rtt_ms.remove(gone);
                s.rtt_ms.iter_mut().filter(|row| gone < row.len()).for_each(|row| {
                    row.remove(gone);
                });
            }
        })
    };
    if sites < 2 { Vec::new() } else { (0..sites).rev().map(without).collect() }
}

fn plainer_clients(scenario: &Scenario) -> Vec<Scenario> {
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
        way(|group| group.sessions = None);
        way(|group| group.sessions = group.sessions.map(|sessions| (sessions / 2).max(1)));
        way(|group| group.commands = Some(group.commands.map_or(64, |commands| (commands / 2).max(1))));
        way(|group| group.commands = group.commands.map(|commands| (commands - 1).max(1)));
        way(|group| group.stop = None);
        way(|group| group.reads = None);
        way(|group| group.swaps = None);
        way(|group| group.keys = Some(1));
        way(|group| group.think = None);
        way(|group| group.retry = None);
        way(|group| group.start = None);
    }
    ways
}

/// Everything from one fault on comes sooner, by some or all of the time that passes before it.
fn earlier(scenario: &Scenario) -> Vec<Scenario> {
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

/// Times in rounder numbers.
fn rounder(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    for unit in [100_000, 10_000, 1_000, 100] {
        for (index, fault) in scenario.script.iter().enumerate() {
            let at = fault.at.micros().unwrap_or(0);
            let round = at / unit * unit;
            let order = index.checked_sub(1).map_or(0, |before| scenario.script[before].at.micros().unwrap_or(0));
            // Only the last digits: who is rounder already stays.
            if round < at && round >= order {
                ways.push(with(scenario, |s| s.script[index].at = Quantity::from_micros(round)));
            }
        }
        for (index, group) in scenario.clients.iter().enumerate() {
            for (get, set) in TIMES {
                let given = micros(get(group));
                if given / unit * unit < given && given / unit > 0 {
                    ways.push(with(scenario, |s| set(&mut s.clients[index], time(given / unit * unit))));
                }
            }
        }
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
];

/// Fewer messages lost, less jitter, faster disks, cuts one way only.
fn milder(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    for (index, fault) in scenario.script.iter().enumerate() {
        if fault.action == "cut" && !fault.one_way && fault.from.is_some() {
            ways.push(with(scenario, |s| s.script[index].one_way = true));
            ways.push(with(scenario, |s| {
                let Fault { from, to, one_way, .. } = &mut s.script[index];
                std::mem::swap(from, to);
                *one_way = true;
            }));
        }
        for (get, set) in MAGNITUDES {
            if let Some(smaller) = get(fault).as_ref().and_then(smaller) {
                ways.push(with(scenario, |s| *set(&mut s.script[index]) = Some(smaller)));
            }
        }
    }
    let halved =
        |share: &Option<Quantity>| share.as_ref()?.permille().ok().filter(|share| *share > 1).map(|share| share / 2);
    if let Some(jitter) = halved(&scenario.network.jitter) {
        ways.push(with(scenario, |s| s.network.jitter = Some(Quantity::from_permille(jitter))));
    }
    if let Some(loss) = halved(&scenario.network.loss) {
        ways.push(with(scenario, |s| s.network.loss = Some(Quantity::from_permille(loss))));
    }
    if micros(&scenario.disk) > 1 {
        ways.push(with(scenario, |s| s.disk = time(micros(&s.disk) / 2)));
    }
    ways
}

type Magnitude = (fn(&Fault) -> &Option<Quantity>, fn(&mut Fault) -> &mut Option<Quantity>);

/// What says how bad a fault is.
const MAGNITUDES: &[Magnitude] = &[
    (|fault| &fault.loss, |fault| &mut fault.loss),
    (|fault| &fault.share, |fault| &mut fault.share),
    (|fault| &fault.extra, |fault| &mut fault.extra),
    (|fault| &fault.jitter, |fault| &mut fault.jitter),
    (|fault| &fault.write, |fault| &mut fault.write),
];

/// Half of a share or of a time.
fn smaller(quantity: &Quantity) -> Option<Quantity> {
    match (quantity.permille(), quantity.micros()) {
        (Ok(share), _) if share > 1 => Some(Quantity::from_permille(share / 2)),
        (_, Ok(time)) if time > 1 => Some(Quantity::from_micros(time / 2)),
        _ => None,
    }
}

fn smaller_seed(scenario: &Scenario) -> Vec<Scenario> {
    let seed = scenario.seed.unwrap_or(1);
    let smaller = (2..seed.min(4)).map(|smaller| with(scenario, |s| s.seed = Some(smaller)));
    let default = (seed != 1).then(|| with(scenario, |s| s.seed = None));
    default.into_iter().chain(smaller).collect()
}
