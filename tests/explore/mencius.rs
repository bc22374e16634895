//! Mencius: everything that three servers can do with one or two commands, skips and one revocation. What breaks without a rule is in `ablations.rs`.

use super::safe;

#[test]
fn intact_it_is_safe() {
    safe("mencius 3 beta=1 / timers=0");
    safe("mencius 3 beta=1 / timers=0 crashes=1 at=1+3");
}

#[test]
fn one_revocation_is_safe() {
    safe("mencius 3 beta=1 / timers=1 at=1");
    safe("mencius 3 beta=1 / timers=1 at=1 crashes=1 lost=Nack+Heartbeat");
}
