//! Every action of a script, alone or after the one that it undoes, changes the run as it says.

use super::{THREE, scenario};
use quorumscope::core::NodeId;
use quorumscope::lab::Scenario;
use quorumscope::sim::What;
use quorumscope::universe::{NodeView, Universe};
use std::collections::BTreeSet;

/// One replica with a client: what happens to its disk is what happens to the cluster.
const ONE: &str = r#"
variant = "raft"
sites = ["a"]
rtt_ms = [[2]]
replicas = ["a"]
disk = "1ms"
clients = [{ site = "a", think = "5ms", retry = "100ms" }]
"#;

/// What is to be seen of a run at its end, and after 3.5 s.
struct Seen {
    universe: Box<dyn Universe>,
    /// Messages between different replicas that arrived, and those among them that took no time.
    arrived: [usize; 2],
    held: usize,
    /// Timers that were due.
    timers: usize,
}

impl Seen {
    fn of(base: &str, script: &[&str]) -> Seen {
        let Scenario { script, .. } = scenario(&format!("{base}\nscript = [{}]", script.join(", ")));
        let mut checked = Scenario { script, ..scenario(base) }.check().unwrap_or_else(|wrong| panic!("{wrong}"));
        checked.blueprint.keep_trace = 1 << 18;
        let mut universe = checked.boot().expect("the settings fit");
        universe.run_until(4_000_000);
        let records = || universe.trace().records().map(|(_, record)| record);
        let arrived = || records().filter(|record| record.what == What::Delivered && record.node != record.peer);
        let arrived = [arrived().count(), arrived().filter(|record| record.detail == 0).count()];
        let mut flights = Vec::new();
        universe.flights(&mut flights);
        let held = flights.iter().filter(|flight| flight.held).count();
        let timers = records().filter(|record| record.what == What::Timer).count();
        Seen { arrived, held, timers, universe }
    }

    fn node(&self, node: u8) -> NodeView {
        self.universe.node(NodeId(node))
    }

    fn up(&self) -> usize {
        (0..self.universe.nodes()).filter(|id| self.node(*id).status.is_some()).count()
    }

    fn members(&self) -> usize {
        (0..self.universe.nodes()).filter(|id| self.node(*id).member).count()
    }

    fn paused(&self) -> usize {
        (0..self.universe.nodes()).filter(|id| self.node(*id).paused.is_some()).count()
    }

    fn cut(&self) -> usize {
        (0..self.universe.nodes()).filter(|id| !self.node(*id).cut.is_empty()).count()
    }

    /// Messages of kinds whose names begin so.
    fn sent(&self, kind: &str) -> u64 {
        let kinds = self.universe.variant().kinds.iter();
        kinds
            .zip(self.universe.counts().by_kind())
            .filter(|(known, _)| known.name.starts_with(kind))
            .map(|(_, n)| n)
            .sum()
    }

    /// The longest latency of answers from a time on, µs.
    fn latency(&self, from: u64) -> u64 {
        let samples = self.universe.samples().iter().flat_map(|site| site.iter().map(|(_, sample)| *sample));
        samples.filter(|sample| sample.at >= from).map(|sample| sample.latency).max().unwrap_or(u64::MAX)
    }
}

type Change = fn(&Seen, &Seen) -> bool;

/// The verb; the scenario; what comes before or after in both runs; the entry; how the run with it differs from the one without.
#[rustfmt::skip]
const CHANGES: &[(&str, &str, &[&str], &str, Change)] = &[
    ("crash", THREE, &[], r#"node = "leader""#, |a, b| b.up() == a.up() - 1 && b.universe.led() > a.universe.led()),
    ("restart", THREE, &[r#"{ at = "1s", do = "crash", node = 2 }"#], "node = 2", |a, b| (a.up(), b.up()) == (2, 3)),
    ("pause", THREE, &[], "node = 2", |a, b| (a.paused(), b.paused()) == (0, 1)),
    ("continue", THREE, &[r#"{ at = "1s", do = "pause", node = 2 }"#], "node = 2", |a, b| (a.paused(), b.paused()) == (1, 0)),
    ("wipe-disk", ONE, &[r#"{ at = "1s", do = "crash", node = 1 }"#, r#"{ at = "3s", do = "restart", node = 1 }"#], "node = 1",
        |a, b| b.node(0).status.unwrap().log.last < a.node(0).status.unwrap().log.last),
    ("slow-disk", ONE, &[], r#"node = 1, write = "50ms""#, |a, b| a.latency(3_500_000) < 50_000 && b.latency(3_500_000) >= 50_000),
    ("fill-disk", ONE, &[], "node = 1", |a, b| (a.up(), b.up()) == (1, 0)),
    ("forget-writes", ONE, &[r#"{ at = "3s", do = "crash", node = 1 }"#, r#"{ at = "3100ms", do = "restart", node = 1 }"#], "node = 1",
        |a, b| b.node(0).status.unwrap().log.last < a.node(0).status.unwrap().log.last),
    ("tear-write", ONE, &[r#"{ at = "3s", do = "crash", node = 1 }"#, r#"{ at = "3100ms", do = "restart", node = 1 }"#], "node = 1",
        |a, b| b.universe.fingerprint() != a.universe.fingerprint() && b.node(0).status.unwrap().log.last != a.node(0).status.unwrap().log.last),
    ("corrupt-disk", THREE, &[r#"{ at = "3s", do = "crash", node = 2 }"#, r#"{ at = "3100ms", do = "restart", node = 2 }"#], r#"node = "follower""#,
        |a, b| (a.up(), b.up(), b.universe.refused().len()) == (3, 2, 1)),
    ("repair-disk", ONE, &[r#"{ at = "1s", do = "slow-disk", node = 1, write = "50ms" }"#], "node = 1",
        |a, b| a.latency(3_500_000) >= 50_000 && b.latency(3_500_000) < 50_000),
    ("drift", THREE, &[], r#"node = "leader", ppm = 500000"#, |a, b| b.sent("Heartbeat") > a.sent("Heartbeat")),
    ("jump", THREE, &[], r#"node = "follower", by = "60s""#, |a, b| b.timers > a.timers),
    ("throttle", THREE, &[], r#"node = "leader", share = "10000%""#, |a, b| b.latency(3_500_000) > a.latency(3_500_000)),
    ("byzantine", THREE, &[], r#"node = "leader", how = "silent""#, |a, b| b.universe.led() > a.universe.led()),
    ("cut", THREE, &[], r#"from = "leader", to = "follower""#, |a, b| a.cut() == 0 && b.cut() == 2 && b.universe.counts().lost > a.universe.counts().lost),
    ("heal", THREE, &[r#"{ at = "1s", do = "cut", from = 1, to = 2 }"#], "from = 1, to = 2", |a, b| (a.cut(), b.cut()) == (2, 0)),
    ("heal-all", THREE, &[r#"{ at = "1s", do = "cut", from = 1, to = 2 }"#], "", |a, b| (a.cut(), b.cut()) == (2, 0)),
    ("move", THREE, &[], r#"node = 1, site = "c""#, |a, b| (a.node(0).site, b.node(0).site) == (0, 2)),
    ("hand-over", THREE, &[], r#"node = "follower""#, |a, b| b.universe.leader().is_some() && b.universe.leader() != a.universe.leader()),
    ("add", THREE, &[], r#"site = "a""#, |a, b| (a.members(), b.members(), b.up()) == (3, 4, 4)),
    ("remove", THREE, &[], r#"node = "follower""#, |a, b| (a.members(), b.members()) == (3, 2)),
    ("request", THREE, &[], r#"site = "b""#, |a, b| b.universe.counts().asked == a.universe.counts().asked + 1),
    ("loss", THREE, &[], r#"loss = "30%""#, |a, b| b.universe.counts().lost > a.universe.counts().lost),
    ("slow", THREE, &[], r#"extra = "50ms""#, |a, b| b.latency(3_500_000) >= a.latency(3_500_000) + 50_000),
    ("duplication", THREE, &[], r#"share = "50%""#, |a, b| b.arrived[0] as u64 > b.sent("") && a.arrived[0] as u64 <= a.sent("")),
    ("reordering", THREE, &[], r#"share = "50%", extra = "50ms""#, |a, b| b.latency(2_000_000) > a.latency(2_000_000)),
    ("limit", THREE, &[], r#"bandwidth = "5kB/s""#, |a, b| b.latency(2_500_000) > a.latency(2_500_000)),
    ("clear-link-faults", THREE, &[r#"{ at = "1s", do = "slow", extra = "50ms" }"#], "", |a, b| b.latency(3_500_000) + 50_000 <= a.latency(3_500_000)),
    ("stabilise", THREE, &[r#"{ at = "1s", do = "cut", from = 1, to = 2 }"#], "", |a, b| (a.cut(), b.cut()) == (2, 0)),
    ("hold", THREE, &[], r#"from = "leader", to = "follower", kind = "AppendEntries""#, |a, b| (a.held, b.held) == (0, 1)),
    ("deliver", THREE, &[], r#"from = "leader", to = "follower", kind = "AppendEntries""#, |a, b| (a.arrived[1], b.arrived[1]) == (0, 1)),
    ("drop", THREE, &[], r#"from = "leader", to = "follower", kind = "AppendEntries""#, |a, b| b.universe.counts().lost == a.universe.counts().lost + 1),
    ("duplicate", THREE, &[], r#"from = "leader", to = "follower", kind = "AppendEntries""#,
        |a, b| b.arrived[0] as u64 + 1 >= b.sent("") - a.sent("") + a.arrived[0] as u64 && b.universe.fingerprint() != a.universe.fingerprint()),
    ("release", THREE, &[r#"{ at = "1s", do = "hold", from = "leader", to = "follower", kind = "AppendEntries" }"#], "", |a, b| (a.held, b.held) == (1, 0)),
    ("fire", THREE, &[], r#"node = "leader", timer = "heartbeat interval""#, |a, b| b.universe.refused().is_empty() && b.sent("Heartbeat") != a.sent("Heartbeat")),
    ("hold-all", THREE, &[], "", |a, b| a.held == 0 && b.held > 3 && b.arrived[0] < a.arrived[0] && b.timers < a.timers && b.universe.led() == a.universe.led()),
    ("release-all", THREE, &[r#"{ at = "1s", do = "hold-all" }"#], "", |a, b| a.held > 3 && b.held == 0 && b.arrived[0] > a.arrived[0] && b.timers > a.timers),
    ("quiesce", THREE, &[], "", |a, b| b.universe.counts().asked < a.universe.counts().asked && b.universe.waiting() == 0),
    ("resume", THREE, &[r#"{ at = "1s", do = "quiesce" }"#], "", |a, b| b.universe.counts().asked > a.universe.counts().asked),
];

#[test]
fn every_verb_alone_changes_the_run_as_it_says() {
    let mut wrong = Vec::new();
    for (verb, base, others, entry, changes) in CHANGES {
        let base = match *verb {
            // Only where messages cost processors something can a processor be slow.
            "throttle" => format!("beyond_model = true\ncost = {{ receive = \"10us\", send = \"10us\" }}\n{base}"),
            _ => format!("beyond_model = true\n{base}"),
        };
        let entry = if entry.is_empty() { String::new() } else { format!(", {entry}") };
        let entry = format!("{{ at = \"2s\", do = \"{verb}\"{entry} }}");
        let mut script: Vec<&str> = others.to_vec();
        let without = Seen::of(&base, &script);
        script.push(&entry);
        let with = Seen::of(&base, &script);
        if !changes(&without, &with) {
            wrong.push(*verb);
        }
    }
    assert_eq!(wrong, [""; 0]);
    let told: BTreeSet<&str> = CHANGES.iter().map(|(verb, ..)| *verb).collect();
    let missing: Vec<&str> = quorumscope::lab::fault::words().filter(|verb| !told.contains(verb)).collect();
    assert_eq!(missing, [""; 0], "these verbs are not tried here");
}

/// Commands begun in 20 s by one client that thinks for a second, under a script.
fn begun(start: &str, script: &[String]) -> u64 {
    let base = format!(
        r#"
variant = "raft"
sites = ["a"]
rtt_ms = [[2]]
replicas = ["a", "a", "a"]
clients = [{{ site = "a", sessions = 1, think = "1s", start = "{start}" }}]
script = [{}]
"#,
        script.join(", ")
    );
    let mut universe =
        scenario(&base).check().unwrap_or_else(|wrong| panic!("{wrong}")).boot().expect("the settings fit");
    universe.run_until(20_000_000);
    universe.counts().asked
}

#[test]
fn request_by_hand_is_one_more_command_and_no_more() {
    for start in ["0s", "15s"] {
        let asked = begun(start, &[]);
        let requests = |n: u64| {
            (0..n).map(|i| format!(r#"{{ at = "{}s", do = "request", site = "a" }}"#, 5 + i)).collect::<Vec<_>>()
        };
        for n in [1, 5] {
            assert_eq!(begun(start, &requests(n)), asked + n, "{n} requests, clients from {start} on");
        }
    }
}

#[test]
fn lulls_start_no_client_twice_and_none_before_its_time() {
    let lull = |at: u64| {
        [format!(r#"{{ at = "{at}ms", do = "quiesce" }}"#), format!(r#"{{ at = "{}ms", do = "resume" }}"#, at + 10)]
    };
    for start in ["0s", "15s"] {
        let asked = begun(start, &[]);
        let lulls: Vec<String> = (0..20).flat_map(|i| lull(505 + 700 * i)).collect();
        assert_eq!(begun(start, &lulls), asked, "clients from {start} on");
    }
    let early: Vec<String> = lull(1_000).to_vec();
    assert_eq!(begun("19s", &early), begun("19s", &[]));
}
