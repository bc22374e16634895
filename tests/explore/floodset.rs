//! FloodSet: everything that a few processes can do in synchronous rounds, within these bounds, and what outside its model breaks it. What breaks without a
//! rule is in `ablations.rs`.

use super::{explore, safe, violated};

#[test]
fn f_crashes_in_the_middle_of_rounds_are_safe() {
    assert_eq!(safe("floodset 3 / "), (1_310, 23));
    assert_eq!(safe("floodset 3 decision=\"default\" / crashes=1 partial=1"), (6_977, 24));
    assert_eq!(safe("floodset 3 / crashes=1 partial=1"), (6_977, 24));
    assert_eq!(safe("floodset 3 f=2 / crashes=2 partial=2"), (27_008, 34));
}

/// A crash in the middle of sending reaches the nodes with the lowest numbers. Whoever has the input, agreement holds.
#[test]
fn place_of_the_inputs_makes_no_difference() {
    for at in ["1", "2", "3", "1+3", "2+3", "1+2+3"] {
        let requests = format!("floodset 3 / crashes=1 partial=1 at={at}");
        assert_eq!(explore(&requests).violation, None, "{at}");
    }
}

#[test]
fn more_crashes_than_f_break_agreement() {
    assert_eq!(violated("floodset 4 / crashes=2 partial=2 at=1"), ("Agreement", 20));
}

/// A process that comes back begins with round 1 by itself.
#[test]
fn crashed_process_that_starts_again_breaks_agreement() {
    assert_eq!(violated("floodset 3 / crashes=1 restarts=1 at=1"), ("Agreement", 15));
}

#[test]
fn timers_that_do_not_wait_for_messages_break_agreement() {
    assert_eq!(violated("floodset 3 / lockstep=off timers=any at=1"), ("Agreement", 7));
}
