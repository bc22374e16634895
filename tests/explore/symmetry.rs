//! The same verdicts with and without symmetry, and the counts of both.

use super::{explore, request};
use quorumscope::universe::search::FindingVerdict;

/// States without symmetry and with it; the verdict and the length of the trace are the same.
fn both(line: &str) -> (u32, u32) {
    let [all, fewer] = ["off", "on"].map(|symmetry| explore(&format!("{line} symmetry={symmetry}")));
    assert_eq!((all.verdict, all.depth), (fewer.verdict, fewer.depth), "{line}");
    assert_eq!(all.violation.map(|wrong| wrong.property), fewer.violation.map(|wrong| wrong.property), "{line}");
    // The trace is told under the names that the nodes have at the start, so each node's part of it makes sense by itself.
    assert_eq!(all.trace.len(), fewer.trace.len());
    (all.states, fewer.states)
}

/// Servers of Raft are alike: three have 6 orders.
#[test]
fn raft_servers_are_interchangeable() {
    let raft = "raft 3 pre_vote=false check_quorum=false";
    let lost = "lost=RequestVoteRefusal+AppendEntriesRefusal+Heartbeat+HeartbeatReply";
    assert_eq!(both(&format!("{raft} / timers=2 requests=0 crashes=1 {lost}")), (14_486, 2_430));
    assert_eq!(both(&format!("{raft} -one-vote / timers=2 requests=0 {lost}")), (456, 112));
    assert_eq!(both(&format!("{raft} -up-to-date via=leader / timers=2 requests=1 {lost}")), (7_188, 1_624));
}

/// Acceptors of the Synod that never propose are alike: with two proposers among five nodes, three, which have 6 orders.
#[test]
fn synod_acceptors_that_never_propose_are_interchangeable() {
    assert_eq!(both("synod 5 / timers=0 at=1 lost=Nack"), (19_345, 985));
    assert_eq!(both("synod 5 -adopt-highest-accepted / timers=0 lost=Nack+Chosen"), (53_566, 10_426));
}

#[test]
fn symmetry_where_names_decide_leaves_out_nothing() {
    let states = |line: &str| {
        let (all, fewer) = both(line);
        assert_eq!(all, fewer, "{line}");
    };
    // Names are ranks; every node proposes; a thrifty proposer asks its neighbours; an order and the bounds name nodes.
    states("notes 3 winner_refuses=true follower_cannot_win=true / requests=0 timers=any duplicates=any lost=Reject");
    states("synod 3 / timers=0 at=1+2+3 depth=6");
    states("synod 4 thrifty=true / timers=0 at=1");
    states("multi-paxos 3 / timers=1 requests=0");
    let raft = "raft 2 pre_vote=false check_quorum=false via=leader=1";
    states(&format!("{raft} / timers=1 requests=0 transfers=2"));
    assert_eq!(request("synod 3 / symmetry=on").bounds.last().map(|bound| bound.value.as_str()), Some("on"));
    assert_eq!(explore("synod 3 / timers=0 symmetry=on").verdict, FindingVerdict::Safe);
}
