//! Raft in the simulator: message counts, latency, and scenarios from the papers under the safety checker.

#![cfg(not(target_arch = "wasm32"))]

mod counts;
mod history;
mod latency;
mod membership;
mod scenes;

use history::History;
use quorumscope::core::node::{Message as _, Node, Phase};
use quorumscope::core::{Micros, NodeId, NodeStatus, RuleSet, SettingId, Settings};
use quorumscope::judge::SafetyChecker;
use quorumscope::protocols::raft::{self, Message, Raft};
use quorumscope::sim::{Action, Blueprint, ClientGroup, Pace, Topology, World};

/// One cluster, watched: the judges and the history of reads and writes are checked after every event.
struct Lab {
    world: World,
    watch: SafetyChecker,
    history: History,
    /// What to print when something breaks.
    name: String,
}

impl Lab {
    fn new(blueprint: &Blueprint) -> Lab {
        let mut world = World::of::<Raft>(blueprint).expect("settings fit");
        world.record_effects();
        Lab {
            world,
            watch: SafetyChecker::default(),
            history: History::default(),
            name: format!("seed {}", blueprint.seed),
        }
    }

    /// Does the next thing, if it happens until `limit`; tells whether something did.
    fn step(&mut self, limit: Micros) -> bool {
        let Some(outcome) = self.world.step_until(limit) else { return false };
        self.watch.observe(&self.world, Some(outcome));
        self.history.observe(&self.world, outcome);
        self.check();
        true
    }

    fn check(&self) {
        if let Some(broken) = self.watch.violations().first() {
            panic!("broken: {broken:?}; {}", self.name);
        }
    }

    fn run_until(&mut self, limit: Micros) {
        while self.step(limit) {}
    }

    fn run_for(&mut self, time: Micros) {
        self.run_until(self.world.time() + time);
    }

    /// Runs until `done`, but no longer than `time`.
    fn run_till(&mut self, time: Micros, done: impl Fn(&Lab) -> bool) {
        let limit = self.world.time() + time;
        while !done(self) {
            assert!(self.step(limit), "did not happen within {time} µs; {}", self.name);
        }
    }

    /// Does something to the world; tells whether it made sense.
    fn act(&mut self, action: Action) -> bool {
        let done = self.world.act(action).is_ok();
        self.watch.observe(&self.world, None);
        self.history.listen(&self.world);
        self.check();
        done
    }

    fn status(&self, node: NodeId) -> Option<NodeStatus> {
        self.world.nodes_of::<Raft>()[usize::from(node.0)].as_ref().map(Node::status)
    }

    fn leader(&self) -> Option<NodeId> {
        self.world.leader()
    }

    /// Elects a leader and lets things settle.
    fn settle(&mut self) -> NodeId {
        self.run_till(60_000_000, |lab| lab.leader().is_some_and(|id| lab.status(id).unwrap().log.committed > 0));
        self.leader().expect("it leads")
    }

    fn clear_counts(&mut self) {
        self.world.clear_counts();
        self.history.clear_counts();
    }

    /// Messages sent by kind name since the counters were cleared.
    fn sent(&self, name: &str) -> u64 {
        let kind = Message::KINDS.iter().position(|kind| kind.name == name).expect("a kind of that name");
        self.world.counts().by_kind()[kind]
    }

    /// Messages sent in these phases since the counters were cleared.
    fn sent_in(&self, phases: &[Phase]) -> u64 {
        let counted = |(kind, _): &(&quorumscope::core::Kind, u64)| phases.contains(&kind.phase);
        Message::KINDS.iter().zip(self.world.counts().by_kind()).filter(counted).map(|(_, count)| count).sum()
    }

    /// All messages but heartbeats.
    fn sent_besides_heartbeats(&self) -> u64 {
        self.world.counts().messages() - self.sent_in(&[Phase::Heartbeat])
    }

    fn others(&self, node: NodeId) -> Vec<NodeId> {
        (0..self.world.nodes()).map(NodeId).filter(|other| *other != node).collect()
    }

    /// Cuts a node off from all others, both ways.
    fn isolate(&mut self, node: NodeId) {
        for other in self.others(node) {
            self.act(Action::Cut { from: node, to: other, both: true, replicas_only: false });
        }
    }
}

/// `n` replicas at one site, 10 ms apart, and nobody who asks.
fn quiet(n: u8, seed: u64) -> Blueprint {
    Blueprint {
        topology: Topology::from_round_trips(1, &[10_000]),
        placement: vec![0; usize::from(n)],
        settings: Settings::defaults(raft::SETTINGS),
        seed,
        keep_trace: 64,
        ..Blueprint::default()
    }
}

fn with(mut blueprint: Blueprint, settings: &[(SettingId, u64)]) -> Blueprint {
    for &(id, value) in settings {
        blueprint.settings.set(id, value);
    }
    blueprint
}

/// Clients at site 0 that begin `start` µs into the run.
fn clients(pace: Pace, read_percent: u8, start: Micros) -> ClientGroup {
    ClientGroup { pace, read_percent, start, retry: 500_000, ..ClientGroup::default() }
}
