//! Multi-Paxos and Raft at the smallest bounds at which their rules matter.

use super::{safe, violated};

/// Two servers may try to lead, each with a command of its own. Refusals only spare time; heartbeats only tell of what else is told.
const PAXOS: &str = "timers=2 at=1+2 epoch=2 lost=Nack+Heartbeat+HeartbeatReply";
/// The pre-vote and the look for a quorum only spare elections.
const RAFT: &str = "pre_vote=false check_quorum=false";
const ELECTIONS: &str = "lost=RequestVoteRefusal+AppendEntriesRefusal+Heartbeat+HeartbeatReply";

#[test]
fn multi_paxos() {
    safe(&format!("multi-paxos 3 / {PAXOS}"));
    let p2 = "Chosen stays chosen (P2)";
    for (line, property, events) in [
        ("-unique-ballots /", "One leader an epoch", 6),
        ("-adopt-highest-accepted /", p2, 9),
        ("-accept-unless-promised /", p2, 9),
        ("-durable-acceptor / crashes=1", p2, 11),
        ("-quorums-intersect q1=1 q2=2 /", p2, 5),
    ] {
        assert_eq!(violated(&format!("multi-paxos 3 {line} {PAXOS}")), (property, events), "{line}");
    }
    // These two are about what a heartbeat tells.
    let line = "multi-paxos 3 -prepare-all-slots / timers=2 at=1+1+2 epoch=2 lost=Nack+HeartbeatReply";
    assert_eq!(violated(line), (p2, 10));
    let line = "multi-paxos 3 -commit-same-ballot / timers=3 at=1+2 epoch=2 lost=Nack+HeartbeatReply";
    assert_eq!(violated(line), ("Agreement", 12));
}

#[test]
fn raft() {
    safe(&format!("raft 3 {RAFT} / timers=2 requests=0 crashes=1 {ELECTIONS}"));
    let (one_leader, complete) = ("One leader an epoch", "Leader Completeness");
    for (line, property, events) in [
        ("-one-vote / timers=2 requests=0", one_leader, 6),
        ("-vote-is-durable / timers=2 requests=0 crashes=1", one_leader, 8),
        ("-up-to-date / timers=3 requests=1", complete, 9),
        ("-log-is-durable / timers=2 requests=1 crashes=1", complete, 10),
    ] {
        assert_eq!(violated(&format!("raft 3 {RAFT} {line} {ELECTIONS}")), (property, events), "{line}");
    }
}
