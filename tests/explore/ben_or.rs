//! Ben-Or's protocol: every order of messages, and both sides of every coin.

use super::safe;

/// Odd nodes begin with 1 and even ones with 0; one client, which asks node 1, and the others hear of it.
const DIVIDED: &str = "inputs=\"by-node\"";

#[test]
fn ben_or_intact_is_safe() {
    assert_eq!(safe("ben-or 2 / timers=0 epoch=3"), (167, 14));
    assert_eq!(safe(&format!("ben-or 2 {DIVIDED} / timers=0 epoch=4")), (897, 18));
    assert_eq!(safe("ben-or 3 / timers=0 at=1+1 epoch=1"), (13_189, 11));
    assert_eq!(safe(&format!("ben-or 3 {DIVIDED} / timers=0 at=1 epoch=1")), (442, 10));
    assert_eq!(safe(&format!("ben-or 3 {DIVIDED} / timers=0 at=1 epoch=2 depth=9")), (27_706, 9));
    assert_eq!(safe(&format!("ben-or 4 {DIVIDED} / timers=0 at=1 epoch=1 depth=9")), (25_185, 9));
}

/// Two rounds of three nodes with divided inputs, all there is: 16 messages of each round but the last, and all coins.
#[test]
#[ignore = "4 million states"]
fn ben_or_two_whole_rounds_of_three_nodes_are_safe() {
    assert_eq!(safe(&format!("ben-or 3 {DIVIDED} / timers=0 at=1 epoch=2 states=6000000")), (4_190_528, 20));
}

#[test]
fn ben_or_is_safe_with_crashes_restarts_and_echoes_sent_again() {
    assert_eq!(safe(&format!("ben-or 2 {DIVIDED} / timers=0 epoch=3 crashes=1")), (22_662, 18));
    assert_eq!(safe(&format!("ben-or 3 {DIVIDED} / timers=1 at=1 epoch=1 depth=8")), (3_537, 8));
    assert_eq!(safe("ben-or 3 termination_gadget=false / timers=0 at=1 epoch=1"), (74, 7));
}

/// With two nodes and divided inputs both hear both values, and toss. Without coins, they go into round 2 with what they had, and that is one of four ways.
#[test]
fn explorer_takes_both_sides_of_each_coin() {
    assert_eq!(safe(&format!("ben-or 2 {DIVIDED} / timers=0 epoch=2")), (141, 10));
    assert_eq!(safe(&format!("ben-or 2 {DIVIDED} -coin / timers=0 epoch=2")), (45, 8));
}
