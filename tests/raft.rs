//! Raft in the simulated world.

use quorumscope::core::node::{Message as _, Phase, Protocol};
use quorumscope::core::{NodeId, Settings};
use quorumscope::judge::Watch;
use quorumscope::protocols::raft::{self, Message, Raft};
use quorumscope::sim::{Action, Blueprint, ClientGroup, Pace, Terrain, World};

struct Lab {
    world: World<Raft>,
    watch: Watch,
}

impl Lab {
    fn new(blueprint: &Blueprint) -> Lab {
        Lab { world: World::new(blueprint).expect("settings fit"), watch: Watch::default() }
    }
    fn run_until(&mut self, limit: u64) {
        while let Some(happening) = self.world.step_until(limit) {
            self.watch.observe(&self.world, Some(happening));
            assert!(self.watch.violations().is_empty(), "{:?}", self.watch.violations());
        }
    }
}

#[test]
fn smoke() {
    for n in [1u8, 3, 5, 7, 9] {
        let terrain = Terrain::from_round_trips(1, &[10_000]);
        let clients = vec![ClientGroup {
            site: 0,
            pace: Pace::Closed { sessions: 1, think: 0 },
            read_percent: 0,
            keys: 4,
            start: 1_000_000,
            stop: u64::MAX,
            limit: u32::MAX,
            retry: 100_000,
        }];
        let blueprint = Blueprint {
            terrain,
            placement: vec![0; usize::from(n)],
            clients,
            settings: Settings::defaults(raft::SETTINGS),
            seed: 1,
            ..Blueprint::default()
        };
        let mut lab = Lab::new(&blueprint);
        lab.run_until(2_000_000);
        lab.world.clear_counts();
        lab.run_until(3_000_000);
        println!("{n} {:?} {:?}", lab.world.counts(), lab.world.leader());
        assert!(lab.world.counts().answered > 10);
    }
    let _ = (Message::KINDS.len(), Phase::Read, Raft::CARD.key, NodeId(0), Action::HealAll);
}
