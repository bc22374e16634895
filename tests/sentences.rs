//! Every sentence that the narration says is a claim, and is checked against the state: for every variant, over many seeds with faults, after
//! every event. A sentence that fits no pattern here fails the test: write down what it claims.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::core::{LeaderModel, NodeId, NodeSet, NodeStatus, Shots, Slot, majority};
use quorumscope::lab::{Clients, Quantity, Scenario, Session, Site};
use quorumscope::sim::Action;
use quorumscope::universe::{self, NodeView, Universe, Variant};

const PLACES: [&str; 3] = ["a", "b", "c"];

/// A stream of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Three places, as many replicas as the variant takes, a client in each place.
fn scenario(variant: &Variant, seed: u64) -> Scenario {
    let asking = |site: &str| Clients {
        site: site.to_owned(),
        think: Some("50ms".into()),
        retry: Some("300ms".into()),
        keys: Some(2),
        ..Clients::default()
    };
    let of = |replicas: &[&str]| Scenario {
        variant: variant.card.key.to_owned(),
        sites: PLACES.map(Site::named).to_vec(),
        rtt_ms: vec![vec![0.5, 20.0, 40.0], vec![20.0, 0.5, 30.0], vec![40.0, 30.0, 0.5]],
        replicas: replicas.iter().map(|&site| site.to_owned()).collect(),
        clients: PLACES.map(asking).to_vec(),
        disk: (seed.is_multiple_of(3) && variant.card.key != "notes").then(|| Quantity::from("2ms")),
        seed: Some(seed),
        ..Scenario::default()
    };
    let sizes: [&[&str]; 3] = [&["a", "a", "b", "c", "c"], &["a", "b", "c"], &["a", "b"]];
    sizes.into_iter().map(of).find(|scenario| scenario.check().is_ok()).expect("some size fits")
}

/// Something that may happen, within what protocols survive.
fn disturbance(random: &mut Random, nodes: u8) -> Action {
    let node = NodeId(random.below(nodes.into()) as u8);
    let other = NodeId((node.0 + 1 + random.below(u64::from(nodes) - 1) as u8) % nodes);
    match random.below(10) {
        0 | 1 => Action::Crash(node),
        2 | 3 => Action::Restart(node),
        4 => Action::Cut { from: node, to: other, both: random.below(3) > 0, replicas_only: random.below(2) > 0 },
        5 => Action::HealAll,
        6 => Action::Pause { node, clock_stops: false },
        7 => Action::Continue(node),
        8 => Action::HandOver(node),
        _ => Action::Loss { permille: [0, 0, 100][random.below(3) as usize] },
    }
}

/// What fits into the gaps of a pattern, if the text is as the pattern says.
fn gaps<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let parts: Vec<&str> = parts.collect();
    let mut found = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let end = if i + 1 == parts.len() { rest.strip_suffix(part)?.len() } else { rest.find(part)? };
        found.push(&rest[..end]);
        rest = &rest[end + part.len()..];
    }
    (parts.is_empty() && rest.is_empty() || !parts.is_empty()).then_some(found)
}

/// The nodes in "Nodes 1, 2 and 3", "node 1", "1 and 2".
fn listed(text: &str) -> Vec<NodeId> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    numbers.map(|number| NodeId(number.parse::<u8>().expect("a small number") - 1)).collect()
}

fn number(text: &str) -> u64 {
    match text {
        "One" | "one" => 1,
        _ => text.parse().unwrap_or_else(|_| panic!("{text:?} is no number")),
    }
}

/// What was true before and stays true, kept apart from the narration's own sources.
#[derive(Default)]
struct Truth {
    /// The last slot up to which any node ever knew everything to be committed.
    committed: Slot,
    /// The largest that a sentence has claimed so far.
    claimed: Slot,
    commands: u64,
    /// The last sentence.
    said: String,
}

struct Check<'a> {
    universe: &'a dyn Universe,
    views: Vec<NodeView>,
    truth: &'a mut Truth,
    /// The node that the last clause was about.
    about: Option<NodeId>,
}

impl Check<'_> {
    fn status(&self, node: NodeId) -> NodeStatus {
        self.views[usize::from(node.0)].status.unwrap_or_else(|| panic!("{node:?} is down"))
    }

    fn epoch(&self, status: &NodeStatus) -> String {
        format!("{} {}", self.universe.variant().card.epoch, status.epoch)
    }

    fn leads(&mut self, node: NodeId, epoch: &str) {
        let status = self.status(node);
        assert!(status.leads && self.epoch(&status) == epoch);
        let awake = |view: &NodeView| view.paused.is_none() || view.id == node;
        let later = |view: &&NodeView| {
            awake(view) && view.status.is_some_and(|other| other.leads && other.epoch > status.epoch)
        };
        assert_eq!(self.views.iter().find(later).map(|view| view.id), None, "leads a later epoch");
        self.about = Some(node);
    }

    fn stands(&self, node: NodeId, place: &str) {
        assert_eq!(PLACES[usize::from(self.views[usize::from(node.0)].site)], place);
    }

    /// Everything up to `slot` is committed, and it was never said that more is.
    fn committed_up_to(&mut self, slot: Slot) {
        assert!(slot >= self.truth.committed, "more is known to be committed: {}", self.truth.committed);
        assert!((self.truth.committed + 1..=slot).all(|slot| self.universe.is_chosen(slot)));
        assert!(slot >= self.truth.claimed, "takes back that everything up to {} is committed", self.truth.claimed);
        self.truth.claimed = slot;
    }

    /// A leader counts acknowledgements of an entry that is not committed. Returns how many are missing.
    fn acknowledged(&mut self, by: &[NodeId], slot: Slot) -> u64 {
        assert!(slot > self.truth.committed && slot > self.truth.claimed, "it is committed already");
        let leader = self.about.expect("who leads was said before");
        let tally = self.status(leader).tally.expect("it counts");
        assert_eq!((tally.slot, tally.from.iter().collect::<Vec<_>>()), (slot, by.to_vec()));
        let entry = self.universe.entry(leader, slot).expect("it has what it asks others to accept");
        let key = self.universe.variant().card.key;
        for node in by.iter().filter(|node| self.views[usize::from(node.0)].status.is_some()) {
            let theirs = self.universe.entry(*node, slot).expect("acknowledged, so it is there");
            // Where a follower of two leaders acknowledges to one and then goes to the other, it drops what it had.
            assert!(key == "gossip-leader" || theirs.command == entry.command, "{node:?} has something else");
        }
        let members = self.status(leader).members.len();
        let need = match key {
            // Ways that do not work wait for everybody they count on, and no majority.
            "stonith-pair" | "manual-failover" | "gossip-leader" => tally.need,
            // Of two rounds of a coordinator the first is fast.
            "fast-paxos" if entry.epoch.number % 2 == 1 => (3 * members).div_ceil(4),
            _ => majority(members),
        };
        u64::from(need.saturating_sub(by.len() as u8))
    }

    fn clause(&mut self, said: &str) {
        let fits = |pattern: &str| gaps(pattern, said);
        let views = self.views.clone();
        let none_leads = || views.iter().all(|view| view.status.is_none_or(|status| !status.leads));
        let down: Vec<NodeId> = views.iter().filter(|view| view.status.is_none()).map(|view| view.id).collect();
        if let Some(g) = fits("Node {} leads {} from {}") {
            self.leads(listed(g[0])[0], g[1]);
            self.stands(listed(g[0])[0], g[2]);
        } else if let Some(g) = fits("Node {} is the {} from {}") {
            let node = listed(g[0])[0];
            assert_eq!((self.status(node).role, self.status(node).leads), (g[1], true));
            self.stands(node, g[2]);
            self.about = Some(node);
        } else if let Some(g) =
            fits("Nodes {} both take themselves for the {}").or(fits("Nodes {} all take themselves for the {}"))
        {
            let awake = |view: &&NodeView| view.paused.is_none() && view.status.is_some_and(|status| status.leads);
            assert_eq!(listed(g[0]), views.iter().filter(awake).map(|view| view.id).collect::<Vec<_>>());
            assert!(listed(g[0]).len() > 1);
        } else if said == "Nothing is committed yet" {
            assert_eq!((self.truth.committed, self.truth.claimed, self.truth.commands), (0, 0, 0));
        } else if said == "No value is chosen yet" {
            assert_eq!(self.truth.committed, 0);
        } else if let Some(g) = fits("No value is chosen yet in {}") {
            let latest = views.iter().filter_map(|view| view.status).max_by_key(|status| status.epoch).expect("up");
            assert_eq!((self.truth.committed, self.epoch(&latest)), (0, g[0].to_owned()));
        } else if let Some(g) = fits("Everything up to entry {} is committed, but node {} does not know that yet") {
            self.committed_up_to(number(g[0]) as Slot);
            assert_eq!(self.status(listed(g[1])[0]).log.committed, 0);
        } else if let Some(g) = fits("Everything up to entry {} is committed, but node {} knows that only up to {}") {
            self.committed_up_to(number(g[0]) as Slot);
            assert_eq!(u64::from(self.status(listed(g[1])[0]).log.committed), number(g[2]));
        } else if let Some(g) = fits("Everything up to entry {} is committed") {
            self.committed_up_to(number(g[0]) as Slot);
        } else if let Some(g) = fits("{} acknowledged entry {}; {} more and it is committed") {
            assert_eq!(self.acknowledged(&listed(g[0]), number(g[1]) as Slot), number(g[2]));
        } else if let Some(g) = fits("Nobody has acknowledged entry {} yet; once {} have, it is committed") {
            assert_eq!(self.acknowledged(&[], number(g[0]) as Slot), number(g[1]));
        } else if let Some(g) = fits("{} acknowledged entry {}; that is enough") {
            assert_eq!(self.acknowledged(&listed(g[0]), number(g[1]) as Slot), 0);
        } else if let Some(g) = fits("{} acknowledged entry {}; it is committed together with the first entry of {}") {
            let slot = number(g[1]) as Slot;
            self.acknowledged(&listed(g[0]), slot);
            let leader = self.about.expect("who leads was said before");
            assert!(self.universe.entry(leader, slot).expect("there").epoch < self.status(leader).epoch);
            assert_eq!(self.epoch(&self.status(leader)), g[2]);
        } else if let Some(g) = fits("Transaction {} has the votes of {}; {} more and it is committed") {
            let tally = self.status(self.about.expect("the coordinator")).tally.expect("it counts");
            let voted = if g[1] == "no node" { Vec::new() } else { listed(g[1]) };
            assert_eq!((u64::from(tally.slot), tally.from.iter().collect::<Vec<_>>()), (number(g[0]), voted));
            assert_eq!(u64::from(tally.need - tally.from.len()), number(g[2]));
            assert!(!self.universe.is_chosen(tally.slot), "it is committed already");
        } else if let Some(g) = fits("Transaction {} is aborted already, by {}; the coordinator does not know that yet")
        {
            let tally = self.status(self.about.expect("the coordinator")).tally.expect("it counts");
            assert_eq!(u64::from(tally.slot), number(g[0]));
            let aborted = |node: &NodeId| {
                self.universe.entry(*node, tally.slot).is_some_and(|entry| entry.chosen && entry.command.is_none())
            };
            assert!(listed(g[1]).iter().all(aborted));
        } else if said == "A value is chosen" || said == "A value is chosen, but nobody who knows it is up" {
            assert!(self.truth.committed > 0);
            let know = views.iter().any(|view| view.status.is_some_and(|status| status.log.committed > 0));
            assert_eq!(know, said == "A value is chosen");
        } else if let Some(g) = fits("{} of {} nodes know it") {
            let know = views.iter().filter(|view| view.status.is_some_and(|status| status.log.committed > 0)).count();
            assert_eq!((know as u64, views.len() as u64), (number(g[0]), number(g[1])));
        } else if let Some(g) = fits("{} values are chosen: {}") {
            let groups: Vec<Vec<NodeId>> = g[1].split(", another by ").map(listed).collect();
            assert_eq!(groups.len() as u64, number(g[0]));
            let value = |node: &NodeId| self.universe.entry(*node, 1).and_then(|entry| entry.command);
            assert!(groups.iter().all(|group| group.iter().all(|node| value(node) == value(&group[0]))));
            assert!(value(&groups[0][0]) != value(&groups[1][0]));
        } else if let Some(g) = fits("Node {} is {} in {} and has {} of the {} {} it needs") {
            assert!(none_leads());
            let status = self.status(listed(g[0])[0]);
            let tally = status.tally.expect("it counts");
            assert_eq!(g[1].split_once(' ').expect("an article").1, status.role);
            let (epoch, register) = g[2].split_once(" for register ").unwrap_or((g[2], ""));
            assert_eq!(self.epoch(&status), epoch);
            let registers = self.universe.variant().card.agrees_on == Shots::Registers && tally.slot > 0;
            assert_eq!(if registers { (tally.slot - 1).to_string() } else { String::new() }, register);
            assert_eq!(
                (u64::from(tally.from.len()), u64::from(tally.need), tally.of),
                (number(g[3]), number(g[4]), g[5])
            );
        } else if said == "Nobody has proposed anything yet" {
            assert!(none_leads() && self.truth.committed == 0);
        } else if said == "Nobody leads, and nobody takes the leader's place" {
            assert!(none_leads() && self.universe.variant().card.leader == LeaderModel::Fixed);
        } else if said == "Nobody leads"
            || said.starts_with("The nodes wait for a heartbeat; the first to lose patience")
        {
            assert!(none_leads());
            assert!(views.iter().all(|view| view.status.is_none_or(|status| status.tally.is_none())));
        } else if said == "There is no leader: every node serves whoever asks it" {
            assert!(none_leads() && self.universe.variant().card.leader == LeaderModel::None);
        } else if said == "One command is committed" || said == "One transaction is committed" {
            assert_eq!(self.truth.commands, 1);
        } else if let Some(g) = fits("{} commands are committed").or(fits("{} transactions are committed")) {
            assert_eq!(self.truth.commands, number(g[0]));
        } else if said == "Nobody is up" {
            assert_eq!(down.len(), views.len());
        } else if let Some(g) = fits("{} is down").or(fits("{} are down")) {
            assert_eq!(listed(g[0]), down);
        } else if let Some(g) = fits("{} blocked on {} {} until {}: {}").or(fits("{} blocked on {} {} for ever: {}")) {
            for node in listed(g[0]) {
                let blocked = self.status(node).blocked.expect("it is blocked");
                assert_eq!(u64::from(blocked.at), number(g[2]));
                if g[3].contains("back") || g[3].contains("hears") {
                    assert_eq!(listed(g[3]), blocked.on.iter().collect::<Vec<_>>());
                    assert_eq!(g[3].ends_with("back"), blocked.on.iter().all(|node| down.contains(&node)));
                }
            }
        } else if let Some(g) = fits("Node {} needs {} {} and reaches {}: {} until it reaches {} more") {
            let node = listed(g[0])[0];
            let tally = self.status(node).tally.expect("it counts");
            let here = &views[usize::from(node.0)];
            let reached = |to: &&NodeView| {
                let linked = to.id == node || !here.cut.has(to.id) && !to.cut.has(node);
                linked && to.member && to.status.is_some() && to.paused.is_none()
            };
            let reached: NodeSet = views.iter().filter(reached).map(|to| to.id).collect();
            let reached = reached.or(tally.from).len();
            assert_eq!((u64::from(tally.need), tally.of), (number(g[1]), g[2]));
            assert_eq!(u64::from(tally.need - reached), number(g[5]), "reaches {reached}");
            assert_eq!(g[3] == "no other node", reached == 1);
        } else if let Some((links, clients)) = said.split_once(", for ") {
            let cut = |site: &usize| self.universe.client_cuts(*site as u8) != Default::default();
            let cut_off: Vec<&str> = (0..PLACES.len()).filter(cut).map(|site| PLACES[site]).collect();
            match gaps("clients in {} as well", clients) {
                Some(g) => {
                    assert_eq!(g[0].split(" and ").flat_map(|list| list.split(", ")).collect::<Vec<_>>(), cut_off)
                }
                None => {
                    assert_eq!((clients, cut_off.len()), ("replicas only", 0));
                    assert!(views.iter().any(|view| !view.cut_replicas_only.is_empty()));
                }
            }
            self.clause(links);
        } else if let Some(g) = fits("Nodes {} and {} cannot reach each other") {
            let [a, b] = [listed(g[0])[0], listed(g[1])[0]];
            assert!(views[usize::from(a.0)].cut.has(b) && views[usize::from(b.0)].cut.has(a));
        } else if let Some(g) = fits("Node {} cannot reach node {}, but hears it") {
            let [a, b] = [listed(g[0])[0], listed(g[1])[0]];
            assert!(views[usize::from(a.0)].cut.has(b) && !views[usize::from(b.0)].cut.has(a));
        } else if let Some(g) = fits("{} links are cut") {
            let pairs = |a: &NodeView| {
                let cut = |b: &&NodeView| b.id > a.id && (a.cut.has(b.id) || b.cut.has(a.id));
                views.iter().filter(cut).count() as u64
            };
            assert_eq!(views.iter().map(pairs).sum::<u64>(), number(g[0]));
        } else if let Some(g) = fits("Node {} is paused") {
            assert!(views[usize::from(listed(g[0])[0].0)].paused.is_some());
        } else if fits("{} more thing is out of order").or(fits("{} more things are out of order")).is_none() {
            panic!("what does it claim?");
        }
    }
}

fn check(universe: &dyn Universe, truth: &mut Truth) -> String {
    let views: Vec<NodeView> = (0..universe.nodes()).map(|id| universe.node(NodeId(id))).collect();
    let known = views.iter().filter_map(|view| view.status).map(|status| status.log.committed).max();
    if matches!(universe.variant().card.agrees_on, Shots::Log | Shots::Single) {
        truth.committed = truth.committed.max(known.unwrap_or(0));
    }
    if universe.variant().card.leader == LeaderModel::None || universe.variant().card.agrees_on == Shots::Transactions {
        assert!(universe.chosen() >= truth.commands);
        truth.commands = universe.chosen();
    }
    let text = universe.sentence(&PLACES);
    if truth.said != text {
        eprintln!("{} {text}", universe.time());
        truth.said.clone_from(&text);
    }
    let mut check = Check { universe, views, truth, about: None };
    for clause in text.strip_suffix('.').expect("a full stop").split(". ") {
        check.clause(clause);
    }
    text
}

/// Runs one seed, and returns how many different sentences were said.
fn run(variant: &'static Variant, seed: u64) -> usize {
    let mut session = Session::new(scenario(variant, seed)).expect("it runs");
    let mut random = Random(seed);
    let mut truth = Truth::default();
    let mut said = std::collections::BTreeSet::new();
    let mut next = 1_000_000;
    // Output of passing tests is not shown; of a failing one it ends with the sentence that does not hold.
    eprintln!("{} with seed {seed}", variant.card.key);
    while session.universe().time() < 8_000_000 {
        if session.run_until(next, 1) == 0 {
            // An action that makes no sense now is refused.
            let _ = session.act(disturbance(&mut random, session.universe().nodes()));
            next += 100_000 + random.below(700_000);
        }
        said.insert(check(session.universe(), &mut truth));
    }
    said.len()
}

#[test]
fn every_sentence_of_every_variant_holds_after_every_event_under_faults() {
    for variant in universe::variants() {
        let sentences: usize = (1..=6).map(|seed| run(variant, seed)).sum();
        assert!(sentences > 20, "{}: {sentences}", variant.card.key);
    }
}

#[test]
fn what_an_earlier_leader_committed_is_not_taken_back_by_one_that_does_not_know_it() {
    let mut session = Session::new(scenario(universe::first(), 1)).expect("it runs");
    let mut truth = Truth::default();
    let mut behind = 0;
    for second in 1..40 {
        while session.universe().time() < second * 1_000_000 {
            session.run_until(second * 1_000_000, 1);
            behind += usize::from(check(session.universe(), &mut truth).contains("knows that only up to"));
        }
        let leader = session.universe().leader();
        let down = (0..5).map(NodeId).find(|node| session.universe().node(*node).status.is_none());
        let _ = session.act(down.map_or(Action::Crash(leader.unwrap_or_default()), Action::Restart));
    }
    assert!(behind > 0, "no new leader ever was behind: the test tests nothing");
}
