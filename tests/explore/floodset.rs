//! FloodSet: everything that a few processes can do in synchronous rounds, within these bounds, and what outside its model breaks it. What breaks without a
//! rule is in `ablations.rs`.

use super::{explore, request, safe, violated};

#[test]
fn f_crashes_in_the_middle_of_rounds_are_safe() {
    assert_eq!(safe("floodset 3 / "), (1_310, 23));
    assert_eq!(safe("floodset 3 decision=\"default\" / crashes=1 partial=1"), (6_977, 24));
    assert_eq!(safe("floodset 3 / crashes=1 partial=1"), (6_977, 24));
    assert_eq!(safe("floodset 3 f=2 / crashes=2 partial=2"), (27_008, 34));
}

/// Time goes on by itself, and a crash may fall between two messages of a broadcast, unless asked for otherwise.
#[test]
fn lock_step_fires_all_timers_and_crashes_in_the_middle_of_sending() {
    let bound =
        |line: &str, key: &str| request(line).bounds.into_iter().find(|bound| bound.key == key).expect("a bound").value;
    assert_eq!(bound("floodset 3 / timers=1", "timers"), "any");
    assert_eq!(bound("floodset 3 / timers=1 lockstep=off", "timers"), "1");
    assert_eq!([bound("floodset 3", "partial"), bound("synod 3", "partial")], ["any", "0"]);
    assert_eq!(safe("floodset 3 / crashes=1"), (6_425, 24));
    assert_eq!(safe("floodset 3 / crashes=1 partial=0"), (6_198, 24));
    assert_eq!(violated("floodset 3 -one-round-more / crashes=1").0, "Agreement");
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
