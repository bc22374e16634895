//! Omni-Paxos: everything that two or three servers can do within these bounds. What breaks without a rule is in `ablations.rs`. Every server asks all
//! others who is there as soon as it starts, so the heartbeats of three servers alone are 729 states.

use super::safe;

#[test]
fn rounds_of_two_servers_are_safe() {
    assert_eq!(safe("omni-paxos 2 / timers=3 at=1 lost=Decide"), (37_248, 20));
    assert_eq!(safe("omni-paxos 2 / timers=1 crashes=1 at=any lost=Decide"), (5_139, 22));
}

#[test]
fn heartbeats_of_three_servers_elect_nobody_before_their_round_is_over() {
    assert_eq!(safe("omni-paxos 3 / timers=0 at=1"), (729, 12));
}

#[test]
fn first_events_of_a_round_of_three_servers_are_safe() {
    assert_eq!(safe("omni-paxos 3 / timers=1 at=3 lost=Decide depth=10"), (56_971, 10));
}

#[test]
#[ignore = "takes ten seconds without optimisation"]
fn one_round_of_three_servers_is_safe() {
    assert_eq!(safe("omni-paxos 3 / timers=1 at=3 lost=Decide"), (781_605, 28));
}

/// Node 2 leads, and then node 3: what is under way of the first round comes at any time of the second.
#[test]
fn second_round_of_three_servers_is_safe() {
    let line = "omni-paxos 3 via=leader=2@1 via=leader=3@1 / timers=1 at=2+3 lost=Decide depth=5";
    assert_eq!(safe(line), (253_052, 5));
}
