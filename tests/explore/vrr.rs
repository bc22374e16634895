//! Viewstamped Replication: everything that three replicas can do within these bounds. What breaks without a rule is in `ablations.rs`.

use super::safe;

#[test]
fn one_view_change_is_safe() {
    assert_eq!(safe("vrr 3 / timers=0 at=1"), (10, 5));
    assert_eq!(safe("vrr 3 / timers=1 at=any lost=Commit"), (15_348, 17));
    assert_eq!(safe("vrr 3 / timers=2 at=1 epoch=1 lost=Commit"), (25_375, 17));
}

/// Two replicas may each give up once, or one of them twice: up to view 2, and half of the way to view 3.
#[test]
fn two_and_three_view_changes_are_safe() {
    assert_eq!(safe("vrr 3 / timers=2 at=1 lost=Commit+GetState+StartView"), (285_793, 21));
    assert_eq!(safe("vrr 3 / timers=3 at=1 lost=Commit depth=9"), (159_912, 9));
}

/// The replica that crashes forgets everything and recovers, or not, at any time of one view change.
#[test]
fn one_crash_with_a_view_change_is_safe() {
    assert_eq!(safe("vrr 3 / timers=0 crashes=1 at=1 lost=Commit"), (418, 11));
    assert_eq!(safe("vrr 3 / timers=1 crashes=1 at=1 lost=Commit+GetState"), (261_777, 23));
}
