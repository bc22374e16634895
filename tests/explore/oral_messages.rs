//! OM(m): everything that four generals can do in synchronous rounds while one of them lies, and that three cannot do it. A Byzantine node's every message may
//! arrive as it is, with another order, or not at all. What breaks without a rule is in `ablations.rs`.

use super::{safe, violated};

#[test]
fn one_byzantine_node_of_four_is_safe_whoever_it_is() {
    assert_eq!(safe("oral-messages 4 / at=1"), (326, 22));
    assert_eq!(safe("oral-messages 4 / at=1 byzantine=1"), (2_849, 22));
    for lieutenant in 2..=4 {
        assert_eq!(safe(&format!("oral-messages 4 / at=1 byzantine={lieutenant}")), (1_325, 22));
    }
    assert_eq!(safe("oral-messages 4 / at=1 crashes=1 partial=1"), (2_858, 23));
}

/// §2 of the paper: no solution for three generals. A commander that lies leaves both lieutenants with the default; a lieutenant that lies is believed as
/// much as the commander.
#[test]
fn one_byzantine_node_of_three_breaks_what_a_loyal_commander_is_owed() {
    assert_eq!(safe("oral-messages 3 -three-m-plus-one / at=1 byzantine=1"), (231, 14));
    for lieutenant in [2, 3] {
        let search = format!("oral-messages 3 -three-m-plus-one / at=1 byzantine={lieutenant}");
        assert_eq!(violated(&search), ("A loyal commander is obeyed (IC2)", 12));
    }
}

#[test]
fn two_byzantine_nodes_of_four_break_agreement() {
    assert_eq!(violated("oral-messages 4 / at=1 byzantine=1+3"), ("Agreement", 20));
    assert_eq!(violated("oral-messages 4 / at=1 byzantine=2+3"), ("A loyal commander is obeyed (IC2)", 15));
}

#[test]
fn byzantine_node_and_a_crash_are_one_fault_too_many() {
    assert_eq!(
        violated("oral-messages 4 / at=1 crashes=1 partial=1 byzantine=2").0,
        "A loyal commander is obeyed (IC2)"
    );
}

#[test]
fn timers_that_do_not_wait_for_messages_break_it() {
    assert_eq!(violated("oral-messages 4 / lockstep=off timers=any at=1").1, 5);
}
