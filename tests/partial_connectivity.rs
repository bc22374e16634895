//! Partial connectivity: links fail one by one, and each server still reaches some of the others. The three scenarios of Ng, Haridi and Carbone,
//! *Omni-Paxos* (EuroSys 2023, figure 5), and what the variants with a leader make of them. Where some go on here that do not in the paper, it is by
//! what has been added to them since: CheckQuorum, and a poll before an election.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::core::NodeId;
use quorumscope::lab::text;
use quorumscope::universe::{Cluster, Universe};

type Variant = (&'static str, &'static str);

const PAPER_2014: Variant = ("raft", "settings.edition = \"paper-2014\"");
const PRE_VOTE: Variant = ("raft", "settings.edition = \"pre-vote\"");
const CHECK_QUORUM: Variant = ("raft", "settings.edition = \"check-quorum\"");
const MULTI_PAXOS: Variant = ("multi-paxos", "");
const NO_POLLS: Variant = ("multi-paxos", "settings.poll = false");
const VRR: Variant = ("vrr", "");
const OMNI_PAXOS: Variant = ("omni-paxos", "settings.priority = 1");
const NO_FLAG: Variant = ("omni-paxos", "without = [\"quorum-connected\"]\nsettings.priority = 1");

/// When links fail, and the end, µs.
const CUT: u64 = 6_000_000;
const END: u64 = 26_000_000;

/// Only node 2 reaches a majority, and the leader, node 1, still reaches node 2.
const QUORUM_LOSS: &str = r#"
    { at = "6s", do = "cut", from = 1, to = [3, 4, 5] },
    { at = "6s", do = "cut", from = 3, to = [4, 5] },
    { at = "6s", do = "cut", from = 4, to = 5 },
"#;

/// Only node 2 reaches a majority, and the leader is gone. Node 2 lost it somewhat earlier, so that its log is behind.
const CONSTRAINED: &str = r#"
    { at = "5980ms", do = "cut", from = 1, to = 2 },
    { at = "6s", do = "cut", from = 1, to = [3, 4, 5] },
    { at = "6s", do = "cut", from = 3, to = [4, 5] },
    { at = "6s", do = "cut", from = 4, to = 5 },
"#;

/// Node 2 reaches nodes 1 and 3, which do not reach each other.
const CHAINED: &str = r#"{ at = "6s", do = "cut", from = 1, to = 3 },"#;

/// Node 5 is down, and the leader, node 1, keeps its link to node 2 only; nodes 2 to 4 reach each other: the built-in scenario `linked-to-one`, after
/// Howard and Abraham, *Raft does not Guarantee Liveness in the face of Network Faults* (Decentralized Thoughts, 2020).
const LINKED_TO_ONE: &str =
    r#"{ at = "6s", do = "crash", node = 5 }, { at = "6s", do = "cut", from = 1, to = [3, 4] },"#;

/// Servers in one place, with a round trip of 10 ms, of which node 1 leads when the links fail.
fn world((variant, settings): Variant, n: usize, script: &str) -> Cluster {
    let nodes = vec![r#""a""#; n].join(", ");
    let hand_over = r#"{ at = "3s", do = "hand-over", node = 1 },"#;
    let first = if ["raft", "multi-paxos"].contains(&variant) { hand_over } else { "" };
    let document = format!(
        r#"
        variant = "{variant}"
        sites = ["a"]
        rtt_ms = [[10.0]]
        replicas = [{nodes}]
        duration = "30s"
        clients = [{{ site = "a", think = "10ms", retry = "500ms", sessions = 3 }}]
        script = [{first} {script}]
        {settings}
        "#
    );
    let mut cluster =
        cluster(&text::from_toml(&document).unwrap_or_else(|problems| panic!("{problems}\n{document}")).scenario);
    cluster.run_until(CUT - 100_000);
    assert_eq!(cluster.leader(), Some(NodeId(0)), "{variant} {settings}");
    cluster
}

/// What happens after the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Clients are answered again within a second, and there is no more than one other leader to the end.
    GoesOn,
    /// Leaders change without end.
    Changes,
    /// Nobody is answered any more.
    Stops,
}

fn then(variant: Variant, n: usize, script: &str) -> Then {
    let mut cluster = world(variant, n, script);
    cluster.run_until(CUT);
    let led = cluster.safety().led();
    if script == CONSTRAINED {
        let end = |id: u8| cluster.node(NodeId(id)).status.expect("it is up").log.last;
        assert!(end(1) < end(2).min(end(3)).min(end(4)), "{variant:?}: node 2 lacks nothing");
    }
    // What was under way is answered at once.
    cluster.run_until(CUT + 20_000);
    let at_once = cluster.counts().answered;
    cluster.run_until(CUT + 1_000_000);
    let soon = cluster.counts().answered - at_once;
    cluster.run_until(END);
    assert_safe(&cluster);
    let (led, answered) = (cluster.safety().led() - led, cluster.counts().answered - at_once);
    println!("{variant:?}: {soon} answers within 1 s, {answered} in all, {led} leaders more");
    match (soon, led) {
        (0, 0) if answered == 0 => Then::Stops,
        (1.., 0..=1) => Then::GoesOn,
        _ if led > 100 => Then::Changes,
        _ => panic!("{variant:?}: {soon} answers within 1 s, {answered} in all, {led} leaders more"),
    }
}

/// Node 2 hears from the leader, and the leader does not step down by itself in Raft without CheckQuorum, nor in Omni-Paxos without its flag. In
/// Viewstamped Replication a view begins only if a majority hears that a majority wants it.
#[test]
fn quorum_loss_stops_whoever_does_not_look_for_a_majority() {
    use Then::*;
    for (variant, what) in [
        (PAPER_2014, Stops),
        (PRE_VOTE, Stops),
        (CHECK_QUORUM, GoesOn),
        (MULTI_PAXOS, GoesOn),
        (VRR, Stops),
        (OMNI_PAXOS, GoesOn),
        (NO_FLAG, Stops),
    ] {
        assert_eq!(then(variant, 5, QUORUM_LOSS), what, "{variant:?}");
    }
}

/// In Raft nobody votes for a server whose log is behind; in Viewstamped Replication nodes 3 to 5 hear of one other only.
#[test]
fn constrained_election_stops_whoever_asks_more_of_a_leader_than_a_majority() {
    use Then::*;
    for (variant, what) in [
        (PAPER_2014, Stops),
        (CHECK_QUORUM, Stops),
        (MULTI_PAXOS, GoesOn),
        (VRR, Stops),
        (OMNI_PAXOS, GoesOn),
        (NO_FLAG, GoesOn),
    ] {
        assert_eq!(then(variant, 5, CONSTRAINED), what, "{variant:?}");
    }
}

/// In Multi-Paxos without polls nodes 1 and 3 each prepare a higher ballot as soon as node 2 has told them of the other's. With polls, and in Raft, a
/// leader that a majority hears stays; the others change it once.
#[test]
fn chain_of_servers_has_leaders_change_without_end_where_ballots_are_passed_on() {
    use Then::*;
    for (variant, what) in
        [(CHECK_QUORUM, GoesOn), (MULTI_PAXOS, GoesOn), (NO_POLLS, Changes), (VRR, GoesOn), (OMNI_PAXOS, GoesOn)]
    {
        assert_eq!(then(variant, 3, CHAINED), what, "{variant:?}");
    }
}

/// Node 2 would vote for nobody else as long as it hears the leader. In Viewstamped Replication nodes 3 and 4 have it change the view, and in Omni-Paxos they
/// raise their ballots, for they do not hear the leader.
#[test]
fn leader_linked_to_one_stops_raft_with_pre_vote_and_without_check_quorum_only() {
    use Then::*;
    for (variant, what) in [
        (PRE_VOTE, Stops),
        (CHECK_QUORUM, GoesOn),
        (MULTI_PAXOS, GoesOn),
        (VRR, GoesOn),
        (OMNI_PAXOS, GoesOn),
        (NO_FLAG, GoesOn),
    ] {
        assert_eq!(then(variant, 5, LINKED_TO_ONE), what, "{variant:?}");
    }
}
