//! Workload of a scenario: client groups with their service, arrival rate, key distribution and operation mix.

use super::Quantity;
use super::problem::ProblemCollector;
use super::quantity::decimal;
use super::read::{LONGEST, share, site, time, whole};
use super::scenario::{Clients, Scenario};
use crate::core::Micros;
use crate::sim::clients::OPEN_SESSIONS;
use crate::sim::{ClientGroup, Holding, Pace, Service, Skew, Topology};

/// Most groups of clients; a group at several sites counts once for each.
const GROUPS: usize = 32;
/// Most sessions of one group.
const SESSIONS: u32 = 1_000;
/// Most answers that replicas remember, one for each session at each replica.
const REMEMBERED: usize = 200_000;
/// Highest arrival rate of one group, in thousandths of a command per second.
const RATE: u64 = 100_000 * 1_000;
/// Largest weight of a site.
const WEIGHT: u32 = 1_000;
/// Largest exponent of Zipf's law, in hundredths.
const ZIPF: u64 = 500;

/// The services, by their names in a scenario.
pub const SERVICES: [&str; 6] = ["kv", "lock", "queue", "barrier", "config", "broadcast"];

const STORE: &[&str] = &["kv"];
const LEASES: &[&str] = &["lock", "queue"];
const SHARING: &[&str] = &["kv", "queue", "config", "broadcast"];
const ALL_BUT_BARRIERS: &[&str] = &["kv", "lock", "queue", "config", "broadcast"];

/// The fields of [`Clients`] that only some services use, with those services.
const SPECIAL: [(&str, &[&str]); 14] = [
    ("rate", ALL_BUT_BARRIERS),
    ("reads", SHARING),
    ("keys", ALL_BUT_BARRIERS),
    ("first_key", ALL_BUT_BARRIERS),
    ("zipf", ALL_BUT_BARRIERS),
    ("hot", ALL_BUT_BARRIERS),
    ("swaps", STORE),
    ("nondeterministic", STORE),
    ("lease", LEASES),
    ("work", &["lock", "queue", "barrier"]),
    ("stalls", LEASES),
    ("stall", LEASES),
    ("dies", LEASES),
    ("fenced", &["lock"]),
];

/// Whether a service uses this field of [`Clients`].
pub fn means_something(field: &str, service: &str) -> bool {
    SPECIAL.iter().find(|(special, _)| *special == field).is_none_or(|(_, services)| services.contains(&service))
}

/// Changes the service of a scenario and removes the clients' fields that it does not use.
pub fn serve(scenario: &mut Scenario, service: &str) {
    scenario.service = (service != SERVICES[0]).then(|| service.to_owned());
    let keeps = |field: &str| means_something(field, service);
    for clients in &mut scenario.clients {
        let Clients { rate, reads, zipf, hot, swaps, nondeterministic, lease, work, stalls, stall, dies, .. } = clients;
        let quantities = [
            ("rate", rate),
            ("reads", reads),
            ("zipf", zipf),
            ("hot", hot),
            ("swaps", swaps),
            ("nondeterministic", nondeterministic),
            ("lease", lease),
            ("work", work),
            ("stalls", stalls),
            ("stall", stall),
            ("dies", dies),
        ];
        quantities.into_iter().filter(|(field, _)| !keeps(field)).for_each(|(_, value)| *value = None);
        clients.keys = clients.keys.filter(|_| keeps("keys"));
        clients.first_key = clients.first_key.filter(|_| keeps("first_key"));
        clients.fenced = clients.fenced.filter(|_| keeps("fenced"));
    }
}

impl Scenario {
    /// The groups of clients in the simulator's terms, one for each site of an entry.
    pub(super) fn workload(
        &self,
        ids: &[&str],
        topology: &Topology,
        problems: &mut ProblemCollector,
    ) -> Vec<ClientGroup> {
        let service = self.service.as_deref().unwrap_or(SERVICES[0]);
        if !SERVICES.contains(&service) {
            problems.unknown("service", service, "services", SERVICES);
        }
        let patience = (4 * topology.round_trip_max()).clamp(1_000_000, LONGEST);
        let mut groups = Vec::new();
        for (i, clients) in self.clients.iter().enumerate().take(GROUPS) {
            let reader = ClientsReader { clients, path: format!("clients[{i}]"), service };
            let places = reader.places(ids, problems);
            let group = reader.group(patience, problems);
            reader.check_fields(problems);
            split_over_sites(&group, &places, &mut groups);
        }
        let all = self.clients.len().max(groups.len());
        if all > GROUPS {
            problems.add("clients", format!("{all} groups"), format!("{GROUPS} are the most"));
            groups.truncate(GROUPS);
        }
        let sessions: usize = groups.iter().map(sessions).sum();
        if sessions * self.replicas.len() > REMEMBERED {
            let value = format!("{sessions} sessions with {} replicas", self.replicas.len());
            let most = REMEMBERED / self.replicas.len();
            problems.add("clients", value, format!("{most} sessions in all are the most with so many replicas"));
        }
        set_barrier_parties(&mut groups);
        groups
    }
}

/// Most sessions that a group has.
fn sessions(group: &ClientGroup) -> usize {
    match group.pace {
        Pace::Closed { sessions, .. } => sessions.into(),
        Pace::Open { .. } => OPEN_SESSIONS.into(),
    }
}

/// Sets the number of parties of the barrier: the sessions of all groups.
fn set_barrier_parties(groups: &mut [ClientGroup]) {
    let coming = |group: &ClientGroup| if let Pace::Closed { sessions, .. } = group.pace { sessions } else { 0 };
    let all = groups.iter().map(coming).sum();
    for group in groups {
        if let Service::Barrier { parties, .. } = &mut group.service {
            *parties = all;
        }
    }
}

/// Reads one entry of `clients`.
struct ClientsReader<'a> {
    clients: &'a Clients,
    path: String,
    service: &'a str,
}

impl ClientsReader<'_> {
    fn at(&self, field: &str) -> String {
        format!("{}.{field}", self.path)
    }

    /// Reports fields that the service does not use.
    fn check_fields(&self, problems: &mut ProblemCollector) {
        fn given<T: std::fmt::Display>(value: &Option<T>) -> Option<&dyn std::fmt::Display> {
            value.as_ref().map(|value| value as &dyn std::fmt::Display)
        }
        let c = self.clients;
        let given = [
            given(&c.rate),
            given(&c.reads),
            given(&c.keys),
            given(&c.first_key),
            given(&c.zipf),
            given(&c.hot),
            given(&c.swaps),
            given(&c.nondeterministic),
            given(&c.lease),
            given(&c.work),
            given(&c.stalls),
            given(&c.stall),
            given(&c.dies),
            given(&c.fenced),
        ];
        let known = SERVICES.contains(&self.service);
        for ((field, services), given) in SPECIAL.into_iter().zip(given) {
            if let (Some(value), true, false) = (given, known, services.contains(&self.service)) {
                let says = format!(
                    "means nothing to the service \"{}\", only to {}; leave it out, or choose another service",
                    self.service,
                    services.join(", ")
                );
                problems.add(self.at(field), value, says);
            }
        }
    }

    /// The group, at site 0: [`split_over_sites`] places it.
    fn group(&self, patience: Micros, problems: &mut ProblemCollector) -> ClientGroup {
        let c = self.clients;
        let pace = self.pace(problems);
        let reads = share(&c.reads, &self.at("reads"), 1_000, problems);
        if !reads.is_multiple_of(10) {
            problems.add(self.at("reads"), text(&c.reads), "a whole percentage would do");
        }
        let start = time(&c.start, &self.at("start"), 0, 0, LONGEST, problems);
        let stop = c.stop.as_ref().map_or(Micros::MAX, |_| time(&c.stop, &self.at("stop"), 0, 0, LONGEST, problems));
        if stop < start {
            problems.add(self.at("stop"), text(&c.stop), "is before they begin; leave it out, or name a later time");
        }
        let keys = if self.service == "kv" { 16 } else { 1 };
        let keys = whole(c.keys, &self.at("keys"), keys, 1, u32::from(u16::MAX), problems) as u16;
        ClientGroup {
            site: 0,
            pace,
            read_percent: (reads / 10) as u8,
            keys,
            first_key: whole(c.first_key, &self.at("first_key"), 0, 0, u32::from(u16::MAX - keys), problems) as u16,
            skew: self.skew(problems),
            service: self.service(problems),
            start,
            stop,
            limit: c.commands.unwrap_or(u32::MAX),
            retry: time(&c.retry, &self.at("retry"), patience, 1_000, LONGEST, problems),
        }
    }

    fn pace(&self, problems: &mut ProblemCollector) -> Pace {
        let c = self.clients;
        let sessions = whole(c.sessions, &self.at("sessions"), 1, 1, SESSIONS, problems);
        let think = time(&c.think, &self.at("think"), 0, 0, LONGEST, problems);
        let Some(rate) = &c.rate else {
            return Pace::Closed { sessions: sessions as u16, think };
        };
        for (field, given) in [("sessions", c.sessions.is_some()), ("think", c.think.is_some())] {
            if given {
                problems.add(self.at(field), "", "\"rate\" is for clients that do not wait; leave one of the two out");
            }
        }
        let gap = match rate.per_1000_s() {
            Ok(rate) if (1..=RATE).contains(&rate) => 1_000_000_000 / rate,
            Ok(_) => {
                problems.add(self.at("rate"), rate, format!("0.001/s to {}/s would do", decimal(RATE, 1_000)));
                1_000_000
            }
            Err(says) => {
                problems.add(self.at("rate"), rate, says);
                1_000_000
            }
        };
        Pace::Open { gap }
    }

    fn skew(&self, problems: &mut ProblemCollector) -> Skew {
        let c = self.clients;
        if c.zipf.is_some() && c.hot.is_some() {
            problems.add(
                self.at("hot"),
                text(&c.hot),
                "\"zipf\" says how keys are chosen already; leave one of the two out",
            );
        }
        if c.hot.is_some() {
            return Skew::Hot { permille: share(&c.hot, &self.at("hot"), 1_000, problems) };
        }
        let Some(zipf) = &c.zipf else { return Skew::Even };
        match zipf.hundredths() {
            Ok(hundredths) if hundredths <= ZIPF => return Skew::Zipf { hundredths: hundredths as u16 },
            Ok(_) => problems.add(self.at("zipf"), zipf, format!("0 to {} would do", decimal(ZIPF, 100))),
            Err(says) => problems.add(self.at("zipf"), zipf, says),
        }
        Skew::Even
    }

    fn service(&self, problems: &mut ProblemCollector) -> Service {
        let c = self.clients;
        let work = time(&c.work, &self.at("work"), 100_000, 0, LONGEST, problems);
        match self.service {
            "lock" => Service::Lock { holding: self.holding(work, problems), fenced: c.fenced.unwrap_or(true) },
            "queue" => Service::Queue(self.holding(work, problems)),
            "barrier" => Service::Barrier { parties: 0, work },
            "config" => Service::Config,
            "broadcast" => Service::Broadcast,
            _ => Service::KeyValue {
                swap_permille: share(&c.swaps, &self.at("swaps"), 1_000, problems),
                own_permille: share(&c.nondeterministic, &self.at("nondeterministic"), 1_000, problems),
            },
        }
    }

    fn holding(&self, work: Micros, problems: &mut ProblemCollector) -> Holding {
        let c = self.clients;
        let lease = time(&c.lease, &self.at("lease"), 2_000_000, 1_000, LONGEST, problems);
        if !lease.is_multiple_of(1_000) {
            problems.add(self.at("lease"), text(&c.lease), "whole milliseconds would do");
        }
        Holding {
            lease: (lease / 1_000) as u32,
            work,
            stall_permille: share(&c.stalls, &self.at("stalls"), 1_000, problems),
            stall: time(&c.stall, &self.at("stall"), 2 * lease, 0, LONGEST, problems),
            die_permille: share(&c.dies, &self.at("dies"), 1_000, problems),
        }
    }

    /// The sites, by index, each with its weight.
    fn places(&self, ids: &[&str], problems: &mut ProblemCollector) -> Vec<(u8, u32)> {
        let c = self.clients;
        if c.weights.is_empty() {
            if c.site.is_empty() {
                problems.add(self.at("site"), "", "is missing; name a site, or give several their \"weights\"");
            }
            let site = if c.site.is_empty() { 0 } else { site(ids, &c.site, self.at("site"), problems) };
            return vec![(site, 1)];
        }
        if !c.site.is_empty() {
            problems.add(self.at("site"), &c.site, "\"weights\" say where they are already; leave one of the two out");
        }
        for (id, weight) in &c.weights {
            let field = self.at(&format!("weights.{id}"));
            whole(Some(*weight), &field, 1, 1, WEIGHT, problems);
            site(ids, id, field, problems);
        }
        let weight = |id: &str| c.weights.get(id).map(|weight| (*weight).clamp(1, WEIGHT));
        (0..).zip(ids).filter_map(|(index, id)| Some((index, weight(id)?))).collect()
    }
}

/// Divides a group over its sites in proportion to their weights.
fn split_over_sites(group: &ClientGroup, places: &[(u8, u32)], groups: &mut Vec<ClientGroup>) {
    let weights: Vec<u32> = places.iter().map(|(_, weight)| *weight).collect();
    let all: u64 = weights.iter().copied().map(u64::from).sum();
    let sessions = match group.pace {
        Pace::Closed { sessions, .. } => apportion(u32::from(sessions), &weights),
        Pace::Open { .. } => vec![0; weights.len()],
    };
    // A site without a session gets no share of the commands.
    let asking = if let Pace::Closed { .. } = group.pace { &sessions } else { &weights };
    let limits = match group.limit {
        u32::MAX => vec![u32::MAX; weights.len()],
        limit => apportion(limit, asking),
    };
    for (((site, weight), limit), &sessions) in places.iter().zip(limits).zip(&sessions) {
        let pace = match group.pace {
            Pace::Closed { think, .. } => Pace::Closed { sessions: sessions as u16, think },
            Pace::Open { gap } => Pace::Open { gap: gap * all / u64::from(*weight) },
        };
        groups.push(ClientGroup { site: *site, pace, limit, ..group.clone() });
    }
}

fn text(given: &Option<Quantity>) -> &str {
    given.as_ref().map_or("", Quantity::text)
}

/// Divides `whole` in proportion to `weights` by the largest-remainder method. The parts add up to `whole`.
fn apportion(whole: u32, weights: &[u32]) -> Vec<u32> {
    let all: u64 = weights.iter().copied().map(u64::from).sum::<u64>().max(1);
    let exact = |weight: &u32| u64::from(whole) * u64::from(*weight);
    let mut parts: Vec<u32> = weights.iter().map(|weight| (exact(weight) / all) as u32).collect();
    let left = whole - parts.iter().sum::<u32>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(exact(&weights[*at]) % all));
    order.iter().take(left as usize).for_each(|at| parts[*at] += 1);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apportioned_parts_add_up_to_the_whole() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(10, &[3, 1]), [8, 2]);
        assert_eq!(apportion(1, &[1, 5]), [0, 1]);
        assert_eq!(apportion(u32::MAX - 1, &[1_000, 1]).iter().sum::<u32>(), u32::MAX - 1);
    }
}
