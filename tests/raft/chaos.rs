//! Random runs: every seed draws a cluster, a workload and a mix of faults. First a time in which anything may happen and only safety is
//! asked for; then everything heals, and the cluster has to make progress and agree.

use super::*;
use quorumscope::core::RuleId;
use quorumscope::sim::rng::Rng;

/// How long faults go on, µs.
const STORM: Micros = 20_000_000;

/// How long a healed cluster may take to answer everybody, µs.
const RECOVERY: Micros = 30_000_000;

const SECOND: Micros = 1_000_000;

/// Most servers that ever run at once in one of these runs.
const MOST: u8 = 9;

struct Storm {
    rng: Rng,
    lab: Lab,
    sites: u8,
    /// The reigns seen so far.
    reigns: usize,
    faults: Faults,
}

/// The mix: how likely each sort of fault is, in a thousand, every time something may happen.
struct Faults {
    crash: u16,
    cut: u16,
    isolate: u16,
    transfer: u16,
    members: u16,
    loss: u16,
}

fn pick(rng: &mut Rng, values: &[u64]) -> u64 {
    values[rng.between(0, values.len() as u64 - 1) as usize]
}

fn blueprint(rng: &mut Rng, seed: u64) -> Blueprint {
    let sites = rng.between(1, 4) as u8;
    let mut trips = vec![0; usize::from(sites) * usize::from(sites)];
    for trip in &mut trips {
        *trip = rng.between(500, 60_000) as u32;
    }
    let mut terrain = Terrain::from_round_trips(sites, &trips);
    terrain.jitter_permille = pick(rng, &[0, 100, 1000]) as u16;
    terrain.disk = pick(rng, &[0, 0, 300, 5_000]);
    terrain.processing = pick(rng, &[0, 0, 50]);
    let replicas = pick(rng, &[1, 2, 3, 3, 3, 4, 5, 5, 5, 7]);
    let groups = rng.between(1, 3);
    let clients = (0..groups)
        .map(|_| ClientGroup {
            site: rng.between(0, u64::from(sites) - 1) as u8,
            pace: match rng.chance(500) {
                true => Pace::Closed { sessions: rng.between(1, 4) as u16, think: rng.between(0, 300_000) },
                false => Pace::Open { gap: rng.between(10_000, 400_000) },
            },
            read_percent: pick(rng, &[10, 50, 90]) as u8,
            retry: rng.between(100_000, 1_000_000),
            ..ClientGroup::default()
        })
        .collect();
    let settings = [
        (raft::SETTING_PRE_VOTE, pick(rng, &[1, 1, 0])),
        (raft::SETTING_CHECK_QUORUM, pick(rng, &[1, 1, 0])),
        (raft::SETTING_READS, pick(rng, &[0, 1, 2])),
        (raft::SETTING_MEMBERSHIP, pick(rng, &[0, 1])),
        (raft::SETTING_SNAPSHOT_EVERY, pick(rng, &[0, 2, 8, 40])),
        (raft::SETTING_BATCH, pick(rng, &[10, 256])),
    ];
    let placement = (0..replicas).map(|_| rng.between(0, u64::from(sites) - 1) as u8).collect();
    with(Blueprint { terrain, placement, clients, ..quiet(0, seed) }, &settings)
}

impl Storm {
    /// `focus` may change what the seed has drawn.
    fn new(seed: u64, focus: impl FnOnce(&mut Blueprint, &mut Faults)) -> Storm {
        let mut rng = Rng::stream(seed, "storm", 0);
        let mut blueprint = blueprint(&mut rng, seed);
        let mut faults = Faults {
            crash: pick(&mut rng, &[0, 100, 250]) as u16,
            cut: pick(&mut rng, &[0, 100, 250]) as u16,
            isolate: pick(&mut rng, &[0, 50, 150]) as u16,
            transfer: pick(&mut rng, &[0, 50, 200]) as u16,
            members: pick(&mut rng, &[0, 50, 200]) as u16,
            loss: pick(&mut rng, &[0, 50]) as u16,
        };
        focus(&mut blueprint, &mut faults);
        Storm { rng, sites: blueprint.terrain.sites, lab: Lab::new(&blueprint), reigns: 0, faults }
    }

    fn any_node(&mut self) -> NodeId {
        NodeId(self.rng.between(0, self.lab.world.nodes().len() as u64 - 1) as u8)
    }

    /// The leader half of the time, for that is where it hurts.
    fn victim(&mut self) -> NodeId {
        match self.lab.leader() {
            Some(leader) if self.rng.chance(500) => leader,
            _ => self.any_node(),
        }
    }

    /// One change or several at once.
    fn change_members(&mut self) {
        for _ in 0..self.rng.between(1, 3) {
            let Some(leader) = self.lab.leader() else { return };
            let members = self.lab.glance(leader).expect("it leads").members;
            let add = self.lab.world.nodes().len() < usize::from(MOST) && self.rng.chance(500);
            let site = self.rng.between(0, u64::from(self.sites) - 1) as u8;
            let node = self.any_node();
            if add {
                self.lab.act(Action::Add { site });
            } else if members.len() > 1 {
                self.lab.act(Action::Remove(node));
            }
        }
    }

    fn do_something(&mut self) {
        if self.rng.chance(self.faults.crash) {
            let victim = self.victim();
            self.lab.act(Action::Crash(victim));
        }
        if self.rng.chance(self.faults.crash * 2) {
            let node = self.any_node();
            self.lab.act(Action::Restart(node));
        }
        if self.rng.chance(self.faults.cut) {
            let (from, to) = (self.any_node(), self.any_node());
            let both = self.rng.chance(700);
            self.lab.act(Action::Cut { from, to, both });
        }
        if self.rng.chance(self.faults.isolate) {
            let victim = self.victim();
            self.lab.isolate(victim);
        }
        if self.rng.chance((self.faults.cut + self.faults.isolate) / 2) {
            self.lab.act(Action::HealAll);
        }
        if self.rng.chance(self.faults.transfer) {
            let to = self.any_node();
            self.lab.act(Action::HandOver(to));
        }
        if self.rng.chance(self.faults.members) {
            self.change_members();
        }
        if self.rng.chance(self.faults.loss) {
            let permille = pick(&mut self.rng, &[0, 10, 100, 300]) as u16;
            self.lab.act(Action::Loss { permille });
        }
    }

    fn blow(&mut self) {
        let end = self.lab.world.time() + STORM;
        while self.lab.world.time() < end {
            let next = self.lab.world.time() + self.rng.between(1, SECOND / 2);
            while self.lab.step(next.min(end)) {
                // The first moments of a reign are the most delicate ones.
                let reigns = self.lab.watch.reigns().count();
                if reigns > self.reigns {
                    self.reigns = reigns;
                    if self.rng.chance(self.faults.members) {
                        self.change_members();
                    }
                    if self.rng.chance(self.faults.crash) {
                        let victim = self.victim();
                        self.lab.act(Action::Crash(victim));
                    }
                }
            }
            self.do_something();
        }
    }

    /// Everything heals; then clients are answered, and all members come to the same state.
    fn calm(&mut self) {
        self.lab.act(Action::HealAll);
        self.lab.act(Action::Loss { permille: 0 });
        for node in 0..self.lab.world.nodes().len() as u8 {
            self.lab.act(Action::Restart(NodeId(node)));
        }
        let answered = self.lab.world.counts().answered;
        self.lab.run_for(RECOVERY / 2);
        assert!(self.lab.world.counts().answered > answered, "no progress after all healed; {}", self.lab.name);
        self.lab.act(Action::Quiesce);
        self.lab.run_till(RECOVERY, |lab| lab.world.waiting() == 0);
        self.lab.run_for(RECOVERY / 6);
        let name = &self.lab.name;
        let leader = self.lab.leader().unwrap_or_else(|| panic!("nobody leads; {name}"));
        let digest = |id: NodeId| self.lab.world.nodes()[usize::from(id.0)].as_ref().and_then(Node::machine_digest);
        let leading = self.lab.glance(leader).expect("it leads");
        for member in leading.members.iter() {
            let glance = self.lab.glance(member).expect("it was restarted");
            assert_eq!(glance.log.committed, leading.log.committed, "member {member:?} lags; {name}");
            assert_eq!(digest(member), digest(leader), "member {member:?} differs; {name}");
        }
    }
}

fn run(seed: u64) -> Storm {
    let mut storm = Storm::new(seed, |_, _| {});
    storm.blow();
    storm.calm();
    storm
}

/// What breaks first under this seed when a rule is taken away, if anything does.
fn breaks(seed: u64, rule: RuleId) -> Option<String> {
    let focus = |blueprint: &mut Blueprint, faults: &mut Faults| {
        blueprint.ablated = RuleSet(1 << rule.0);
        match rule {
            raft::READ_INDEX | raft::READ_AFTER_OWN_COMMIT => blueprint.settings.set(raft::SETTING_READS, 1),
            raft::LEASE_ENDS | raft::LEADER_STICKINESS => blueprint.settings.set(raft::SETTING_READS, 2),
            raft::JOINT_CONSENSUS => {
                blueprint.settings.set(raft::SETTING_MEMBERSHIP, 0);
                faults.members = 500;
                faults.isolate = 300;
            }
            _ => {}
        }
    };
    let mut storm = Storm::new(seed, focus);
    let blown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| storm.blow()));
    let why = blown.err()?;
    let text = why.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(text.starts_with("broken: "), "{text}; without {}, {}", raft::RULES[usize::from(rule.0)].key, replay(seed));
    text.lines().next().map(str::to_owned)
}

/// Rules whose absence takes a plot that random runs hardly ever hit upon; `scenes.rs` plays it.
const NEED_A_PLOT: [RuleId; 3] = [raft::VOTE_IS_DURABLE, raft::COMMIT_OWN_TERM, raft::CHANGE_AFTER_OWN_COMMIT];

#[test]
fn whatever_rule_is_taken_away_something_breaks() {
    for (id, rule) in (0..).map(RuleId).zip(raft::RULES).filter(|(_, rule)| rule.without.is_some()) {
        if NEED_A_PLOT.contains(&id) {
            continue;
        }
        let found = (0..300).find_map(|seed| Some((seed, breaks(seed, id)?)));
        let (seed, why) = found.unwrap_or_else(|| panic!("nothing breaks without {}", rule.key));
        println!("without {}: seed {seed}, {why}", rule.key);
    }
}

/// Which seeds to run, from the environment: `RAFT_SEEDS=7..8`.
fn seeds() -> Option<std::ops::Range<u64>> {
    let text = std::env::var("RAFT_SEEDS").ok()?;
    let (from, to) = text.split_once("..").expect("RAFT_SEEDS=FROM..TO");
    Some(from.parse().expect("FROM is a number")..to.parse().expect("TO is a number"))
}

#[test]
fn chaos() {
    let seeds = seeds().unwrap_or(0..200);
    let all = seeds.end - seeds.start >= 200;
    let (mut used, mut reads, mut answered, mut reigns, mut events) = (RuleSet::EMPTY, 0, 0, 0, 0);
    for seed in seeds {
        // Panics inside the world know nothing of the seed.
        let storm = std::panic::catch_unwind(|| run(seed)).unwrap_or_else(|_| panic!("{}", replay(seed)));
        used = used.or(storm.lab.world.rules_used());
        reads += storm.lab.history.reads;
        answered += storm.lab.world.counts().answered;
        reigns += storm.lab.watch.reigns().count();
        events += storm.lab.world.events();
    }
    println!("{events} events, {answered} commands, {reads} reads checked, {reigns} reigns");
    if all {
        assert_eq!(unreached(used), [""; 0], "rules that no run reached");
        assert!(reads > 1000 && reigns > 500);
    }
}
