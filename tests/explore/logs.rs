//! Multi-Paxos and Raft, intact, at bounds at which each rule taken away would show (`ablations.rs`).

use super::safe;

#[test]
fn multi_paxos_intact_is_safe() {
    // Two servers may try to lead, each with a command of its own. Refusals only spare time, and polls only spare elections.
    let bounds = "timers=2 at=1+2 epoch=2 lost=Nack+Heartbeat+HeartbeatReply";
    assert_eq!(safe(&format!("multi-paxos 3 poll=false / {bounds}")), (51_500, 19));
}

#[test]
fn raft_intact_is_safe() {
    // The pre-vote and the look for a quorum only spare elections; heartbeats only tell of what else is told.
    let raft = "raft 3 pre_vote=false check_quorum=false";
    let lost = "lost=RequestVoteRefusal+AppendEntriesRefusal+Heartbeat+HeartbeatReply";
    safe(&format!("{raft} / timers=2 requests=0 crashes=1 {lost}"));
    // With leadership handed over by an operator, and with members changed, in stages.
    safe(&format!("{raft} via=leader=1 / timers=1 requests=0 transfers=2+3 {lost}"));
    safe(&format!("{raft} via=leader=1 / timers=1 requests=0 members=1.2 {lost}"));
    safe(&format!(
        "{raft} reads=\"read-index\" via=leader=1 / timers=1 at=1 reads=1+2 depth=9 lost=RequestVoteRefusal"
    ));
}

/// The bounds of `traces/raft-change-after-own-commit.txt`. Without the rule, the violation is 6 events into the last stage.
#[test]
fn raft_single_server_changes_are_safe_to_depth_8() {
    assert_eq!(safe(&one_server_at_a_time("depth=8")), (124_190, 8));
}

#[test]
#[ignore = "needs minutes without optimisation"]
fn raft_single_server_changes_are_safe_at_any_depth() {
    assert_eq!(safe(&one_server_at_a_time("states=4000000")), (2_852_836, 26));
}

fn one_server_at_a_time(bounds: &str) -> String {
    let raft = "raft 4 pre_vote=false check_quorum=false membership=\"single-server\"";
    let lost = "lost=RequestVoteRefusal+AppendEntriesRefusal+Heartbeat+HeartbeatReply";
    let via = "via=leader=1 via=leader=2@2 via=chosen=1";
    format!("{raft} {via} / timers=2 requests=0 members=1.2.3+1.2.4 {lost} {bounds}")
}
