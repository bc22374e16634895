//! Ways that do not work: what they promise they keep in every run of a small cluster. What breaks without a rule is in `ablations.rs`.

use super::{safe, violated};

#[test]
fn failover_by_hand_never_diverges() {
    assert_eq!(safe("manual-failover 2 / timers=4 requests=0"), (189, 9));
    assert_eq!(safe("manual-failover 2 / timers=2 requests=1 crashes=1 restarts=1"), (2_900, 12));
    assert_eq!(safe("manual-failover 3 / timers=0"), (2_035, 12));
    assert_eq!(safe("manual-failover 3 / timers=4 requests=1 lost=Heartbeat"), (462, 13));
    assert_eq!(safe("manual-failover 2 copies=\"asynchronous\" / timers=3 requests=1"), (598, 10));
}

#[test]
fn leader_by_gossip_is_the_lowest_of_its_list_and_two_lists_differ() {
    assert_eq!(safe("gossip-leader 2 / timers=2"), (2_481, 11));
    assert_eq!(safe("gossip-leader 3 / timers=1"), (2_991, 12));
    // Four rounds without a word from each other: both lead.
    assert_eq!(super::explore("gossip-leader 2 via=leader=2 / timers=8 requests=0 lost=Gossip").reached, 1);
}

#[test]
fn last_writer_wins_holds_the_newest_that_each_replica_has_heard_of() {
    assert_eq!(safe("last-writer-wins 3 / timers=1"), (643, 9));
    assert_eq!(safe("last-writer-wins 2 / timers=1 at=1+1+2 duplicates=1"), (3_123, 10));
    // Replicas hear of two writes in different orders.
    assert_eq!(violated("last-writer-wins 2 -last-writer-wins / timers=0"), ("Newest wins", 3));
}
