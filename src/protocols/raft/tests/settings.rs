//! Settings: derived timeouts, and refusal of what does not fit.

use super::*;

#[test]
fn timeouts_left_open_are_derived_from_the_longest_round_trip() {
    let config = |rtt_max| Raft::cluster(&Setup { rtt_max, ..setup(1, &[]) }).expect("good settings")[0];
    let wan = config(200_000);
    assert_eq!((wan.heartbeat, wan.election_min, wan.election_max), (200_000, 1_000_000, 2_000_000));
    let lan = config(300);
    assert_eq!((lan.heartbeat, lan.election_min, lan.election_max), (10_000, 50_000, 100_000));
    assert_eq!(lan.retry_ticks, 1);
}

#[test]
fn settings_that_do_not_fit_are_refused_by_key() {
    let fails = |choices: &[_]| Raft::cluster(&setup(3, choices)).expect_err("it does not fit").0;
    assert_eq!(fails(&[(SETTING_ELECTION_MIN, 2_000), (SETTING_ELECTION_MAX, 1_000)]), "election_timeout_max");
    assert_eq!(fails(&[(SETTING_ELECTION_MIN, 2_000), (SETTING_HEARTBEAT, 2_000)]), "heartbeat");
    for choices in [
        &[(SETTING_ELECTION_MIN, 1)][..],
        &[(SETTING_ELECTION_MAX, 1)],
        &[(SETTING_ELECTION_MAX, 300_000)],
        &[(SETTING_HEARTBEAT, 3_600_000_000)],
    ] {
        match Raft::cluster(&setup(3, choices)) {
            Ok(configs) => assert!(configs[0].heartbeat < configs[0].election_min),
            Err((key, _)) => assert!(SETTINGS.iter().any(|setting| setting.key == key)),
        }
    }
}

#[test]
fn clocks_are_compared_by_lease_guard_only() {
    let lease_guard = Reads::LeaseGuard as u64;
    for (reads, compared) in [(0, false), (1, false), (2, false), (lease_guard, true)] {
        assert_eq!(Raft::clock_error(&setup(3, &[(SETTING_READS, reads)])) > 0, compared, "{reads}");
    }
}
