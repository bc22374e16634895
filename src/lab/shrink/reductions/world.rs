//! Reductions of the cluster: fewer replicas, fewer sites, plainer distances, a milder network.

use super::script::leave_out;
use super::{half, micros, time, with};
use crate::lab::document::fault::Fault;
use crate::lab::document::scenario::{Scenario, Site, ValueBytes};

/// Without one node: later nodes are renumbered, and its script entries removed.
pub(super) fn fewer_replicas(scenario: &Scenario) -> Vec<Scenario> {
    let without = |node: usize| {
        with(scenario, |s| {
            s.replicas.remove(node);
            s.script.retain_mut(|fault| leave_out(fault, node as u32 + 1));
            let gone = node as u32 + 1;
            s.nodes.retain(|own| own.id != gone);
            s.nodes.iter_mut().for_each(|own| own.id -= u32::from(own.id > gone));
        })
    };
    (0..scenario.replicas.len()).rev().map(without).collect()
}

/// Without racks and machines: of all replicas, then of one.
pub(super) fn plainer_places(scenario: &Scenario) -> Vec<Scenario> {
    let site = |place: &String| scenario.site_of(place).map_or(place, |site| &scenario.sites[site].id).clone();
    let mut ways = vec![with(scenario, |s| s.replicas = s.replicas.iter().map(site).collect())];
    for (index, place) in scenario.replicas.iter().enumerate() {
        let around = place.rsplit_once('/').map(|(around, _)| around.to_owned());
        let rack = around.filter(|around| scenario.site_of(around).is_some());
        let plainer = [Some(site(place)), rack].into_iter().flatten();
        ways.extend(plainer.map(|plainer| with(scenario, |s| s.replicas[index] = plainer)));
    }
    ways.retain(|way| way != scenario);
    ways
}

/// The same distance between any two sites, and nothing much within.
pub(super) fn even_distances(scenario: &Scenario) -> Vec<Scenario> {
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
    // Even distances are left as they are, or two candidates would alternate without end.
    if scenario.matrix.is_none() && scenario.rtt_ms.iter().flatten().all(plain) {
        return Vec::new();
    }
    vec![even(10.0, 10.0), even(10.0, 1.0)]
}

/// Round trips in whole milliseconds, all of them or between two sites, and the same both ways.
pub(super) fn rounder_distances(scenario: &Scenario) -> Vec<Scenario> {
    let round = |ms: f64| ms.round().max(1.0);
    let all = with(scenario, |s| s.rtt_ms.iter_mut().flatten().for_each(|cell| *cell = round(*cell)));
    let mut ways = vec![all];
    for a in 0..scenario.rtt_ms.len() {
        for b in 0..scenario.rtt_ms[a].len().min(a + 1) {
            let there = scenario.rtt_ms[a][b];
            ways.push(with(scenario, |s| {
                let between = round(there);
                s.rtt_ms[a][b] = between;
                if let Some(back) = s.rtt_ms.get_mut(b).and_then(|row| row.get_mut(a)) {
                    *back = between;
                }
            }));
        }
    }
    ways.retain(|way| way != scenario);
    ways
}

/// Without one site: its replicas and clients move to another.
pub(super) fn fewer_sites(scenario: &Scenario) -> Vec<Scenario> {
    let sites = scenario.sites.len();
    let pairs = (0..sites).rev().flat_map(|gone| (0..sites).map(move |to| (gone, to)));
    pairs.filter(|(gone, to)| gone != to).map(|(gone, to)| moved(scenario, gone, to)).collect()
}

fn moved(scenario: &Scenario, gone: usize, to: usize) -> Scenario {
    let (left, there) = (&scenario.sites[gone].id, &scenario.sites[to].id);
    // A place within a site is not one within another.
    let lives_there = |place: &str| scenario.site_of(place) == Some(gone);
    let move_away = |place: &mut String| {
        if lives_there(place) {
            place.clone_from(there);
        }
    };
    with(scenario, |s| {
        s.replicas.iter_mut().for_each(move_away);
        s.clients.iter_mut().map(|group| &mut group.site).for_each(move_away);
        for group in &mut s.clients {
            if let Some(weight) = group.weights.remove(left) {
                *group.weights.entry(there.clone()).or_default() += weight;
            }
        }
        for Fault { site, place, .. } in &mut s.script {
            [site, place].into_iter().flatten().for_each(move_away);
        }
        s.sites.remove(gone);
        if gone < s.rtt_ms.len() {
            s.rtt_ms.remove(gone);
        }
        for row in s.rtt_ms.iter_mut().filter(|row| gone < row.len()) {
            row.remove(gone);
        }
    })
}

/// Less jitter and loss, faster disks, smaller values.
pub(super) fn milder(scenario: &Scenario) -> Vec<Scenario> {
    let mut ways = Vec::new();
    let network = &scenario.network;
    if let Some(jitter) = half(&network.jitter) {
        ways.push(with(scenario, |s| s.network.jitter = Some(jitter)));
    }
    if let Some(loss) = half(&network.loss) {
        ways.push(with(scenario, |s| s.network.loss = Some(loss)));
    }
    if micros(&scenario.disk) > 1 {
        ways.push(with(scenario, |s| s.disk = time(micros(&s.disk) / 2)));
    }
    if let Some(ValueBytes { from, to }) = scenario.value_bytes {
        let smaller = [(from, from), (to, to), (from / 2, to / 2)].map(ValueBytes::from);
        ways.extend(smaller.map(|smaller| with(scenario, |s| s.value_bytes = Some(smaller))));
        ways.retain(|way| way != scenario);
    }
    ways
}
