//! CASPaxos: everything that small clusters can do with one register. What breaks without a rule is in `ablations.rs`.

use super::safe;

#[test]
fn intact_it_is_safe() {
    assert_eq!(safe("caspaxos 3 / timers=0"), (12_991, 15));
    assert_eq!(safe("caspaxos 3 / timers=0 lost=Conflict"), (4_095, 14));
    assert_eq!(safe("caspaxos 3 q1=3 q2=1 / timers=0"), (660, 15));
    safe("caspaxos 3 / timers=0 crashes=1 lost=Conflict");
    safe("caspaxos 3 / timers=0 duplicates=any lost=Conflict");
}

#[test]
fn with_the_next_prepare_in_the_accept_message_it_is_safe() {
    assert_eq!(safe("caspaxos 3 one_round=true / timers=0 at=1+1+2 lost=Conflict"), (71_377, 24));
}

#[test]
fn after_a_conflict_a_change_is_made_once() {
    safe("caspaxos 3 property=Applied_prefix / timers=1 lost=Conflict");
}

#[test]
fn what_a_reader_is_told_is_linearizable() {
    safe("caspaxos 3 property=Linearizable / timers=0 at=1 reads=2 lost=Conflict");
}
