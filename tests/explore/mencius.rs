//! Mencius: everything that three servers can do with one or two commands, skips and one revocation. What breaks without a rule is in `ablations.rs`.

use super::safe;

#[test]
fn intact_it_is_safe() {
    assert_eq!(safe("mencius 3 beta=1 / timers=0"), (1_849, 14));
    assert_eq!(safe("mencius 3 beta=1 / timers=0 crashes=1"), (23_810, 16));
}

/// Heartbeats, deferred skips and refusals only spare time, and so does what brings servers up to date.
#[test]
fn one_revocation_is_safe() {
    let all = "mencius 3 beta=1 / timers=1 at=1 lost=Heartbeat+Nack+Skip+Learn+LearnRange+CatchUp+Ask";
    assert_eq!(safe(all), (2_999, 13));
    assert_eq!(safe("mencius 3 beta=1 / timers=1 at=1 lost=Heartbeat+Nack+Skip depth=12"), (22_423, 12));
}
