//! Multi-Paxos and Raft, intact, at bounds at which each rule taken away would show (`ablations.rs`).

use super::safe;

#[test]
fn multi_paxos() {
    // Two servers may try to lead, each with a command of its own. Refusals only spare time.
    let bounds = "timers=2 at=1+2 epoch=2 lost=Nack+Heartbeat+HeartbeatReply";
    assert_eq!(safe(&format!("multi-paxos 3 / {bounds}")), (51_620, 19));
}

#[test]
fn raft() {
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
