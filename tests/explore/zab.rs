//! Zab: everything that two or three servers can do within these bounds, without heartbeats. All servers vote as soon as they start.

use super::safe;

#[test]
fn epoch_and_commands_of_two_servers_are_safe() {
    assert_eq!(safe("zab 2 / timers=0"), (15_966, 22));
    assert_eq!(safe("zab 2 / timers=1 at=2 lost=Ping+Pong"), (4_057, 22));
    assert_eq!(safe("zab 2 / timers=0 crashes=1 at=any lost=Ping+Pong"), (3_713, 22));
}

#[test]
fn first_events_of_three_servers_are_safe() {
    assert_eq!(safe("zab 3 / timers=0 at=3 lost=Ping+Pong depth=12"), (53_355, 12));
}
