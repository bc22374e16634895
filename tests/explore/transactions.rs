//! Two-phase commit: every order of messages, time-outs, crashes and restarts of one or two transactions of three nodes. Rules taken away:
//! `ablations.rs`.

use super::{explore, safe};

#[test]
fn intact_it_is_safe_whatever_is_presumed() {
    assert_eq!(safe("two-phase-commit 3 / timers=1"), (4_345, 22));
    assert_eq!(safe("two-phase-commit 3 / timers=1 crashes=1"), (304_595, 27));
    for (settings, states) in
        [("", (58_869, 22)), ("presume=\"nothing\"", (91_847, 22)), ("presume=\"commit\"", (56_585, 21))]
    {
        assert_eq!(safe(&format!("two-phase-commit 3 {settings} / timers=2 crashes=1 at=1")), states, "{settings}");
    }
}

#[test]
fn participants_that_refuse_and_messages_that_come_twice_change_nothing() {
    assert_eq!(safe("two-phase-commit 3 refuse=500 / timers=1 crashes=1 at=1"), (8_176, 18));
    assert_eq!(safe("two-phase-commit 3 / timers=1 duplicates=1 crashes=1 at=1"), (39_716, 20));
}

#[test]
fn what_clients_read_is_linearizable_through_a_crash() {
    assert_eq!(safe("two-phase-commit 3 / timers=1 at=1 reads=1 crashes=1"), (405_197, 27));
}

#[test]
fn participants_are_alike() {
    let states =
        |symmetry: &str| explore(&format!("two-phase-commit 3 / timers=2 crashes=1 at=1 symmetry={symmetry}")).states;
    assert_eq!((states("off"), states("on")), (58_869, 29_681));
}
