//! Viewstamped Replication: everything that three replicas can do within these bounds. What breaks without a rule is in `ablations.rs`.

use super::{safe, violated};
use quorumscope::lab::run::Run;
use quorumscope::lab::{Document, text};

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

#[test]
fn ring_is_safe_with_view_changes_a_crash_and_quorums_of_two_sizes() {
    assert_eq!(safe("vrr 3 ring=true / timers=1 at=any lost=Commit"), (25_325, 17));
    assert_eq!(safe("vrr 3 ring=true / timers=2 at=1 epoch=1 lost=Commit+GetState"), (58_904, 18));
    assert_eq!(safe("vrr 3 ring=true / timers=0 crashes=1 at=1 lost=Commit"), (330, 11));
    // Two commit, and three change the view.
    assert_eq!(safe("vrr 4 ring=true / timers=1 at=1 lost=Commit+GetState depth=10"), (64_414, 10));
}

/// The published fault (Michael, Ports, Sharma, Szekeres, 2017): replicas 2 and 3 each forget that they wanted to change the view, and their messages
/// from before come when the primary has committed a request with replica 3. The run that the search below finds is kept.
#[test]
fn message_from_before_a_crash_loses_a_request_in_the_kept_run() {
    let written = std::fs::read_to_string("tests/explore/vrr-crash-vector.toml").expect("readable");
    let mut scenario = text::from_toml(&written).unwrap_or_else(|problems| panic!("{problems}")).scenario;
    let violations = |document: Document| {
        let report = Run::to_end(&document).unwrap_or_else(|wrong| panic!("{wrong}"));
        report.violations.iter().map(|violation| violation.property).collect::<Vec<_>>()
    };
    assert_eq!(violations(scenario.clone().into()), ["Committed requests survive views"]);
    scenario.without.clear();
    assert_eq!(violations(scenario.into()), [""; 0]);
}

#[test]
#[ignore = "needs minutes without optimisation"]
fn search_finds_that_messages_from_before_a_crash_must_not_count() {
    let search = "vrr 3 -crash-vector / states=6000000 timers=1 crashes=2 at=1 lost=Commit+GetState";
    assert_eq!(violated(search), ("Committed requests survive views", 18));
}
