//! Scenarios from the papers, each with the rule that it is about in force and ablated.

use super::*;
use quorumscope::core::{Answer, Effect, RuleId};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);
const D: NodeId = NodeId(3);
const E: NodeId = NodeId(4);

fn without(rule: RuleId) -> RuleSet {
    RuleSet(1 << rule.0)
}

/// Longer than any election takes here, µs.
const LONG: Micros = 3_000_000;

impl Lab {
    /// Cuts all links but those between `centre` and `others`: nobody else can be elected, or learn anything.
    fn star(&mut self, centre: NodeId, others: &[NodeId]) {
        self.cut_all();
        others.iter().for_each(|&other| assert!(self.act(Action::Heal(centre, other))));
    }

    fn cut_all(&mut self) {
        let nodes = self.world.nodes();
        (0..nodes).for_each(|id| self.isolate(NodeId(id)));
    }

    fn till_leads(&mut self, node: NodeId) {
        let term = self.world.nodes_of::<Raft>().iter().flatten().map(|node| node.status().epoch).max();
        self.run_till(60_000_000, |lab| {
            lab.status(node).is_some_and(|status| status.leads && Some(status.epoch) > term)
        });
    }

    fn term(&self, node: NodeId) -> u32 {
        self.status(node).expect("it is up").epoch.number
    }

    fn role(&self, node: NodeId) -> &'static str {
        self.status(node).expect("it is up").role
    }

    fn committed(&self, node: NodeId) -> u32 {
        self.status(node).expect("it is up").log.committed
    }
}

/// Whether playing this breaks something that must hold. Anything else that goes wrong is this test's fault.
fn breaks<T>(play: impl FnOnce() -> T) -> bool {
    let Err(why) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(play)) else { return false };
    let text = why.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(text.starts_with("broken: "), "{text}");
    true
}

/// One client, at a site of its own together with A.
fn with_client_at_a(mut blueprint: Blueprint, pace: Pace, read_percent: u8, start: Micros) -> Blueprint {
    blueprint.topology = Topology::from_round_trips(2, &[2_000, 10_000, 10_000, 10_000]);
    blueprint.placement.iter_mut().skip(1).for_each(|site| *site = 1);
    blueprint.clients = vec![clients(pace, read_percent, start)];
    blueprint
}

const ONE_SESSION: Pace = Pace::Closed { sessions: 1, think: 20_000 };

// Figure 8: why a leader must not count replicas of earlier terms' entries.

fn figure_8(ablated: RuleSet) {
    let settings = [(raft::SETTING_CHECK_QUORUM, 0), (raft::SETTING_BATCH, 1)];
    let mut lab = Lab::new(&Blueprint { ablated, ..with(quiet(5, 21), &settings) });
    lab.star(A, &[B, C, D, E]);
    lab.till_leads(A);
    lab.run_for(50_000);
    // (a) A leads and replicates a command to B only.
    lab.star(A, &[B]);
    assert!(lab.act(Action::Request { site: 0 }));
    lab.run_till(LONG, |lab| lab.status(B).unwrap().log.last == 2);
    // (b) E is elected by C and D, and is cut off before anybody has its entry.
    lab.star(E, &[C, D]);
    lab.till_leads(E);
    // (c) A is elected once more, by B and C, and replicates its old command to C.
    lab.star(A, &[B, C]);
    lab.till_leads(A);
    lab.run_till(LONG, |lab| lab.committed(A) >= 2);
    // (d) E asks C and D again.
    lab.star(E, &[C, D]);
    lab.run_for(LONG);
    lab.act(Action::HealAll);
    lab.run_for(LONG);
}

#[test]
fn figure_8_violates_safety_only_without_commit_own_term() {
    figure_8(RuleSet::EMPTY);
    assert!(breaks(|| figure_8(without(raft::COMMIT_OWN_TERM))));
}

// Two single-server changes by two leaders (Ongaro, raft-dev, 10 July 2015).

fn two_changes(ablated: RuleSet) {
    let settings = [(raft::SETTING_CHECK_QUORUM, 0), (raft::SETTING_MEMBERSHIP, 1)];
    let mut lab = Lab::new(&Blueprint { ablated, ..with(quiet(4, 22), &settings) });
    lab.star(A, &[B, C, D]);
    lab.till_leads(A);
    lab.run_for(50_000);
    // A leads; it adds E, and nobody else hears of it.
    lab.cut_all();
    assert!(lab.act(Action::Add { site: 0 }));
    lab.run_till(LONG, |lab| lab.status(E).is_some_and(|status| status.members.len() == 5));
    // B is elected by C and D, and removes A at once; only C hears of that.
    lab.star(B, &[C, D]);
    lab.act(Action::Heal(A, E));
    lab.till_leads(B);
    lab.star(B, &[C]);
    lab.act(Action::Remove(A));
    lab.run_for(LONG / 10);
    // A is elected by D and E: three of its five.
    lab.star(A, &[D, E]);
    lab.run_for(LONG);
    lab.act(Action::HealAll);
    lab.run_for(LONG);
}

#[test]
fn two_leaders_single_server_changes_violate_safety_only_without_their_rule() {
    two_changes(RuleSet::EMPTY);
    assert!(breaks(|| two_changes(without(raft::CHANGE_AFTER_OWN_COMMIT))));
}

// Elections.

/// A votes for B and restarts; then C, which has heard of nothing, asks it for its vote in the same term. Tells whether it came to that:
/// with some seeds another server is faster.
fn two_candidates(seed: u64, ablated: RuleSet) -> bool {
    let settings = [(raft::SETTING_PRE_VOTE, 0), (raft::SETTING_ELECTION_MAX, 2_000_000)];
    let mut lab = Lab::new(&Blueprint { ablated, ..with(quiet(3, seed), &settings) });
    lab.star(A, &[B, C]);
    lab.run_till(LONG, |lab| lab.leader().is_some());
    if lab.leader() != Some(B) || lab.term(C) > 0 {
        return false;
    }
    lab.star(A, &[C]);
    assert!(lab.act(Action::Crash(A)));
    assert!(lab.act(Action::Restart(A)));
    lab.run_for(LONG);
    true
}

#[test]
fn two_candidates_violate_election_safety_only_if_votes_are_not_durable() {
    assert!((0..20).filter(|&seed| two_candidates(seed, RuleSet::EMPTY)).count() > 1);
    assert!((0..20).any(|seed| breaks(|| two_candidates(seed, without(raft::VOTE_IS_DURABLE)))));
}

/// A server that was cut off and comes back disturbs nobody, thanks to PreVote; without PreVote it raised its term, and whoever hears it
/// must follow.
#[test]
fn reconnected_server_deposes_the_leader_only_without_pre_vote() {
    for pre_vote in [1, 0] {
        let mut lab = Lab::new(&with(quiet(5, 23), &[(raft::SETTING_PRE_VOTE, pre_vote)]));
        let leader = lab.settle();
        let term = lab.term(leader);
        let lost = lab.others(leader)[0];
        lab.isolate(lost);
        lab.run_for(LONG);
        assert_eq!(lab.term(lost) == term, pre_vote == 1);
        assert_eq!(lab.leader(), Some(leader));
        lab.act(Action::HealAll);
        lab.run_for(LONG);
        assert_eq!(lab.watch.leadership_intervals().count() == 1, pre_vote == 1);
    }
}

#[test]
fn leader_without_a_majority_steps_down() {
    for check_quorum in [1, 0] {
        let mut lab = Lab::new(&with(quiet(5, 24), &[(raft::SETTING_CHECK_QUORUM, check_quorum)]));
        let leader = lab.settle();
        lab.isolate(leader);
        lab.run_for(LONG);
        assert_eq!(lab.role(leader) == "leader", check_quorum == 0);
        // Either way the others have a new one, and the old one follows it when it hears of it.
        lab.act(Action::HealAll);
        lab.run_for(LONG);
        assert_eq!(lab.role(leader), "follower");
        assert_eq!(lab.watch.leadership_intervals().count(), 2);
    }
}

#[test]
fn crashed_leader_is_replaced_within_two_election_timeouts() {
    for seed in 0..20 {
        let mut lab = Lab::new(&quiet(5, seed));
        let leader = lab.settle();
        lab.run_for(100_000);
        lab.act(Action::Crash(leader));
        lab.run_till(200_000, |lab| lab.leader().is_some());
        assert_ne!(lab.leader(), Some(leader));
    }
}

// Transfer.

#[test]
fn transfer_takes_two_round_trips_and_loses_no_command() {
    let state = Pace::Closed { sessions: 8, think: 0 };
    let blueprint = Blueprint { clients: vec![clients(state, 0, 500_000)], ..quiet(5, 25) };
    let mut lab = Lab::new(&blueprint);
    let leader = lab.settle();
    lab.run_until(1_000_000);
    for heir in lab.others(leader) {
        let start = lab.world.time();
        assert!(lab.act(Action::HandOver(heir)));
        lab.run_till(50_000, |lab| lab.leader() == Some(heir));
        // The target catches up in at most a round trip (10 ms), and is told and elected in one and a half.
        assert!(lab.world.time() - start <= 25_000, "{}", lab.world.time() - start);
        lab.run_for(200_000);
    }
    assert_eq!(lab.world.counts().retried, 0, "nobody lost patience");
    lab.act(Action::Quiesce);
    lab.run_till(LONG, |lab| lab.world.waiting() == 0);
}

#[test]
fn transfer_to_an_unreachable_server_is_aborted() {
    let blueprint = Blueprint { clients: vec![clients(ONE_SESSION, 0, 500_000)], ..quiet(5, 26) };
    let mut lab = Lab::new(&blueprint);
    let leader = lab.settle();
    lab.run_until(1_000_000);
    let deaf = lab.others(leader)[0];
    lab.isolate(deaf);
    assert!(lab.act(Action::HandOver(deaf)));
    let answered = lab.world.counts().answered;
    lab.run_for(45_000);
    assert!(lab.world.counts().answered <= answered + 1, "no commands are taken during the transfer");
    lab.run_for(500_000);
    assert!(lab.world.counts().answered > answered + 5);
    assert_eq!(lab.leader(), Some(leader));
    assert!(lab.world.rules_used().has(raft::TRANSFER_ENDS));
}

// Catching up.

#[test]
fn follower_far_behind_gets_a_snapshot_and_one_slightly_behind_gets_entries() {
    for (down, snapshots) in [(150_000, 0), (3_000_000, 1)] {
        let state = Pace::Closed { sessions: 4, think: 0 };
        let blueprint = Blueprint { clients: vec![clients(state, 0, 500_000)], ..quiet(5, 27) };
        let mut lab = Lab::new(&with(blueprint, &[(raft::SETTING_SNAPSHOT_EVERY, 200)]));
        let leader = lab.settle();
        lab.run_until(1_000_000);
        let late = lab.others(leader)[0];
        lab.act(Action::Crash(late));
        lab.run_for(down);
        lab.clear_counts();
        lab.act(Action::Restart(late));
        lab.run_for(500_000);
        assert_eq!(lab.sent("InstallSnapshot"), snapshots);
        lab.act(Action::Quiesce);
        lab.run_for(500_000);
        assert_eq!(lab.committed(late), lab.committed(leader));
        let digest =
            |node: NodeId| lab.world.nodes_of::<Raft>()[usize::from(node.0)].as_ref().unwrap().machine_digest();
        assert_eq!(digest(late), digest(leader));
        assert_eq!(lab.status(leader).unwrap().log.first > 1, snapshots > 0);
    }
}

// Reads while the leader is cut off, which it does not know yet.

fn read_under_a_cut(reads: u64, ablated: RuleSet) {
    let settings = [(raft::SETTING_READS, reads), (raft::SETTING_CHECK_QUORUM, 0)];
    let blueprint = with_client_at_a(with(quiet(5, 28), &settings), ONE_SESSION, 100, 2_000_000);
    let mut blueprint = Blueprint { ablated, ..blueprint };
    // A second client, at the others' site, goes on writing.
    let far = ClientGroup { site: 1, ..clients(ONE_SESSION, 30, 2_000_000) };
    blueprint.clients.push(far);
    let mut lab = Lab::new(&blueprint);
    lab.settle();
    if lab.leader() != Some(A) {
        assert!(lab.act(Action::HandOver(A)));
        lab.run_till(LONG, |lab| lab.leader() == Some(A));
    }
    lab.run_until(3_000_000);
    lab.isolate(A);
    lab.run_for(LONG);
    assert!(lab.history.reads > 20);
}

#[test]
fn partitioned_leader_serves_no_stale_read_in_any_mode() {
    for reads in [0, 1, 2] {
        read_under_a_cut(reads, RuleSet::EMPTY);
    }
    assert!(breaks(|| read_under_a_cut(1, without(raft::READ_INDEX))));
    assert!(breaks(|| read_under_a_cut(2, without(raft::LEASE_ENDS))));
    // Each rule is about one way of serving reads, and the other ways do without it.
    read_under_a_cut(0, without(raft::READ_INDEX));
    read_under_a_cut(1, without(raft::LEASE_ENDS));
}

#[test]
fn lease_survives_one_lost_round_of_heartbeats_and_no_more() {
    let blueprint = with(quiet(3, 29), &[(raft::SETTING_READS, 2)]);
    let group = clients(Pace::Closed { sessions: 1, think: 1_000 }, 100, 1_000_000);
    let mut lab = Lab::new(&Blueprint { clients: vec![group], ..blueprint });
    let leader = lab.settle();
    lab.run_until(1_500_000);
    lab.world.record_effects();
    lab.isolate(leader);
    let cut = lab.world.time();
    let mut last = 0;
    while lab.step(cut + 300_000) {
        let answers = |(node, effect): &(NodeId, _)| {
            *node == leader && matches!(effect, Effect::Reply(reply) if matches!(reply.answer, Answer::Done(_)))
        };
        if lab.world.effects_of::<Raft>().iter().any(answers) {
            last = lab.world.time() - cut;
        }
    }
    // The lease is 50 ms less a tenth for the clocks, from the last round that came back before the cut. That takes 10 ms, and the next
    // one goes with the heartbeats after that, which are 10 ms apart.
    assert!((15_454..=35_454).contains(&last), "{last}");
}

// Membership.

/// Three servers are replaced by three others, the leader among them, while clients go on.
#[test]
fn joint_consensus_replaces_all_servers_under_load() {
    for membership in [0, 1] {
        let blueprint = Blueprint { clients: vec![clients(ONE_SESSION, 50, 500_000)], ..quiet(3, 30) };
        let mut lab = Lab::new(&with(blueprint, &[(raft::SETTING_MEMBERSHIP, membership)]));
        lab.settle();
        lab.run_until(1_000_000);
        for _ in 0..3 {
            assert!(lab.act(Action::Add { site: 0 }));
        }
        lab.run_for(LONG);
        assert_eq!(lab.status(lab.leader().unwrap()).unwrap().members.len(), 6);
        for old in [A, B, C] {
            lab.run_till(LONG, |lab| lab.leader().is_some());
            assert!(lab.act(Action::Remove(old)));
            lab.run_for(LONG / 3);
        }
        let leader = lab.leader().expect("one of the new ones leads");
        assert_eq!(lab.status(leader).unwrap().members, [D, E, NodeId(5)].into_iter().collect());
        for old in [A, B, C] {
            assert_eq!(lab.role(old), "non-voting", "{old:?} knows that it has left");
            assert!(lab.act(Action::Crash(old)));
        }
        let answered = lab.world.counts().answered;
        lab.run_for(LONG);
        assert!(lab.world.counts().answered > answered + 20);
    }
}

/// A server that was down while it was removed asks for votes for ever when it comes back, and nobody minds.
#[test]
fn removed_server_deposes_no_leader() {
    let mut lab = Lab::new(&quiet(4, 31));
    let leader = lab.settle();
    let removed = lab.others(leader)[0];
    lab.act(Action::Crash(removed));
    assert!(lab.act(Action::Remove(removed)));
    lab.run_for(LONG);
    lab.act(Action::Restart(removed));
    lab.clear_counts();
    lab.run_for(LONG);
    assert!(lab.sent("PreVote") > 0);
    assert_eq!(lab.sent("RequestVote"), 0);
    assert_eq!((lab.leader(), lab.watch.leadership_intervals().count()), (Some(leader), 1));
}

#[test]
fn unreachable_new_server_is_not_added() {
    let mut lab = Lab::new(&quiet(3, 32));
    let leader = lab.settle();
    assert!(lab.act(Action::Add { site: 0 }));
    lab.isolate(D);
    assert_eq!(lab.status(leader).unwrap().members.len(), 4, "that is what it is asked for");
    lab.run_for(LONG);
    assert_eq!(lab.status(leader).unwrap().members.len(), 3);
    assert_eq!(lab.leader(), Some(leader));
}

// Disks.

/// A write to disk on the way of every command: the leader's and the followers' at the same time, and one at each place.
#[test]
fn leader_and_followers_write_to_disk_in_parallel() {
    let mut blueprint = with_client_at_a(quiet(3, 33), Pace::Closed { sessions: 1, think: 50_000 }, 0, 2_000_000);
    blueprint.topology.disk = 3_000;
    let mut lab = Lab::new(&blueprint);
    lab.settle();
    if lab.leader() != Some(A) {
        assert!(lab.act(Action::HandOver(A)));
    }
    lab.run_until(4_000_000);
    // Client and leader are 2 ms apart, leader and followers 10 ms, and a follower writes for 3 ms. The leader's own 3 ms hide behind it.
    let latencies: Vec<Micros> = lab.world.samples()[0].iter().skip(1).map(|(_, sample)| sample.latency).collect();
    assert!(latencies.len() > 10);
    assert!(latencies.iter().all(|&latency| latency == 2_000 + 10_000 + 3_000), "{latencies:?}");
}

// Reordering.

/// How many commands 200 clients have answered within a second, if every other message is late by so much at most.
fn answered(late: &str) -> u64 {
    let document = format!(
        "variant = \"raft\"\nsettings = {{ batch = 16 }}\nsites = [\"s\"]\nrtt_ms = [[10]]\nduration = \"1s\"\n\
         replicas = [\"s\", \"s\", \"s\", \"s\", \"s\"]\nclients = [{{ site = \"s\", sessions = 200 }}]\n\
         script = [{{ at = \"0s\", do = \"reordering\", share = \"50%\", extra = \"{late}\" }}]\n"
    );
    let document = quorumscope::lab::text::from_toml(&document).expect("a scenario");
    let report = quorumscope::lab::run::Run::to_end(&document).expect("a good one");
    assert_eq!((report.leaders.len(), report.violations.len()), (1, 0), "{late}");
    report.commands.answered
}

#[test]
fn reordered_entries_are_not_retransmitted() {
    let in_order = answered("0s");
    // A command takes 20 ms, and so much more: with half of the messages late, one of many before a command is, on nearly every link.
    for (late, percent) in [("1ms", 94), ("5ms", 80), ("10ms", 66)] {
        let answered = answered(late);
        assert!(answered * 100 >= in_order * percent, "late by {late}: {answered}, in order: {in_order}");
        println!("late by {late}: {answered}, in order: {in_order}");
    }
}
