//! EPaxos: everything that three replicas can do with one or two commands that interfere. What breaks without a rule is in `ablations.rs`.

use super::safe;

#[test]
fn intact_it_is_safe() {
    assert_eq!(safe("epaxos 3 / timers=0"), (4_421, 16));
    assert_eq!(safe("epaxos 3 / timers=0 crashes=1"), (24_661, 18));
}

#[test]
fn one_recovery_is_safe() {
    assert_eq!(safe("epaxos 3 / timers=1 at=1"), (1_922, 17));
    safe("epaxos 3 thrifty=true / timers=1 at=1 crashes=1 lost=Nack");
    safe("epaxos 3 fast_path=false / timers=1 at=1 crashes=1 lost=Nack");
}
